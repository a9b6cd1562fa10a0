//! `portreeve evidence …`

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::Remote;
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Write the evidence of a review into a file
    Build {
        /// The review
        review: String,
        /// The file
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Verify a bundle offline; exit 1 and what is wrong where when it does not hold
    Verify {
        /// The bundle
        file: PathBuf,
        /// The verifier key as `portreeve status` shows it; without one, the bundle's own is used
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

impl Evidence {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let (review, output) = match self {
            Self::Build { review, output } => (review, output),
            Self::Verify { file, key } => return verify(&file, key.as_deref(), remote.out),
        };
        let path = format!("/reviews/{}/evidence", segment(&review));
        let bundle = remote.client.bytes(&path).await?;
        std::fs::write(&output, &bundle).map_err(|error| Failure::file(&output, &error))?;
        let written = serde_json::json!({"file": output, "bytes": bundle.len()});
        remote
            .out
            .show(&written, |_| format!("{} ({} bytes)\n", output.display(), bundle.len()))?;
        remote.out.hint(&format!("next: portreeve evidence verify {}", output.display()));
        Ok(Exit::Done)
    }
}

/// Verifies a bundle; needs no server.
pub(crate) fn verify(file: &Path, key: Option<&str>, out: Output) -> Result<Exit, Failure> {
    let bundle = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let report = audit::evidence::verify(&bundle, key);
    out.show(&report, |report| format!("{}\n", report.summary))?;
    if report.is_ok() {
        if key.is_none() {
            // Whoever forges a file signs it too, and with a key that they name in it.
            out.hint("this does not say whose signature it is: give the published key with --key");
        }
        return Ok(Exit::Done);
    }
    for check in report.checks.iter().filter(|check| !check.ok) {
        out.hint(&format!("{}: {}: {}", check.name, check.place, check.detail));
    }
    Ok(Exit::Failed)
}

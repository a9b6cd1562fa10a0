//! `portreeve doctor`: looks at everything that an installation rests on and says how to fix what
//! is wrong. It changes nothing that was there before, but for the repairs that every start makes
//! to a log after a crash.

mod machine;
mod network;
mod state;

use std::path::Path;

use serde::Serialize;

use crate::config::read;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What became of one check.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) check: String,
    /// `ok`, `skipped`, `warning`, `failed`.
    pub(crate) outcome: &'static str,
    /// What was found.
    pub(crate) detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Finding {
    fn new(check: &str, outcome: &'static str, detail: impl Into<String>) -> Self {
        Self { check: check.to_owned(), outcome, detail: detail.into(), fix: None }
    }

    fn ok(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, "ok", detail)
    }

    fn skipped(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, "skipped", detail)
    }

    fn warning(check: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..Self::new(check, "warning", detail) }
    }

    fn failed(check: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..Self::new(check, "failed", detail) }
    }

    fn problem(check: &str, problem: &base::Problem) -> Self {
        let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        Self {
            fix: problem.hint.clone(),
            ..Self::new(check, "failed", format!("{place}{}", problem.detail))
        }
    }
}

/// Checks the installation of a configuration file.
pub(crate) async fn run(file: &Path, out: Output) -> Result<Exit, Failure> {
    crate::serve::start_log("off", out);
    let mut found = vec![machine::clock()];
    match read(file) {
        Err(wrong) => {
            let fix = "`portreeve config check` shows every error";
            found.push(Finding::failed("configuration", wrong.to_string().trim_end(), fix));
        }
        Ok(settings) => {
            found.push(Finding::ok("configuration", file.display().to_string()));
            found.extend(machine::data(&settings.data));
            found.extend(machine::secrets(&settings));
            found.extend(machine::tls(settings.tls.as_ref()));
            found.extend(state::check(&settings).await);
            found.extend(network::upstreams(&settings).await);
            found.extend(network::key_sets(&settings).await);
        }
    }
    let failed = found.iter().any(|finding| finding.outcome == "failed");
    out.show(&found, |found| found.iter().map(line).collect())?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn line(finding: &Finding) -> String {
    let mut text = format!("{:<8} {}: {}\n", finding.outcome, finding.check, finding.detail);
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("         fix: {fix}\n"));
    }
    text
}

//! A large organisation from the database into the ruleset: how long `serve` takes until it
//! listens, what it then holds in memory, and what one change costs there.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::process::Running;
use super::product::{Installation, Product};
use super::{Programs, work_folder};
use crate::repository::Chore;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    size: Size,
}

/// How large the organisation is.
#[derive(clap::Args)]
pub(super) struct Size {
    /// Identities
    #[arg(long, default_value_t = 100_000)]
    pub(super) identities: usize,
    /// Grants of each identity
    #[arg(long, default_value_t = 10)]
    pub(super) grants_each: usize,
}

/// A server that holds a large organisation.
pub(super) struct Loaded {
    pub(super) product: Product,
    pub(super) upstream: Running,
    pub(super) folder: PathBuf,
    /// From the start of the process until it listened.
    pub(super) seconds: f64,
}

pub(super) fn run(programs: &Programs, options: &Options) -> Chore<()> {
    let loaded = load(programs, "load", &options.size)?;
    let resident_mib = loaded.product.running().resident_mib();
    let began = Instant::now();
    loaded.product.command(&["grant", "revoke", "grant-0-0", "--reason", "bench"])?;
    let revoke_ms = began.elapsed().as_secs_f64() * 1e3;
    if !options.json {
        println!("the database is in {}", loaded.folder.display());
        println!("revoke_ms includes starting the command line");
    }
    println!(
        "{}",
        serde_json::json!({
            "identities": options.size.identities,
            "grants": options.size.identities * options.size.grants_each,
            "load_s": (loaded.seconds * 100.0).round() / 100.0,
            "rss_mib": resident_mib.round(), "revoke_ms": revoke_ms.round(),
        })
    );
    drop(loaded.upstream);
    Ok(())
}

/// Fills a database and serves it.
pub(super) fn load(programs: &Programs, name: &str, size: &Size) -> Chore<Loaded> {
    let folder = work_folder(name)?;
    let (upstream, upstream_port) = super::start_upstream(programs, &folder)?;
    let installation = Installation::init(&programs.path("portreeve"), &folder)?;
    eprintln!("bench: writing {} identities", size.identities);
    let mut fill = Command::new(programs.path("bench-fill"));
    fill.arg(&installation.database).arg(format!("http://127.0.0.1:{upstream_port}"));
    fill.args([size.identities, size.grants_each].map(|number| number.to_string()));
    let done = fill.output().map_err(|e| format!("bench-fill: {e}"))?;
    if !done.status.success() {
        return Err(format!("bench-fill: {}", String::from_utf8_lossy(&done.stderr).trim()));
    }
    let began = Instant::now();
    let product = installation.serve(&folder, None)?;
    Ok(Loaded { product, upstream, folder, seconds: began.elapsed().as_secs_f64() })
}

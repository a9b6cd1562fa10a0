//! `cargo xtask bench`: the product beside its peers, on loopback, bounded by counts.
//!
//! Figures that travel between machines are ratios measured in the same run; a wide spread is
//! printed, not hidden. No test asserts a time.

mod alone;
mod gate;
mod load;
mod process;
mod product;
mod revoke;
mod statistics;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use process::Running;

use crate::repository::{Chore, Repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    bench: Bench,
    /// Measure the programs in this folder instead of building them
    #[arg(long, value_name = "DIR", global = true)]
    programs: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Bench {
    /// CPU time per request, API key, as a ratio to nginx plain `proxy_pass`
    Gate(gate::Options),
    /// From an acknowledged revoke to the first refusal, under load
    Revoke(revoke::Options),
    /// 100,000 identities and 1,000,000 grants from the store into the ruleset
    Load(load::Options),
    /// One decision at growing numbers of grants
    Decision(alone::Options),
    /// A million recorded calls judged again: the engine alone, and with reading the log
    Replay(alone::Options),
    /// Filtering of JSON per byte, beside a tree that is parsed, pruned and written
    Filter(alone::Options),
}

pub(crate) fn run(repository: &Repository, options: &Options) -> Chore<()> {
    let programs = match &options.programs {
        Some(folder) => Programs { folder: folder.clone() },
        None => Programs::build(repository)?,
    };
    match &options.bench {
        Bench::Gate(options) => gate::run(&programs, options),
        Bench::Revoke(options) => revoke::run(&programs, options),
        Bench::Load(options) => load::run(&programs, options),
        Bench::Decision(options) => alone::run(&programs, "bench-decision", options),
        Bench::Replay(options) => alone::run(&programs, "bench-replay", options),
        Bench::Filter(options) => alone::run(&programs, "bench-filter", options),
    }
}

/// Release builds of the product and of the programs around it.
struct Programs {
    folder: PathBuf,
}

impl Programs {
    fn build(repository: &Repository) -> Chore<Self> {
        eprintln!("bench: building release");
        let arguments = [
            "build",
            "--release",
            "--locked",
            "--quiet",
            "-p",
            "portreeve",
            "-p",
            "portreeve-bench",
        ];
        repository.output("cargo", &arguments)?;
        let metadata =
            repository.output("cargo", &["metadata", "--format-version", "1", "--no-deps"])?;
        let metadata: serde_json::Value =
            serde_json::from_str(&metadata).map_err(|e| e.to_string())?;
        let target = metadata["target_directory"].as_str().ok_or("cargo names no target folder")?;
        Ok(Self { folder: PathBuf::from(target).join("release") })
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// The proxy that is measured has this CPU to itself.
const PROXY_CPU: usize = 0;
/// Everything else has this one.
const OTHER_CPU: usize = 1;

/// The service behind every proxy, and its port.
fn start_upstream(programs: &Programs, folder: &Path) -> Chore<(Running, u16)> {
    let port = process::free_port()?;
    let command = [programs.path("bench-upstream"), port.to_string()];
    let mut upstream = Running::start("upstream", Some(OTHER_CPU), &command, folder)?;
    upstream.wait_for_port(port)?;
    Ok((upstream, port))
}

/// Bodiless reads under `path`; the n-th carries the n-th header lines.
fn requests_with(path: &str, headers: impl Iterator<Item = String>) -> String {
    let request = |(number, header): (usize, String)| {
        format!(
            "GET {path}{}?expand=items HTTP/1.1\r\nHost: api.example.test\r\n\
             User-Agent: bench/1.0\r\nAccept: application/json\r\n{header}\r\n",
            1000 + number
        )
    };
    headers.enumerate().map(request).collect()
}

/// A folder for one run, emptied first.
fn work_folder(name: &str) -> Chore<PathBuf> {
    let folder = std::env::temp_dir().join(format!("portreeve-bench-{name}"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Chore<()> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

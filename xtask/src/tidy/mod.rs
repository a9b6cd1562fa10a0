//! `cargo xtask tidy`: what the compiler and clippy do not check.
//!
//! Each check is a pure function from files (or from what cargo says of the packages) to findings,
//! with a test beside it that shows the check fail. Nothing is changed; mending is for people.

mod arrows;
mod code;
mod core_source;
mod functions;
mod licences;
mod metadata;
mod migrations;
mod packages;
mod pages;
mod ratchet;
mod sizes;
mod words;

use std::fmt;

use crate::repository::{Chore, Repository, TextFile};
use metadata::Metadata;
use ratchet::Ratchet;

/// Crates that are pure: no async, no I/O, no clock, no randomness.
const CORE: &[&str] = &[
    "base", "identity", "grant", "catalog", "contract", "traffic", "filter", "token", "policy",
    "review", "audit",
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print warnings too
    #[arg(long)]
    warnings: bool,
}

/// Something that a check found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// File, or file and line, or package.
    place: String,
    what: String,
    /// Warnings do not fail the run.
    warning: bool,
}

impl Finding {
    fn fault(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), warning: false }
    }

    fn warning(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), warning: true }
    }

    fn at_line(file: &TextFile, index: usize, what: impl Into<String>) -> Self {
        Self::fault(format!("{}:{}", file.path, index + 1), what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning: " } else { "" };
        write!(f, "{}: {kind}{}", self.place, self.what)
    }
}

pub(crate) fn run(repository: &Repository, options: &Options) -> Chore<()> {
    let files = repository.text_files()?;
    let rust: Vec<&TextFile> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
    let ratchet = Ratchet::parse(&repository.read(ratchet::PATH)?)?;
    let metadata = Metadata::of(repository)?;
    let policy = licences::Policy::parse(&repository.read("deny.toml")?)?;

    let checks = [
        ("arrows", arrows::check(&metadata)),
        ("core packages", packages::check_core(&metadata)),
        ("package count", packages::check_count(&repository.read("Cargo.lock")?, &ratchet)),
        ("licences and bans", licences::check(&metadata, &policy)),
        ("core source", core_source::check(&files)),
        ("file sizes", sizes::check_files(&rust, &ratchet)),
        ("line lengths", sizes::check_lines(&rust)),
        ("function lengths", functions::check(&rust, &ratchet)),
        ("words", words::check(&files)),
        ("migrations", migrations::check(&files)),
        ("pages", pages::check(&files)),
    ];
    let count = checks.len();
    let findings: Vec<Finding> = checks.into_iter().flat_map(|(_, found)| found).collect();
    report(&findings, count, options.warnings)
}

fn report(findings: &[Finding], checks: usize, warnings_wanted: bool) -> Chore<()> {
    let (warnings, faults): (Vec<_>, Vec<_>) = findings.iter().partition(|found| found.warning);
    for finding in &faults {
        eprintln!("{finding}");
    }
    for finding in warnings.iter().filter(|_| warnings_wanted) {
        eprintln!("{finding}");
    }
    eprintln!("tidy: {checks} checks, {} faults, {} warnings", faults.len(), warnings.len());
    if faults.is_empty() { Ok(()) } else { Err("the tree is not tidy".to_owned()) }
}

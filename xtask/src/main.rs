//! Chores of the repository: `cargo xtask tidy | docs | bench`.
//!
//! Nothing here is part of the product; the product depends on nothing here.

mod bench;
mod docs;
mod repository;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;

#[derive(Parser)]
#[command(about = "Chores of the repository", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check what the compiler does not: arrows between crates, sizes, words, pages, licences
    Tidy(tidy::Options),
    /// Write docs/reference from the binary and the code
    Docs(docs::Options),
    /// Measure the product beside its peers
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let done = Repository::find().and_then(|repository| match Cli::parse().chore {
        Chore::Tidy(options) => tidy::run(&repository, &options),
        Chore::Docs(options) => docs::run(&repository, &options),
        Chore::Bench(options) => bench::run(&repository, &options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

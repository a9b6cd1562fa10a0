//! The binary: command line, configuration, wiring. The only crate that reads the clock, the
//! environment and the operating system's generator; everything else takes them as arguments.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod cli;
mod client;
mod config;
mod demo;
mod doctor;
mod failure;
mod init;
mod output;
mod profile;
mod serve;
mod system;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::failure::{Exit, Failure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match start(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            failure.exit.into()
        }
    }
}

fn start(cli: cli::Cli) -> Result<Exit, Failure> {
    // Fails only when another provider is there already, and nobody else installs one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = match cli.command.is_server() {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build()?;
    runtime.block_on(cli::run(cli))
}

/// Help and version are answers; everything else is a mistake on the command line.
fn usage(error: &clap::Error) -> ExitCode {
    let answered = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // Printing fails only when nobody reads.
    let _ = error.print();
    if answered { Exit::Done.into() } else { Exit::Usage.into() }
}

//! One decision at growing numbers of grants: runs the example in `crates/policy`, which measures
//! without any I/O and prints one JSON line per size.

use crate::repository::{Chore, Repository};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(repository: &Repository, options: &Options) -> Chore<()> {
    let arguments = [
        "run",
        "--release",
        "--locked",
        "--quiet",
        "-p",
        "portreeve-policy",
        "--example",
        "decision",
    ];
    let printed = repository.output("cargo", &arguments)?;
    let lines: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    let (last, before) = lines.split_last().ok_or("the example printed nothing")?;
    if !options.json {
        before.iter().for_each(|line| println!("{line}"));
    }
    println!("{last}");
    Ok(())
}

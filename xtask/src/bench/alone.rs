//! What is measured by one program, without any I/O, that prints what came out as its last lines:
//! one decision at growing numbers of grants (`bench-decision`), recorded calls judged again
//! (`bench-replay`), filtering (`bench-filter`).

use std::process::Command;

use super::Programs;
use crate::repository::Chore;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(programs: &Programs, program: &str, options: &Options) -> Chore<()> {
    let done = Command::new(programs.path(program)).output();
    let done = done.map_err(|e| format!("{program}: {e}"))?;
    let printed = String::from_utf8_lossy(&done.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let (Some((last, before)), true) = (lines.split_last(), done.status.success()) else {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()));
    };
    if !options.json {
        before.iter().for_each(|line| println!("{line}"));
    }
    println!("{last}");
    Ok(())
}

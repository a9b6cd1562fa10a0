//! One decision at growing numbers of grants, without any I/O: runs `bench-decision`.

use std::process::Command;

use super::Programs;
use crate::repository::Chore;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(programs: &Programs, options: &Options) -> Chore<()> {
    let done = Command::new(programs.path("bench-decision")).output();
    let done = done.map_err(|e| format!("bench-decision: {e}"))?;
    let printed = String::from_utf8_lossy(&done.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let (Some((last, before)), true) = (lines.split_last(), done.status.success()) else {
        return Err(format!("bench-decision: {}", String::from_utf8_lossy(&done.stderr).trim()));
    };
    if !options.json {
        before.iter().for_each(|line| println!("{line}"));
    }
    println!("{last}");
    Ok(())
}

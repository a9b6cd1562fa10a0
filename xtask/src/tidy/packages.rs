//! Packages that core may not need, however indirectly, and how many there may be in all.

use super::metadata::{Metadata, Package};
use super::ratchet::Ratchet;
use super::{CORE, Finding};

/// Runtimes, servers, clients, databases and generators: effects, all of them.
const EFFECTS: &[&str] = &[
    "async-std",
    "axum",
    "getrandom",
    "hyper",
    "hyper-util",
    "mio",
    "rand",
    "rand_core",
    "reqwest",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
];

pub(super) fn check_core(metadata: &Metadata) -> Vec<Finding> {
    let core = metadata.members().filter(|package| CORE.contains(&package.short_name()));
    core.flat_map(|package| effects_of(metadata, package)).collect()
}

fn effects_of(metadata: &Metadata, package: &Package) -> Vec<Finding> {
    let needed = metadata.needed_by(package).into_iter();
    needed
        .filter(|(needed, _)| EFFECTS.contains(&needed.name.as_str()))
        .map(|(needed, by)| {
            let what = format!("core may not need `{}` (through `{}`)", needed.name, by.name);
            Finding::fault(package.short_name(), what)
        })
        .collect()
}

pub(super) fn check_count(lockfile: &str, ratchet: &Ratchet) -> Vec<Finding> {
    let count = lockfile.lines().filter(|line| *line == "[[package]]").count();
    let cap = ratchet.packages;
    if count > cap {
        let what = format!("{count} packages, {cap} are allowed: every one is code we answer for");
        return vec![Finding::fault("Cargo.lock", what)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests;

//! `xtask/ratchet.toml`: the few known exceptions to the house numbers. It only shrinks: an entry
//! that is larger than what it excuses is a fault too, so no slack gathers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Finding;
use crate::repository::Chore;

pub(super) const PATH: &str = "xtask/ratchet.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ratchet {
    /// How many packages Cargo.lock may list.
    pub(super) packages: usize,
    /// Path to lines, for files above the limit.
    #[serde(default)]
    pub(super) files: BTreeMap<String, usize>,
    /// `path::function` to lines, for functions above the limit.
    #[serde(default)]
    pub(super) functions: BTreeMap<String, usize>,
}

impl Ratchet {
    pub(super) fn parse(text: &str) -> Chore<Self> {
        toml::from_str(text).map_err(|e| format!("{PATH}: {e}"))
    }
}

/// Judges measured sizes against a limit and the known exceptions to it.
pub(super) fn judge(
    measured: &BTreeMap<String, usize>,
    known: &BTreeMap<String, usize>,
    limit: usize,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, &lines) in measured.iter().filter(|(_, lines)| **lines > limit) {
        match known.get(place) {
            None => {
                findings.push(Finding::fault(place, format!("{lines} lines; {limit} are allowed")))
            }
            Some(&excused) if lines > excused => {
                findings
                    .push(Finding::fault(place, format!("grew from {excused} to {lines} lines")));
            }
            Some(_) => {}
        }
    }
    for (place, &excused) in known {
        let lines = measured.get(place).copied().unwrap_or(0);
        if lines <= limit {
            findings.push(Finding::fault(place, format!("fits by now: remove it from {PATH}")));
        } else if lines < excused {
            findings.push(Finding::fault(place, format!("shrank: write {lines} in {PATH}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests;

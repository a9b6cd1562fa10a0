//! Which of our crates may use which: the table behind ARCHITECTURE.md, "Arrows".
//!
//! A row lists exactly what a crate uses. A new arrow is a decision: it is written here first, and
//! an arrow that nobody uses any more is taken out, so the table stays a map.

use std::collections::BTreeSet;

use super::metadata::{Kind, Metadata, Package};
use super::{CORE, Finding};

/// Crate (folder name) and the crates of ours that it uses.
const ARROWS: &[(&str, &[&str])] = &[
    // core
    ("base", &[]),
    ("identity", &["base"]),
    ("grant", &["base", "identity"]),
    ("traffic", &["base", "identity"]),
    ("catalog", &["base", "traffic"]),
    ("contract", &["base", "catalog"]),
    ("filter", &[]),
    ("token", &["base", "identity", "traffic"]),
    ("policy", &["base", "identity", "grant", "catalog", "contract", "traffic", "token"]),
    ("guardrail", &["base", "identity", "grant", "catalog", "policy"]),
    ("review", &["base", "identity", "grant", "catalog", "traffic", "policy"]),
    ("audit", &["base"]),
    // shell
    ("decision-log", &["base", "identity", "traffic", "audit"]),
    ("store", &["base", "identity", "grant", "catalog", "traffic", "review", "audit"]),
    (
        "app",
        &[
            "base",
            "identity",
            "grant",
            "catalog",
            "contract",
            "traffic",
            "token",
            "policy",
            "guardrail",
            "review",
            "audit",
            "decision-log",
            "store",
        ],
    ),
    (
        "proxy",
        &[
            "base", "identity", "grant", "catalog", "contract", "traffic", "filter", "token",
            "policy",
        ],
    ),
    // doors: they know the use cases and nothing of each other
    ("admin", &["base", "app"]),
    ("console", &["base", "app"]),
    ("jobs", &["base", "app"]),
    (
        "portreeve",
        &[
            "base",
            "identity",
            "grant",
            "catalog",
            "traffic",
            "token",
            "policy",
            "review",
            "audit",
            "decision-log",
            "store",
            "app",
            "proxy",
            "admin",
            "console",
            "jobs",
        ],
    ),
    // never shipped
    (
        "testkit",
        &["base", "identity", "grant", "catalog", "traffic", "token", "review", "store", "app"],
    ),
    (
        "bench",
        &[
            "base",
            "identity",
            "grant",
            "catalog",
            "traffic",
            "filter",
            "token",
            "guardrail",
            "policy",
            "decision-log",
            "store",
        ],
    ),
    ("xtask", &["traffic"]),
];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let ours: Vec<&Package> = metadata.members().collect();
    let mut findings: Vec<_> = ours.iter().flat_map(|package| check_package(package)).collect();
    let known: BTreeSet<&str> = ours.iter().map(|package| package.short_name()).collect();
    for (name, _) in ARROWS.iter().filter(|(name, _)| !known.contains(name)) {
        findings.push(Finding::fault(*name, "in the table of arrows, but not in the workspace"));
    }
    findings
}

fn check_package(package: &Package) -> Vec<Finding> {
    let name = package.short_name();
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![Finding::fault(name, "not in the table of arrows (xtask/src/tidy/arrows.rs)")];
    };
    let used = package.uses_of_ours(Kind::Normal);
    let mut findings = Vec::new();
    for other in used.iter().filter(|other| !allowed.contains(&other.as_str())) {
        findings.push(Finding::fault(name, format!("may not use `{other}`")));
    }
    for other in allowed.iter().filter(|other| !used.contains(**other)) {
        findings.push(Finding::fault(name, format!("does not use `{other}`: drop the arrow")));
    }
    for other in package.uses_of_ours(Kind::Dev) {
        if !may_use_in_tests(name, allowed, &other) {
            findings.push(Finding::fault(name, format!("may not use `{other}` in tests")));
        }
    }
    findings
}

/// Tests may use what the crate may use and the test kit; those of the shell all of core.
fn may_use_in_tests(name: &str, allowed: &[&str], other: &str) -> bool {
    let core = CORE.contains(&name);
    other == "testkit" || allowed.contains(&other) || (!core && CORE.contains(&other))
}

#[cfg(test)]
mod tests;

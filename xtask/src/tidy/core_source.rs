//! What the source of core crates may not say: effects of any kind. And the header that makes
//! panics a compile error, in every crate that is shipped.

use std::collections::BTreeSet;

use super::code::code_only;
use super::{CORE, Finding};
use crate::repository::TextFile;

/// What is written, and why it may not be.
const BANNED: &[(&str, &str)] = &[
    ("SystemTime::now", "core takes a Timestamp"),
    ("Instant::now", "core takes a Timestamp"),
    ("Timestamp::now", "core takes a Timestamp"),
    ("Zoned::now", "core takes a Timestamp"),
    ("std::env", "core takes values"),
    ("std::fs", "core takes bytes"),
    ("std::process", "core starts nothing"),
    ("TcpStream", "core takes bytes"),
    ("TcpListener", "core takes bytes"),
    ("UdpSocket", "core takes bytes"),
    ("thread::spawn", "core starts nothing"),
    ("println!", "core returns values"),
    ("print!", "core returns values"),
    ("async fn", "core does not wait"),
    ("async move", "core does not wait"),
    ("async {", "core does not wait"),
    ("use std::{", "one line for each: names in a list are not looked at"),
    ("use tokio", "core does not wait"),
    ("getrandom", "core takes an Entropy"),
    ("thread_rng", "core takes an Entropy"),
    ("SystemRandom", "core takes an Entropy"),
    ("#[allow(", "say #[expect(…, reason = …)], so that it goes when it is not needed"),
    ("#![allow(", "say #[expect(…, reason = …)] where it is needed"),
];

/// The lint header of a crate, line by line.
const HEADER: &[&str] = &[
    "#![forbid(unsafe_code)]",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::indexing_slicing",
    "clippy::string_slice",
    "clippy::unreachable",
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let tests = test_modules(files);
    let is_test = |path: &str| tests.iter().any(|module| is_of_module(path, module));
    let production = files.iter().filter(|f| is_core_source(&f.path) && !is_test(&f.path));
    let mut findings: Vec<_> = production.flat_map(check_file).collect();
    for name in crates(files) {
        findings.extend(check_header(name, files));
    }
    findings
}

/// The crates that are shipped: all below `crates`.
fn crates(files: &[TextFile]) -> BTreeSet<&str> {
    let manifests = files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    let names = manifests.filter_map(|path| path.strip_prefix("crates/"));
    CORE.iter().copied().chain(names).collect()
}

/// Production source of a core crate: tests may use what they like.
fn is_core_source(path: &str) -> bool {
    let inside = path.strip_prefix("crates/").and_then(|rest| rest.split_once('/'));
    inside.is_some_and(|(name, rest)| {
        let test = rest.ends_with("/tests.rs") || rest.contains("/tests/");
        CORE.contains(&name) && rest.starts_with("src/") && rest.ends_with(".rs") && !test
    })
}

/// Paths, without `.rs`, of modules that are compiled for tests only.
fn test_modules(files: &[TextFile]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let stem = file.path.trim_end_matches(".rs");
        let owns_folder = ["/lib", "/main", "/mod"].iter().find_map(|end| stem.strip_suffix(end));
        let folder = owns_folder.unwrap_or(stem);
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let declared = pair[1].split_once("mod ").and_then(|(_, rest)| rest.strip_suffix(';'));
            found.extend(declared.map(|name| format!("{folder}/{name}")));
        }
    }
    found
}

fn is_of_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in code_only(&file.text).lines().enumerate() {
        for (what, why) in BANNED.iter().filter(|(what, _)| says(line, what)) {
            findings.push(Finding::at_line(file, index, format!("`{what}` in core: {why}")));
        }
    }
    findings
}

/// Whether the line holds `what` as words of its own (`eprintln!` is not `println!`).
fn says(line: &str, what: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(what).any(|(at, _)| !line[..at].ends_with(is_word))
}

fn check_header(name: &str, files: &[TextFile]) -> Vec<Finding> {
    let roots = ["lib.rs", "main.rs"].map(|root| format!("crates/{name}/src/{root}"));
    let Some(file) = files.iter().find(|file| roots.contains(&file.path)) else {
        let [path, _] = roots;
        return vec![Finding::fault(path, "there is no such file")];
    };
    let missing = HEADER.iter().filter(|lint| !has_lint(&file.text, lint));
    let missing =
        missing.map(|lint| Finding::fault(&file.path, format!("its header lacks {lint}")));
    let manifest = format!("crates/{name}/Cargo.toml");
    let inherits = |file: &TextFile| file.text.contains("[lints]\nworkspace = true");
    let deaf = files.iter().find(|file| file.path == manifest && !inherits(file));
    let deaf =
        deaf.map(|file| Finding::fault(&file.path, "it does not take the workspace's lints"));
    missing.chain(deaf).collect()
}

fn has_lint(text: &str, lint: &str) -> bool {
    let header = code_only(text);
    let denied = header.split("#![deny(").nth(1).and_then(|rest| rest.split(")]").next());
    if lint.starts_with('#') {
        return header.lines().any(|line| line.trim() == lint);
    }
    denied.is_some_and(|list| list.split(',').any(|denied| denied.trim() == lint))
}

#[cfg(test)]
mod tests;

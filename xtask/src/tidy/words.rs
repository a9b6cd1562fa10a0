//! Words that no file may hold: paths of one machine, hosts of package registries, references to a
//! tracker that the reader does not have, marks of unfinished work.

use super::Finding;
use crate::repository::TextFile;

/// What is written, in lower case, and why it may not be. Split, so that this file does not hold
/// them itself.
const ANYWHERE: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/tmp", "/pt"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("crates", ".io"), "a registry host: use the configured registry"),
    (concat!("pypi", ".org"), "a registry host: use the configured registry"),
    (concat!("npmjs", ".org"), "a registry host: use the configured registry"),
    (concat!("deb.debian", ".org"), "a registry host: use the configured registry"),
    (concat!("proxy.golang", ".org"), "a registry host: use the configured registry"),
];

/// Marks of unfinished work, in code.
const IN_CODE: &[(&str, &str)] = &[
    (concat!("to", "do!("), "unfinished"),
    (concat!("unimple", "mented!("), "unfinished"),
    (concat!("fix", "me"), "unfinished"),
    (concat!("#[ig", "nore"), "a test that does not run"),
    (concat!("dbg", "!("), "left from debugging"),
];

/// Written by package managers, which name where they found things.
const LOCKFILES: &[&str] = &["Cargo.lock", "package-lock.json"];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let is_lockfile = |path: &str| LOCKFILES.iter().any(|name| path.ends_with(name));
    files.iter().filter(|file| !is_lockfile(&file.path)).flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let code = file.path.ends_with(".rs");
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        let in_code = IN_CODE.iter().filter(|_| code);
        for (word, why) in ANYWHERE.iter().chain(in_code).filter(|(word, _)| line.contains(word)) {
            findings.push(Finding::at_line(file, index, format!("`{word}`: {why}")));
        }
        if names_a_ticket(&line) {
            findings.push(Finding::at_line(file, index, "a ticket number: say what it was about"));
        }
    }
    findings
}

/// The word for a ticket and a number, in lower case.
fn names_a_ticket(line: &str) -> bool {
    line.match_indices("issue ").any(|(at, word)| {
        let number = line[at + word.len()..].trim_start_matches('#');
        number.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;

//! Lengths of files and lines.

use std::collections::BTreeMap;

use super::Finding;
use super::ratchet::{Ratchet, judge};
use crate::repository::TextFile;

/// Above this a file is worth a second look: one idea, or several?
const FILE_WARNING: usize = 500;
/// Above this it is a fault.
const FILE_LIMIT: usize = 800;
/// rustfmt keeps code to 100; this bounds what it does not break: comments and macros. A line
/// with a literal may be longer: a message that is broken cannot be searched for, and the bytes of
/// one test case belong on one line.
const LINE_LIMIT: usize = 110;

pub(super) fn check_files(rust: &[&TextFile], ratchet: &Ratchet) -> Vec<Finding> {
    let measured: BTreeMap<String, usize> =
        rust.iter().map(|file| (file.path.clone(), file.text.lines().count())).collect();
    let mut findings = judge(&measured, &ratchet.files, FILE_LIMIT);
    let large =
        measured.iter().filter(|(_, lines)| (FILE_WARNING + 1..=FILE_LIMIT).contains(*lines));
    findings.extend(large.map(|(path, lines)| Finding::warning(path, format!("{lines} lines"))));
    findings
}

pub(super) fn check_lines(rust: &[&TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust {
        for (index, line) in file.text.lines().enumerate() {
            let length = line.chars().count();
            if length > LINE_LIMIT && !line.contains('"') {
                let what = format!("{length} characters; {LINE_LIMIT} are allowed");
                findings.push(Finding::at_line(file, index, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests;

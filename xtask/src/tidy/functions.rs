//! Lengths of functions, measured by indentation as rustfmt writes it: from the line with `fn` to
//! the closing brace in the same column.

use std::collections::BTreeMap;

use super::Finding;
use super::ratchet::{Ratchet, judge};
use crate::repository::TextFile;

const FUNCTION_LIMIT: usize = 70;

pub(super) fn check(rust: &[&TextFile], ratchet: &Ratchet) -> Vec<Finding> {
    let mut measured = BTreeMap::new();
    for file in rust {
        for (name, lines) in functions(&file.text) {
            let longest = measured.entry(format!("{}::{name}", file.path)).or_insert(0);
            *longest = lines.max(*longest);
        }
    }
    judge(&measured, &ratchet.functions, FUNCTION_LIMIT)
}

/// Name and number of lines of every function that has a body of several lines.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let in_column = |line: &&&str| line.len() - line.trim_start().len() == indent;
        let rest = lines.iter().skip(start).enumerate();
        let end = rest.into_iter().find(|(_, line)| in_column(line) && ends_function(line));
        if let Some((end, _)) = end {
            found.push((name, end + 1));
        }
    }
    found
}

/// A line in the column of the `fn` that ends it: a closing brace, the end of a declaration
/// without body, or the whole of it on one line.
fn ends_function(line: &str) -> bool {
    let line = line.trim();
    let whole = function_name(line).is_some() && (line.ends_with('}') || line.ends_with(';'));
    whole || line == "}" || (line.starts_with(')') && line.ends_with(';'))
}

/// The name, if the line starts a function.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        let (word, after) = rest.split_once(' ')?;
        rest = after;
        match word {
            "fn" => break,
            "pub" | "const" | "async" | "unsafe" | "extern" | "\"C\"" | "default" => {}
            _ if word.starts_with("pub(") => {}
            // the rest of `pub(in crate::a)`
            _ if word.ends_with(')') && !word.contains('(') => {}
            _ => return None,
        }
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    rest.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;

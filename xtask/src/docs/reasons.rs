//! docs/reference/reasons.md: every reason of the gate, with the status it answers with.

use std::fmt::Write;

use traffic::Reason;

use super::{cell, head};
use crate::repository::{Chore, Repository};

const SOURCE: &str = "crates/traffic/src/reason.rs";

pub(super) fn page(repository: &Repository) -> Chore<String> {
    let source = repository.read(SOURCE)?;
    let mut text = head(
        "Reasons",
        "The `reason` member of the gate's own answers (`application/problem+json`) and of call records. \
         Codes are stable. An answer says no more than its caller may know; `portreeve call explain \
         REQUEST_ID` tells those who may see it the rest.",
    );
    text.push_str("\n| reason | status | when |\n|--|--|--|\n");
    for reason in Reason::ALL {
        let meaning = meaning(&source, reason.as_str())?;
        writeln!(text, "| `{reason}` | {} | {} |", reason.status(), cell(&meaning))
            .map_err(|e| e.to_string())?;
    }
    Ok(text)
}

/// The documentation of the variant that has this word.
fn meaning(source: &str, word: &str) -> Chore<String> {
    let declared = format!("= \"{word}\",");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.ends_with(&declared));
    let before = lines.iter().take(at.unwrap_or(0)).rev();
    let mut documented: Vec<&str> = before.map_while(|line| line.strip_prefix("/// ")).collect();
    documented.reverse();
    if documented.is_empty() {
        return Err(format!("{SOURCE}: `{word}` is not documented"));
    }
    Ok(documented.join(" "))
}

#[cfg(test)]
mod tests {
    use super::meaning;

    const SOURCE: &str = "
    /// Not canonical
    /// HTTP.
    Malformed = \"malformed\",
    Bare = \"bare\",
";

    #[test]
    fn the_documentation_of_a_variant_is_its_meaning() {
        assert_eq!(meaning(SOURCE, "malformed").unwrap(), "Not canonical HTTP.");
    }

    #[test]
    fn a_reason_without_documentation_is_an_error() {
        assert!(meaning(SOURCE, "bare").is_err());
        assert!(meaning(SOURCE, "unknown").is_err());
    }
}

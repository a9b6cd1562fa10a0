//! Which properties of an answer its caller received, by the names that the catalogue knows.

use serde::{Deserialize, Serialize};

/// The most paths that are kept of one answer.
pub const PATHS_MAX: usize = 64;
/// The most names in a path; what lies deeper counts for the one above.
pub const LEVELS_MAX: usize = 8;

/// The properties of one answer that reached the caller, without any value. Only names that stand in
/// the catalogue are kept: a name in an answer can be data itself (`"by_mail": {"ann@x.example": …}`),
/// one in a document is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldsSeen {
    /// Catalogued paths, dotted, lists transparent (`lines.sku`), sorted, at most [`PATHS_MAX`].
    pub paths: Vec<String>,
    /// There were properties that the catalogue does not have.
    pub other: bool,
    /// There were more than are kept.
    pub more: bool,
}

impl FieldsSeen {
    /// What is kept of the paths that passed. `catalogued` says under which name the catalogue has a
    /// path, if it has it; `more` that others passed, too.
    pub fn of<'c>(
        passed: &[String],
        more: bool,
        catalogued: impl Fn(&str) -> Option<&'c str>,
    ) -> Self {
        let mut seen = Self { paths: Vec::new(), other: false, more };
        for path in passed {
            match catalogued(path) {
                Some(name) => seen.paths.push(cut(name).to_owned()),
                None => seen.other = true,
            }
        }
        seen.paths.sort_unstable();
        seen.paths.dedup();
        seen.more |= seen.paths.len() > PATHS_MAX;
        seen.paths.truncate(PATHS_MAX);
        seen
    }
}

fn cut(path: &str) -> &str {
    let end = path.match_indices('.').nth(LEVELS_MAX - 1);
    end.and_then(|(at, _)| path.get(..at)).unwrap_or(path)
}

#[cfg(test)]
mod tests;

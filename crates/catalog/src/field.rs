//! Properties of responses: their paths, and what the document says of them.
//!
//! A path is dotted, and lists are transparent: `lines.sku`. A segment [`ANY`] stands for all names
//! that no other path has beside it; in the names of properties, `\` stands before a dot, before a
//! backslash and before a `*` that is all of a name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::DataClass;

/// The segment for every name that is not listed beside it.
pub const ANY: &str = "*";

/// One property of an operation's response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its path.
    pub path: String,
    /// How sensitive it is: the most sensitive class that the document gives it.
    pub class: DataClass,
    /// The other classes that the document gives it: in other answers, or in other cases.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<DataClass>,
    /// The texts, numbers and truth values at this place are described. Otherwise nobody knows what
    /// stands there. What was read before this was asked counts as that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub values: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Field {
    /// A described value of one class.
    pub fn new(path: impl Into<String>, class: DataClass) -> Self {
        Self { path: path.into(), class, also: BTreeSet::new(), values: true }
    }

    /// Whether the document gives it this class, somewhere.
    pub fn is_of(&self, class: DataClass) -> bool {
        self.class == class || self.also.contains(&class)
    }
}

/// The segment for a property's name.
pub fn segment(name: &str) -> String {
    if name == ANY {
        return format!("\\{ANY}");
    }
    name.replace('\\', "\\\\").replace('.', "\\.")
}

/// The path of a segment in the object at a path.
pub fn join(path: &str, segment: &str) -> String {
    if path.is_empty() { segment.to_owned() } else { format!("{path}.{segment}") }
}

/// The segments of a path.
pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    path.split(move |char| {
        let splits = char == '.' && !escaped;
        escaped = char == '\\' && !escaped;
        splits
    })
}

/// `lines.sku` is within `lines`, within itself, and within the whole response, which has no name.
pub fn is_within(path: &str, whole: &str) -> bool {
    whole.is_empty()
        || path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A path by the names that somebody `knows`, each by its path. The first other name is [`ANY`], and
/// what is in it only follows where that is known.
pub fn known(path: &str, knows: impl Fn(&str) -> bool) -> String {
    let mut written = String::new();
    for segment in segments(path) {
        let named = join(&written, segment);
        // A list at the root has no name.
        if knows(&named) || named == "[]" {
            written = named;
            continue;
        }
        written = join(&written, ANY);
        if !knows(&written) {
            break;
        }
    }
    written
}

#[cfg(test)]
mod tests;

//! What a grant shows of a response: dotted names, and data classes that it leaves out.

use std::collections::BTreeSet;

use catalog::{DataClass, Field};

/// What stands before a data class that is left out.
const WITHOUT: &str = "no ";

/// One entry of [`grant::Grant::fields`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<'f> {
    /// This property, with all that is in it.
    Path(&'f str),
    /// Nothing of this class (`no phi`).
    Without(DataClass),
}

/// Why a text is not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadShown {
    /// `no …` names no data class.
    #[error("{0}")]
    Class(base::words::UnknownWord),
    /// Not a dotted name.
    #[error("`{0}` is not a property name")]
    Name(String),
}

impl<'f> Shown<'f> {
    /// Reads an entry.
    pub fn parse(text: &'f str) -> Result<Self, BadShown> {
        if let Some(class) = text.strip_prefix(WITHOUT) {
            return class.trim().parse().map(Self::Without).map_err(BadShown::Class);
        }
        let is_part = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        let is_dotted = text.split('.').all(is_part) && text.trim() == text;
        is_dotted.then_some(Self::Path(text)).ok_or_else(|| BadShown::Name(text.to_owned()))
    }
}

/// The names of what is visible in the responses of an operation. Where a class is left out, only
/// what the catalogue knows is visible: of an unknown property nobody can say that it is not of
/// that class. An entry that cannot be read shows nothing.
pub fn visible(entries: &[String], known: &[Field]) -> BTreeSet<String> {
    let entries = entries.iter().filter_map(|entry| Shown::parse(entry).ok());
    let (mut without, mut paths) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Shown::Without(class) => without.push(class),
            Shown::Path(path) => paths.push(path),
        }
    }
    if without.is_empty() {
        return paths.into_iter().map(str::to_owned).collect();
    }
    let within =
        |field: &Field| paths.is_empty() || paths.iter().any(|path| is_within(&field.path, path));
    let known = known.iter().filter(|field| !without.contains(&field.class) && within(field));
    known.map(|field| field.path.clone()).collect()
}

/// `lines.sku` is within `lines` and within itself.
fn is_within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

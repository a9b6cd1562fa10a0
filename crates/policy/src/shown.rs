//! What a grant shows of a response: dotted names, and data classes that it leaves out.

use std::collections::BTreeSet;

use catalog::{DataClass, Field, field};

/// What stands before a data class that is left out.
const WITHOUT: &str = "no ";
/// What stands behind a list in ties. Here lists are transparent.
const LIST: &str = "[]";

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
    /// A list is named as in a tie; and how it is written here.
    #[error("`{0}` has `[]`, but names go through lists by themselves")]
    List(String, String),
}

impl<'f> Shown<'f> {
    /// Reads an entry.
    pub fn parse(text: &'f str) -> Result<Self, BadShown> {
        if let Some(class) = text.strip_prefix(WITHOUT) {
            return class.trim().parse().map(Self::Without).map_err(BadShown::Class);
        }
        if text.split('.').any(|part| part.ends_with(LIST)) {
            let names = text.split('.').map(|part| part.trim_end_matches(LIST));
            let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
            return Err(BadShown::List(text.to_owned(), names.join(".")));
        }
        let is_part = |part: &str| !part.is_empty() && !part.chars().any(char::is_control);
        let is_dotted = text.split('.').all(is_part) && text.trim() == text;
        is_dotted.then_some(Self::Path(text)).ok_or_else(|| BadShown::Name(text.to_owned()))
    }
}

/// What of the responses of an operation is visible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visible {
    /// These properties, each with all that is in it.
    Whole(BTreeSet<String>),
    /// What the document describes and nothing else: texts, numbers and truth values, and the
    /// objects and lists around them. A segment `*` is any name that no path of both lists has
    /// beside it.
    Described {
        /// The paths whose values are shown.
        shown: BTreeSet<String>,
        /// Paths whose values are not. Only where one that is shown has a `*`.
        hidden: BTreeSet<String>,
    },
}

impl Visible {
    /// The paths that are shown.
    pub fn paths(&self) -> &BTreeSet<String> {
        match self {
            Self::Whole(paths) => paths,
            Self::Described { shown, .. } => shown,
        }
    }
}

/// What is visible in the responses of an operation. Where a class is left out, only what the
/// document describes is visible, and at no place to which any of its schemas gives that class: of
/// an unknown property nobody can say that it is not of it. An entry that cannot be read shows
/// nothing, and where a class is left out all must be read.
pub fn visible(entries: &[String], known: &[Field]) -> Visible {
    let leaves_out = entries.iter().any(|entry| entry.starts_with(WITHOUT));
    let (mut without, mut paths) = (Vec::new(), Vec::new());
    for entry in entries {
        match Shown::parse(entry) {
            Ok(Shown::Without(class)) => without.push(class),
            Ok(Shown::Path(path)) => paths.push(path),
            Err(_) if leaves_out => return Visible::Whole(BTreeSet::new()),
            Err(_) => {}
        }
    }
    if !leaves_out {
        return Visible::Whole(paths.into_iter().map(str::to_owned).collect());
    }
    let within =
        |field: &Field| paths.is_empty() || paths.iter().any(|path| lies_in(&field.path, path));
    let is_shown = |field: &&Field| {
        field.values && !without.iter().any(|class| field.is_of(*class)) && within(field)
    };
    let (shown, hidden): (Vec<_>, Vec<_>) = known.iter().partition(is_shown);
    let paths = |fields: Vec<&Field>| fields.into_iter().map(|field| field.path.clone()).collect();
    let names_others =
        |field: &&Field| field::segments(&field.path).any(|segment| segment == field::ANY);
    let tells = shown.iter().any(names_others);
    let hidden = if tells { paths(hidden) } else { BTreeSet::new() };
    Visible::Described { shown: paths(shown), hidden }
}

/// Whether these entries, or a grant without any, show something of a class that the document
/// describes. What the document does not describe has no class.
pub fn shows_class(entries: Option<&[String]>, known: &[Field], class: DataClass) -> bool {
    let mut of_class = known.iter().filter(|field| field.is_of(class));
    let Some(entries) = entries else { return of_class.next().is_some() };
    match visible(entries, known) {
        Visible::Whole(paths) => of_class.any(|field| paths.iter().any(|path| meet(path, field))),
        Visible::Described { shown, .. } => of_class.any(|field| shown.contains(&field.path)),
    }
}

/// Whether a field lies in what an entry names, in which `*` is any name.
fn lies_in(path: &str, whole: &str) -> bool {
    let mut segments = field::segments(path);
    field::segments(whole)
        .all(|name| segments.next().is_some_and(|segment| name == segment || name == field::ANY))
}

/// Whether there can be something of the field in what the path names, or the other way around.
fn meet(path: &str, field: &Field) -> bool {
    let is_any = |segment: &str| segment == field::ANY;
    let mut both = field::segments(path).zip(field::segments(&field.path));
    both.all(|(one, other)| one == other || is_any(one) || is_any(other))
}

#[cfg(test)]
mod tests;

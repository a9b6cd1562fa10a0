//! Where in a message something stands.

use std::fmt;

/// The longest name that is repeated, in characters: names come from whoever sent the message.
const NAME_CHARS_MAX: usize = 64;
/// The most steps that a pointer shows.
const STEPS_MAX: usize = 32;

/// Where in a message something stands. Holds names, never values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A parameter in the path.
    Path(String),
    /// A parameter in the query.
    Query(String),
    /// A header field.
    Header(String),
    /// The body, by JSON pointer (RFC 6901); empty for all of it.
    Body(String),
    /// The media type of the body.
    MediaType,
    /// The status of a response.
    Status(u16),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(name) => write!(f, "path parameter `{name}`"),
            Self::Query(name) => write!(f, "query parameter `{name}`"),
            Self::Header(name) => write!(f, "header `{name}`"),
            Self::Body(pointer) if pointer.is_empty() => f.write_str("body"),
            Self::Body(pointer) => write!(f, "body `{pointer}`"),
            Self::MediaType => f.write_str("media type"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

/// A step from a value to one within it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'s> {
    /// To a member of an object.
    Name(&'s str),
    /// To an item of an array.
    Index(usize),
}

/// The steps that lead to a value, linked on the stack: a message without violations allocates
/// none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spot<'s> {
    step: Option<(&'s Spot<'s>, Step<'s>)>,
}

impl<'s> Spot<'s> {
    /// The value as a whole.
    pub(crate) const ROOT: Spot<'static> = Spot { step: None };

    pub(crate) fn down(&'s self, step: Step<'s>) -> Spot<'s> {
        Spot { step: Some((self, step)) }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.step.is_none()
    }

    pub(crate) fn pointer(&self) -> String {
        let mut pointer = Pointer::default();
        let mut spot = self;
        while let Some((above, step)) = spot.step {
            match step {
                Step::Name(name) => pointer.outward(name),
                Step::Index(index) => pointer.outward_index(index),
            }
            spot = above;
        }
        pointer.text()
    }
}

/// A JSON pointer that is made from its end.
#[derive(Debug, Default)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Adds the name of what encloses the value so far.
    pub(crate) fn outward(&mut self, name: &str) {
        self.0.push(shortened(name).replace('~', "~0").replace('/', "~1"));
    }

    /// Adds the index at which the value so far stands.
    pub(crate) fn outward_index(&mut self, index: usize) {
        self.0.push(index.to_string());
    }

    /// The pointer; of a long one the outer steps and `…`.
    pub(crate) fn text(&self) -> String {
        let steps = self.0.iter().rev().take(STEPS_MAX).map(|step| format!("/{step}"));
        let rest = if self.0.len() > STEPS_MAX { "/…" } else { "" };
        steps.chain([rest.to_owned()]).collect()
    }
}

/// A name as it is repeated: its beginning when it is long, without control characters.
pub(crate) fn shortened(name: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut out: String = name.chars().take(NAME_CHARS_MAX).map(plain).collect();
    if name.chars().nth(NAME_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;

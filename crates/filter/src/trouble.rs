//! Why a response is not passed on.

use std::fmt;

/// Why a stream ends without being passed on to its end. After the first one, there is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The bytes are no JSON in UTF-8 (RFC 8259).
    Invalid {
        /// Bytes before the place: of the stream, or for an event of its data.
        offset: u64,
        /// What is wrong, in a few words that are always the same for the same thing.
        what: &'static str,
    },
    /// Arrays and objects are nested deeper than [`crate::Limits::depth`].
    TooDeep,
    /// A property name is longer than [`crate::Limits::name_bytes`].
    NameTooLong,
    /// A number is longer than [`crate::Limits::number_bytes`].
    NumberTooLong,
    /// A name on the way to a tie's value appears twice, so that readers differ in what it is.
    Ambiguous,
    /// No alternative matches the response. Nothing of it was written.
    Withheld,
    /// More than [`crate::Limits::hold_bytes`] came before it was decided who may see them.
    ScopeTooLarge,
    /// An event has more data or other lines than is allowed.
    EventTooLarge,
    /// The body cannot be unpacked: it is damaged, breaks off, or asks for too much.
    Packed {
        /// What is wrong, in a few words that are always the same for the same thing.
        what: &'static str,
    },
}

impl Trouble {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_json",
            Self::TooDeep => "too_deep",
            Self::NameTooLong => "name_too_long",
            Self::NumberTooLong => "number_too_long",
            Self::Ambiguous => "ambiguous_tie",
            Self::Withheld => "withheld",
            Self::ScopeTooLarge => "scope_too_large",
            Self::EventTooLarge => "event_too_large",
            Self::Packed { .. } => "packed",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { offset, what } => write!(f, "not JSON at byte {offset}: {what}"),
            Self::TooDeep => f.write_str("arrays and objects are nested too deep"),
            Self::NameTooLong => f.write_str("a property name is too long to be compared"),
            Self::NumberTooLong => f.write_str("a number is too long"),
            Self::Ambiguous => f.write_str("a name that leads to a tie appears twice"),
            Self::Withheld => f.write_str("no grant shows this response"),
            Self::ScopeTooLarge => {
                f.write_str("too much came before it was decided who may see it")
            }
            Self::EventTooLarge => f.write_str("an event is too large"),
            Self::Packed { what } => write!(f, "the body cannot be unpacked: {what}"),
        }
    }
}

impl std::error::Error for Trouble {}

//! What is wrong with a message, in words that never repeat a value of it.

use std::fmt;

use base::words;

use crate::place::Place;

/// How many violations of one message are told; checking ends with the last of them.
pub const VIOLATIONS_MAX: usize = 10;

words! {
    /// Which rule a message breaks.
    Rule {
        /// A parameter has to be there.
        MissingParameter = "missing_parameter",
        /// The document does not list the parameter.
        UnknownParameter = "unknown_parameter",
        /// A parameter with one value is there more than once.
        RepeatedParameter = "repeated_parameter",
        /// A parameter cannot be decoded.
        UnreadableParameter = "unreadable_parameter",
        /// The document does not list the media type.
        UnsupportedMediaType = "unsupported_media_type",
        /// A body has to be there.
        MissingBody = "missing_body",
        /// The document does not describe a body.
        UnexpectedBody = "unexpected_body",
        /// The body cannot be decoded.
        UnreadableBody = "unreadable_body",
        /// A property is there in two ways.
        RepeatedProperty = "repeated_property",
        /// A property has to be there.
        MissingProperty = "missing_property",
        /// The schema does not have the property.
        UnknownProperty = "unknown_property",
        /// A property that only responses have is in a request.
        ReadOnlyProperty = "read_only_property",
        /// A property that only requests have is in a response.
        WriteOnlyProperty = "write_only_property",
        /// The value has another type.
        WrongType = "wrong_type",
        /// The value is not among the allowed ones, or outside of a range, size or form.
        WrongValue = "wrong_value",
        /// The value does not meet the schemas in the combination that is asked for.
        WrongCombination = "wrong_combination",
        /// The document does not list the status.
        UnlistedStatus = "unlisted_status",
        /// Checking takes more work than a message of this size may cause, or nests too deep.
        TooCostly = "too_costly",
    }
}

/// One way in which a message breaks its contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// Where in the message.
    pub place: Place,
    /// What was expected there, as the end of a sentence that begins with the place. Names and
    /// what the document says, never a value of the message.
    pub what: String,
    /// Which part of the document says so: JSON pointer (RFC 6901).
    pub schema: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.what)
    }
}

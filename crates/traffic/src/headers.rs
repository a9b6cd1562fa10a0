//! Header hygiene: one pass over the fields of a request or a response that finds what the gate
//! needs, refuses what has two readings, and marks what must not travel on.
//!
//! Order matters and is fixed by the types: fields are judged and removed here, before the gate
//! adds its own. What a caller nominates in `Connection` can therefore delete only the caller's own
//! fields, never an identity header.

use crate::Reason;

mod framing;
mod kind;
mod request;
mod response;
mod trailer;

pub use framing::Framing;
pub use kind::{is_alias, is_method_override};
pub use request::{Presented, RequestFields};
pub use response::ResponseFields;
pub use trailer::may_trail;

/// The most fields that a head can have.
pub const FIELDS_MAX: usize = 128;

/// The version of the protocol that a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

/// The positions of fields in a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions(u128);

impl Positions {
    fn insert(&mut self, index: usize) {
        // Heads have at most FIELDS_MAX fields: judged before anything is inserted.
        self.0 |= 1u128.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    /// Whether the field at `index` is one of them. Beyond [`FIELDS_MAX`] every field is.
    pub fn contains(self, index: usize) -> bool {
        index >= FIELDS_MAX || (self.0 >> index) & 1 == 1
    }
}

/// A name is a token and a value has no control bytes but HTAB (RFC 9110 §5.1, §5.5).
fn is_well_formed(name: &[u8], value: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_value = |byte: &u8| *byte == b'\t' || (*byte >= 32 && *byte != 127);
    !name.is_empty() && name.iter().all(is_token) && value.iter().all(is_value)
}

/// Whether a `Content-Type` names this media type, whatever its parameters (RFC 9110 §8.3.1).
fn is_media_type(value: &[u8], media_type: &[u8]) -> bool {
    let named = value.split(|byte| *byte == b';').next().unwrap_or_default();
    named.trim_ascii().eq_ignore_ascii_case(media_type)
}

/// The elements of a comma-separated list, without white space around them, empty ones left out.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

/// What the `Connection` fields of a message say (RFC 9110 §7.6.1).
#[derive(Debug, Default)]
struct ConnectionOptions {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    /// How many fields are nominated for removal.
    nominated: usize,
}

/// More nominated fields than anybody means. Each is held against every field.
const NOMINATED_MAX: usize = 32;

impl ConnectionOptions {
    fn add(&mut self, value: &[u8]) -> Result<(), Reason> {
        for option in elements(value) {
            if !is_well_formed(option, b"") {
                return Err(Reason::MalformedRequest);
            }
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else {
                self.nominated += 1;
            }
        }
        if self.nominated > NOMINATED_MAX { Err(Reason::MalformedRequest) } else { Ok(()) }
    }

    fn nominates(&self) -> bool {
        self.nominated > 0
    }

    /// Whether the connection outlives the message (RFC 9112 §9.3).
    fn persists(&self, version: Version) -> bool {
        match version {
            Version::Http10 => self.keep_alive && !self.close,
            Version::Http11 => !self.close,
            Version::Http2 => true,
        }
    }
}

/// Marks every field that a `Connection` field nominates.
fn remove_nominated<'h>(
    fields: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
    removed: &mut Positions,
) {
    let is_connection = |name: &[u8]| name.eq_ignore_ascii_case(b"connection");
    let connections = fields.clone().filter(|(name, _)| is_connection(name));
    for option in connections.flat_map(|(_, value)| elements(value)) {
        for (index, (name, _)) in fields.clone().enumerate() {
            if name.eq_ignore_ascii_case(option) {
                removed.insert(index);
            }
        }
    }
}

#[cfg(test)]
mod tests;

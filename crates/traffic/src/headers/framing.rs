//! Where a body ends. Two parties that disagree on this are open to request smuggling, so only
//! one plain statement is accepted (RFC 9112 §6).

use super::Version;

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Everything until the connection closes (responses only).
    UntilClose,
}

impl Framing {
    /// There is nothing to read.
    pub const fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }
}

/// What the framing fields of a message say.
#[derive(Debug, Default)]
pub(super) struct FramingFields {
    length: Option<u64>,
    chunked: bool,
    contradictory: bool,
}

impl FramingFields {
    pub(super) fn add_length(&mut self, value: &[u8]) {
        // A second field is refused even with an equal value: a reader that joins them would see
        // `5, 5`.
        match (self.length, read_length(value)) {
            (None, Some(length)) => self.length = Some(length),
            _ => self.contradictory = true,
        }
    }

    pub(super) fn add_coding(&mut self, value: &[u8]) {
        // Lists (`gzip, chunked`), repeats and parameters are refused: the last of them, or the
        // first, wins by reader.
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            self.contradictory = true;
        }
        self.chunked = true;
    }

    /// The one framing, `fallback` when nothing is said, `None` when two things are.
    pub(super) fn judge(&self, version: Version, fallback: Framing) -> Option<Framing> {
        match (self.length, self.chunked) {
            _ if self.contradictory => None,
            (Some(_), true) => None,
            // HTTP/1.0 has no transfer codings; HTTP/2 frames by itself (RFC 9113 §8.2.2).
            (None, true) if version != Version::Http11 => None,
            (None, true) => Some(Framing::Chunked),
            (Some(length), false) => Some(Framing::Length(length)),
            (None, false) => Some(fallback),
        }
    }
}

/// Digits only: no sign, no list, no white space, and no overflow.
fn read_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(value).ok()?.parse().ok()
}

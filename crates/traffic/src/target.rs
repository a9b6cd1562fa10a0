//! The request target in its one canonical form: what is matched, recorded and forwarded.
//!
//! Two kinds of writing are told apart. Spellings that every reader understands alike are brought
//! into one form (hexadecimal digits in upper case, escapes of plain characters undone). Spellings
//! that readers understand differently (dot segments, encoded slashes, `//`, `;` parameters, double
//! encoding) are refused: the upstream's reading cannot be known here.
//!
//! A trailing slash is kept and forwarded. For the catalogue it does not count: `/orders/` and
//! `/orders` are one operation, and a catalogue cannot have two that differ only by it.
//!
//! `+`, `,` and `=` stay as they are sent, escaped or not, because escaped they are data to some
//! readers and separators to others. The catalogue holds both readings against its templates.
//!
//! Nothing here decodes for use; templates are matched against the canonical text.

use crate::{Authority, Reason};

pub mod pairs;
mod path;
mod query;

pub(crate) use query::overrides_method;

/// A request target that has one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    path_bytes: usize,
    authority: Option<Authority>,
}

impl Target {
    /// Reads origin-form (`/path?query`), absolute-form (`http://host/path`) or `*` (RFC 9112 §3.2).
    /// Refuses with [`Reason::NonCanonicalTarget`], or [`Reason::MalformedRequest`] when the
    /// authority of an absolute-form is no authority.
    pub fn parse(raw: &[u8]) -> Result<Self, Reason> {
        match raw {
            b"*" => Ok(Self { text: "*".to_owned(), path_bytes: 1, authority: None }),
            [b'/', ..] => Self::from_path_and_query(raw, None),
            _ => Self::from_absolute(raw),
        }
    }

    /// Like [`Target::parse`], and holds the form against the method: `*` only for OPTIONS, and no
    /// CONNECT, because the gate is no tunnel to anywhere (RFC 9112 §3.2.3, §3.2.4).
    pub fn parse_for(method: &str, raw: &[u8]) -> Result<Self, Reason> {
        if method == "CONNECT" {
            return Err(Reason::MalformedRequest);
        }
        let target = Self::parse(raw)?;
        if target.path() == "*" && method != "OPTIONS" {
            return Err(Reason::NonCanonicalTarget);
        }
        Ok(target)
    }

    fn from_absolute(raw: &[u8]) -> Result<Self, Reason> {
        let rest = after_scheme(raw).ok_or(Reason::NonCanonicalTarget)?;
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, rest) = match end {
            Some(end) => rest.split_at_checked(end).ok_or(Reason::NonCanonicalTarget)?,
            None => (rest, b"".as_slice()),
        };
        let authority = Some(Authority::parse(authority)?);
        match rest {
            [b'/', ..] => Self::from_path_and_query(rest, authority),
            // An absolute-form without a path means `/` (RFC 9112 §3.2.1).
            _ => Self::from_path_and_query(&[b"/", rest].concat(), authority),
        }
    }

    fn from_path_and_query(raw: &[u8], authority: Option<Authority>) -> Result<Self, Reason> {
        let end = raw.iter().position(|byte| *byte == b'?').unwrap_or(raw.len());
        let (raw_path, rest) = raw.split_at_checked(end).ok_or(Reason::NonCanonicalTarget)?;
        let mut text = String::with_capacity(raw.len());
        path::canonicalise(raw_path, &mut text)?;
        let path_bytes = text.len();
        if let [b'?', query @ ..] = rest {
            text.push('?');
            query::check(query, &mut text)?;
        }
        Ok(Self { text, path_bytes, authority })
    }

    /// The path, without query: `/orders/42`, or `*`.
    pub fn path(&self) -> &str {
        self.text.get(..self.path_bytes).unwrap_or_default()
    }

    /// What stands after the first `?`, as sent.
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_bytes + 1..)
    }

    /// The bytes that are forwarded: path and query.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The authority of an absolute-form target.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The path as an owned text, for the record; the query is dropped, because queries carry
    /// secrets.
    pub fn into_path(mut self) -> String {
        self.text.truncate(self.path_bytes);
        self.text
    }
}

fn after_scheme(raw: &[u8]) -> Option<&[u8]> {
    [b"http://".as_slice(), b"https://"].iter().find_map(|scheme| {
        let (head, rest) = raw.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// The octet that `%` and these two digits stand for.
fn octet(high: u8, low: u8) -> Option<u8> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    Some((nibble(high)? << 4) | nibble(low)?)
}

#[cfg(test)]
mod tests;

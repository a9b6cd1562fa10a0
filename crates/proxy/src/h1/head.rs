//! Finds and reads the head of a request.

use std::mem::MaybeUninit;

use httparse::Header;
use traffic::Reason;
use traffic::headers::{FIELDS_MAX, Version};

use crate::config::Limits;

/// Space for the fields of a head, on the stack.
pub(crate) type FieldSpace<'h> = [MaybeUninit<Header<'h>>; FIELDS_MAX];

/// Empty space.
pub(crate) const fn field_space<'h>() -> FieldSpace<'h> {
    [const { MaybeUninit::uninit() }; FIELDS_MAX]
}

/// Longest method; the longest in the IANA registry has 18 bytes.
const METHOD_BYTES_MAX: usize = 32;

/// A request head as it came, checked for its lines but not yet for its meaning.
#[derive(Debug)]
pub(crate) struct RequestHead<'h> {
    pub(crate) version: Version,
    pub(crate) method: &'h str,
    pub(crate) target: &'h [u8],
    pub(crate) fields: &'h [Header<'h>],
    /// Bytes up to the end of the empty line.
    pub(crate) bytes: usize,
}

/// Reads a head. `Ok(None)` = the input ends before the head does.
pub(crate) fn read<'h>(
    input: &'h [u8],
    limits: &Limits,
    space: &'h mut FieldSpace<'h>,
) -> Result<Option<RequestHead<'h>>, Reason> {
    let mut request = httparse::Request::new(&mut []);
    let count = limits.fields.min(FIELDS_MAX);
    let space = space.get_mut(..count).unwrap_or_default();
    let status = match request.parse_with_uninit_headers(input, space) {
        Ok(status) => status,
        Err(httparse::Error::TooManyHeaders) => return Err(Reason::TooLarge),
        Err(_) => return Err(Reason::MalformedRequest),
    };
    let bytes = match status {
        httparse::Status::Complete(bytes) if bytes <= limits.head_bytes => bytes,
        httparse::Status::Partial if input.len() < limits.head_bytes => return Ok(None),
        _ => return Err(Reason::TooLarge),
    };
    // The parser skips empty lines in front; one was consumed before, more are not HTTP.
    let leads_with_line = matches!(input, [b'\r' | b'\n', ..]);
    if leads_with_line || has_bare_line_feed(input.get(..bytes).unwrap_or_default()) {
        return Err(Reason::MalformedRequest);
    }
    let version = match request.version {
        Some(0) => Version::Http10,
        Some(1) => Version::Http11,
        _ => return Err(Reason::MalformedRequest),
    };
    let method = request.method.ok_or(Reason::MalformedRequest)?;
    if method.len() > METHOD_BYTES_MAX {
        return Err(Reason::MalformedRequest);
    }
    let target = request.path.ok_or(Reason::MalformedRequest)?.as_bytes();
    Ok(Some(RequestHead { version, method, target, fields: request.headers, bytes }))
}

/// The parser takes LF alone for the end of a line. Others do not.
pub(crate) fn has_bare_line_feed(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head)
        .any(|at| at.checked_sub(1).and_then(|before| head.get(before)) != Some(&b'\r'))
}

#[cfg(test)]
mod tests;

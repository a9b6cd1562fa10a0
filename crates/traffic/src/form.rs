//! Methods that hide in the bodies of forms. Some frameworks serve a `POST` as the method that a
//! field `_method` of its form names; then what was judged is not what is served. A form is looked
//! through as it passes: in bounded memory, whatever its length, and before the bytes go on.
//!
//! Frameworks differ in how leniently they read. Where they may, more is taken for a field's name
//! than is one: to refuse a form costs its sender a word, to miss one costs the decision.

use memchr::memmem;

use crate::Reason;
use crate::target::overrides_method;

/// The longest name that is looked at; none that replaces a method is longer, but for blanks before
/// it.
const NAME_BYTES_MAX: usize = 256;
/// The longest header block of a part.
const PART_HEAD_BYTES_MAX: usize = 16 * 1024;
/// The longest boundary (RFC 2046 §5.1.1 has 70).
const BOUNDARY_BYTES_MAX: usize = 256;

/// Looks through the body of one form.
#[derive(Debug, Clone)]
pub struct FormWatch(State);

#[derive(Debug, Clone)]
enum State {
    /// `application/x-www-form-urlencoded`: in a name, or in a value.
    Name(Vec<u8>),
    Value,
    /// `multipart/form-data`.
    Parts(Parts),
}

#[derive(Debug, Clone)]
struct Parts {
    delimiter: Vec<u8>,
    /// In the header block of a part; else before, in or after its content.
    in_head: bool,
    /// The block so far, or the end of what passed, in which a delimiter may have begun.
    kept: Vec<u8>,
}

impl FormWatch {
    /// For a body with this `Content-Type`; `None` when it is no form.
    ///
    /// # Errors
    /// [`Reason::MalformedRequest`]: parts whose boundary has no one reading.
    pub fn of(content_type: &[u8]) -> Result<Option<Self>, Reason> {
        let content_type = content_type.trim_ascii();
        let ends = |byte: &u8| matches!(byte, b';' | b',') || byte.is_ascii_whitespace();
        let essence = content_type.split(ends).next().unwrap_or_default().to_ascii_lowercase();
        // Without a type some take it for a form.
        if matches!(essence.as_slice(), b"" | b"application/x-www-form-urlencoded") {
            return Ok(Some(Self(State::Name(Vec::new()))));
        }
        // The others are read like it.
        if !essence.starts_with(b"multipart/") {
            return Ok(None);
        }
        let boundary = boundary(content_type).ok_or(Reason::MalformedRequest)?;
        let delimiter = [b"--", boundary].concat();
        Ok(Some(Self(State::Parts(Parts { delimiter, in_head: false, kept: Vec::new() }))))
    }

    /// Takes the bytes that come next.
    ///
    /// # Errors
    /// [`Reason::ForbiddenHeader`]: they name another method. [`Reason::MalformedRequest`]: what
    /// they name cannot be told.
    pub fn see(&mut self, data: &[u8]) -> Result<(), Reason> {
        match &mut self.0 {
            State::Parts(parts) => parts.see(data),
            State::Name(_) | State::Value => self.see_pairs(data),
        }
    }

    fn see_pairs(&mut self, data: &[u8]) -> Result<(), Reason> {
        let mut rest = data;
        loop {
            match &mut self.0 {
                State::Value => match memchr::memchr2(b'&', b';', rest) {
                    Some(end) => {
                        rest = rest.get(end + 1..).unwrap_or_default();
                        self.0 = State::Name(Vec::new());
                    }
                    None => return Ok(()),
                },
                State::Name(name) => {
                    let end = memchr::memchr3(b'=', b'&', b';', rest);
                    add_name(name, rest.get(..end.unwrap_or(rest.len())).unwrap_or_default());
                    let Some(end) = end else { return Ok(()) };
                    if is_override(name) {
                        return Err(Reason::ForbiddenHeader);
                    }
                    let ends_name = rest.get(end) == Some(&b'=');
                    rest = rest.get(end + 1..).unwrap_or_default();
                    self.0 = if ends_name { State::Value } else { State::Name(Vec::new()) };
                }
                State::Parts(_) => return Ok(()),
            }
        }
    }
}

/// Adds to a name as far as it is looked at, without the blanks and brackets before it, which some
/// readers drop, however many.
fn add_name(name: &mut Vec<u8>, data: &[u8]) {
    for byte in data {
        if name.len() > NAME_BYTES_MAX {
            return;
        }
        name.push(*byte);
        let is_dropped = match name.as_slice() {
            [byte] => matches!(byte, b'+' | b'[' | b']') || byte.is_ascii_whitespace(),
            [b'%', b'2', b'0'] | [b'%', b'0', _] => true,
            [b'%', b'5', last] => matches!(last.to_ascii_lowercase(), b'b' | b'd'),
            _ => false,
        };
        if is_dropped {
            name.clear();
        }
    }
}

fn is_override(name: &[u8]) -> bool {
    // The end of a name for readers in C.
    let ends = [memchr::memchr(0, name), memmem::find(name, b"%00")];
    if let Some(end) = ends.into_iter().flatten().min() {
        return name.get(..end).is_some_and(overrides_method);
    }
    if name.len() <= NAME_BYTES_MAX {
        return overrides_method(name);
    }
    // The index of a list, however long (`_method[…]`).
    overrides_method(&[name, b"]"].concat())
}

impl Parts {
    fn see(&mut self, data: &[u8]) -> Result<(), Reason> {
        let mut rest = data;
        while !rest.is_empty() {
            rest = match self.in_head {
                true => self.see_head(rest)?,
                false => self.see_content(rest),
            };
        }
        Ok(())
    }

    /// Up to the delimiter; gives what follows it.
    fn see_content<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let before = self.kept.len();
        // As much as a delimiter that began before may take.
        let seam = data.get(..data.len().min(self.delimiter.len())).unwrap_or_default();
        self.kept.extend_from_slice(seam);
        let at_seam = memmem::find(&self.kept, &self.delimiter).filter(|at| *at < before);
        let found = match at_seam {
            Some(at) => Some((at + self.delimiter.len()).saturating_sub(before)),
            None => memmem::find(data, &self.delimiter).map(|at| at + self.delimiter.len()),
        };
        if let Some(end) = found {
            self.in_head = true;
            self.kept.clear();
            return data.get(end..).unwrap_or_default();
        }
        self.kept.truncate(before);
        self.kept.extend_from_slice(data);
        let spare = (self.kept.len() + 1).saturating_sub(self.delimiter.len());
        self.kept.drain(..spare);
        &[]
    }

    /// Up to the empty line; gives what follows it. A line that ends without CR is one line to some
    /// and two to others.
    fn see_head<'d>(&mut self, data: &'d [u8]) -> Result<&'d [u8], Reason> {
        for (index, byte) in data.iter().enumerate() {
            let is_bare = *byte == b'\n' && self.kept.last() != Some(&b'\r');
            self.kept.push(*byte);
            let is_last = self.kept.starts_with(b"--");
            let ends = self.kept.ends_with(b"\r\n\r\n");
            if is_bare || self.kept.len() > PART_HEAD_BYTES_MAX {
                return Err(Reason::MalformedRequest);
            }
            if ends || is_last {
                if names_method(&self.kept) {
                    return Err(Reason::ForbiddenHeader);
                }
                self.kept.clear();
                self.in_head = false;
                return Ok(data.get(index + 1..).unwrap_or_default());
            }
        }
        Ok(&[])
    }
}

/// Whether some parameter of the head is a name that replaces the method, or its id is, which some
/// take where there is no name.
fn names_method(head: &[u8]) -> bool {
    let lower = head.to_ascii_lowercase();
    let after = |word: &'static [u8]| {
        memmem::find_iter(&lower, word).filter_map(|at| lower.get(at + word.len()..))
    };
    let by_name = after(b"name").filter_map(|rest| {
        let rest = rest.trim_ascii_start();
        rest.strip_prefix(b"*").unwrap_or(rest).trim_ascii_start().strip_prefix(b"=")
    });
    let by_id = after(b"content-id").filter_map(|rest| rest.trim_ascii_start().strip_prefix(b":"));
    by_name.chain(by_id).any(|value| {
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted.split(|byte| *byte == b'"').next(),
            None => value.split(|byte| matches!(byte, b';' | b'\r' | b'\n')).next(),
        };
        let dropped = |byte: &u8| matches!(byte, b'\\' | b'<' | b'>');
        let value: Vec<u8> =
            value.unwrap_or_default().iter().copied().filter(|byte| !dropped(byte)).collect();
        // After the charset and the language (RFC 5987 §3.2), and without what some quote by.
        let value = value.trim_ascii().rsplit(|byte| *byte == b'\'').find(|part| !part.is_empty());
        value.is_some_and(is_override)
    })
}

/// The one boundary that a `Content-Type` names, where nobody reads another one: no blanks beside it,
/// nothing behind its quotes, and no earlier place where the word stands.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    const WORD: &[u8] = b"boundary";
    let lower = content_type.to_ascii_lowercase();
    let at = memmem::find(&lower, WORD)?;
    let before = content_type.get(..at)?.trim_ascii_end();
    if before.last() != Some(&b';') {
        return None;
    }
    let value = content_type.get(at + WORD.len()..)?.strip_prefix(b"=")?;
    let (value, rest) = match value.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = memchr::memchr(b'"', quoted)?;
            (quoted.get(..end)?, quoted.get(end + 1..)?)
        }
        None => {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            (value.get(..end)?, value.get(end..)?)
        }
    };
    let again = rest.to_ascii_lowercase();
    let is_alone =
        matches!(rest.first(), None | Some(b';')) && memmem::find(&again, WORD).is_none();
    let is_quoted = content_type.get(at + WORD.len() + 1) == Some(&b'"');
    let is_good = |byte: &u8| match byte {
        b' ' => is_quoted,
        byte => byte.is_ascii_graphic() && !b"\\\",".contains(byte),
    };
    let fits = (1..=BOUNDARY_BYTES_MAX).contains(&value.len()) && value.last() != Some(&b' ');
    (is_alone && fits && value.iter().all(is_good)).then_some(value)
}

#[cfg(test)]
mod tests;

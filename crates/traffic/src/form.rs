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
        let essence = content_type.split(|byte| matches!(byte, b';' | b',')).next();
        let essence = essence.unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Ok(Some(Self(State::Name(Vec::new()))));
        }
        if !essence.eq_ignore_ascii_case(b"multipart/form-data") {
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

/// Adds to a name as far as it is looked at, without the blanks before it, which readers drop.
fn add_name(name: &mut Vec<u8>, data: &[u8]) {
    for byte in data {
        if name.len() > NAME_BYTES_MAX {
            return;
        }
        name.push(*byte);
        let is_blank = matches!(name.as_slice(), [b'+'] | [b'%', b'2', b'0'] | [b'%', b'0', _])
            || matches!(name.as_slice(), [byte] if byte.is_ascii_whitespace());
        if is_blank {
            name.clear();
        }
    }
}

fn is_override(name: &[u8]) -> bool {
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

    /// Up to the empty line; gives what follows it.
    fn see_head<'d>(&mut self, data: &'d [u8]) -> Result<&'d [u8], Reason> {
        for (index, byte) in data.iter().enumerate() {
            self.kept.push(*byte);
            let is_last = self.kept.starts_with(b"--");
            let ends = self.kept.ends_with(b"\n\r\n") || self.kept.ends_with(b"\n\n");
            if self.kept.len() > PART_HEAD_BYTES_MAX {
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

/// Whether some parameter of the head is a name that replaces the method.
fn names_method(head: &[u8]) -> bool {
    let lower = head.to_ascii_lowercase();
    memmem::find_iter(&lower, b"name").any(|at| {
        let rest = lower.get(at + 4..).unwrap_or_default().trim_ascii_start();
        let rest = rest.strip_prefix(b"*").unwrap_or(rest).trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=") else { return false };
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted.split(|byte| *byte == b'"').next(),
            None => value.split(|byte| matches!(byte, b';' | b'\r' | b'\n')).next(),
        };
        let value: Vec<u8> =
            value.unwrap_or_default().iter().copied().filter(|b| *b != b'\\').collect();
        // After the charset and the language (RFC 5987 §3.2), and without what some quote by.
        let value = value.trim_ascii().rsplit(|byte| *byte == b'\'').find(|part| !part.is_empty());
        value.is_some_and(overrides_method)
    })
}

/// The one boundary that a `Content-Type` names.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let lower = content_type.to_ascii_lowercase();
    let mut all = memmem::find_iter(&lower, b"boundary");
    let at = all.next().filter(|_| all.next().is_none())?;
    let value = content_type.get(at + 8..)?.trim_ascii_start().strip_prefix(b"=")?;
    let value = value.trim_ascii_start();
    let value = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|byte| *byte == b'"').next()?,
        None => value.split(|byte| matches!(byte, b';' | b',')).next()?.trim_ascii(),
    };
    let is_good = |byte: &u8| byte.is_ascii_graphic() && !b"\\\"".contains(byte) || *byte == b' ';
    let fits = (1..=BOUNDARY_BYTES_MAX).contains(&value.len());
    (fits && value.iter().all(is_good)).then_some(value)
}

#[cfg(test)]
mod tests;

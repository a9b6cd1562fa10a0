//! The path of a target.

use super::octet;
use crate::Reason;

const REFUSED: Result<(), Reason> = Err(Reason::NonCanonicalTarget);

/// Appends the canonical form of `raw`, which starts with `/`, to `out`.
pub(super) fn canonicalise(raw: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut writer = Writer { out, segment: 1, escaped: Escaped::default() };
    let mut rest = raw;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let octet = octet(*high, *low).ok_or(Reason::NonCanonicalTarget)?;
                writer.escape(octet)?;
                tail
            }
            _ => {
                writer.plain(*byte)?;
                tail
            }
        };
    }
    writer.finish()
}

/// Which escapes were seen that need a look at the whole path.
#[derive(Default)]
struct Escaped {
    percent: bool,
    non_ascii: bool,
}

struct Writer<'o> {
    out: &'o mut String,
    /// Where the current segment starts in `out`.
    segment: usize,
    escaped: Escaped,
}

impl Writer<'_> {
    fn plain(&mut self, byte: u8) -> Result<(), Reason> {
        match byte {
            b'/' => self.slash(),
            _ if is_plain(byte) => {
                self.out.push(char::from(byte));
                Ok(())
            }
            // Controls, space, backslash, `#`, `;`, a lone `%`, raw non-ASCII and the rest.
            _ => REFUSED,
        }
    }

    fn slash(&mut self) -> Result<(), Reason> {
        if !self.out.is_empty() {
            self.end_segment()?;
            if self.out.len() == self.segment {
                // `//`: some readers merge the slashes.
                return REFUSED;
            }
        }
        self.out.push('/');
        self.segment = self.out.len();
        Ok(())
    }

    fn escape(&mut self, octet: u8) -> Result<(), Reason> {
        match octet {
            // `;` starts parameters for readers that decode first; the others split the path.
            b'/' | b'\\' | b';' | 0..=31 | 127 => REFUSED,
            // `+`, `,` and `=` stay escaped: escaped and plain they differ for readers that split
            // lists or decode forms.
            _ if is_plain(octet) && !matches!(octet, b'+' | b',' | b'=') => {
                self.out.push(char::from(octet));
                Ok(())
            }
            _ => {
                self.escaped.percent |= octet == b'%';
                self.escaped.non_ascii |= octet >= 128;
                push_escape(octet, self.out);
                Ok(())
            }
        }
    }

    fn end_segment(&self) -> Result<(), Reason> {
        match self.out.get(self.segment..) {
            Some("." | "..") | None => REFUSED,
            Some(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Reason> {
        self.end_segment()?;
        if self.escaped.percent && has_double_encoding(self.out.as_bytes()) {
            return REFUSED;
        }
        // Overlong UTF-8 (`%C0%AF`) is a slash to a careless decoder.
        if self.escaped.non_ascii && String::from_utf8(decoded(self.out.as_bytes())).is_err() {
            return REFUSED;
        }
        Ok(())
    }
}

/// Letters, digits and the marks that a segment can have unescaped (RFC 3986 `pchar`), without
/// `;`, which separates parameters for some readers and is data for others.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

fn push_escape(octet: u8, out: &mut String) {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    out.push('%');
    out.push(digit(octet >> 4).to_ascii_uppercase());
    out.push(digit(octet & 15).to_ascii_uppercase());
}

/// An escaped `%` with two hexadecimal digits after it is another escape to who decodes twice.
fn has_double_encoding(path: &[u8]) -> bool {
    path.windows(5).any(|window| match window {
        [b'%', b'2', b'5', high, low] => octet(*high, *low).is_some(),
        _ => false,
    })
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                out.extend(octet(*high, *low));
                tail
            }
            _ => {
                out.push(*byte);
                tail
            }
        };
    }
    out
}

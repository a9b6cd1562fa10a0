//! Strings (RFC 8259 §7): where they end, that they are well formed, and what they say.
//!
//! Reading goes on at any byte, so that a string may come in pieces. It keeps nothing of it.

use crate::swift;

/// What is wrong, and how far into the piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// A string that is being read, behind its opening quote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    within: Within,
    /// A name, which must be text in itself: no half of a surrogate pair.
    name: bool,
    escaped: bool,
    /// The first half of a pair was read, and the second must follow.
    half: bool,
    /// The digits of an escape so far.
    unit: u16,
}

/// What the next byte is part of.
#[derive(Debug, Clone, Copy)]
enum Within {
    /// Nothing in particular.
    Text,
    /// What a backslash began.
    Escape,
    /// Hexadecimal digits, so many to come.
    Digits(u8),
    /// A character of several bytes: so many to come, and the bounds of the next one.
    Character { left: u8, low: u8, high: u8 },
}

impl Text {
    /// A string that begins.
    #[inline]
    pub(crate) const fn begin(name: bool) -> Self {
        Self { within: Within::Text, name, escaped: false, half: false, unit: 0 }
    }

    /// Whether what it says differs from how it is written.
    #[inline]
    pub(crate) const fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// Reads on. The number of bytes up to and with the closing quote; `None` if it does not end in
    /// this piece.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        if matches!(self.within, Within::Text) && !self.half {
            let at = swift::plain(bytes);
            if bytes.get(at) == Some(&b'"') {
                return Ok(Some(at + 1));
            }
            return self.read_from(bytes, at);
        }
        self.read_from(bytes, 0)
    }

    fn read_from(&mut self, bytes: &[u8], mut at: usize) -> Result<Option<usize>, Fault> {
        loop {
            match self.within {
                Within::Text => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    at += if self.half { 0 } else { swift::plain(rest) };
                    let Some(byte) = bytes.get(at) else { return Ok(None) };
                    if self.half && *byte != b'\\' {
                        return Err(Fault { at, what: HALF });
                    }
                    match byte {
                        b'"' => return Ok(Some(at + 1)),
                        b'\\' => {
                            (self.escaped, self.within) = (true, Within::Escape);
                            at += 1;
                        }
                        0..0x20 => return Err(Fault { at, what: "a control character" }),
                        _ => at = self.characters(bytes, at)?,
                    }
                }
                Within::Escape | Within::Digits(_) => {
                    let Some(byte) = bytes.get(at) else { return Ok(None) };
                    self.escape(*byte).map_err(|what| Fault { at, what })?;
                    at += 1;
                }
                Within::Character { left, low, high } => {
                    let Some(byte) = bytes.get(at) else { return Ok(None) };
                    if !(low..=high).contains(byte) {
                        return Err(Fault { at, what: NOT_UTF8 });
                    }
                    self.within = match left {
                        0 | 1 => Within::Text,
                        _ => Within::Character { left: left - 1, low: 0x80, high: 0xbf },
                    };
                    at += 1;
                }
            }
        }
    }

    /// One byte of an escape.
    fn escape(&mut self, byte: u8) -> Result<(), &'static str> {
        if let Within::Digits(left) = self.within {
            let digit = char::from(byte).to_digit(16).ok_or("an escape without four digits")?;
            self.unit = (self.unit << 4) | u16::try_from(digit).unwrap_or(0);
            self.within = Within::Digits(left - 1);
            if left == 1 {
                self.within = Within::Text;
                return if self.name { self.pair() } else { Ok(()) };
            }
            return Ok(());
        }
        match byte {
            b'u' => (self.unit, self.within) = (0, Within::Digits(4)),
            _ if self.half => return Err(HALF),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.within = Within::Text,
            _ => return Err("an escape that there is not"),
        }
        Ok(())
    }

    /// Halves of surrogate pairs come in twos, the high one first.
    fn pair(&mut self) -> Result<(), &'static str> {
        match (self.unit, self.half) {
            (0xdc00..=0xdfff, true) => self.half = false,
            (0xdc00..=0xdfff, false) | (_, true) => return Err(HALF),
            (0xd800..=0xdbff, false) => self.half = true,
            _ => {}
        }
        Ok(())
    }

    /// Characters of several bytes, one after the other. Where the next byte stands; inside a
    /// character if the piece ends there.
    fn characters(&mut self, bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let whole = swift::character(rest);
            if whole == 0 {
                break;
            }
            at += whole;
        }
        let Some(first) = bytes.get(at).filter(|byte| **byte >= 0x80) else { return Ok(at) };
        let (left, low, high) = match first {
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return Err(Fault { at, what: NOT_UTF8 }),
        };
        self.within = Within::Character { left, low, high };
        Ok(at + 1)
    }
}

const HALF: &str = "half of a surrogate pair in a name";
const NOT_UTF8: &str = "bytes that are not UTF-8";

/// What the text between quotes says. `Err` holds its beginning, if it ends in the middle of an
/// escape, holds half of a surrogate pair, or is more than `into` can take.
pub(crate) fn unescape<'b>(raw: &[u8], into: &'b mut [u8]) -> Result<&'b [u8], &'b [u8]> {
    let mut written = 0;
    let whole = unescape_into(raw, into, &mut written).is_some();
    let says = into.get(..written).unwrap_or_default();
    if whole { Ok(says) } else { Err(says) }
}

fn unescape_into(raw: &[u8], into: &mut [u8], written: &mut usize) -> Option<()> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, from) = rest.split_at_checked(at)?;
        put(into, written, before)?;
        let (char, after) = escaped(from)?;
        put(into, written, char.encode_utf8(&mut [0; 4]).as_bytes())?;
        rest = after;
    }
    put(into, written, rest)
}

fn put(into: &mut [u8], written: &mut usize, bytes: &[u8]) -> Option<()> {
    let end = written.checked_add(bytes.len())?;
    into.get_mut(*written..end)?.copy_from_slice(bytes);
    *written = end;
    Some(())
}

/// The character that the escape at the beginning stands for, and what follows it.
fn escaped(from: &[u8]) -> Option<(char, &[u8])> {
    let (kind, rest) = match from {
        [b'\\', kind, rest @ ..] => (*kind, rest),
        _ => return None,
    };
    let simple = match kind {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_unit(rest),
        other => char::from(other),
    };
    Some((simple, rest))
}

fn code_unit(rest: &[u8]) -> Option<(char, &[u8])> {
    let (unit, rest) = four_digits(rest)?;
    if let Some(char) = char::from_u32(unit) {
        return Some((char, rest));
    }
    let (low, rest) = four_digits(rest.strip_prefix(b"\\u")?)?;
    let mut both = char::decode_utf16([u16::try_from(unit).ok()?, u16::try_from(low).ok()?]);
    Some((both.next()?.ok()?, rest))
}

fn four_digits(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    Some((u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, rest))
}

#[cfg(test)]
mod tests;

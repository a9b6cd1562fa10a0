//! Bytes many at a time: how far something goes that needs no second look.
//!
//! All of it could be said byte by byte; nothing here may say anything else.

/// Bytes that are looked at together: as many as fit a register of vectors everywhere.
const BLOCK: usize = 16;

/// How many bytes at the beginning are neither quote nor backslash nor control character, and
/// ASCII.
#[inline]
pub(crate) fn plain(bytes: &[u8]) -> usize {
    // Compared as signed numbers, what is not ASCII is less than a space too.
    prefix(bytes, |byte| byte.cast_signed() < 0x20 || byte == b'"' || byte == b'\\')
}

/// How much white space there is at the beginning (RFC 8259 §2).
#[inline]
pub(crate) fn blank(bytes: &[u8]) -> usize {
    prefix(bytes, |byte| byte != b' ' && byte != b'\n' && byte != b'\r' && byte != b'\t')
}

/// Where the white space at a place ends.
#[inline]
pub(crate) fn behind_blank(input: &[u8], at: usize) -> usize {
    match input.get(at) {
        Some(byte) if *byte <= b' ' => at + blank(input.get(at..).unwrap_or_default()),
        _ => at,
    }
}

/// Where a value begins behind the colon that stands at a place, if it is where values usually are.
#[inline]
pub(crate) fn behind_colon(input: &[u8], at: usize) -> Option<usize> {
    match input.get(at..) {
        Some([b':', b' ', ..]) => Some(at + 2),
        Some([b':', ..]) => Some(at + 1),
        _ => None,
    }
}

/// How many bytes there are before the first one that `ends`.
#[inline(always)]
fn prefix(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        // Written so that compilers see one comparison of vectors in it.
        let ended = block.map(|byte| if ends(byte) { 0xff } else { 0 });
        let ended = u128::from_le_bytes(ended);
        if ended != 0 {
            return bytes.len() - rest.len() + (ended.trailing_zeros() / 8) as usize;
        }
        rest = after;
    }
    let last = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + last
}

/// The length of the character of several bytes at the beginning; 0 if it is not there whole, or
/// is none (RFC 3629 §4).
#[inline]
pub(crate) const fn character(bytes: &[u8]) -> usize {
    match bytes {
        [0xc2..=0xdf, 0x80..=0xbf, ..] => 2,
        [0xe0, 0xa0..=0xbf, 0x80..=0xbf, ..]
        | [0xed, 0x80..=0x9f, 0x80..=0xbf, ..]
        | [0xe1..=0xec | 0xee | 0xef, 0x80..=0xbf, 0x80..=0xbf, ..] => 3,
        [0xf0, 0x90..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf1..=0xf3, 0x80..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf4, 0x80..=0x8f, 0x80..=0xbf, 0x80..=0xbf, ..] => 4,
        _ => 0,
    }
}

/// The longest number that is looked at here.
pub(crate) const NUMBER_BYTES: usize = 32;

/// The length of the text, number or literal at the beginning, if it is a plain one that ends well
/// before the bytes do; 0 if it has to be read with more care.
#[inline]
pub(crate) fn scalar(bytes: &[u8]) -> usize {
    match bytes {
        [b'"', rest @ ..] => match rest.get(plain(rest)..) {
            Some([b'"', behind @ ..]) => bytes.len() - behind.len(),
            _ => 0,
        },
        [b'-' | b'0'..=b'9', ..] => number(bytes),
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => 4,
        [b'f', b'a', b'l', b's', b'e', ..] => 5,
        _ => 0,
    }
}

/// The length of a number (RFC 8259 §6).
#[inline]
fn number(bytes: &[u8]) -> usize {
    let minus = usize::from(bytes.first() == Some(&b'-'));
    let mut end = digits(bytes, minus);
    let leading_zero = bytes.get(minus) == Some(&b'0') && end > minus + 1;
    if end == minus || leading_zero {
        return 0;
    }
    if bytes.get(end) == Some(&b'.') {
        let behind = end + 1;
        end = digits(bytes, behind);
        if end == behind {
            return 0;
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let behind = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(bytes, behind);
        if end == behind {
            return 0;
        }
    }
    // At the end of the bytes more digits may follow.
    if end <= NUMBER_BYTES && end < bytes.len() { end } else { 0 }
}

/// Where the digits from a place on end.
#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(bytes, at) {
        // The high bit of bytes below 0 or above 9. The lowest one that is set is right.
        let others = word.wrapping_add(ONES * 0x46) | word.wrapping_sub(ONES * 0x30);
        let others = others & (ONES * 0x80);
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

const ONES: u64 = u64::from_le_bytes([1; 8]);

/// Eight bytes as one number, if there are so many.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests;

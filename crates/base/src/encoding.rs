//! Text encodings of bytes: hexadecimal and base 62.

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads hexadecimal of either case; `None` for odd lengths and other characters.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect()
}

/// `bytes` as a big-endian number in base 62 (`0-9A-Za-z`), padded on the left to the length that
/// the largest number of that many bytes needs, so that equal lengths in give equal lengths out.
pub fn to_base62(bytes: &[u8]) -> String {
    let width = (bytes.len() * 8).div_ceil(6) + usize::from(bytes.len() > 11);
    let mut digits = vec![0u8; width];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut().rev() {
            carry += u32::from(*digit) * 256;
            *digit = u8::try_from(carry % 62).unwrap_or(0);
            carry /= 62;
        }
    }
    digits
        .iter()
        .map(|d| char::from(BASE62.get(usize::from(*d)).copied().unwrap_or(b'0')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_refuses_odd_and_foreign_text() {
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("zz"), None);
        assert_eq!(from_hex("é"), None);
        assert_eq!(from_hex(&to_hex(&[0, 127, 255])), Some(vec![0, 127, 255]));
    }

    #[test]
    fn base62_keeps_length_and_never_overflows() {
        for length in [4usize, 8, 16, 32] {
            let widest = to_base62(&vec![255; length]);
            let zero = to_base62(&vec![0; length]);
            assert_eq!(widest.len(), zero.len());
            assert_ne!(widest, zero);
        }
    }
}

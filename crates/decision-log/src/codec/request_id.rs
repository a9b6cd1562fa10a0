//! Generated request ids in 16 bytes instead of 28: the form `r_` and 26 digits of Crockford base
//! 32 holds 48 bits of milliseconds and 80 random bits.

use base::RequestId;

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const NO_DIGIT: u8 = 0xff;
const VALUES: [u8; 256] = values();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn values() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < DIGITS.len() {
        table[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
}

/// The number that a generated id holds; `None` for ids that somebody chose.
pub(crate) fn to_number(id: &RequestId) -> Option<u128> {
    let digits = id.as_str().strip_prefix("r_")?.as_bytes();
    if digits.len() != 26 {
        return None;
    }
    let mut number = 0u128;
    for (position, digit) in digits.iter().enumerate() {
        let value = *VALUES.get(usize::from(*digit))?;
        // 26 digits hold 130 bits: the first one may use 3 of its 5.
        if value == NO_DIGIT || (position == 0 && value > 7) {
            return None;
        }
        number = (number << 5) | u128::from(value);
    }
    Some(number)
}

/// The text of a number, which is ASCII.
pub(super) fn to_text(number: u128) -> [u8; 28] {
    let mut text = *b"r_00000000000000000000000000";
    for (place, shift) in text.iter_mut().skip(2).zip((0..26).rev()) {
        let index = ((number >> (shift * 5)) & 31) as usize;
        *place = DIGITS.get(index).copied().unwrap_or(b'0');
    }
    text
}

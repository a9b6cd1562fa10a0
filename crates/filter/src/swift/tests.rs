use super::*;

fn is_plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && !b"\"\\".contains(&byte)
}

/// Calls with every length up to 40, every place in it and every byte there.
fn everywhere(filler: u8, check: impl Fn(&[u8], usize, u8)) {
    for length in 0..40 {
        for at in 0..length {
            let mut bytes = vec![filler; length];
            for byte in 0..=255 {
                bytes[at] = byte;
                check(&bytes, at, byte);
            }
        }
    }
}

#[test]
fn plain_bytes_end_where_one_is_not() {
    everywhere(b'~', |bytes, at, byte| {
        let expected = if is_plain(byte) { bytes.len() } else { at };
        assert_eq!(plain(bytes), expected, "{byte} at {at} of {}", bytes.len());
    });
}

#[test]
fn white_space_ends_where_a_byte_is_none() {
    everywhere(b' ', |bytes, at, byte| {
        let expected = if b" \n\r\t".contains(&byte) { bytes.len() } else { at };
        assert_eq!(blank(bytes), expected, "{byte} at {at} of {}", bytes.len());
    });
}

#[test]
fn what_needs_care_is_no_plain_scalar() {
    for bytes in [
        "",
        "\"",
        "\"a",
        "\"a\\n\"",
        "\"é\"",
        "\"a\nb\" ",
        "1",
        "-",
        "-a",
        "01,",
        "-01,",
        "1.",
        "1.,",
        "1.5",
        "1e5",
        "1e,",
        "1.5E+,",
        "tru",
        "trux",
        "nul",
        "fals",
        "x",
        "{}",
        "[",
        ".5,",
        "+1,",
        "123456789012345678901234567890123,",
    ] {
        assert_eq!(scalar(bytes.as_bytes()), 0, "{bytes}");
    }
}

#[test]
fn a_plain_scalar_has_its_length() {
    for (bytes, length) in [
        ("\"\"", 2),
        ("\"a\"b\"", 3),
        ("\"0123456789abcdef0123\",", 22),
        ("0,", 1),
        ("-0]", 2),
        ("10}", 2),
        ("-12.50 ", 6),
        ("12345678,", 8),
        ("123456789012.1234567890,", 23),
        ("1e5,", 3),
        ("-1.5E+10]", 8),
        ("0e-0}", 4),
        ("1-", 1),
        ("true", 4),
        ("null,", 4),
        ("falsehood", 5),
    ] {
        assert_eq!(scalar(bytes.as_bytes()), length, "{bytes}");
    }
}

#[test]
fn digits_end_where_a_byte_is_none() {
    everywhere(b'7', |bytes, at, byte| {
        let expected = if byte.is_ascii_digit() { bytes.len() } else { at };
        assert_eq!(digits(bytes, 0), expected, "{byte} at {at} of {}", bytes.len());
    });
}

#[test]
fn a_word_is_there_whole_or_not_at_all() {
    assert_eq!(word(b"12345678", 0), Some(u64::from_le_bytes(*b"12345678")));
    assert_eq!(word(b"12345678", 1), None);
    assert_eq!(word(b"12345678", 9), None);
}

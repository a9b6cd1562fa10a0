use super::*;

/// The reading of a string behind its opening quote, byte by byte and whole: both must agree.
fn read(bytes: &[u8], name: bool) -> Result<Option<usize>, Fault> {
    let whole = Text::begin(name).read(bytes);
    let mut text = Text::begin(name);
    let mut pieces = Ok(None);
    for (at, byte) in bytes.iter().enumerate() {
        match text.read(std::slice::from_ref(byte)) {
            Ok(None) => continue,
            Ok(Some(_)) => pieces = Ok(Some(at + 1)),
            Err(fault) => pieces = Err(Fault { at, ..fault }),
        }
        break;
    }
    assert_eq!(whole, pieces, "{bytes:x?}");
    whole
}

#[test]
fn what_is_no_string_is_a_fault_at_its_byte() {
    for (raw, at) in [
        (b"a\nb\"".as_slice(), 1),
        (b"\0\"", 0),
        (b"12345678\x1f\"", 8),
        (b"\\x\"", 1),
        (b"\\'\"", 1),
        (b"\\u12\"", 4),
        (b"\\u123g\"", 5),
        (b"\\U1234\"", 1),
        (b"\\\n\"", 1),
    ] {
        assert_eq!(read(raw, false).unwrap_err().at, at, "{raw:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_a_fault() {
    for raw in [
        b"\x80\"".as_slice(),
        b"\xc0\xaf\"",
        b"\xc1\x80\"",
        b"\xc3\"",
        b"\xe0\x80\x80\"",
        b"\xe2\x82\"",
        b"\xed\xa0\x80\"",
        b"\xf0\x80\x80\x80\"",
        b"\xf4\x90\x80\x80\"",
        b"\xf5\x80\x80\x80\"",
        b"\xff\"",
        b"\xe2\x28\xa1\"",
    ] {
        assert_eq!(read(raw, false).unwrap_err().what, NOT_UTF8, "{raw:x?}");
    }
}

#[test]
fn every_character_of_unicode_can_be_read() {
    for first in 0..=0x10_ffffu32 {
        let Some(char) = char::from_u32(first).filter(|char| *char >= '\u{80}') else { continue };
        let mut bytes = [0; 5];
        let len = char.encode_utf8(&mut bytes).len();
        bytes[len] = b'"';
        assert_eq!(Text::begin(true).read(&bytes[..=len]), Ok(Some(len + 1)), "{first:x}");
    }
}

#[test]
fn half_of_a_surrogate_pair_is_a_fault_in_a_name_only() {
    for raw in [
        br#"\ud800""#.as_slice(),
        br#"\udc00""#,
        br#"\ud800x\udc00""#,
        br#"\ud800\n""#,
        br#"\ud800\ud800""#,
        br#"\ud800\u0041""#,
        br#"a\udbff""#,
    ] {
        assert_eq!(read(raw, true).unwrap_err().what, HALF);
        assert_eq!(read(raw, false), Ok(Some(raw.len())));
    }
    assert_eq!(read(br#"\ud83d\ude00""#, true), Ok(Some(13)));
}

#[test]
fn a_string_ends_at_its_quote() {
    for (raw, end) in [
        (br#"""#.as_slice(), 1),
        (br#"a"b""#, 2),
        (br#"\"","#, 3),
        (br#"\\" "#, 3),
        (br#"12345678""#, 9),
        (br#"1234567\"9""#, 11),
        ("é€😀\"".as_bytes(), 10),
    ] {
        assert_eq!(read(raw, true), Ok(Some(end)), "{raw:?}");
    }
    assert_eq!(read(b"abc", true), Ok(None));
    assert_eq!(read(b"12345678", true), Ok(None));
    assert_eq!(read(b"\\u00", true), Ok(None));
    assert_eq!(read(b"\xe2\x82", true), Ok(None));
}

#[test]
fn what_cannot_be_said_or_does_not_fit_is_not_unescaped() {
    let mut into = [0; 4];
    assert_eq!(unescape(br"\ud800", &mut into), Err(b"".as_slice()));
    assert_eq!(unescape(br"a\udc00", &mut into), Err(b"a".as_slice()));
    assert_eq!(unescape(br"\ud800\u0041", &mut into), Err(b"".as_slice()));
    assert_eq!(unescape(br"\nb\u00", &mut into), Err(b"\nb".as_slice()));
    assert_eq!(unescape(b"12345", &mut into), Err(b"".as_slice()));
    assert_eq!(unescape(br"123\u00e9", &mut into), Err(b"123".as_slice()));
}

#[test]
fn escapes_say_what_they_stand_for() {
    let mut into = [0; 64];
    let raw = br#"a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00z"#;
    let says = "a\"\\/\u{8}\u{c}\n\r\tAé€😀z";
    assert_eq!(unescape(raw, &mut into), Ok(says.as_bytes()));
    assert_eq!(unescape(b"", &mut into), Ok(b"".as_slice()));
}

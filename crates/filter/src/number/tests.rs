use super::*;

/// Reads whole and byte by byte, which must agree; `Ok` holds how many bytes belong to the number,
/// if it is complete then.
fn read(raw: &str) -> Result<Option<usize>, usize> {
    let (first, rest) = raw.as_bytes().split_first().unwrap();
    let mut whole = Number::begin(*first);
    let ended = match whole.read(rest) {
        Ok(ended) => Ok(whole.is_complete().then(|| ended.unwrap_or(rest.len()) + 1)),
        Err(fault) => Err(fault.at + 1),
    };
    let mut pieces = Number::begin(*first);
    let mut by_byte = None;
    for (at, byte) in rest.iter().enumerate() {
        match pieces.read(std::slice::from_ref(byte)) {
            Ok(None) => continue,
            Ok(Some(none)) => by_byte = Some(Ok(Some(at + 1 + none))),
            Err(_) => by_byte = Some(Err(at + 1)),
        }
        break;
    }
    let end = || Ok(pieces.is_complete().then_some(raw.len()));
    assert_eq!(ended, by_byte.unwrap_or_else(end), "{raw}");
    ended
}

#[test]
fn what_is_no_number_is_a_fault_at_its_byte() {
    for (raw, at) in [
        ("01", 1),
        ("-01", 2),
        ("00", 1),
        ("-a", 1),
        ("--1", 1),
        ("1.", 2),
        ("1.e1", 2),
        ("1.a", 2),
        ("1e,", 2),
        ("1e+,", 3),
        ("1e++1", 3),
        ("-.5", 1),
        ("1e.5", 2),
        ("-Infinity", 1),
    ] {
        // one byte behind, so that it ends
        let wrong = format!("{raw} ");
        assert_eq!(read(&wrong), Err(at), "{raw}");
    }
}

#[test]
fn a_number_that_lacks_a_digit_is_not_complete() {
    for raw in ["-", "1.", "1e", "1e+", "1.5E-"] {
        assert_eq!(read(raw), Ok(None), "{raw}");
    }
}

#[test]
fn numbers_end_at_the_first_byte_that_is_not_theirs() {
    for raw in
        ["0", "-0", "1", "10", "-123", "0.5", "1.25", "1e9", "1E+9", "1e-09", "0e0", "1.0e00"]
    {
        assert_eq!(read(raw), Ok(Some(raw.len())), "{raw}");
        for end in [",", "]", "}", " ", "\n", "x", "\""] {
            assert_eq!(read(&format!("{raw}{end}1")), Ok(Some(raw.len())), "{raw}{end}");
        }
    }
}

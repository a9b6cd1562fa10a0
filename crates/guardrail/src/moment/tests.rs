use super::*;

#[test]
fn a_moment_is_written_as_people_write_it() {
    assert_eq!(text(0).unwrap(), "1970-01-01T00:00:00.000Z");
    assert_eq!(text(1_790_000_000_123).unwrap(), "2026-09-21T14:13:20.123Z");
    assert_eq!(text(-1).unwrap(), "1969-12-31T23:59:59.999Z");
    assert_eq!(text(951_782_400_000).unwrap(), "2000-02-29T00:00:00.000Z");
    assert_eq!(text(253_402_300_799_999).unwrap(), "9999-12-31T23:59:59.999Z");
    assert_eq!(text(253_402_300_800_000), None);
    assert!(expression(253_402_300_800_000).contains("offset"));
}

#[test]
fn microseconds_are_not_lost() {
    let end = is_before(Timestamp::from_micros(1_500_001));
    assert!(end.contains("context.now_us < 1"), "{end}");
    assert_eq!(split(Timestamp::from_micros(-1)), (-1, 999));
}

#[test]
fn a_time_of_cedar_is_read() {
    assert_eq!(read("1970-01-02"), Some(86_400_000));
    assert_eq!(read("1970-01-01T00:00:01.234Z"), Some(1_234));
    assert_eq!(read("1970-01-01T01:00:00+0100"), Some(0));
    assert_eq!(read("yesterday"), None);
}

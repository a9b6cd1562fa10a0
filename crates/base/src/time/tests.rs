use super::*;

#[test]
fn a_span_without_unit_or_with_an_unknown_one_is_refused() {
    for text in [
        "",
        "90",
        "d",
        "9 d",
        "-1d",
        "1.5h",
        "90days",
        "99999999999999999999d",
        "9223372036854775807d",
    ] {
        assert!(Span::parse(text).is_err(), "{text}");
    }
}

#[test]
fn spans_are_written_in_the_largest_whole_unit() {
    for text in ["90d", "36h", "15m", "30s", "250ms"] {
        assert_eq!(Span::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Span::parse("48h").unwrap().to_string(), "2d");
}

#[test]
fn a_time_needs_a_date_and_a_zone() {
    for text in ["", "yesterday", "2026-13-01", "2026-03-01T09:00:00", "12:00"] {
        assert!(Timestamp::parse(text).is_err(), "{text}");
    }
}

#[test]
fn times_are_read_with_any_offset_and_written_in_utc() {
    let moment = Timestamp::parse("2026-03-01T10:00:00.5+01:00").unwrap();
    assert_eq!(moment.to_string(), "2026-03-01T09:00:00.5Z");
    assert_eq!(Timestamp::parse("2026-03-01").unwrap().to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(Timestamp::from_day(moment.day()).to_string(), "2026-03-01T00:00:00Z");
}

#[test]
fn arithmetic_saturates() {
    assert_eq!(Timestamp::MAX + Span::from_days(1), Timestamp::MAX);
    assert_eq!(Timestamp::MIN - Span::from_days(1), Timestamp::MIN);
}

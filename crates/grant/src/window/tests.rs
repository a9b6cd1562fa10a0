use super::*;

fn window(text: &str) -> Window {
    text.parse().expect(text)
}

fn at(text: &str) -> Timestamp {
    text.parse().expect(text)
}

#[test]
fn what_is_no_window_is_refused() {
    for text in [
        "",
        "mon",
        "08:00-18:00",
        "mon 18:00-08:00",
        "mon 08:00-08:00",
        "mon 08:00-24:01",
        "mon 8:00-18:00",
        "mon 08:60-18:00",
        "fri-mon 08:00-18:00",
        "monday 08:00-18:00",
        "mon 08:00-18:00 02:00",
        "mon 08:00-18:00 +15:00",
        "mon 08:00-18:00 +02:00 x",
        "mon 08:00-18:00 Europe/Berlin",
    ] {
        text.parse::<Window>().expect_err(text);
    }
}

#[test]
fn what_goes_over_midnight_or_sunday_is_told_how_to_be_written() {
    for (text, instead) in [
        ("mon-fri 22:00-06:00", "`mon-fri 22:00-24:00` and `tue-sat 00:00-06:00`"),
        (
            "sat,sun 22:00-06:00 +01:00",
            "`sat-sun 22:00-24:00 +01:00` and `mon,sun 00:00-06:00 +01:00`",
        ),
        ("mon 18:00-00:00", "`mon 18:00-24:00`"),
        ("fri-mon 08:00-18:00", "`mon,fri-sun 08:00-18:00`"),
        ("fri-mon 22:00-06:00", "`mon,fri-sun 22:00-24:00` and `mon-tue,sat-sun 00:00-06:00`"),
    ] {
        let bad = text.parse::<Window>().unwrap_err();
        assert_eq!(bad.instead().as_deref(), Some(instead), "{text}");
        for one in instead.split(" and ") {
            window(one.trim_matches('`'));
        }
    }
    for text in
        ["", "mon", "mon 08:00-08:00", "mon 8:00-18:00", "mon 24:00-06:00", "mon 24:00-00:00"]
    {
        assert_eq!(text.parse::<Window>().unwrap_err().instead(), None, "{text}");
    }
}

#[test]
fn a_window_is_its_text() {
    for text in
        ["mon-fri 08:00-18:00", "sat-sun 00:00-24:00 +02:00", "mon,wed-thu,sun 09:30-10:00 -05:30"]
    {
        assert_eq!(window(text).to_string(), text);
    }
}

#[test]
fn the_end_is_outside_and_the_offset_counts() {
    // 2026-11-27 is a Friday.
    let office = window("mon-fri 08:00-18:00");
    assert!(!office.contains(at("2026-11-27T07:59:59Z")));
    assert!(office.contains(at("2026-11-27T08:00:00Z")));
    assert!(office.contains(at("2026-11-27T17:59:59Z")));
    assert!(!office.contains(at("2026-11-27T18:00:00Z")));
    assert!(!office.contains(at("2026-11-28T12:00:00Z")));
    let east = window("mon 00:00-01:00 +02:00");
    assert!(east.contains(at("2026-11-29T22:30:00Z")), "Monday 00:30 there is Sunday here");
    assert!(!east.contains(at("2026-11-30T00:30:00Z")));
}

#[test]
fn ranges_say_the_same() {
    for text in ["mon-fri 08:00-18:00", "sun 20:00-24:00 -03:00", "mon-sun 00:00-24:00 +01:00"] {
        let window = window(text);
        let ranges = window.ranges();
        for minute in 0..WEEK_MINUTES {
            let within = ranges.iter().any(|(from, to)| (*from..*to).contains(&minute));
            assert_eq!(within, window.contains_minute(minute), "{text} at {minute}");
        }
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}

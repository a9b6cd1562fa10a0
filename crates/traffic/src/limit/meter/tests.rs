use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_772_452_800);

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn meter(text: &str, terms: Terms) -> (Limit, Meter) {
    let limit = limit(text);
    (limit, Meter::new(limit, terms, NOON))
}

/// How many pass of so many.
fn passed(limit: Limit, meter: &mut Meter, terms: Terms, now: Timestamp, tries: u32) -> u32 {
    let mut passed = 0;
    for _ in 0..tries {
        if meter.check(limit, 1, terms, now).is_ok() {
            meter.take(limit, 1, now);
            passed += 1;
        }
    }
    passed
}

fn joined(millionths: u64) -> Terms {
    let split = Share::from_millionths(millionths);
    Terms { split, since: Timestamp::MIN, fleet: Fleet::Joined }
}

#[test]
fn a_quota_that_is_used_up_waits_for_the_end_of_its_period() {
    let (limit, mut meter) = meter("3/day per identity", Terms::ALONE);
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, NOON, 9), 3);
    let wait = meter.check(limit, 1, Terms::ALONE, NOON).unwrap_err();
    assert_eq!(wait, Span::from_secs(12 * 3_600));
    let standing = meter.standing(limit, NOON);
    assert_eq!((standing.left, standing.reset), (0, wait));
    assert!(!meter.is_spent(NOON));
    let midnight = NOON + wait;
    assert!(meter.is_spent(midnight));
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, midnight, 9), 3);
    // The day before does not come back with the clock.
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, NOON, 9), 0);
}

#[test]
fn a_dear_request_does_not_pass_where_a_cheap_one_does() {
    let (limit, mut meter) = meter("100/day per api", Terms::ALONE);
    meter.take(limit, 60, NOON);
    assert!(meter.check(limit, 50, Terms::ALONE, NOON).is_err());
    assert!(meter.check(limit, 40, Terms::ALONE, NOON).is_ok());
}

#[test]
fn requests_at_the_same_time_are_counted_until_they_end() {
    let (limit, mut meter) = meter("2 concurrent per identity", Terms::ALONE);
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, NOON, 5), 2);
    assert_eq!(meter.check(limit, 1, Terms::ALONE, NOON), Err(Span::from_secs(1)));
    assert!(!meter.is_spent(NOON));
    meter.release();
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, NOON, 5), 1);
    meter.release();
    meter.release();
    meter.release();
    assert!(meter.is_spent(NOON));
    assert_eq!(passed(limit, &mut meter, Terms::ALONE, NOON, 5), 2, "what ends twice ends once");
}

#[test]
fn a_part_of_a_limit_is_a_part_and_at_least_one() {
    for (text, millionths, expected) in [
        ("100/s per identity", 250_000, 25),
        ("100/s per identity", 1, 1),
        ("20 concurrent per identity", 250_000, 5),
        ("2 concurrent per identity", 1, 1),
        ("100/day per identity", 250_000, 25),
        ("3/day per identity", 250_000, 0),
    ] {
        let terms = joined(millionths);
        let (limit, mut meter) = meter(text, terms);
        assert_eq!(passed(limit, &mut meter, terms, NOON, 200), expected, "{text} {millionths}");
    }
}

#[test]
fn a_part_that_was_others_until_now_is_not_fresh() {
    let terms = joined(0).with_split(Share::from_millionths(500_000), NOON);
    let (rate, mut meter) = meter("100/s per identity", terms);
    assert_eq!(passed(rate, &mut meter, terms, NOON, 200), 1);
    let whole = joined(0).with_split(Share::WHOLE, NOON);
    let mut meter = Meter::new(rate, whole, NOON);
    assert_eq!(passed(rate, &mut meter, whole, NOON, 200), 100, "but all of it is");
}

#[test]
fn where_an_advance_has_ended_but_not_the_quota_the_wait_is_short() {
    let terms = joined(500_000);
    let (limit, mut meter) = meter("100/day per identity", terms);
    assert_eq!(passed(limit, &mut meter, terms, NOON, 200), 50);
    assert_eq!(meter.check(limit, 1, terms, NOON), Err(Span::from_millis(250)));
    let ask = meter.ask("k", limit, terms, NOON);
    assert_eq!((ask.holds, ask.used), (50, 50));
    let told = Told {
        key: "k".to_owned(),
        limit,
        period: ask.period,
        holds: Some(55),
        elsewhere: 40,
        is_released: false,
        speaks: false,
    };
    meter.settle(limit, &told, terms, NOON);
    assert_eq!(meter.standing(limit, NOON).left, 10);
    assert_eq!(passed(limit, &mut meter, terms, NOON, 200), 5);
    let cut_off = Terms { fleet: Fleet::CutOff, ..terms };
    assert_eq!(passed(limit, &mut meter, cut_off, NOON, 200), 2, "its half of what was free");
}

#[test]
fn a_round_that_did_not_reach_the_store_promised_nothing() {
    let terms = joined(500_000);
    let (limit, mut meter) = meter("1000/day per identity", terms);
    assert_eq!(passed(limit, &mut meter, terms, NOON, 5), 5);
    let ask = meter.ask("k", limit, terms, NOON);
    assert!(ask.holds < 100, "an advance, not the half: {}", ask.holds);
    assert!(u64::from(passed(limit, &mut meter, terms, NOON, 500)) < ask.holds);
    meter.withdraw();
    assert!(passed(limit, &mut meter, terms, NOON, 500) > 400);
}

#[test]
fn a_key_joins_the_next_round_when_it_is_busy_and_once() {
    let terms = joined(500_000);
    let (rate, mut busy) = meter("800/s per identity", terms);
    assert_eq!(passed(rate, &mut busy, terms, NOON, 50), 50);
    assert!(!busy.joins_round(rate, terms, false), "half of a slot's share is a quarter of 200");
    assert_eq!(passed(rate, &mut busy, terms, NOON, 1), 1);
    assert!(!busy.joins_round(rate, Terms::ALONE, true), "nobody to agree with");
    assert!(busy.joins_round(rate, terms, false));
    assert!(!busy.joins_round(rate, terms, true), "once");
    busy.ask("k", rate, terms, NOON);
    assert!(busy.joins_round(rate, terms, true));
    let (quota, mut first) = meter("800/day per identity", Terms::ALONE);
    assert_eq!(passed(quota, &mut first, Terms::ALONE, NOON, 1), 1);
    assert!(first.joins_round(quota, Terms::ALONE, false), "nothing is put down yet");
}

#[test]
fn what_is_in_use_is_not_given_up_before_it_ends() {
    let terms = joined(1_000_000);
    let (limit, mut meter) = meter("10 concurrent per identity", terms);
    assert_eq!(passed(limit, &mut meter, terms, NOON, 8), 8);
    let told = |holds| Told {
        key: "k".to_owned(),
        limit,
        period: None,
        holds: Some(holds),
        elsewhere: 0,
        is_released: false,
        speaks: false,
    };
    meter.settle(limit, &told(300_000), terms, NOON);
    assert!(meter.check(limit, 1, terms, NOON).is_err());
    assert_eq!(meter.ask("k", limit, terms, NOON).holds, 800_000);
    (0..6).for_each(|_| meter.release());
    assert_eq!(meter.ask("k", limit, terms, NOON).holds, 300_000);
}

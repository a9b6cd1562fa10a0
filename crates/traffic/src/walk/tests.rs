use proptest::prelude::*;

use super::*;
use crate::Outcome;

const DAY: i64 = 86_400;
const NOW: i64 = 1_790_035_200;

fn record(at: i64, operation: &str, path: &str) -> CallRecord {
    CallRecord {
        request_id: "r-1".parse().unwrap(),
        at: Timestamp::from_secs(at),
        duration_us: 1,
        identity_id: Some("billing".parse().unwrap()),
        credential_id: Some("key-1".parse().unwrap()),
        api_id: Some("orders".parse().unwrap()),
        operation: Some(operation.parse().unwrap()),
        method: "GET".to_owned(),
        path: path.to_owned(),
        source_ip: "192.0.2.1".parse().unwrap(),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        would_refuse: None,
        status: 200,
        grant_ids: Vec::new(),
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
        binding: None,
        rollout: None,
    }
}

/// A month in which billing reads a few orders an hour of the day, some of them new.
fn month() -> Walks {
    let mut walks = Walks::default();
    for day in (1..=30).rev() {
        for call in 0..8 {
            let at = NOW - day * DAY + call * 3_600;
            walks.add(&record(at, "getOrder", &format!("/orders/{}", day * 100 + call)));
            walks.add(&record(at + 1, "listBills", "/bills"));
        }
    }
    assert_eq!(walks.take(), []);
    walks
}

fn walk(walks: &mut Walks, count: i64, change: impl Fn(i64, &mut CallRecord)) -> Vec<Walk> {
    for step in 0..count {
        let mut record = record(NOW + step * 20, "getOrder", &format!("/orders/{}", 90_000 + step));
        change(step, &mut record);
        walks.add(&record);
    }
    walks.take()
}

#[test]
fn what_is_usual_is_no_walk() {
    // The same objects every night, however many.
    let mut nightly = Walks::default();
    for day in 0..30 {
        for object in 0..500 {
            let at = NOW + day * DAY + object;
            nightly.add(&record(at, "getOrder", &format!("/orders/{object}")));
        }
    }
    assert_eq!(nightly.take(), []);
    // A front end that reads any object.
    let mut front = Walks::default();
    for day in 0..30 {
        for object in 0..200 {
            let at = NOW + day * DAY + object * 10;
            front.add(&record(at, "getOrder", &format!("/orders/{}", day * 1_000 + object)));
        }
    }
    assert_eq!(front.take(), []);
    // All operations rise together.
    let mut walks = month();
    let burst = walk(&mut walks, 100, |step, record| {
        record.operation = Some(format!("op{}", step % 5).parse().unwrap());
    });
    assert_eq!(burst, []);
    // Few, or one object many times.
    assert_eq!(walk(&mut month(), 24, |_, _| {}), []);
    let same = |_: i64, record: &mut CallRecord| "/orders/7".clone_into(&mut record.path);
    assert_eq!(walk(&mut month(), 500, same), []);
}

#[test]
fn who_is_unknown_or_refused_for_other_reasons_does_not_count() {
    let nobody = |_: i64, record: &mut CallRecord| record.identity_id = None;
    assert_eq!(walk(&mut month(), 500, nobody), []);
    let refused = |_: i64, record: &mut CallRecord| {
        (record.outcome, record.reason) = (Outcome::Refused, Some(Reason::NoGrant));
    };
    assert_eq!(walk(&mut month(), 500, refused), []);
}

fn new_caller(record: &mut CallRecord) {
    record.identity_id = Some("newcomer".parse().unwrap());
}

#[test]
fn who_is_new_walks_in_order_or_by_misses() {
    // Its own objects in any order, and a few in order, are what a new caller begins with.
    let scattered = |step: i64, record: &mut CallRecord| {
        new_caller(record);
        record.path = format!("/orders/{}", (step * 7_919) % 100_003);
    };
    assert_eq!(walk(&mut month(), 500, scattered), []);
    assert_eq!(walk(&mut month(), 49, |_, record| new_caller(record)), []);
    let found = walk(&mut month(), 200, |_, record| new_caller(record));
    assert_eq!((found.len(), found[0].objects, found[0].usual), (1, 200, 0));
    assert_eq!(found[0].detected_at, at(49 * 20), "of fifty, all but the first follow");
    let missing = |step: i64, record: &mut CallRecord| {
        scattered(step, record);
        record.status = if step % 2 == 0 { 404 } else { 200 };
    };
    assert_eq!(walk(&mut month(), 60, missing).len(), 1);
}

#[test]
fn where_nobody_is_known_yet_only_misses_speak() {
    assert_eq!(walk(&mut Walks::default(), 500, |_, _| {}), [], "it may be the nightly job");
    let refused = |_: i64, record: &mut CallRecord| {
        (record.outcome, record.reason) = (Outcome::Refused, Some(Reason::ObjectNotAllowed));
        record.status = 403;
    };
    let found = walk(&mut Walks::default(), 500, refused);
    assert_eq!((found.len(), found[0].objects, found[0].misses), (1, 500, 500));
}

#[test]
fn a_walk_is_told_with_its_span_and_goes_on_as_one() {
    let mut walks = month();
    let found = walk(&mut walks, 60, |_, _| {});
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.objects, one.misses, one.in_order, one.usual), (60, 0, 59, 1));
    assert_eq!((one.start, one.end), (at(0), at(59 * 20)));
    assert_eq!(one.detected_at, at(24 * 20));
    assert_eq!(walks.take(), [], "nothing is told twice");
    // It goes on in the same hour, and is the same; after a rest it is another one.
    let later = |by: i64| {
        move |step: i64, record: &mut CallRecord| {
            record.at = at(by + step * 20);
            record.path = format!("/orders/{}", by * 1_000 + step);
        }
    };
    let found = walk(&mut walks, 10, later(3_000));
    assert_eq!((found[0].start, found[0].objects, found.len()), (at(0), 70, 1));
    let found = walk(&mut walks, 40, later(12_000));
    assert_eq!((found[0].start, found[0].objects, found.len()), (at(12_000), 40, 1));
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(NOW + seconds)
}

#[test]
fn refused_objects_count_and_where_nothing_is_usual_misses_speak() {
    let refused = |_: i64, record: &mut CallRecord| {
        (record.outcome, record.reason) = (Outcome::Refused, Some(Reason::ObjectNotAllowed));
        record.status = 403;
    };
    let found = walk(&mut month(), 30, refused);
    assert_eq!((found.len(), found[0].misses), (1, 30));
    let other = |_: i64, record: &mut CallRecord| {
        record.operation = Some("getSecret".parse().unwrap());
    };
    assert_eq!(walk(&mut month(), 60, other), [], "a new habit of the caller's");
    let missing = |step: i64, record: &mut CallRecord| {
        record.operation = Some("getSecret".parse().unwrap());
        record.status = if step % 3 == 0 { 404 } else { 200 };
    };
    assert_eq!(walk(&mut month(), 60, missing).len(), 1);
}

#[test]
fn numbers_are_read_from_the_end() {
    for (path, found) in [
        ("/orders", None),
        ("/orders/42", Some(42)),
        ("/orders/ord_0041/items", Some(41)),
        ("/v1/orders/a-7f", Some(7)),
        ("/orders/99999999999999999999999", None),
    ] {
        assert_eq!(number(path), found, "{path}");
    }
}

proptest! {
    #[test]
    fn memory_is_bounded_whatever_comes(
        calls in prop::collection::vec((0..40i64, 0..3usize, 0..9_000u32), 0..2_000),
    ) {
        let mut walks = Walks::default();
        for (day, operation, object) in calls {
            let operation = ["a", "b", "c"][operation];
            walks.add(&record(NOW + day * DAY, operation, &format!("/x/{object}")));
        }
        let counted = walks.remembered;
        walks.count();
        prop_assert_eq!(walks.remembered, counted);
        for habit in walks.callers.values().flat_map(|caller| caller.operations.values()) {
            prop_assert!(habit.remembered() <= OBJECTS_MAX && habit.days.len() <= 30);
        }
    }
}

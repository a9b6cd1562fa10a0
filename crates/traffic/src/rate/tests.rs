use proptest::prelude::*;

use super::*;

#[test]
fn a_burst_passes_and_the_next_event_waits_exactly_as_long_as_told() {
    let rate = Rate::new(10, 3);
    let now = Timestamp::from_secs(1_000);
    let mut state = State::FRESH;
    for left in [2, 1, 0] {
        state = rate.step(state, now).unwrap();
        assert_eq!(rate.left(state, now), left);
    }
    let wait = rate.step(state, now).unwrap_err();
    assert_eq!(wait, Span::from_millis(100));
    assert_eq!(rate.whole_in(state, now), Span::from_millis(300));
    assert!(rate.step(state, now + wait - Span::from_micros(1)).is_err());
    assert!(rate.step(state, now + wait).is_ok());
}

#[test]
fn a_dear_event_takes_the_room_of_many() {
    let rate = Rate::new(10, 10);
    let now = Timestamp::from_secs(1_000);
    let state = rate.step_by(7, State::FRESH, now).unwrap();
    assert_eq!(rate.left(state, now), 3);
    assert_eq!(rate.step_by(4, state, now), Err(Span::from_millis(100)));
    assert_eq!(rate.step_by(0, state, now), Ok(state), "what costs nothing always passes");
    // Dearer than any burst: only after a pause, and paid for afterwards.
    assert!(rate.step_by(15, state, now).is_err());
    let later = now + Span::from_millis(700);
    let state = rate.step_by(15, state, later).unwrap();
    assert_eq!(rate.step(state, later), Err(Span::from_millis(600)));
}

#[test]
fn a_clock_that_steps_back_neither_refills_nor_refuses_for_long() {
    let rate = Rate::new(1, 1);
    let state = rate.step(State::FRESH, Timestamp::from_secs(10_000)).unwrap();
    let back = Timestamp::from_secs(9_000);
    let state = rate.settled(state, back);
    assert_eq!(rate.step(state, back), Err(Span::from_secs(1)));
    assert!(rate.step(state, back + Span::from_secs(1)).is_ok());
}

#[test]
fn fast_rates_are_not_off_by_their_rounding() {
    let end = Timestamp::from_secs(2);
    for count in [300, 70_000, 333_333] {
        let rate = Rate::new(count, 10);
        let (mut state, mut events, mut now) = (State::FRESH, 0, Timestamp::from_secs(1));
        while now < end {
            match rate.step(state, now) {
                Ok(next) => (state, events) = (next, events + 1),
                Err(wait) => now = now + wait,
            }
        }
        let least = count - count / 2_000;
        assert!((least..=count + 10).contains(&events), "{count}: {events}");
    }
}

/// What one node admits when asked at every one of these moments.
fn admitted(rate: Rate, moments: &[i64], costs: &[u32]) -> Vec<(i64, u32)> {
    let mut state = State::FRESH;
    let mut out = Vec::new();
    for (moment, cost) in moments.iter().zip(costs) {
        let now = Timestamp::from_micros(*moment);
        state = rate.settled(state, now);
        if let Ok(next) = rate.step_by(*cost, state, now) {
            state = next;
            out.push((*moment, *cost));
        }
    }
    out
}

proptest! {
    #[test]
    fn in_no_window_passes_more_than_the_burst_and_the_rate(
        count in 1u32..2_000,
        window_s in prop::sample::select(vec![1i64, 60, 3_600]),
        burst in 1u32..50,
        steps in prop::collection::vec((0i64..200_000, 1u32..4), 1..300),
    ) {
        let rate = Rate::per(count, Span::from_secs(window_s), burst.max(4));
        let mut at = 1_000_000;
        let moments: Vec<i64> = steps.iter().map(|(step, _)| { at += step; at }).collect();
        let costs: Vec<u32> = steps.iter().map(|(_, cost)| *cost).collect();
        let passed = admitted(rate, &moments, &costs);
        for (first, (start, _)) in passed.iter().enumerate() {
            let mut sum = 0u64;
            for (end, cost) in passed.iter().skip(first) {
                sum += u64::from(*cost);
                let earned = (end - start) as f64 * f64::from(count) / (window_s as f64 * 1e6);
                prop_assert!(sum as f64 <= f64::from(burst.max(4)) + earned + 1e-6);
            }
        }
    }

    #[test]
    fn whatever_the_clock_does_no_more_passes_than_its_way_forward_earns(
        per_second in 1u32..500,
        burst in 1u32..20,
        steps in prop::collection::vec(-400_000i64..200_000, 1..300),
    ) {
        let rate = Rate::new(per_second, burst);
        let (mut at, mut forward) = (100_000_000, 0);
        let mut moments = Vec::new();
        for step in steps {
            at += step;
            forward += step.max(0);
            moments.push(at);
        }
        let passed = admitted(rate, &moments, &vec![1; moments.len()]).len();
        let earned = forward as f64 * f64::from(per_second) / 1e6;
        prop_assert!(passed as f64 <= f64::from(burst) + earned + 1e-6);
    }

    #[test]
    fn who_always_asks_gets_the_rate(per_second in 1u32..2_000, burst in 2u32..50) {
        let rate = Rate::new(per_second, burst);
        let moments: Vec<i64> = (0..10_000).map(|step| step * 200).collect();
        let passed = admitted(rate, &moments, &vec![1; moments.len()]).len();
        let earned = 1.9998 * f64::from(per_second);
        prop_assert!(passed as f64 >= (earned - 1.0).min(10_000.0).floor());
    }

    #[test]
    fn a_change_of_rate_brings_no_event_more(
        share in 1u64..=1_000_000,
        other in 1u64..=1_000_000,
        used in 0u32..100,
        pause_us in 0i64..1_000_000,
    ) {
        let whole = Rate::new(100, 100);
        let (from, to) =
            (whole.part(Share::from_millionths(share)), whole.part(Share::from_millionths(other)));
        let now = Timestamp::from_secs(1_000);
        let mut state = State::FRESH;
        for _ in 0..used {
            state = from.step(state, now).unwrap_or(state);
        }
        let later = now + Span::from_micros(pause_us);
        let before = from.left(state, later);
        let state = from.converted(state, to, later);
        prop_assert!(to.left(state, later) <= before);
        prop_assert!(to.left(state, later) <= u64::from(to.burst));
    }

    #[test]
    fn parts_of_a_rate_are_no_faster_than_it(
        shares in prop::collection::vec(1u64..400_000, 1..5),
        per_second in 1u32..5_000,
    ) {
        let whole = Rate::new(per_second, 1);
        let total: u64 = shares.iter().sum();
        prop_assume!(total <= 1_000_000);
        let per_ns: f64 = shares
            .iter()
            .map(|share| 1.0 / whole.part(Share::from_millionths(*share)).interval as f64)
            .sum();
        prop_assert!(per_ns <= 1.0 / whole.interval as f64 * (1.0 + 1e-12));
    }
}

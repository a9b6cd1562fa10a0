use proptest::prelude::*;

use super::*;

const DECIDER: fn() -> Decider = || Decider::new(1_000, Span::from_millis(100));

/// So many in flight, each of another caller.
fn load(low: u64, medium: u64, high: u64) -> Load {
    let in_flight = ByClass { low, medium, high };
    Load { in_flight, callers: in_flight, delay: Span::default() }
}

fn admitted(load: &Load, of_caller: u64) -> Vec<Class> {
    let decider = DECIDER();
    Class::ALL.into_iter().filter(|class| decider.admit(*class, load, of_caller).is_ok()).collect()
}

#[test]
fn low_impact_is_refused_first_and_high_last() {
    use Class::{High, Low, Medium};
    // 100, 150 and 250 are reserved, 500 are common.
    for (high, expected) in [
        (499, vec![Low, Medium, High]),
        (575, vec![Medium, High]),
        (675, vec![High]),
        (749, vec![High]),
        (750, vec![]),
    ] {
        assert_eq!(admitted(&load(100, 150, high), 1), expected, "{high}");
    }
}

#[test]
fn within_a_class_those_with_more_than_their_fair_share_are_refused_first() {
    let mut load = load(100, 150, 525);
    load.callers.low = 50;
    assert_eq!(DECIDER().admit(Class::Low, &load, 3), Err(Span::from_secs(4)), "two are fair");
    assert_eq!(DECIDER().admit(Class::Low, &load, 2), Ok(()));
    load.in_flight.high = 575;
    assert!(DECIDER().admit(Class::Low, &load, 0).is_err(), "then all of them");
}

#[test]
fn what_is_reserved_is_never_taken_away() {
    let mut load = load(99, 149, 249);
    load.delay = Span::from_secs(60);
    assert_eq!(admitted(&load, 99), Class::ALL);
    load.in_flight.high = 250;
    assert_eq!(admitted(&load, 99), [Class::Low, Class::Medium]);
}

#[test]
fn a_gate_that_comes_late_refuses_although_little_is_in_flight() {
    let mut load = load(100, 150, 250);
    for (millis, expected) in [(49, 3), (66, 2), (86, 1), (100, 0)] {
        load.delay = Span::from_millis(millis);
        assert_eq!(admitted(&load, 1).len(), expected, "{millis} ms");
    }
}

#[test]
fn the_least_gate_still_takes_one_of_each_class() {
    let decider = Decider::new(0, Span::default());
    for class in Class::ALL {
        assert!(decider.admit(class, &Load::default(), 0).is_ok());
        assert!(decider.admit(class, &load(1, 1, 1), 1).is_err());
    }
}

proptest! {
    #[test]
    fn who_is_taken_is_also_taken_when_it_matters_more_or_there_is_less_to_do(
        low in 0u64..1_500, medium in 0u64..1_500, high in 0u64..1_500, of_caller in 0u64..50,
    ) {
        let all = load(low, medium, high);
        if admitted(&all, of_caller).contains(&Class::Low) && low >= 100 {
            prop_assert_eq!(admitted(&all, 0), Class::ALL, "each of another caller");
        }
        let less = load(low, medium, high.saturating_sub(100));
        for class in admitted(&all, of_caller) {
            prop_assert!(class == Class::High || admitted(&less, of_caller).contains(&class));
        }
    }

    #[test]
    fn no_more_are_in_flight_than_the_gate_bears(
        classes in prop::collection::vec(prop::sample::select(Class::ALL.to_vec()), 1..3_000),
    ) {
        let mut now = load(0, 0, 0);
        for class in classes {
            if DECIDER().admit(class, &now, 1).is_ok() {
                let ByClass { low, medium, high } = &mut now.in_flight;
                *match class { Class::Low => low, Class::Medium => medium, Class::High => high } += 1;
                now.callers = now.in_flight;
            }
        }
        let ByClass { low, medium, high } = now.in_flight;
        prop_assert!(low + medium + high <= 1_000);
    }
}

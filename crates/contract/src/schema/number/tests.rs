use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Number {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_differs_in_the_last_digit_differs() {
    for (less, more) in [
        ("9007199254740992", "9007199254740993"),
        ("18446744073709551614", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775807"),
        ("18446744073709551615", "18446744073709551616"),
        ("-1", "18446744073709551615"),
        ("1", "1.0000000000000002"),
        ("-0.5", "0"),
        ("9007199254740993", "1e16"),
        ("-1e300", "-9223372036854775808"),
    ] {
        assert_eq!(order(&of(less), &of(more)), Ordering::Less, "{less} {more}");
        assert_eq!(order(&of(more), &of(less)), Ordering::Greater, "{less} {more}");
    }
}

#[test]
fn spellings_of_one_number_are_one() {
    for (a, b) in [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.5", "5e-1")] {
        assert_eq!(order(&of(a), &of(b)), Ordering::Equal, "{a} {b}");
    }
    for (text, integer) in [("1.0", true), ("1e300", true), ("1.5", false), ("-0.0", true)] {
        assert_eq!(is_integer(&of(text)), integer, "{text}");
    }
}

#[test]
fn multiples_go_by_digits() {
    for (value, step, multiple) in [
        ("0.3", "0.1", true),
        ("19.99", "0.01", true),
        ("0.35", "0.1", false),
        ("4.5", "1.5", true),
        ("35", "1.5", false),
        ("0.0075", "0.0001", true),
        ("0.00751", "0.0001", false),
        ("-9", "3", true),
        ("0", "0.7", true),
        ("1e308", "0.5", true),
        ("1e308", "3", false),
        ("1e-308", "1", false),
        ("18446744073709551615", "5", true),
        ("18446744073709551615", "1e-5", true),
        ("1", "0", false),
    ] {
        assert_eq!(is_multiple(&of(value), &of(step)), multiple, "{value} of {step}");
    }
}

proptest! {
    #[test]
    fn products_are_multiples(count in -1_000_000i64..1_000_000, step in 1i64..10_000, digits in 0usize..6) {
        let scaled = |n: i64| format!("{n}e-{digits}");
        prop_assert!(is_multiple(&of(&scaled(count * step)), &of(&scaled(step))));
        if step > 1 {
            prop_assert!(!is_multiple(&of(&scaled(count * step + 1)), &of(&scaled(step))));
        }
    }

    #[test]
    fn order_is_that_of_integers(a in any::<i64>(), b in any::<u64>()) {
        let expected = i128::from(a).cmp(&i128::from(b));
        prop_assert_eq!(order(&a.into(), &b.into()), expected);
    }
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn values_that_only_look_alike_differ() {
    for (a, b) in [
        (json!(0), json!(false)),
        (json!(1), json!(true)),
        (json!(""), json!(null)),
        (json!("1"), json!(1)),
        (json!([]), json!({})),
        (json!([1, 2]), json!([2, 1])),
        (json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!({"a": null}), json!({"b": null})),
    ] {
        assert!(!equal(&a, &b) && !equal(&b, &a), "{a} {b}");
    }
}

#[test]
fn numbers_and_members_have_one_value_in_many_spellings() {
    let a = json!({"x": [1, {"y": 2.0}], "z": null});
    let b = json!({"z": null, "x": [1.0, {"y": 2}]});
    assert!(equal(&a, &b));
    assert_eq!(fingerprint(&a), fingerprint(&b));
}

#[test]
fn the_second_of_two_is_found() {
    assert_eq!(distinct(&[json!(1), json!(2), json!([1]), json!(1.0)], 9), Distinct::Not(3));
    assert_eq!(distinct(&[json!(1), json!(true), json!("1"), json!([1])], 9), Distinct::All);
}

#[test]
fn more_comparisons_than_allowed_are_not_made() {
    let items = [json!([1]), json!({"a": 1}), json!([1])];
    assert_eq!(distinct(&items, 1), Distinct::Not(2));
    assert_eq!(distinct(&items, 0), Distinct::TooCostly);
}

proptest! {
    #[test]
    fn distinct_is_what_comparing_all_pairs_finds(
        items in proptest::collection::vec(prop_oneof![
            (0i64..6).prop_map(|n| json!(n)), (0i64..6).prop_map(|n| json!([n])),
            (0i64..3).prop_map(|n| json!({"a": n})), (0i64..6).prop_map(|n| json!(n as f64)),
        ], 0..9),
    ) {
        let pairs = |at: usize| items[..at].iter().any(|other| equal(other, &items[at]));
        let expected = (0..items.len()).any(pairs);
        let found = distinct(&items, 100);
        prop_assert_eq!(matches!(found, Distinct::Not(_)), expected);
        if let Distinct::Not(at) = found {
            prop_assert!(pairs(at));
        }
    }
}

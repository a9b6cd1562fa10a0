use proptest::prelude::*;
use serde_json::json;

use super::*;

fn outside(paths: &[&str], value: &Value) -> Vec<String> {
    check(value, &Fields::parse(paths.iter().copied()).unwrap())
}

#[test]
fn texts_that_are_no_paths_are_refused() {
    for path in ["", ".", "a.", ".a", "a..b", "a. .b"] {
        assert_eq!(Fields::parse([path]), Err(BadPath::EmptyName(path.to_owned())));
    }
    let long = vec!["a"; SEGMENTS_MAX + 1].join(".");
    assert_eq!(Fields::parse([long.as_str()]), Err(BadPath::TooLong));
}

#[test]
fn properties_outside_of_the_list_are_named() {
    let body = json!({"name": "Mia", "role": "admin", "address": {"city": "X", "zip": "1"}});
    assert_eq!(outside(&["name", "address.city"], &body), ["address.zip", "role"]);
    assert_eq!(outside(&[], &body), ["address", "name", "role"]);
    assert_eq!(outside(&["name", "address"], &body), ["role"]);
    assert_eq!(outside(&["name", "address", "role"], &body), [""; 0]);
}

#[test]
fn lists_do_not_hide_properties() {
    let body = json!([{"lines": [{"sku": 1}, [{"price": 2}]]}, {"paid": true}]);
    assert_eq!(outside(&["lines.sku"], &body), ["lines.price", "paid"]);
    assert_eq!(outside(&["lines"], &body), ["paid"]);
}

#[test]
fn putting_something_else_in_the_place_of_a_part_writes_all_of_it() {
    for value in [json!(null), json!("x"), json!({}), json!([]), json!([1]), json!([{}])] {
        assert_eq!(outside(&["address.city"], &json!({"address": value})), ["address"], "{value}");
        assert_eq!(outside(&["address"], &json!({"address": value})), [""; 0], "{value}");
    }
}

#[test]
fn a_star_stands_for_one_name() {
    let body = json!({"labels": {"a": {"value": 1}, "b": {"value": 1, "owner": 2}}});
    assert_eq!(outside(&["labels.*.value"], &body), ["labels.b.owner"]);
    assert_eq!(outside(&["labels.*"], &body), [""; 0]);
    assert_eq!(outside(&["*"], &body), [""; 0]);
    // A name of its own and the star are both readings of a name.
    assert_eq!(outside(&["labels.*.value", "labels.b.owner"], &body), [""; 0]);
    assert_eq!(outside(&["*.a.value", "labels.b"], &body), [""; 0]);
}

#[test]
fn a_name_with_a_dot_is_no_path() {
    assert_eq!(outside(&["a.b"], &json!({"a.b": 1})), ["a.b"]);
    assert_eq!(outside(&["*"], &json!({"a.b": 1})), [""; 0]);
}

#[test]
fn each_name_is_told_once_and_not_more_than_a_few() {
    let lines: Vec<Value> = (0..50).map(|_| json!({"price": 1})).collect();
    assert_eq!(outside(&["lines.sku"], &json!({"lines": lines})), ["lines.price"]);
    let many: Value = (0..50).map(|n| (format!("p{n:02}"), json!(1))).collect();
    assert_eq!(outside(&[], &many).len(), NAMES_MAX);
}

#[test]
fn a_body_without_properties_writes_none() {
    for body in [json!(null), json!(5), json!("x"), json!([]), json!({}), json!([1, "x"])] {
        assert_eq!(outside(&[], &body), [""; 0], "{body}");
    }
    // A patch names what it writes in values; its own properties are not in any list.
    let patch = json!([{"op": "replace", "path": "/role", "value": "admin"}]);
    assert_eq!(outside(&["role"], &patch), ["op", "path", "value"]);
}

proptest! {
    /// With one property taken from the list, it and nothing else is told.
    #[test]
    fn exactly_what_is_not_listed_is_told(
        names in proptest::collection::btree_set("[a-z]{1,6}", 1..8), at in any::<prop::sample::Index>(),
    ) {
        let body: Value = names.iter().map(|name| (name.clone(), json!(1))).collect();
        let left_out = at.get(&names.iter().collect::<Vec<_>>()).to_string();
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        prop_assert!(outside(&listed, &body).is_empty());
        let fewer: Vec<&str> = listed.into_iter().filter(|name| *name != left_out).collect();
        prop_assert_eq!(outside(&fewer, &body), [left_out]);
    }
}

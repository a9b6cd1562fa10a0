use serde_json::json;

use super::*;

fn read(payload: Value) -> ClaimValues {
    of(payload.as_object().expect("an object"))
}

#[test]
fn what_cannot_be_read_whole_is_left_out_whole() {
    let long = "x".repeat(600);
    let deep = json!({"a": {"b": {"c": {"d": {"e": "too deep"}}}}});
    assert!(read(deep).is_empty());
    let odd = read(json!({"a": null, "b": 1.5, "c": [1, [2]], "d": long, "e": ["x", null]}));
    assert!(odd.is_empty(), "{odd:?}");
    let many: Map<String, Value> = (0..100).map(|n| (format!("n{n}"), json!(n))).collect();
    assert_eq!(of(&many).len(), 64);
}

#[test]
fn names_are_dotted_and_values_are_texts() {
    let claims = read(json!({"tenant": "acme", "n": 7, "ok": true, "org": {"ids": ["a", "b"]}}));
    assert_eq!(claims.get("tenant"), Some(&vec!["acme".to_owned()]));
    assert_eq!(claims.get("n"), Some(&vec!["7".to_owned()]));
    assert_eq!(claims.get("ok"), Some(&vec!["true".to_owned()]));
    assert_eq!(claims.get("org.ids"), Some(&vec!["a".to_owned(), "b".to_owned()]));
}

use super::*;

fn body(text: &str) -> JudgedBody {
    JudgedBody::new(text.as_bytes().to_vec(), &[b"application/json"], &[])
}

fn values(text: &str, path: &str) -> Option<Vec<String>> {
    match body(text).read(path) {
        Reading::Values(values) => Some(values.iter().map(|value| value.to_string()).collect()),
        _ => None,
    }
}

#[test]
fn what_others_may_read_differently_is_not_read() {
    for text in [
        r#"{"t": 1, "t": 2}"#,
        r#"{"t": 1, "\u0074": 2}"#,
        r#"{"t": 1, "T": 2}"#,
        r#"{"T": 1}"#,
        r#"{"t": null}"#,
        r#"{"t": {"x": 1}}"#,
        r#"{"t": 1} {"t": 2}"#,
        r#"{"t": 1,}"#,
        "t=1",
        &format!("{}{}{}", "[".repeat(70), 1, "]".repeat(70)),
    ] {
        assert_eq!(values(text, "t"), None, "{text}");
    }
    let typed = |media: &[&[u8]], encodings: &[&[u8]]| {
        let body = JudgedBody::new(br#"{"t": 1}"#.to_vec(), media, encodings);
        body.read("t") == Reading::one("1")
    };
    assert!(typed(&[b"application/json; charset=UTF-8"], &[]));
    assert!(typed(&[b"application/merge-patch+json"], &[]));
    // Its steps are no properties.
    assert!(!typed(&[b"application/json-patch+json"], &[]));
    assert!(!typed(&[b"Application/JSON-Patch+JSON; charset=utf-8"], &[]));
    assert!(!typed(&[b"text/plain"], &[]));
    assert!(!typed(&[], &[]));
    assert!(!typed(&[b"application/json", b"application/json"], &[]));
    assert!(!typed(&[b"application/json"], &[b"gzip"]));
    assert!(!typed(&[b"application/json; charset=utf-16"], &[]));
}

#[test]
fn every_element_of_an_array_counts() {
    let text = r#"{"lines": [{"t": "a"}, {"t": 7}], "owner": {"id": true}}"#;
    assert_eq!(values(text, "lines.t"), Some(vec!["a".to_owned(), "7".to_owned()]));
    assert_eq!(values(text, "owner.id"), Some(vec!["true".to_owned()]));
    assert_eq!(values(text, "nobody"), Some(vec![]));
    assert_eq!(values("", "t"), Some(vec![]));
}

#[test]
fn properties_that_may_not_be_written_are_named() {
    let allowed = ["note".to_owned(), "customer.name".to_owned(), "tags".to_owned()];
    let outside = |text: &str| match body(text).writes(&allowed) {
        Writes::Outside(names) => names,
        Writes::Within => Vec::new(),
        other => vec![format!("{other:?}")],
    };
    assert_eq!(outside(r#"{"role": "admin", "note": "x"}"#), ["role"]);
    assert_eq!(outside(r#"{"customer": {"name": "x", "credit": 1}}"#), ["customer.credit"]);
    assert_eq!(outside(r#"{"customer": 1}"#), ["customer"]);
    assert_eq!(outside(r#"{"customer": [1]}"#), ["customer"]);
    assert_eq!(outside(r#"[{"note": 1}, {"role": 2}]"#), ["role"]);
    assert_eq!(outside("1"), ["(value)"]);
    assert_eq!(outside("x"), ["Unreadable"]);
    assert!(
        outside(r#"{"note": {"any": 1}, "tags": [1, 2], "customer": {"name": null}}"#).is_empty()
    );
    assert!(outside("").is_empty());
}

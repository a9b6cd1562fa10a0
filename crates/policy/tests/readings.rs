//! How the parts of a request are read, wherever they are read.

use portreeve_policy::Reading;
use portreeve_policy::reading;

const TEMPLATE: Option<&str> = Some("/orders/{id}");

#[test]
fn what_cannot_be_captured_is_unreadable_and_what_a_template_lacks_is_absent() {
    assert_eq!(reading::path(TEMPLATE, "/orders/%ff", "id"), Reading::Unreadable);
    assert_eq!(reading::path(Some("/a/{x}-{y}"), "/a/1-2-3", "x"), Reading::Unreadable);
    assert_eq!(reading::path(Some("/orders"), "/orders", "id"), Reading::absent());
    assert_eq!(reading::path(None, "/orders/42", "id"), Reading::absent());
    assert_eq!(reading::path(TEMPLATE, "/orders/42", "id"), Reading::one("42"));
}

#[test]
fn another_spelling_of_a_header_that_servers_fold_together_is_unreadable() {
    let read = |fields: &[(&'static str, &'static str)]| {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        reading::header(fields.into_iter(), "x-tenant")
    };
    for alias in ["X_Tenant", "x.tenant", "XTenant", "x-ten-ant"] {
        assert_eq!(read(&[("X-Tenant", "acme"), (alias, "other")]), Reading::Unreadable, "{alias}");
        assert_eq!(read(&[(alias, "acme")]), Reading::Unreadable, "{alias}");
    }
    assert_eq!(read(&[("X-Tenant", "acme,other")]), Reading::Unreadable);
    assert_eq!(read(&[("x-tenants", "other")]), Reading::absent());
    assert_eq!(read(&[("X-Tenant", "acme"), ("x-user", "u")]), Reading::one("acme"));
}

fn body(text: &str, path: &str) -> Option<Vec<String>> {
    let value = reading::json::parse(text.as_bytes())?;
    match reading::json::read(&value, path) {
        Reading::Values(values) => Some(values.iter().map(|value| value.to_string()).collect()),
        _ => None,
    }
}

/// What an element brings that does not say whose it is, no attribute has: a tie does not hold by it.
#[test]
fn an_element_without_the_property_brings_a_value_that_is_nobodys() {
    let nobody = |values: &[&str]| {
        let all = values.iter().copied().chain(["\0"]);
        Some(all.map(str::to_owned).collect::<Vec<_>>())
    };
    let acme = nobody(&["acme"]);
    assert_eq!(body(r#"[{"tenant": "acme"}, {"total": 1}]"#, "tenant"), acme);
    assert_eq!(body(r#"[{"a": {"tenant": "acme"}}, {"a": {}}]"#, "a.tenant"), acme);
    assert_eq!(body(r#"[{"a": [{"tenant": "acme"}]}, {"a": []}]"#, "a.tenant"), acme);
    assert_eq!(body(r#"[{"tenant": "acme"}, 7]"#, "tenant"), None);
    // Where no element has it, it is absent, which no tie holds by either.
    for text in [r#"[{"total": 1}, {}]"#, "[]", "{}"] {
        assert_eq!(body(text, "tenant"), Some(Vec::new()), "{text}");
    }
}

#[test]
fn a_name_that_some_readers_take_for_the_same_is_unreadable_also_beyond_ascii() {
    for text in [
        r#"{"user_id": "acme", "u\u017fer_id": "victim"}"#,
        "{\"user_id\": \"acme\", \"u\u{17f}er_id\": \"victim\"}",
        r#"{"user_id": "acme", "USER_ID": "victim"}"#,
        r#"{"u\u017fer_id": "victim"}"#,
    ] {
        assert_eq!(body(text, "user_id"), None, "{text}");
    }
    assert_eq!(body(r#"{"key": "a", "\u212aey": "b"}"#, "key"), None);
    assert_eq!(
        body(r#"{"user_id": "acme", "uxer_id": "b"}"#, "user_id"),
        Some(vec!["acme".into()])
    );
}

#[test]
fn a_json_patch_is_told_by_its_type() {
    assert!(reading::json::is_patch(b"application/json-patch+json"));
    assert!(reading::json::is_patch(b" Application/JSON-Patch+json ; charset=utf-8"));
    assert!(!reading::json::is_patch(b"application/merge-patch+json"));
    assert!(!reading::json::is_patch(b"application/json"));
}

/// Else a guardrail about an amount is passed by another spelling of it.
#[test]
fn a_number_has_one_form_whatever_its_spelling() {
    let amount = |text: &str| body(&format!("{{\"amount\": {text}}}"), "amount");
    for (spelled, plain) in [
        ("999", "999"),
        ("999.0", "999"),
        ("9.99e2", "999"),
        ("99900E-2", "999"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e9", "0"),
        ("-7.50", "-7.5"),
        ("1.5e-7", "0.00000015"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(amount(spelled), Some(vec![plain.to_owned()]), "{spelled}");
    }
    // Not what was sent any more, or nothing that all readers can hold.
    for spelled in ["9007199254740993.0", "18446744073709551616", "1e300", "1e400", "1e999999999"] {
        assert_eq!(amount(spelled), None, "{spelled}");
    }
    let tiny = amount("5e-324").unwrap().remove(0);
    assert!(tiny.len() < 400, "{}", tiny.len());
}

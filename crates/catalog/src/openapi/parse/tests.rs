use super::*;

fn refused(text: &str) -> Problem {
    document(text, "api.yaml").unwrap_err()
}

#[test]
fn broken_text_is_refused_with_line_and_column() {
    let json = refused("{\n  \"openapi\": \"3.1.0\",\n  \"paths\": }\n");
    assert_eq!(json.reason, "unreadable_document");
    assert_eq!(json.place.as_deref(), Some("api.yaml:3:12"));
    assert!(!json.detail.contains("line 3"), "{}", json.detail);
    let yaml = refused("openapi: 3.1.0\npaths:\n  /a: [1, 2\n  /b: 3\n");
    assert!(yaml.place.unwrap().starts_with("api.yaml:"), "{}", yaml.detail);
    assert!(yaml.hint.is_some());
}

#[test]
fn a_name_that_occurs_twice_is_refused_in_both_formats() {
    let json = refused("{\"paths\": {\"/a\": {},\n \"/a\": {}}}");
    assert!(json.detail.contains("`/a` occurs twice"), "{}", json.detail);
    assert_eq!(json.place.as_deref(), Some("api.yaml:2:5"));
    let yaml = refused("paths:\n  /a: {}\n  /a: {}\n");
    assert_eq!(yaml.place.as_deref(), Some("api.yaml:3:3"));
}

#[test]
fn bombs_are_refused() {
    let doubled = |n: u32| format!("a{n}: &a{n} [*a{p}, *a{p}, *a{p}, *a{p}]\n", p = n - 1);
    let laughs: String = (1..16).map(doubled).collect();
    let laughs = format!("a0: &a0 [x, x, x, x]\n{laughs}");
    let deep_json = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let deep_yaml = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    let deeper = format!("{{\"a\":{}", "[".repeat(1_000_000));
    for text in [laughs, deep_json, deep_yaml, deeper] {
        assert_eq!(refused(&text).reason, "unreadable_document");
    }
    let long = " ".repeat(DOCUMENT_BYTES_MAX + 1);
    assert_eq!(refused(&long).reason, "document_too_large");
}

#[test]
fn several_documents_in_one_text_are_refused() {
    assert_eq!(refused("a: 1\n---\nb: 2\n").reason, "unreadable_document");
    assert_eq!(refused("{\"a\": 1} {\"b\": 2}").reason, "unreadable_document");
}

/// A parameter may be called `n`, and a country is no boolean.
#[test]
fn only_true_and_false_are_booleans() {
    let text = "- {name: n, in: query}\n- [NO, SE, on, off, yes, Y]\n- [true, False, \"true\"]\n";
    let expected = serde_json::json!([
        {"name": "n", "in": "query"},
        ["NO", "SE", "on", "off", "yes", "Y"],
        [true, false, "true"],
    ]);
    assert_eq!(document(text, "a").unwrap(), expected);
}

#[test]
fn both_formats_give_the_same_values() {
    let json = document(r#"{"a": {"200": [1, true, null, "x"]}}"#, "a").unwrap();
    let yaml = document("a:\n  200:\n  - 1\n  - true\n  - null\n  - x\n", "a").unwrap();
    assert_eq!(json, yaml);
    let marked = document("\u{feff}{\"a\": 1}", "a").unwrap();
    assert_eq!(marked, serde_json::json!({"a": 1}));
}

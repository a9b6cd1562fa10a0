use super::*;

#[test]
fn a_field_that_was_kept_before_values_were_told_apart_counts_as_unknown() {
    let kept = r#"{"path": "lines.sku", "class": "pii"}"#;
    let field: Field = serde_json::from_str(kept).unwrap();
    assert!(!field.values && field.also.is_empty());
    assert!(field.is_of(DataClass::Pii) && !field.is_of(DataClass::Phi));
}

#[test]
fn names_with_dots_and_stars_are_one_segment() {
    for (name, written) in
        [("a", "a"), ("a.b", "a\\.b"), ("*", "\\*"), ("**", "**"), ("\\", "\\\\")]
    {
        assert_eq!(segment(name), written);
        let path = join(&join("x", written), "y");
        assert_eq!(segments(&path).collect::<Vec<_>>(), ["x", written, "y"]);
    }
    assert!(is_within("a.b", "a") && is_within("a", "a") && is_within("a", ""));
    assert!(!is_within("ab", "a") && !is_within(&segment("a.b"), "a"));
}

#[test]
fn names_that_nobody_knows_are_a_star() {
    let fields = ["customer", "customer.name", "by_mail", "by_mail.*", "by_mail.*.ssn"];
    let known = |path: &str| known(path, |path| fields.contains(&path));
    for (path, told) in [
        ("customer.a@secret\\.example", "customer.*"),
        ("customer.a.b.c", "customer.*"),
        ("secret", "*"),
        ("customer.name", "customer.name"),
        ("by_mail.a@secret\\.example.ssn", "by_mail.*.ssn"),
        ("by_mail.a@secret\\.example.note", "by_mail.*.*"),
        ("[]", "[]"),
    ] {
        assert_eq!(known(path), told, "{path}");
    }
}

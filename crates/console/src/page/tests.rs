use super::*;

#[test]
fn a_form_never_sends_the_browser_elsewhere() {
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil", "", "x", "/a\r\nb: c"] {
        assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
    }
    assert_eq!(local("/reviews/machines?tab=quiet"), "/reviews/machines?tab=quiet");
}

#[test]
fn a_query_leaves_out_what_is_not_set_and_encodes_the_rest() {
    assert_eq!(query(&[("a", ""), ("b", "")]), "");
    assert_eq!(query(&[("q", "a&b=c d"), ("x", ""), ("y", "1")]), "?q=a%26b%3Dc%20d&y=1");
    assert_eq!(encode("spiffe://ä/x"), "spiffe%3A%2F%2F%C3%A4%2Fx");
}

#[test]
fn blank_text_is_not_given() {
    assert_eq!(given("  ".to_owned()), None);
    assert_eq!(given(" a ".to_owned()), Some("a".to_owned()));
}

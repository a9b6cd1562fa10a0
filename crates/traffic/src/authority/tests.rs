use super::*;

fn claimed<'r>(host: Option<&'r str>, target: Option<&'r Authority>) -> Claimed<'r> {
    Claimed { host: host.map(str::as_bytes), target, server_name: None }
}

#[test]
fn what_is_no_authority_is_refused() {
    let wrong = [
        "",
        ":80",
        "a:",
        "a:0",
        "a:080",
        "a:65536",
        "a:+1",
        "a:-1",
        "a:1:2",
        "a b",
        "a@b",
        "a/b",
        "a,b",
        "a.",
        ".a",
        "a..b",
        "a%41",
        "é",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:",
        "[a]",
        "[::1%25lo]",
        "a\0",
    ];
    for text in wrong {
        assert_eq!(Authority::parse(text.as_bytes()), Err(Reason::MalformedRequest), "{text}");
    }
    assert!(Authority::parse("a".repeat(254).as_bytes()).is_err());
    assert!(Authority::parse(b"\xff").is_err());
}

#[test]
fn one_host_has_one_form() {
    let parsed = |text: &str| Authority::parse(text.as_bytes()).unwrap().to_string();
    assert_eq!(parsed("API.Example.COM:8443"), "api.example.com:8443");
    assert_eq!(parsed("[0:0::0:1]:80"), "[::1]:80");
    assert_eq!(parsed("10.0.0.1"), "10.0.0.1");
    assert_eq!(parsed("a_b-c"), "a_b-c");
}

#[test]
fn places_that_disagree_are_a_mismatch() {
    let other = Authority::parse(b"other").unwrap();
    let ported = Authority::parse(b"api:81").unwrap();
    for target in [&other, &ported] {
        let places = claimed(Some("api"), Some(target));
        assert_eq!(agree(Scheme::Http, places), Err(Reason::AuthorityMismatch));
    }
    let named = Claimed { server_name: Some("other"), ..claimed(Some("api"), None) };
    assert_eq!(agree(Scheme::Https, named), Err(Reason::AuthorityMismatch));
}

#[test]
fn no_place_at_all_is_malformed() {
    assert_eq!(agree(Scheme::Http, claimed(None, None)), Err(Reason::MalformedRequest));
    assert_eq!(agree(Scheme::Http, claimed(Some("a b"), None)), Err(Reason::MalformedRequest));
}

#[test]
fn the_default_port_of_the_scheme_is_no_difference() {
    let ported = Authority::parse(b"API:443").unwrap();
    let places = claimed(Some("api"), Some(&ported));
    assert_eq!(agree(Scheme::Https, places).unwrap().to_string(), "api");
    assert_eq!(agree(Scheme::Http, places), Err(Reason::AuthorityMismatch));
    let named = Claimed { server_name: Some("API"), ..places };
    assert_eq!(agree(Scheme::Https, named).unwrap().host(), "api");
}

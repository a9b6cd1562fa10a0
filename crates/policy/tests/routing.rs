//! Which API and operation a request is for.

mod common;

use catalog::{Api, Method};
use common::*;
use portreeve_policy::{Change, Ruleset};

fn placed(id: &str, path: &str, hosts: &[&str]) -> Api {
    let prefix = path.trim_end_matches('/');
    Api {
        path: path.to_owned(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        operations: vec![operation(Method::Get, "get", &format!("{prefix}/{{id}}"))],
        ..api(id, &[])
    }
}

fn build(apis: &[Api]) -> Result<Ruleset, base::Problem> {
    Ruleset::build(1, apis.iter().cloned().map(Change::Api))
}

fn found(ruleset: &Ruleset, host: Option<&str>, path: &str) -> Option<String> {
    ruleset.locate("GET", host, path).api.map(|entry| entry.api().id.to_string())
}

#[test]
fn two_apis_that_one_request_could_be_for_are_refused() {
    let clashes = [
        [placed("a", "/x", &[]), placed("b", "/x", &[])],
        [placed("a", "/x", &["h1", "h2"]), placed("b", "/x", &["h2"])],
    ];
    for apis in clashes {
        assert_eq!(build(&apis).unwrap_err().reason, "route_taken");
        // Nothing is half applied: the ruleset that refused goes on as it was.
        let before = build(&apis[..1]).unwrap();
        assert!(before.apply(2, [Change::Api(apis[1].clone())]).is_err());
        assert!(before.api(&"b".parse().unwrap()).is_none());
    }
    let apart = [placed("a", "/x", &["h1"]), placed("b", "/x", &["h2"]), placed("c", "/x", &[])];
    assert!(build(&apart).is_ok());
}

#[test]
fn two_apis_may_swap_their_paths_in_one_step() {
    let ruleset = build(&[placed("a", "/x", &[]), placed("b", "/y", &[])]).unwrap();
    let swapped = [Change::Api(placed("a", "/y", &[])), Change::Api(placed("b", "/x", &[]))];
    assert_eq!(found(&ruleset.apply(2, swapped).unwrap(), None, "/x/1").as_deref(), Some("b"));
}

#[test]
fn paths_that_are_no_prefixes_and_templates_that_clash_are_refused() {
    for path in ["", "x", "/x/", "//", "/x//y"] {
        assert_eq!(build(&[placed("a", path, &[])]).unwrap_err().reason, "bad_api_path", "{path}");
    }
    let mut twins = api("a", &[]);
    twins.operations =
        vec![operation(Method::Get, "one", "/a/{x}"), operation(Method::Get, "two", "/a/{y}")];
    let problem = build(&[twins]).unwrap_err();
    assert_eq!(problem.reason, "ambiguous_operation");
    assert_eq!(problem.place.as_deref(), Some("API `a`, operation `two`"));
}

#[test]
fn a_prefix_ends_at_a_segment_and_the_longest_wins() {
    let ruleset = build(&[
        placed("shop", "/shop", &[]),
        placed("admin", "/shop/admin", &[]),
        placed("other", "/shopping", &[]),
    ])
    .unwrap();
    let cases = [
        ("/", None),
        ("/sho", None),
        ("/shops", None),
        ("/Shop/1", None),
        ("shop", None),
        ("", None),
        ("/shop", Some("shop")),
        ("/shop/", Some("shop")),
        ("/shop/1", Some("shop")),
        ("/shop/administrator", Some("shop")),
        ("/shop/admin", Some("admin")),
        ("/shop/admin/1", Some("admin")),
        ("/shopping/1", Some("other")),
    ];
    for (path, expected) in cases {
        assert_eq!(found(&ruleset, None, path).as_deref(), expected, "{path}");
    }
}

#[test]
fn the_root_takes_what_nobody_else_does() {
    let ruleset = build(&[placed("root", "/", &[]), placed("shop", "/shop", &[])]).unwrap();
    assert_eq!(found(&ruleset, None, "/anything/1").as_deref(), Some("root"));
    assert_eq!(found(&ruleset, None, "/").as_deref(), Some("root"));
    assert_eq!(found(&ruleset, None, "/shop/1").as_deref(), Some("shop"));
}

#[test]
fn a_host_is_exact_and_of_one_path_the_named_host_wins() {
    let ruleset = build(&[
        placed("any", "/x", &[]),
        placed("named", "/x", &["api.example.com"]),
        placed("deep", "/x/y", &["deep.example.com"]),
    ])
    .unwrap();
    let cases = [
        (None, "/x/1", Some("any")),
        (Some("example.com"), "/x/1", Some("any")),
        (Some("api.example.com.evil.example"), "/x/1", Some("any")),
        (Some("api.example.com"), "/x/1", Some("named")),
        // The deeper API does not answer to this host, so the shorter prefix has it.
        (Some("api.example.com"), "/x/y/1", Some("named")),
        (Some("deep.example.com"), "/x/y/1", Some("deep")),
    ];
    for (host, path, expected) in cases {
        assert_eq!(found(&ruleset, host, path).as_deref(), expected, "{host:?} {path}");
    }
}

#[test]
fn a_path_with_two_readings_is_for_no_api_when_they_differ() {
    let ruleset = build(&[placed("root", "/", &[]), placed("pair", "/a,b", &[])]).unwrap();
    assert_eq!(found(&ruleset, None, "/a,b/1").as_deref(), Some("pair"));
    assert_eq!(found(&ruleset, None, "/a%2Cb/1"), None);
    assert_eq!(found(&ruleset, None, "/a,b/1%2C2").as_deref(), Some("pair"));
    assert_eq!(found(&ruleset, None, "/c%2Cd").as_deref(), Some("root"));
}

#[test]
fn a_literal_of_the_catalogue_is_spelled_as_the_target_of_a_request() {
    for octet in (33..=126u8).filter(|octet| !b"/?#\\\"<>^`|{}%;".contains(octet)) {
        for literal in [format!("/x/a{}", char::from(octet)), format!("/x/a%{octet:02x}")] {
            let api = Api {
                operations: vec![
                    operation(Method::Get, "other", "/x/{id}"),
                    operation(Method::Get, "literal", &literal),
                ],
                ..placed("x", "/x", &[])
            };
            // What callers send, made canonical. Brackets pass the gate escaped only, and the
            // marks with two spellings mean the literal only when they are plain.
            let spelled = match traffic::Target::parse(literal.as_bytes()) {
                Ok(target) if !b"+,=".contains(&octet) => target.path().to_owned(),
                Ok(_) => format!("/x/a{}", char::from(octet)),
                Err(_) => format!("/x/a%{octet:02X}"),
            };
            let ruleset = build(&[api]).unwrap();
            let operation = ruleset.locate("GET", None, &spelled).operation.unwrap();
            assert_eq!(operation.id.as_str(), "literal", "{literal} {spelled}");
        }
    }
}

#[test]
fn an_api_that_is_removed_is_found_no_more() {
    let ruleset = build(&[placed("a", "/x", &[])]).unwrap();
    let gone = ruleset.apply(2, [Change::ApiRemoved("a".parse().unwrap())]).unwrap();
    assert_eq!((found(&gone, None, "/x/1"), gone.version()), (None, 2));
    assert_eq!(found(&ruleset, None, "/x/1").as_deref(), Some("a"));
}

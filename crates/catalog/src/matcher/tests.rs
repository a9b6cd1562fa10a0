use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::Impact;

fn operation(text: &str) -> Operation {
    let (method, path) = text.split_once(' ').unwrap();
    Operation {
        id: text.replace(|c: char| !c.is_ascii_alphanumeric(), "_").parse().unwrap(),
        method: method.parse().unwrap(),
        path: path.to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating: false,
        admin: false,
        fields: Vec::new(),
        cost: 1,
    }
}

/// Finds a request among templates, both written `METHOD path`.
fn find<'t>(templates: &[&'t str], request: &str) -> Option<&'t str> {
    let operations: Vec<Operation> = templates.iter().map(|text| operation(text)).collect();
    let (method, path) = request.split_once(' ').unwrap();
    let index = Matcher::new(&operations).unwrap().find(method, path)?;
    templates.get(index).copied()
}

#[test]
fn requests_that_no_template_describes_are_unknown() {
    let templates = ["GET /", "GET /orders", "GET /orders/{id}", "POST /orders/{id}/cancel"];
    for request in [
        "GET //",
        "GET ",
        "GET orders",
        "GET /order",
        "GET /ORDERS",
        "GET /orders/1/2",
        "GET /orders//",
        "GET //orders",
        "GET /orders/1/",
        "POST /orders",
        "get /orders",
        "HEAD /orders/1/cancel",
        "BREW /orders",
    ] {
        let expected = (request == "GET /orders/1/").then_some("GET /orders/{id}");
        assert_eq!(find(&templates, request), expected, "{request}");
    }
}

#[test]
fn operations_that_no_request_can_tell_apart_are_refused() {
    for (one, other) in [
        ("GET /a/{x}", "GET /a/{y}"),
        ("GET /a", "GET /a/"),
        ("GET /{x}.json", "GET /{y}.json"),
        ("GET /", "GET /"),
    ] {
        let problem = Matcher::new(&[operation(one), operation(other)]).unwrap_err();
        assert_eq!(problem.reason, "ambiguous_operation", "{one} {other}");
    }
    assert!(Matcher::new(&[operation("GET /a/{x}"), operation("PUT /a/{y}")]).is_ok());
    let problem = Matcher::new(&[operation("GET /a/{x")]).unwrap_err();
    assert_eq!(problem.reason, "bad_path_template");
}

#[test]
fn the_more_literal_template_wins_from_the_left() {
    let templates = [
        "GET /{any}",
        "GET /users/{id}",
        "GET /users/me",
        "GET /users/{name}.json",
        "GET /users/v-{name}.json",
        "GET /users/{id}/keys",
        "GET /users/me/{part}",
    ];
    for (request, expected) in [
        ("GET /users", "GET /{any}"),
        ("GET /users/me", "GET /users/me"),
        ("GET /users/you", "GET /users/{id}"),
        ("GET /users/you.json", "GET /users/{name}.json"),
        ("GET /users/v-1.json", "GET /users/v-{name}.json"),
        ("GET /users/.json", "GET /users/{id}"),
        ("GET /users/me/keys", "GET /users/me/{part}"),
        ("GET /users/you/keys", "GET /users/{id}/keys"),
        ("HEAD /users/me/", "GET /users/me"),
    ] {
        assert_eq!(find(&templates, request), Some(expected), "{request}");
    }
}

#[test]
fn a_path_with_two_readings_is_no_operation_when_they_differ() {
    let templates = [
        "GET /{id}",
        "GET /a,b",
        "GET /c+d",
        "GET /{day}=x",
        "GET /sets/a=b",
        "GET /{kind}/{id}",
        "GET /v/{id}",
    ];
    for request in ["GET /a%2Cb", "GET /c%2Bd", "GET /1%3Dx", "GET /sets/a%3Db"] {
        assert_eq!(find(&templates, request), None, "{request}");
    }
    for (request, expected) in [
        ("GET /a,b", "GET /a,b"),
        ("GET /1=x", "GET /{day}=x"),
        ("GET /x%2Cy", "GET /{id}"),
        ("GET /x%2C1=x", "GET /{day}=x"),
        ("GET /sets/a%2Cb", "GET /{kind}/{id}"),
        ("GET /v/a%2Cb%3D", "GET /v/{id}"),
    ] {
        assert_eq!(find(&templates, request), Some(expected), "{request}");
    }
}

#[test]
fn a_literal_is_found_however_the_document_spells_it() {
    for (template, request) in [
        ("GET /users/%40me", "GET /users/@me"),
        ("GET /users/%7e", "GET /users/~"),
        ("GET /users/caf%c3%a9", "GET /users/caf%C3%A9"),
        ("GET /users/café", "GET /users/caf%C3%A9"),
        ("GET /users/a%2cb", "GET /users/a,b"),
        ("GET /users/[x]", "GET /users/%5Bx%5D"),
        ("GET /users/{name}%40{host}", "GET /users/a@b"),
    ] {
        assert_eq!(find(&["GET /users/{id}", template], request), Some(template), "{template}");
    }
    let twins = [operation("GET /a,b"), operation("GET /a%2cb")];
    assert_eq!(Matcher::new(&twins).unwrap_err().reason, "ambiguous_operation");
}

#[test]
fn a_literal_that_leads_nowhere_gives_way_to_a_parameter() {
    let templates = ["GET /a/b/c", "GET /a/{x}/d"];
    assert_eq!(find(&templates, "GET /a/b/d"), Some("GET /a/{x}/d"));
    assert_eq!(find(&templates, "GET /a/b"), None);
}

#[test]
fn the_path_is_decided_before_the_method() {
    let templates = ["GET /users/me", "DELETE /users/{id}"];
    assert_eq!(find(&templates, "DELETE /users/me"), None);
    assert_eq!(find(&templates, "DELETE /users/7"), Some("DELETE /users/{id}"));
    assert_eq!(find(&templates, "GET /users/7"), None);
}

/// The rule as it reads: of all templates that fit, the one whose segments are the more literal,
/// compared from the left; then the method.
fn plain<'t>(templates: &[&'t str], request: &str) -> Option<&'t str> {
    let (method, path) = request.split_once(' ').unwrap();
    let split = |path: &str| -> Vec<String> {
        path.trim_matches('/').split('/').map(str::to_owned).collect()
    };
    let wanted = split(path);
    let literal = |segment: &String| !segment.starts_with('{');
    let fits = |template: &&str| {
        let segments = split(template.split_once(' ').unwrap().1);
        segments.len() == wanted.len()
            && segments.iter().zip(&wanted).all(|(have, want)| !literal(have) || have == want)
    };
    let rank = |template: &&str| -> Vec<bool> {
        split(template.split_once(' ').unwrap().1).iter().map(literal).collect()
    };
    let best = templates.iter().copied().filter(fits).map(|template| rank(&template)).max()?;
    let mut candidates = templates.iter().copied().filter(fits);
    candidates.find(|one| rank(one) == best && one.split_once(' ').unwrap().0 == method)
}

proptest! {
    #[test]
    fn finds_what_the_plain_rule_finds(
        templates in proptest::collection::vec(
            (select(vec!["GET", "PUT"]),
             proptest::collection::vec(select(vec!["a", "b", "{}"]), 1..4)), 1..12),
        method in select(vec!["GET", "PUT"]),
        path in proptest::collection::vec(select(vec!["a", "b", "c"]), 1..4),
    ) {
        let named = |(method, segments): &(&str, Vec<&str>)| {
            let segments = segments.iter().enumerate().map(|(index, segment)| match *segment {
                "{}" => format!("/{{p{index}}}"),
                literal => format!("/{literal}"),
            });
            format!("{method} {}", segments.collect::<String>())
        };
        let mut templates: Vec<String> = templates.iter().map(named).collect();
        templates.sort();
        templates.dedup();
        let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
        let request = format!("{method} /{}", path.join("/"));
        prop_assert_eq!(find(&templates, &request), plain(&templates, &request));
    }
}

use super::*;

#[test]
fn a_line_that_is_no_pair_is_told_with_its_field() {
    let asked = Asked { headers: "x-tenant: acme\nx-debug".to_owned(), ..Asked::default() };
    let problem = asked.written().unwrap_err();
    assert_eq!(problem.place.as_deref(), Some("headers"));
    assert_eq!(problem.detail, "`x-debug` has no `:` between a name and a value");
    let asked = Asked { claims: "tenant".to_owned(), ..Asked::default() };
    assert_eq!(asked.written().unwrap_err().place.as_deref(), Some("claims"));
}

#[test]
fn what_is_written_down_is_asked_as_it_is() {
    let plain = Asked {
        identity: " billing ".to_owned(),
        request: "GET /orders/42 ".to_owned(),
        ..Asked::default()
    };
    assert!(plain.is_written() && !plain.is_detailed());
    let request = plain.written().unwrap();
    assert_eq!(
        (request.identity.as_str(), request.request.as_str()),
        ("billing", "GET /orders/42")
    );
    assert_eq!((request.body, request.credential, request.at), (None, None, None));
    let full = Asked {
        credential: "issuer_subject".to_owned(),
        binding: "dpop".to_owned(),
        headers: "X-Tenant: a:b\r\n\r\nx: 1".to_owned(),
        claims: "tenant=acme\ntenant = beta".to_owned(),
        body: "{\"total\": 7}".to_owned(),
        ..plain
    };
    assert!(full.is_detailed());
    let request = full.written().unwrap();
    let headers: Vec<_> = request.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(headers, [("X-Tenant", "a:b"), ("x", "1")]);
    assert_eq!(request.claims["tenant"], ["acme", "beta"]);
    assert_eq!(request.body.as_deref(), Some("{\"total\": 7}"));
    assert_eq!(request.binding.as_deref(), Some("dpop"));
}

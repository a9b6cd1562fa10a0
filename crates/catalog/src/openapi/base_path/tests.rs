use serde_json::json;

use super::super::node::Source;
use super::*;

fn base(document: &serde_json::Value, dialect: Dialect) -> Result<String, String> {
    let text = document.to_string();
    let source = Source { name: "api.json", text: &text };
    of(&Node::root(&source, document), dialect).map_err(|problem| problem.detail)
}

fn servers(url: &str) -> serde_json::Value {
    json!({"servers": [{"url": url}, {"url": "https://ignored.example/x"}]})
}

#[test]
fn a_server_without_address_or_default_is_refused() {
    let nameless = json!({"servers": [{"description": "?"}]});
    assert!(base(&nameless, Dialect::OpenApi31).is_err());
    for url in ["https://{host}/x", "/{version}/x", "/{unclosed"] {
        assert!(
            base(&servers(url), Dialect::OpenApi31).unwrap_err().contains("no default"),
            "{url}"
        );
    }
}

#[test]
fn the_base_path_is_the_path_of_the_first_server() {
    for (url, expected) in [
        ("https://api.example.com", ""),
        ("https://api.example.com/", ""),
        ("https://api.example.com/orders/v1", "/orders/v1"),
        ("https://api.example.com:8443/orders/v1/?x=/y#z", "/orders/v1"),
        ("/v1", "/v1"),
        ("v1/", "/v1"),
        ("/", ""),
        ("//api.example.com/v1", "/v1"),
    ] {
        assert_eq!(base(&servers(url), Dialect::OpenApi31).as_deref(), Ok(expected), "{url}");
    }
    assert_eq!(base(&json!({}), Dialect::OpenApi31).as_deref(), Ok(""));
    assert_eq!(base(&json!({"basePath": "/v1/"}), Dialect::Swagger2).as_deref(), Ok("/v1"));
    assert_eq!(base(&json!({"basePath": "/"}), Dialect::Swagger2).as_deref(), Ok(""));
    let variables = json!({"servers": [{
        "url": "{scheme}://{host}/{area}/v{major}",
        "variables": {
            "scheme": {"default": "https"}, "host": {"default": "a.example"},
            "area": {"default": "orders"}, "major": {"default": "2"},
        },
    }]});
    assert_eq!(base(&variables, Dialect::OpenApi31).as_deref(), Ok("/orders/v2"));
}

#[test]
fn the_full_template_lies_under_the_prefix() {
    // prefix, base, path, every path begins with the prefix -> full
    let cases = [
        (None, "/v1", "/a", true, "/v1/a"),
        (Some("/"), "/v1", "/a", true, "/v1/a"),
        (Some("/orders"), "/orders", "/{id}", false, "/orders/{id}"),
        (Some("/orders"), "/orders/v1", "/{id}", false, "/orders/v1/{id}"),
        (Some("/orders"), "/orders2", "/{id}", false, "/orders/{id}"),
        (Some("/orders"), "", "/{id}", false, "/orders/{id}"),
        (Some("/orders"), "/v1", "/orders/{id}", true, "/orders/{id}"),
        (Some("/orders"), "/v1", "/orders/{id}", false, "/orders/orders/{id}"),
        (Some("/orders"), "/v1", "/", false, "/orders/"),
    ];
    for (prefix, base, path, all_under, expected) in cases {
        let full = Prefix(prefix).full(base, path, all_under);
        assert_eq!(full, expected, "{prefix:?} {base} {path}");
    }
}

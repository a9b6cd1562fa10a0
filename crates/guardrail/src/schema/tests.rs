use super::*;
use base::Timestamp;
use catalog::{ApiMode, Method, Operation, Timeouts};

fn api(id: &str, operations: &[(&str, &str)]) -> Api {
    let operation = |(id, path): &(&str, &str)| Operation {
        cost: 1,
        id: id.parse().unwrap(),
        method: Method::Get,
        path: (*path).to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating: false,
        admin: false,
        fields: Vec::new(),
    };
    Api {
        costs: std::collections::BTreeMap::new(),
        limits: Vec::new(),
        id: id.parse().unwrap(),
        name: id.to_owned(),
        hosts: Vec::new(),
        path: format!("/{id}"),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::High,
        owner: None,
        environment: "production".to_owned(),
        accept: Vec::new(),
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        operations: operations.iter().map(operation).collect(),
        origin: "console".to_owned(),
        created_at: Timestamp::from_secs(0),
    }
}

#[test]
fn the_schema_is_the_same_in_any_order_and_cedar_reads_it() {
    let one = api("orders", &[("get", "/orders/{id}/{line}.json"), ("read", "/orders")]);
    let other = api("impact", &[("high", "/x/{tenant}")]);
    let text = schema(&[one.clone(), other.clone()]);
    assert_eq!(text, schema(&[other, one]));
    assert!(cedar_policy::Schema::from_cedarschema_str(&text).is_ok());
    for part in [
        "path: { \"id\"?: Set<String>, \"line\"?: Set<String>, \"tenant\"?: Set<String> }",
        "action \"orders/get\" in [\"impact/low\", \"orders\", \"orders/*\", \"orders/read\"]",
        "action \"orders/=read\" in",
        "action \"=impact/high\" in",
        "action \"orders/?\" in [\"impact/high\", \"orders\", \"orders/write\"]",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn no_api_is_a_schema_too() {
    assert!(cedar_policy::Schema::from_cedarschema_str(&schema(&[])).is_ok());
}

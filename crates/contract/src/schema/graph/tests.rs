use serde_json::{Map, Value, json};

use crate::{Contract, Options};

fn reason(schemas: &Value) -> Option<String> {
    let body =
        json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/a"}}}});
    let paths = json!({"/a": {"post": {"operationId": "a", "requestBody": body}}});
    let document = json!({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}});
    let compiled = Contract::compile(&document.to_string(), "a.json", Options::default());
    compiled.err().map(|problem| problem.reason)
}

fn to(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[test]
fn a_schema_that_is_made_of_itself_is_refused() {
    for schemas in [
        json!({"a": to("a")}),
        json!({"a": to("b"), "b": to("a")}),
        json!({"a": {"allOf": [{}, to("b")]}, "b": {"anyOf": [to("c")]}, "c": {"not": to("a")}}),
        json!({"a": {"oneOf": [to("a"), {"type": "null"}]}}),
        json!({"a": {"if": {}, "then": to("a")}}),
        json!({"a": {"dependentSchemas": {"x": to("a")}}}),
        json!({"a": {"properties": {"x": to("b")}}, "b": {"allOf": [to("b")]}}),
    ] {
        assert_eq!(reason(&schemas).as_deref(), Some("circular_schema"), "{schemas}");
    }
}

#[test]
fn a_chain_that_is_too_long_is_refused() {
    let chain = |length: usize| -> Value {
        let link = |n: usize| (format!("s{n}"), to(&format!("s{}", n + 1)));
        let mut schemas: Map<String, Value> = (0..length).map(link).collect();
        schemas.insert("a".to_owned(), to("s0"));
        schemas.insert(format!("s{length}"), json!({}));
        json!(schemas)
    };
    assert_eq!(reason(&chain(super::CHAIN_MAX - 2)), None);
    assert_eq!(reason(&chain(super::CHAIN_MAX)).as_deref(), Some("schema_too_deep"));
    assert_eq!(reason(&chain(20_000)).as_deref(), Some("schema_too_deep"));
}

#[test]
fn a_schema_may_contain_itself() {
    for schemas in [
        json!({"a": {"properties": {"x": to("a")}}}),
        json!({"a": {"items": to("b")}, "b": {"anyOf": [to("c"), {"additionalProperties": to("a")}]}, "c": {}}),
        // Twice the same is no circle.
        json!({"a": {"allOf": [to("b"), to("b"), to("c")]}, "b": to("c"), "c": {}}),
    ] {
        assert_eq!(reason(&schemas), None, "{schemas}");
    }
}

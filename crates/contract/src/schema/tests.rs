use base::OperationId;
use serde_json::{Value, json};

use crate::{Contract, Options};

/// Which of the values meet a schema of a dialect.
fn met(dialect: &str, schema: &Value, values: &[Value]) -> Vec<Value> {
    let media = json!({"application/json": {"schema": schema}});
    let post = json!({"operationId": "a", "requestBody": {"content": media}});
    let document = json!({"openapi": dialect, "paths": {"/a": {"post": post}}});
    let contract = Contract::compile(&document.to_string(), "a.json", Options::default());
    let contract = contract.unwrap_or_else(|why| panic!("{schema}: {why}"));
    let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
    let meets = |value: &&Value| operation.check_body(Some("application/json"), value).is_empty();
    values.iter().filter(meets).cloned().collect()
}

fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(5),
        json!(5.0),
        json!(5.5),
        json!("a"),
        json!("2024-01-01"),
        json!([]),
        json!([5]),
        json!({}),
        json!({"a": 5}),
    ]
}

/// Both dialects, each in its words, take and refuse the same.
#[test]
fn both_dialects_say_the_same_in_their_words() {
    let number = json!({"type": "integer", "format": "int32"});
    for (in_30, in_31) in [
        (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
        (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
        (
            json!({"type": "integer", "minimum": 5, "exclusiveMinimum": true}),
            json!({"type": "integer", "exclusiveMinimum": 5}),
        ),
        (json!({"maximum": 5, "exclusiveMaximum": false}), json!({"maximum": 5})),
        // A flag without its limit says nothing.
        (json!({"type": "number", "exclusiveMaximum": true}), json!({"type": "number"})),
        (json!({"enum": ["a", null], "nullable": true}), json!({"enum": ["a", null]})),
        (json!({"type": "string", "enum": ["a"], "nullable": true}), json!({"const": "a"})),
        (
            json!({"nullable": true, "allOf": [number]}),
            json!({"anyOf": [number, {"type": "null"}]}),
        ),
        (
            json!({"type": "object", "discriminator": {"propertyName": "a"}}),
            json!({"type": "object"}),
        ),
        (json!({"type": "array", "items": {}}), json!({"type": "array"})),
        (json!({"type": "object", "additionalProperties": false}), json!({"const": {}})),
        (json!({}), json!(true)),
        (json!({"not": {}}), json!(false)),
    ] {
        let (a, b) = (met("3.0.3", &in_30, &values()), met("3.1.0", &in_31, &values()));
        assert_eq!(a, b, "{in_30} {in_31}");
    }
}

#[test]
fn null_is_let_in_only_where_it_is_said() {
    for (dialect, schema, expected) in [
        ("3.0.3", json!({"type": "string"}), false),
        ("3.0.3", json!({"type": "string", "nullable": true}), true),
        ("3.0.3", json!({"type": "string", "nullable": true, "enum": ["a"]}), false),
        ("3.0.3", json!({"type": "string", "nullable": true, "minLength": 3}), true),
        ("3.0.3", json!({"$ref": "#/paths/~1a/post/x-s", "nullable": true}), false),
        ("3.1.0", json!({"type": "string", "nullable": true}), false),
    ] {
        let schema_text = schema.to_string();
        let media = json!({"application/json": {"schema": schema}});
        let post = json!({"operationId": "a", "requestBody": {"content": media}, "x-s": {"type": "string"}});
        let document = json!({"openapi": dialect, "paths": {"/a": {"post": post}}});
        let contract =
            Contract::compile(&document.to_string(), "a.json", Options::default()).unwrap();
        let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
        let found = operation.check_body(Some("application/json"), &json!(null));
        assert_eq!(found.is_empty(), expected, "{dialect} {schema_text}");
    }
}

#[test]
fn types_are_those_of_json_schema() {
    let of = |word: &str| met("3.1.0", &json!({"type": word}), &values());
    assert_eq!(of("null"), [json!(null)]);
    assert_eq!(of("boolean"), [json!(true)]);
    assert_eq!(of("integer"), [json!(0), json!(5), json!(5.0)]);
    assert_eq!(of("number"), [json!(0), json!(5), json!(5.0), json!(5.5)]);
    assert_eq!(of("string"), [json!("a"), json!("2024-01-01")]);
    assert_eq!(of("array"), [json!([]), json!([5])]);
    assert_eq!(of("object"), [json!({}), json!({"a": 5})]);
}

/// Values that break a schema, and values that meet it.
fn judged(schema: &Value, broken: &[Value], kept: &[Value]) {
    assert_eq!(met("3.1.0", schema, broken), [] as [Value; 0], "{schema}");
    assert_eq!(met("3.1.0", schema, kept), kept, "{schema}");
}

#[test]
fn keywords_take_and_refuse_what_they_say() {
    for (schema, broken, kept) in [
        (json!({"const": {"a": [1]}}), vec![json!({"a": [2]})], vec![json!({"a": [1.0]})]),
        (json!({"enum": [1, "x"]}), vec![json!("1"), json!(2)], vec![json!(1.0), json!("x")]),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}),
            vec![json!([1]), json!(["a", "b"])],
            vec![json!([]), json!(["a", 1, 2]), json!("no array")],
        ),
        (
            json!({"contains": {"const": 1}, "minContains": 2, "maxContains": 3}),
            vec![json!([1]), json!([1, 1, 1, 1]), json!([])],
            vec![json!([1, 0, 1]), json!([1, 1, 1])],
        ),
        (json!({"contains": {"const": 1}, "minContains": 0}), vec![], vec![json!([])]),
        (
            json!({"propertyNames": {"pattern": "^[a-z]+$"}, "maxProperties": 2}),
            vec![json!({"A": 1}), json!({"a": 1, "b": 1, "c": 1})],
            vec![json!({"a": 1, "b": 1})],
        ),
        (
            json!({"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "integer"}}),
            vec![json!({"x-a": 1}), json!({"a": "b"})],
            vec![json!({"x-a": "b", "a": 1})],
        ),
        (
            json!({"dependentRequired": {"card": ["cvc"]}, "dependentSchemas": {"iban": {"required": ["bic"]}}}),
            vec![json!({"card": 1}), json!({"iban": 1})],
            vec![json!({"card": 1, "cvc": 1}), json!({"iban": 1, "bic": 1}), json!({})],
        ),
        (
            json!({"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}),
            vec![json!({"a": 1}), json!({"a": 2}), json!({"a": 1, "c": 1})],
            vec![json!({"a": 1, "b": 1}), json!({"a": 2, "c": 1})],
        ),
    ] {
        judged(&schema, &broken, &kept);
    }
}

#[test]
fn combinations_take_and_refuse_what_they_say() {
    for (schema, broken, kept) in [
        (
            json!({"allOf": [{"minimum": 1}, {"maximum": 3}], "not": {"const": 2}}),
            vec![json!(0), json!(2), json!(4)],
            vec![json!(1), json!(3)],
        ),
        (
            json!({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}),
            vec![json!(6), json!(7)],
            vec![json!(2), json!(9)],
        ),
        (
            json!({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "integer"}]}),
            vec![json!("x"), json!(1.5)],
            vec![json!(1), json!("0b0d5c5e-7f6c-4a8e-9d3b-5a1f1b2c3d4e")],
        ),
        (
            json!({"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}, "unevaluatedProperties": false}),
            vec![json!({"a": 1, "b": 1, "c": 1})],
            vec![json!({"a": 1, "b": 1})],
        ),
        (
            json!({"anyOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}], "unevaluatedProperties": {"type": "string"}}),
            vec![json!({"a": 2, "b": 1}), json!({"a": 1, "c": 1})],
            vec![json!({"a": 1, "b": 1, "c": "x"}), json!({"a": 1, "b": 2})],
        ),
        (
            json!({"prefixItems": [{}], "contains": {"const": 7}, "unevaluatedItems": false}),
            vec![json!([1, 2, 7])],
            vec![json!([1, 7, 7])],
        ),
        (json!({"format": "own-thing", "minLength": 1}), vec![json!("")], vec![json!("x")]),
        (json!({"maxLength": 2}), vec![json!("äöü")], vec![json!("😀😀")]),
    ] {
        judged(&schema, &broken, &kept);
    }
}

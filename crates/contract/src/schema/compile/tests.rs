use base::Problem;
use serde_json::{Value, json};

use crate::{Contract, Options};

/// A document of a dialect with this schema for a request's body.
fn document(dialect: &str, schema: &Value) -> String {
    let reference = json!({"$ref": "#/components/schemas/S"});
    let body = json!({"content": {"application/json": {"schema": reference}}});
    let paths = json!({"/a": {"post": {"operationId": "a", "requestBody": body, "responses": {}}}});
    let document =
        json!({"openapi": dialect, "paths": paths, "components": {"schemas": {"S": schema}}});
    serde_json::to_string_pretty(&document).unwrap()
}

fn refused(dialect: &str, schema: &Value) -> Problem {
    let text = document(dialect, schema);
    let problem = Contract::compile(&text, "a.json", Options::default()).expect_err(&text);
    assert!(problem.hint.is_some(), "{problem}");
    problem
}

fn compiles(dialect: &str, schema: &Value) {
    let compiled = Contract::compile(&document(dialect, schema), "a.json", Options::default());
    assert!(compiled.is_ok(), "{dialect} {schema}: {}", compiled.unwrap_err());
}

#[test]
fn keywords_with_values_that_they_cannot_have_are_refused() {
    for (dialect, schema, place) in [
        ("3.0.3", json!({"type": 7}), "type"),
        ("3.0.3", json!({"type": "text"}), "type"),
        ("3.0.3", json!({"type": []}), "type"),
        ("3.1.0", json!({"type": ["string", "x"]}), "type/1"),
        ("3.0.3", json!({"nullable": "yes"}), "nullable"),
        ("3.0.3", json!({"readOnly": 1}), "readOnly"),
        ("3.0.3", json!({"enum": "a"}), "enum"),
        ("3.0.3", json!({"minimum": "1"}), "minimum"),
        ("3.0.3", json!({"minimum": 1, "exclusiveMinimum": 1}), "exclusiveMinimum"),
        ("3.1.0", json!({"exclusiveMaximum": true}), "exclusiveMaximum"),
        ("3.1.0", json!({"multipleOf": 0}), "multipleOf"),
        ("3.1.0", json!({"maxLength": -1}), "maxLength"),
        ("3.1.0", json!({"maxLength": 1.5}), "maxLength"),
        ("3.1.0", json!({"minItems": "1"}), "minItems"),
        ("3.1.0", json!({"uniqueItems": 1}), "uniqueItems"),
        ("3.1.0", json!({"pattern": 1}), "pattern"),
        ("3.1.0", json!({"format": 1}), "format"),
        ("3.1.0", json!({"items": 1}), "items"),
        ("3.1.0", json!({"items": [{}]}), "items"),
        ("3.1.0", json!({"prefixItems": {}}), "prefixItems"),
        ("3.1.0", json!({"allOf": []}), "allOf"),
        ("3.1.0", json!({"anyOf": [1]}), "anyOf/0"),
        ("3.1.0", json!({"not": null}), "not"),
        ("3.1.0", json!({"required": true}), "required"),
        ("3.1.0", json!({"required": [1]}), "required/0"),
        ("3.1.0", json!({"properties": []}), "properties"),
        ("3.1.0", json!({"properties": {"a": "string"}}), "properties/a"),
        ("3.1.0", json!({"additionalProperties": "no"}), "additionalProperties"),
        ("3.1.0", json!({"dependentRequired": {"a": "b"}}), "dependentRequired/a"),
    ] {
        let problem = refused(dialect, &schema);
        let reason = problem.reason.as_str();
        assert!(matches!(reason, "bad_schema" | "bad_document"), "{schema}: {problem}");
        let pointer = format!("(#/components/schemas/S/{place})");
        assert!(problem.place.as_ref().unwrap().ends_with(&pointer), "{schema}: {problem}");
    }
}

#[test]
fn what_changes_the_meaning_of_a_schema_is_refused() {
    for schema in [
        json!({"$id": "https://a.example/s"}),
        json!({"$dynamicRef": "#a"}),
        json!({"$recursiveRef": "#"}),
        json!({"dependencies": {"a": ["b"]}}),
        json!({"$ref": "#anchor"}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
    ] {
        assert_eq!(refused("3.1.0", &schema).reason, "unsupported_schema", "{schema}");
    }
    assert_eq!(refused("3.1.0", &json!({"$ref": "b.json"})).reason, "remote_reference");
    assert_eq!(refused("3.1.0", &json!({"$ref": "#/x"})).reason, "dangling_reference");
    let text = document("3.1.0", &json!({})).replacen('{', "{\"jsonSchemaDialect\": \"x\",", 1);
    let problem = Contract::compile(&text, "a.json", Options::default()).unwrap_err();
    assert_eq!(problem.reason, "unsupported_schema");
    compiles("3.1.0", &json!({"$schema": "https://json-schema.org/draft/2020-12/schema"}));
}

#[test]
fn patterns_that_cannot_run_in_bounded_time_are_refused() {
    for (pattern, reason) in [
        ("^(?!x)", "unsupported_pattern"),
        (r"(a)\1", "unsupported_pattern"),
        ("(", "bad_pattern"),
        ("*a", "bad_pattern"),
        (r"\p{Nonsense}", "bad_pattern"),
        ("((a{1,999}){1,999}){1,999}", "pattern_too_large"),
    ] {
        for schema in [json!({"pattern": pattern}), json!({"patternProperties": {pattern: {}}})] {
            let problem = refused("3.1.0", &schema);
            assert_eq!(problem.reason, reason, "{pattern}: {problem}");
            assert!(!problem.detail.contains('\n'), "{problem}");
        }
    }
    let many: Value =
        (0..2_001).map(|n| (format!("p{n}"), json!({"pattern": n.to_string()}))).collect();
    assert_eq!(refused("3.1.0", &json!({"properties": many})).reason, "too_many_patterns");
    let same: Value = (0..2_001).map(|n| (format!("p{n}"), json!({"pattern": "x"}))).collect();
    compiles("3.1.0", &json!({"properties": same}));
}

#[test]
fn a_problem_has_the_line() {
    let problem = refused("3.0.3", &json!({"properties": {"a": {"minLength": "x"}}}));
    let place = problem.place.unwrap();
    let (start, pointer) = ("a.json:", "(#/components/schemas/S/properties/a/minLength)");
    assert!(place.starts_with(start) && place.ends_with(pointer), "{place}");
    assert!(place.split(':').nth(1).is_some_and(|line| line.parse::<u32>().is_ok()), "{place}");
}

#[test]
fn references_that_multiply_are_compiled_once() {
    let mut schemas = serde_json::Map::new();
    for n in 0..60 {
        let next = json!({"$ref": format!("#/components/schemas/S/$defs/d{}", n + 1)});
        let schema = json!({"properties": {"a": next, "b": next}});
        schemas.insert(format!("d{n}"), schema);
    }
    schemas.insert("d60".to_owned(), json!({"type": "string"}));
    compiles("3.1.0", &json!({"$defs": schemas, "$ref": "#/components/schemas/S/$defs/d0"}));
}

#[test]
fn a_reference_excludes_its_neighbours_before_3_1_only() {
    let beside = json!({"allOf": [{"$ref": "#/components/schemas/S/$defs/t", "pattern": "(?=x)"}],
        "$defs": {"t": {"type": "string"}}});
    compiles("3.0.3", &beside);
    assert_eq!(refused("3.1.0", &beside).reason, "unsupported_pattern");
}

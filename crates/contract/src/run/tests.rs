use std::fmt::Write as _;

use base::OperationId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Contract, Options};

const JSON: Option<&str> = Some("application/json");

fn compiled(schemas: &Value, closed: bool) -> Contract {
    let schema = json!({"$ref": "#/components/schemas/a"});
    let media = json!({"application/json": {"schema": schema}});
    let ok = json!({"description": "", "content": media});
    let post =
        json!({"operationId": "a", "requestBody": {"content": media}, "responses": {"200": ok}});
    let document = json!({"openapi": "3.1.0", "paths": {"/a": {"post": post}},
        "components": {"schemas": schemas}});
    let options = Options { closed, strict_query: false };
    Contract::compile(&document.to_string(), "a.json", options)
        .unwrap_or_else(|why| panic!("{why}"))
}

fn found(contract: &Contract, body: &Value) -> Vec<Violation> {
    contract.operation(&OperationId::parse("a").unwrap()).unwrap().check_body(JSON, body)
}

fn said(schemas: &Value, closed: bool, body: &Value) -> Vec<String> {
    found(&compiled(schemas, closed), body).iter().map(ToString::to_string).collect()
}

fn to(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A value within others, so many levels deep.
fn nested(name: &str, levels: usize, value: Value) -> Value {
    (0..levels).fold(value, |inner, _| json!({ name: inner }))
}

#[test]
fn alternatives_that_contain_themselves_take_no_time_that_doubles() {
    for kind in ["anyOf", "oneOf"] {
        let node = |own: &str| json!({"type": "object", "properties": {"next": to("a"), own: {"type": "string"}}});
        let schemas = json!({"a": {kind: [node("x"), node("y")]}});
        for closed in [false, true] {
            for levels in [5, 100] {
                let body = nested("next", levels, json!({"x": 1, "y": 1}));
                assert_eq!(said(&schemas, closed, &body), ["body fits none of 2 alternatives"]);
            }
        }
        // The innermost is one of both, and so any that contain it are either.
        let body = nested("next", 100, json!({"x": "", "y": 1}));
        let expected = usize::from(kind == "oneOf");
        assert_eq!(said(&schemas, false, &body).len(), expected, "{kind}");
    }
}

#[test]
fn work_that_a_small_body_must_not_cause_is_refused() {
    // Thirty schemas, each of which asks the next one twice about the same value.
    let mut schemas = serde_json::Map::from_iter([("a".to_owned(), to("s0"))]);
    for n in 0..30 {
        let next = to(&format!("s{}", n + 1));
        schemas.insert(format!("s{n}"), json!({"anyOf": [{"minimum": 9}, next, next]}));
    }
    schemas.insert("s30".to_owned(), json!({"minimum": 9}));
    let found = found(&compiled(&json!(schemas), false), &json!(1));
    let rules: Vec<Rule> = found.iter().map(|one| one.rule).collect();
    assert_eq!(rules, [Rule::TooCostly], "{found:?}");
}

#[test]
fn what_nests_too_deep_is_refused_and_not_followed() {
    // Ten schemas for each level, so that the levels of a body multiply.
    let mut schemas = serde_json::Map::new();
    for n in 0..10 {
        let name = if n == 0 { "a".to_owned() } else { format!("s{n}") };
        schemas.insert(name, json!({"allOf": [to(&format!("s{}", n + 1))]}));
    }
    schemas.insert("s10".to_owned(), json!({"properties": {"next": to("a")}}));
    let contract = compiled(&json!(schemas), true);
    assert_eq!(found(&contract, &nested("next", 10, json!({}))), []);
    let found = found(&contract, &nested("next", 110, json!({})));
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::TooCostly]);
}

#[test]
fn the_alternative_that_was_meant_is_explained() {
    let pet = |kind: &str, own: &str| {
        json!({"type": "object", "required": ["kind", own],
            "properties": {"kind": {"const": kind}, own: {"type": "integer"}}})
    };
    let schemas =
        json!({"a": {"oneOf": [pet("cat", "lives"), pet("dog", "walks"), {"type": "null"}]}});
    for (body, expected) in [
        (json!({"kind": "cat", "lives": "x"}), "body `/lives` must be an integer"),
        (json!({"kind": "dog", "lives": 9}), "body must have the property `walks`"),
        (json!({"kind": "fox"}), "body fits none of 3 alternatives"),
        (json!({"lives": 9}), "body fits none of 3 alternatives"),
        (json!("cat"), "body fits none of 3 alternatives"),
    ] {
        assert_eq!(said(&schemas, false, &body), [expected], "{body}");
    }
    let both = json!({"a": {"oneOf": [{"required": ["x"]}, {"required": ["y"]}]}});
    let expected = "body fits 2 of 2 alternatives, and exactly one is asked for";
    assert_eq!(said(&both, false, &json!({"x": 1, "y": 1})), [expected]);
}

#[test]
fn closed_objects_know_the_properties_of_all_schemas_they_are_made_of() {
    let schemas = json!({
        "base": {"type": "object", "properties": {"id": {}}},
        "a": {"allOf": [to("base"), {"properties": {"inner": {"properties": {"x": {}}}}}],
            "anyOf": [
                {"properties": {"card": {}}, "required": ["card"]},
                {"properties": {"iban": {}}, "required": ["iban"]},
            ],
            "properties": {"free": {"type": "object"}, "map": {"additionalProperties": {"type": "integer"}},
                "open": {"properties": {"x": {}}, "additionalProperties": true}}},
    });
    for (body, expected) in [
        (json!({"card": 1, "role": 1}), vec!["body `/role` is not a property of the schema"]),
        // The alternative that has it is not the one that is met.
        (
            json!({"card": 1, "inner": {"x": 1, "y": 1}}),
            vec!["body `/inner/y` is not a property of the schema"],
        ),
        (json!({"role": 1}), vec!["body fits none of 2 alternatives"]),
        (json!({"id": 1, "card": 1, "iban": 1, "inner": {"x": 1}}), vec![]),
        (json!({"card": 1, "free": {"z": 1}, "map": {"z": 1}, "open": {"z": 1}}), vec![]),
        (json!({"card": 1, "map": {"z": "1"}}), vec!["body `/map/z` must be an integer"]),
    ] {
        assert_eq!(said(&schemas, true, &body), expected, "{body}");
    }
    assert_eq!(said(&schemas, false, &json!({"card": 1, "role": 1})), [""; 0]);
}

#[test]
fn closing_objects_does_not_turn_a_condition_around() {
    let schemas = json!({"a": {
        "properties": {"kind": {}, "extra": {}},
        "not": {"properties": {"inner": {"properties": {"x": {}}}}, "required": ["inner"]},
        "if": {"properties": {"kind": {"const": 1}}}, "then": {"required": ["extra"]},
    }});
    assert_eq!(said(&schemas, true, &json!({"kind": 1, "extra": 2})), [""; 0]);
    assert_eq!(said(&schemas, true, &json!({"kind": 1})), ["body must have the property `extra`"]);
    let excluded = said(&schemas, true, &json!({"inner": {"y": 1}}));
    assert_eq!(excluded.first().map(String::as_str), Some("body is what the schema excludes"));
}

#[test]
fn what_is_only_asked_about_is_asked_by_the_schema_alone() {
    let schemas = json!({
        "part": {"type": "object", "properties": {"id": {"readOnly": true}}},
        "holder": {"required": ["x"], "properties": {"x": to("part")}},
        "a": {"properties": {"x": true}, "anyOf": [to("holder"), true], "not": to("holder")},
    });
    // As alternatives, both break a rule of requests; as an exclusion, both are what is excluded.
    for x in [json!({"id": 1}), json!({"more": 1})] {
        let expected = ["body is what the schema excludes"];
        assert_eq!(said(&schemas, true, &json!({"x": x})), expected, "{x}");
    }
    let schemas =
        json!({"a": {"contains": {"type": "object", "properties": {"id": {"readOnly": true}}}}});
    for item in [json!({"id": 1}), json!({"more": 1})] {
        assert_eq!(said(&schemas, true, &json!([item])), [""; 0], "{item}");
    }
}

#[test]
fn read_only_properties_are_found_wherever_they_come_from() {
    let schemas = json!({
        "id": {"type": "integer", "readOnly": true},
        "base": {"properties": {"id": to("id"), "made": {"allOf": [{"type": "string"}, {"readOnly": true}]}}},
        "a": {"allOf": [to("base"), {"required": ["id", "made", "name"]}],
            "properties": {"list": {"items": to("base")}}},
    });
    let contract = compiled(&schemas, true);
    let place = |body: Value| -> Vec<(Rule, Place)> {
        found(&contract, &body).into_iter().map(|one| (one.rule, one.place)).collect()
    };
    let body = |rule, pointer: &str| (rule, Place::Body(pointer.to_owned()));
    let expected = [
        body(Rule::ReadOnlyProperty, "/id"),
        body(Rule::ReadOnlyProperty, "/made"),
        body(Rule::UnknownProperty, "/name"),
    ];
    assert_eq!(place(json!({"name": 1, "id": 1, "made": ""})), expected);
    let expected = [body(Rule::ReadOnlyProperty, "/list/0/id"), body(Rule::MissingProperty, "")];
    assert_eq!(place(json!({"list": [{"id": 1}]})), expected);
    let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
    let response = operation.check_response_body(200, JSON, &json!({"name": 1}));
    assert_eq!(response.len(), 2, "responses have what is required: {response:?}");
}

#[test]
fn violations_name_the_part_of_the_document() {
    let schemas = json!({"a": {"properties": {"b": {"items": to("c")}}}, "c": {"maximum": 1}});
    let one = found(&compiled(&schemas, false), &json!({"b": [0, 5]})).remove(0);
    assert_eq!(one.place, Place::Body("/b/1".to_owned()));
    assert_eq!(one.schema, "/components/schemas/c");
}

/// A schema, a value that meets it, and one that does not.
fn cases() -> impl Strategy<Value = (Value, Value, Value)> {
    let leaf = prop_oneof![
        (0i64..100).prop_map(|n| (
            json!({"type": "integer", "maximum": n}),
            json!(n),
            json!(n + 1)
        )),
        "[a-z]{1,5}".prop_map(|s| (
            json!({"type": "string", "maxLength": s.len()}),
            json!(s),
            json!(s.clone() + "é")
        )),
        "[a-z]{1,5}".prop_map(|s| (json!({"enum": [s, 1]}), json!(s), json!(s.to_uppercase()))),
        any::<bool>().prop_map(|flag| (json!({"const": flag}), json!(flag), json!(!flag))),
        "[a-z]{2,4}".prop_map(|s| (
            json!({"pattern": format!("^{s}$")}),
            json!(s),
            json!(format!("{s}x"))
        )),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(object),
            inner.clone().prop_map(|(schema, good, bad)| {
                (json!({"type": "array", "items": schema}), json!([good]), json!([good, bad]))
            }),
            inner
                .clone()
                .prop_map(|(schema, good, bad)| { (json!({"allOf": [schema, true]}), good, bad) }),
            inner
                .clone()
                .prop_map(|(schema, good, bad)| { (json!({"anyOf": [false, schema]}), good, bad) }),
            inner.prop_map(|(schema, good, bad)| {
                (json!({"oneOf": [schema, {"not": true}]}), good, bad)
            }),
        ]
    })
}

/// An object with a property for each case, of which the last is wrong in the wrong one.
fn object(parts: Vec<(Value, Value, Value)>) -> (Value, Value, Value) {
    let (mut schemas, mut good) = (serde_json::Map::new(), serde_json::Map::new());
    let mut bad = serde_json::Map::new();
    let last = parts.len() - 1;
    for (index, (schema, right, wrong)) in parts.into_iter().enumerate() {
        let mut name = String::from("p");
        let _ = write!(name, "{index}");
        schemas.insert(name.clone(), schema);
        bad.insert(name.clone(), if index == last { wrong } else { right.clone() });
        good.insert(name, right);
    }
    let schema = json!({"type": "object", "properties": schemas, "required": ["p0"]});
    (schema, Value::Object(good), Value::Object(bad))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn values_made_for_a_schema_meet_it_and_broken_ones_are_told((schema, good, bad) in cases()) {
        for closed in [false, true] {
            let contract = compiled(&json!({"a": schema}), closed);
            prop_assert_eq!(found(&contract, &good), []);
            let told = found(&contract, &bad);
            prop_assert!(!told.is_empty());
            prop_assert!(told.len() <= VIOLATIONS_MAX);
        }
    }

    #[test]
    fn a_property_more_is_told_where_objects_are_closed((schema, good, _) in cases()) {
        let schemas = json!({"a": {"properties": {"inner": schema}}});
        let body = json!({"inner": good, "unknown": 1});
        prop_assert_eq!(said(&schemas, false, &body).len(), 0);
        prop_assert_eq!(said(&schemas, true, &body), ["body `/unknown` is not a property of the schema"]);
    }
}

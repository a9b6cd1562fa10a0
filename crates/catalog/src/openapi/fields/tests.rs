use serde_json::{Value, json};

use super::super::node::Source;
use super::*;

/// Fields of a GET whose 200 answer has this schema, as `path class`.
fn fields(schema: &Value, schemas: &Value) -> Result<Vec<String>, Problem> {
    let document = json!({
        "op": {"responses": {
            "200": {"content": {"application/json": {"schema": schema}}},
            "404": {"content": {"application/json": {"schema": {"properties": {"error": {}}}}}},
            "default": {"content": {"application/json": {"schema": {"properties": {"no": {}}}}}},
        }},
        "components": {"schemas": schemas},
    });
    let text = document.to_string();
    let source = Source { name: "api.json", text: &text };
    let node = Node::root(&source, &document).child("op").unwrap();
    let all = of(&node, Dialect::OpenApi31)?;
    let written = |field: &Field| {
        let also: String = field.also.iter().rev().map(|class| format!("+{class}")).collect();
        let open = if field.values { "" } else { " open" };
        format!("{} {}{also}{open}", field.path, field.class)
    };
    Ok(all.iter().map(written).collect())
}

#[test]
fn unknown_classes_and_references_that_lead_nowhere_are_refused() {
    let class = json!({"properties": {"a": {"x-data-class": "secretish"}}});
    let problem = fields(&class, &json!({})).unwrap_err();
    assert_eq!(problem.reason, "unknown_data_class");
    let place = problem.place.unwrap();
    assert!(place.ends_with("/schema/properties/a/x-data-class)"), "{place}");
    for (reference, reason) in [
        ("#/components/schemas/Missing", "dangling_reference"),
        ("#components", "dangling_reference"),
        ("other.yaml#/Order", "remote_reference"),
        ("https://example.com/order.json", "remote_reference"),
        ("#/components/schemas/Loop", "circular_reference"),
    ] {
        let loops = json!({"Loop": {"$ref": "#/components/schemas/Loop"}});
        let problem = fields(&json!({"$ref": reference}), &loops).unwrap_err();
        assert_eq!(problem.reason, reason, "{reference}");
    }
}

#[test]
fn schemas_that_multiply_are_refused() {
    let mut schemas = json!({"S0": {"properties": {"leaf": {}}}});
    for level in 1..12 {
        let below = json!({"$ref": format!("#/components/schemas/S{}", level - 1)});
        let parts: serde_json::Map<_, _> =
            ["a", "b", "c", "d"].into_iter().map(|name| (name.to_owned(), below.clone())).collect();
        schemas[format!("S{level}")] = json!({ "properties": parts });
    }
    let problem = fields(&json!({"$ref": "#/components/schemas/S11"}), &schemas).unwrap_err();
    assert_eq!(problem.reason, "schema_too_large");
    // Looked into once for the same place, however often it is named.
    let mut schemas = json!({"S0": {"properties": {"leaf": {"type": "string"}}}});
    for level in 1..12 {
        let below = json!({"$ref": format!("#/components/schemas/S{}", level - 1)});
        schemas[format!("S{level}")] = json!({ "allOf": vec![below; 8] });
    }
    let found = fields(&json!({"$ref": "#/components/schemas/S11"}), &schemas).unwrap();
    assert_eq!(found, ["leaf internal"]);
}

#[test]
fn arrays_are_transparent_and_parts_are_merged() {
    let schema = json!({"type": "array", "items": {"allOf": [
        {"$ref": "#/components/schemas/Base"},
        {"properties": {
            "lines": {"type": "array", "items": {"properties": {"sku": {"type": "string"}}}},
            "payer": {"oneOf": [
                {"properties": {"iban": {"x-data-class": "confidential"}}},
                {"properties": {"card": {"x-data-class": "pci"}}},
            ]},
        }},
    ]}});
    let base = json!({"Base": {"properties": {"id": {"type": "integer"}, "mail": {"x-data-class": "pii"}}}});
    assert_eq!(
        fields(&schema, &base).unwrap(),
        [
            "id internal",
            "lines.sku internal",
            "mail pii",
            "payer.card pci",
            "payer.iban confidential"
        ]
    );
}

#[test]
fn the_nearest_class_counts_and_all_that_several_give() {
    let schema = json!({"oneOf": [
        {"properties": {"a": {"x-data-class": "pii"}, "b": {"x-data-class": "public"}}},
        {"properties": {
            "a": {"x-data-class": "internal"},
            "who": {"x-data-class": "pii", "properties": {
                "name": {"type": "string"}, "team": {"x-data-class": "public"},
            }},
            "ref": {"$ref": "#/components/schemas/Card"},
            "beside": {"$ref": "#/components/schemas/Card", "x-data-class": "secret"},
            "through": {"$ref": "#/components/schemas/Through"},
        }},
    ]});
    let card = json!({
        "Card": {"type": "string", "x-data-class": "pci"},
        "Through": {"$ref": "#/components/schemas/Text", "x-data-class": "phi"},
        "Text": {"type": "string"},
    });
    assert_eq!(
        fields(&schema, &card).unwrap(),
        [
            "a pii+internal",
            "b public",
            "beside secret",
            "ref pci",
            "through phi",
            "who.name pii",
            "who.team public"
        ]
    );
}

#[test]
fn what_one_of_several_marks_that_hold_at_once_is_marked_for_all() {
    let schema = json!({"properties": {
        "a": {"allOf": [{"x-data-class": "phi"}, {"properties": {"s": {"type": "string"}}}]},
        "b": {"$ref": "#/components/schemas/B", "properties": {"s": {"x-data-class": "phi"}}},
    }});
    let schemas = json!({"B": {"properties": {"s": {"type": "string"}, "t": {"type": "string"}}}});
    let found = fields(&schema, &schemas).unwrap();
    assert_eq!(found, ["a.s phi+internal", "b.s phi+internal", "b.t internal"]);
}

#[test]
fn answers_that_mark_a_place_otherwise_all_count() {
    let answer = |class: &str| {
        let schema = json!({"properties": {"a": {"type": "string", "x-data-class": class}}});
        json!({"content": {"application/json": {"schema": schema}}})
    };
    let document = json!({"responses": {"200": answer("pii"), "201": answer("pci")}});
    let text = document.to_string();
    let source = Source { name: "api.json", text: &text };
    let all = of(&Node::root(&source, &document), Dialect::OpenApi31).unwrap();
    assert!(all[0].is_of(DataClass::Pii) && all[0].is_of(DataClass::Pci));
}

#[test]
fn every_keyword_that_says_something_of_a_value_is_looked_into() {
    let ssn = json!({"properties": {"ssn": {"type": "string", "x-data-class": "phi"}}});
    for (schema, path) in [
        (json!({"additionalProperties": ssn}), "*.ssn"),
        (json!({"unevaluatedProperties": ssn}), "*.ssn"),
        (json!({"prefixItems": [{"type": "array"}, ssn]}), "ssn"),
        (json!({"items": [ssn]}), "ssn"),
        (json!({"contains": ssn}), "ssn"),
        (json!({"if": {"required": ["x"]}, "then": ssn}), "ssn"),
        (json!({"if": {"required": ["x"]}, "else": ssn}), "ssn"),
        (json!({"if": ssn}), "ssn"),
        (json!({"dependentSchemas": {"x": ssn}}), "ssn"),
        (json!({"dependencies": {"x": ssn, "y": ["z"]}}), "ssn"),
    ] {
        let schema = json!({"properties": {"v": schema}});
        assert_eq!(fields(&schema, &json!({})).unwrap(), [format!("v.{path} phi")], "{schema}");
    }
}

/// What a pattern describes is no property of any name; what it marks may be of each.
#[test]
fn a_pattern_marks_names_and_describes_none() {
    let schema = json!({
        "properties": {"id": {"type": "string"}},
        "patternProperties": {"^x-": {"type": "string", "x-data-class": "phi"}},
    });
    let found = fields(&schema, &json!({})).unwrap();
    assert_eq!(found, ["* phi open", "id phi+internal"]);
}

/// In the first answer whatever is in `patient` is marked, and may come.
#[test]
fn a_mark_on_the_whole_is_on_what_another_answer_describes_of_it() {
    let marked = json!({"type": "object", "x-data-class": "phi"});
    let name = json!({"properties": {"name": {"type": "string", "x-data-class": "public"}}});
    for (patient, found) in [
        (json!({"oneOf": [marked, name]}), ["patient.name phi+public"]),
        (json!({"anyOf": [name, marked]}), ["patient.name phi+public"]),
    ] {
        let schema = json!({"properties": {"patient": patient}});
        assert_eq!(fields(&schema, &json!({})).unwrap(), found, "{schema}");
    }
    let mut closed = marked;
    closed["additionalProperties"] = json!(false);
    let schema = json!({"properties": {"patient": {"oneOf": [closed, name]}}});
    assert_eq!(fields(&schema, &json!({})).unwrap(), ["patient.name public"]);
}

#[test]
fn names_that_are_listed_are_not_among_the_others() {
    let schema = json!({
        "properties": {"id": {"type": "string"}},
        "additionalProperties": {"type": "string", "x-data-class": "phi"},
    });
    assert_eq!(fields(&schema, &json!({})).unwrap(), ["* phi", "id internal"]);
    // What another case lists can be one of the others here.
    let cases = json!({"oneOf": [schema, {"properties": {"note": {"type": "string"}}}]});
    let found = fields(&cases, &json!({})).unwrap();
    assert_eq!(found, ["* phi", "id internal", "note phi+internal"]);
    // A pattern may match a name that is listed.
    let pattern = json!({
        "properties": {"id": {"type": "string"}},
        "patternProperties": {"^i": {"x-data-class": "phi"}},
    });
    assert_eq!(fields(&pattern, &json!({})).unwrap(), ["* phi open", "id phi+internal"]);
}

#[test]
fn a_place_of_which_nothing_is_said_is_open() {
    let schema = json!({"properties": {
        "any": {},
        "more": {"properties": {"a": {"type": "string"}}, "additionalProperties": true},
        "list": {"type": "array"},
        "map": {"type": "object", "additionalProperties": {}},
        "object": {"type": ["object", "null"]},
        "true": true,
        "const": {"const": "x"},
        "enum": {"enum": ["x", null]},
        "text": {"type": ["string", "null"]},
        "nullable": {"oneOf": [{"type": "null"}, {"properties": {"a": {"type": "string"}}}]},
    }});
    assert_eq!(
        fields(&schema, &json!({})).unwrap(),
        [
            "any internal open",
            "const internal",
            "enum internal",
            "list internal open",
            "map.* internal open",
            "more.* internal open",
            "more.a internal",
            "nullable internal",
            "nullable.a internal",
            "object internal open",
            "text internal",
            "true internal open",
        ]
    );
}

#[test]
fn names_are_written_so_that_they_read_back() {
    let schema = json!({"properties": {"a.b": {"type": "string"}, "*": {"type": "string"}}});
    assert_eq!(fields(&schema, &json!({})).unwrap(), ["\\* internal", "a\\.b internal"]);
}

#[test]
fn a_schema_that_contains_itself_ends_open_with_all_that_is_in_it() {
    let tree = json!({"Tree": {"properties": {
        "name": {"type": "string"},
        "ssn": {"type": "string", "x-data-class": "phi"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        "owner": {"properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
    }}});
    let found = fields(&json!({"$ref": "#/components/schemas/Tree"}), &tree).unwrap();
    assert_eq!(
        found,
        ["children phi+internal open", "name internal", "owner.tree phi+internal open", "ssn phi"]
    );
    // A list of itself says nothing.
    let list = json!({"List": {"type": "array", "items": {"$ref": "#/components/schemas/List"}}});
    let schema = json!({"properties": {"a": {"$ref": "#/components/schemas/List"}}});
    assert_eq!(fields(&schema, &list).unwrap(), ["a internal open"]);
}

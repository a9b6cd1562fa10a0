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
    Ok(all.iter().map(|field| format!("{} {}", field.path, field.class)).collect())
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
        let parts: Vec<Value> = vec![below; 8];
        schemas[format!("S{level}")] = json!({ "allOf": parts });
    }
    let problem = fields(&json!({"$ref": "#/components/schemas/S11"}), &schemas).unwrap_err();
    assert_eq!(problem.reason, "schema_too_large");
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
    let base = json!({"Base": {"properties": {"id": {}, "mail": {"x-data-class": "pii"}}}});
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
fn the_nearest_class_counts_and_of_two_the_more_sensitive() {
    let schema = json!({"oneOf": [
        {"properties": {"a": {"x-data-class": "pii"}, "b": {"x-data-class": "public"}}},
        {"properties": {
            "a": {"x-data-class": "internal"},
            "who": {"x-data-class": "pii", "properties": {
                "name": {}, "team": {"x-data-class": "public"},
            }},
            "ref": {"$ref": "#/components/schemas/Card"},
            "beside": {"$ref": "#/components/schemas/Card", "x-data-class": "secret"},
        }},
    ]});
    let card = json!({"Card": {"type": "string", "x-data-class": "pci"}});
    assert_eq!(
        fields(&schema, &card).unwrap(),
        ["a pii", "b public", "beside secret", "ref pci", "who.name pii", "who.team public"]
    );
}

#[test]
fn a_schema_that_contains_itself_ends_in_a_leaf() {
    let tree = json!({"Tree": {"properties": {
        "name": {}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    }}});
    let found = fields(&json!({"$ref": "#/components/schemas/Tree"}), &tree).unwrap();
    assert_eq!(found, ["children internal", "name internal"]);
}

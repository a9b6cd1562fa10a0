//! The table of keys as JSON Schema, for editors, and as text, for `config explain`.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Kind};

/// JSON Schema (draft 2020-12) of the file.
pub(crate) fn json_schema() -> Value {
    let mut root = object();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("portreeve.toml"));
    for key in KEYS {
        place(&mut root, key.path, key);
    }
    Value::Object(root)
}

fn object() -> Map<String, Value> {
    let empty = json!({"type": "object", "additionalProperties": false, "properties": {}});
    empty.as_object().cloned().unwrap_or_default()
}

/// Puts a key into the object that its path leads to, making the objects on the way.
fn place(into: &mut Map<String, Value>, path: &str, key: &Key) {
    let Some((head, rest)) = path.split_once('.') else {
        if key.needed {
            let required = into.entry("required").or_insert_with(|| json!([]));
            if let Some(names) = required.as_array_mut() {
                names.push(json!(path));
            }
        }
        if let Some(Value::Object(properties)) = into.get_mut("properties") {
            properties.insert(path.to_owned(), leaf(key));
        }
        return;
    };
    let Some(Value::Object(properties)) = into.get_mut("properties") else { return };
    let inner = match head.strip_suffix("[]") {
        None => properties.entry(head).or_insert_with(|| Value::Object(object())),
        Some(name) => {
            let tables = properties
                .entry(name)
                .or_insert_with(|| json!({"type": "array", "items": object()}));
            match tables.get_mut("items") {
                Some(items) => items,
                None => return,
            }
        }
    };
    if let Value::Object(inner) = inner {
        place(inner, rest, key);
    }
}

fn leaf(key: &Key) -> Value {
    let reference = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "properties": {
            "file": {"type": "string"}, "env": {"type": "string"}, "credential": {"type": "string"}
        }
    });
    let mut value = match key.kind {
        Kind::Text | Kind::Path => json!({"type": "string"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer", "minimum": 0}),
        Kind::Span => json!({"type": "string", "pattern": "^[0-9]+(d|h|m|s|ms)$"}),
        Kind::List => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Word(words) => json!({"enum": words}),
        Kind::Words(words) => json!({"type": "array", "items": {"enum": words}}),
        Kind::Limits => json!({"oneOf": [
            {"type": "string"}, {"type": "array", "items": {"type": "string"}}
        ]}),
        Kind::Counts => {
            json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}})
        }
        Kind::Secret => reference,
        Kind::TextOrSecret => json!({"oneOf": [{"type": "string"}, reference]}),
    };
    if let Some(members) = value.as_object_mut() {
        members.insert("description".into(), json!(key.doc));
    }
    value
}

/// What `config explain` prints about a key.
pub(crate) fn explain(key: &Key) -> String {
    let kind = match key.kind {
        Kind::Text => "text".to_owned(),
        Kind::Path => "a path, relative to the file".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Span => "a duration: 90d, 12h, 15m, 30s, 250ms".to_owned(),
        Kind::List => "a list of texts".to_owned(),
        Kind::Word(words) => format!("one of {}", words.join(", ")),
        Kind::Words(words) => format!("a list of {}", words.join(", ")),
        Kind::Limits => "a limit, or a list of limits: \"200/s per caller\"".to_owned(),
        Kind::Counts => "whole numbers by name: { exportOrders = 50 }".to_owned(),
        Kind::Secret => "a reference to a secret: { file | env | credential = \"…\" }".to_owned(),
        Kind::TextOrSecret => "text, or a reference to a secret".to_owned(),
    };
    let default = match (key.needed, key.default) {
        (true, _) => "needed".to_owned(),
        (false, "") => "none".to_owned(),
        (false, default) => default.to_owned(),
    };
    format!("{}\n  {}\n  value    {kind}\n  default  {default}\n", key.path, key.doc)
}

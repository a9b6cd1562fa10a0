//! docs/reference/configuration.md: every key of portreeve.toml, from the published schema.

use std::fmt::Write;

use serde_json::Value;

use super::binary::Binary;
use super::{cell, head};
use crate::repository::Chore;

pub(super) fn page(binary: &Binary) -> Chore<String> {
    let schema = binary.output(&["config", "schema"])?;
    let schema: Value = serde_json::from_str(&schema).map_err(|e| format!("config schema: {e}"))?;
    let mut keys = Vec::new();
    collect(&schema, "", &mut keys);
    let mut text = head(
        "Configuration",
        "Every key of `portreeve.toml`. What is not written has a safe default. Unknown keys are \
         errors. `portreeve config check` reads a file without running it; `portreeve config schema` \
         prints the schema for editors.\n\n`[]` marks tables that may come more than once, written \
         `[[api]]`.",
    );
    text.push_str("\n| key | what it does | value | default |\n|--|--|--|--|\n");
    for key in keys {
        let explained = binary.output(&["config", "explain", &key])?;
        let Explained { doc, value, default } = Explained::parse(&explained);
        writeln!(text, "| `{key}` | {} | {} | {} |", cell(doc), cell(value), cell(default))
            .map_err(|e| e.to_string())?;
    }
    Ok(text)
}

/// Dotted paths of all leaves, in the order of the schema.
fn collect(schema: &Value, prefix: &str, into: &mut Vec<String>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, inner) in properties {
        let path = format!("{prefix}{name}");
        let is_reference = inner["maxProperties"].is_u64();
        if inner["items"]["properties"].is_object() {
            collect(&inner["items"], &format!("{path}[]."), into);
        } else if inner["properties"].is_object() && !is_reference {
            collect(inner, &format!("{path}."), into);
        } else {
            into.push(path);
        }
    }
}

/// What `portreeve config explain KEY` prints, in parts.
struct Explained<'a> {
    doc: &'a str,
    value: &'a str,
    default: &'a str,
}

impl<'a> Explained<'a> {
    fn parse(text: &'a str) -> Self {
        let field = |name: &str| {
            text.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap_or_default().trim()
        };
        let doc = text.lines().nth(1).unwrap_or_default().trim();
        Self { doc, value: field("value "), default: field("default ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_collected_through_tables_and_arrays() {
        let schema = serde_json::json!({"properties": {
            "url": {"type": "string"},
            "tls": {"properties": {"cert": {"type": "string"}}},
            "api": {"items": {"properties": {"name": {}, "tags": {"items": {"type": "string"}}}}},
            "pepper": {"maxProperties": 1, "properties": {"file": {}}},
        }});
        let mut keys = Vec::new();
        collect(&schema, "", &mut keys);
        keys.sort();
        assert_eq!(keys, ["api[].name", "api[].tags", "pepper", "tls.cert", "url"]);
    }

    #[test]
    fn explanations_are_read_in_parts() {
        let text = "url\n  Where callers are.\n  value    text\n  default  none\n";
        let Explained { doc, value, default } = Explained::parse(text);
        assert_eq!((doc, value, default), ("Where callers are.", "text", "none"));
    }
}

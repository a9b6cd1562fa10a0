//! The claims of a token as conditions read them: dotted names, each with its values as texts.

use serde_json::{Map, Value};

use crate::ClaimValues;

/// How deep objects may be in each other. What is deeper is left out, as if it were not there.
const DEPTH_MAX: usize = 4;
/// Most names of one token, and the longest value in bytes: a cached token must stay small. A claim
/// beyond either is left out whole, so that no condition holds by half of it.
const NAMES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 512;
/// Most values of one claim.
const VALUES_MAX: usize = 256;

pub(super) fn of(payload: &Map<String, Value>) -> ClaimValues {
    let mut out = ClaimValues::new();
    walk(payload, "", 1, &mut out);
    out
}

fn walk(object: &Map<String, Value>, within: &str, depth: usize, out: &mut ClaimValues) {
    for (name, value) in object {
        let name = format!("{within}{name}");
        match value {
            Value::Object(inner) if depth < DEPTH_MAX => {
                walk(inner, &format!("{name}."), depth + 1, out);
            }
            value => {
                if let Some(values) = texts(value).filter(|_| out.len() < NAMES_MAX) {
                    out.insert(name, values);
                }
            }
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) if items.len() <= VALUES_MAX => items.iter().map(text).collect(),
        value => Some(vec![text(value)?]),
    }
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (text.len() <= VALUE_BYTES_MAX).then_some(text)
}

#[cfg(test)]
mod tests;

//! Bodies in JSON: what has one reading, the values at a dotted name, and what a body writes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::{Reading, Writes};

/// How deep values may be in each other.
const DEPTH_MAX: usize = 64;

/// JSON that has one reading: no property twice, not too deep.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict::deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    (depth(&value.0) <= DEPTH_MAX).then_some(value.0)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The values of a property by its dotted name; of arrays, those of every element.
pub fn read<'v>(root: &'v Value, path: &str) -> Reading<'v> {
    let mut values = SmallVec::new();
    match collect(root, path, &mut values) {
        Some(()) => Reading::Values(values),
        None => Reading::Unreadable,
    }
}

/// Whether every property is allowed by its dotted name or that of one around it.
pub fn writes(root: &Value, allowed: &[String]) -> Writes {
    let mut outside = Vec::new();
    walk(root, "", allowed, &mut outside);
    outside.sort_unstable();
    outside.dedup();
    if outside.is_empty() { Writes::Within } else { Writes::Outside(outside) }
}

/// Adds the values at a dotted name. `None`: one of them is no text, number or boolean, or a name
/// is there in another case too, which some readers take for the same (Go, .NET).
fn collect<'v>(
    value: &'v Value,
    path: &str,
    values: &mut SmallVec<[Cow<'v, str>; 1]>,
) -> Option<()> {
    if let Value::Array(items) = value {
        return items.iter().try_for_each(|item| collect(item, path, values));
    }
    let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, "")))
    else {
        values.push(match value {
            Value::String(text) => Cow::Borrowed(text),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        });
        return Some(());
    };
    let Value::Object(object) = value else { return None };
    let twins = object.keys().filter(|key| key.eq_ignore_ascii_case(name)).count();
    match object.get(name) {
        Some(inner) if twins == 1 => collect(inner, rest, values),
        None if twins == 0 => Some(()),
        _ => None,
    }
}

fn walk(value: &Value, within: &str, allowed: &[String], outside: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, within, allowed, outside)),
        Value::Object(object) => {
            for (name, inner) in object {
                let dot = if within.is_empty() { "" } else { "." };
                let path = format!("{within}{dot}{name}");
                if allowed.contains(&path) {
                    continue;
                }
                let leads_on = |allowed: &String| {
                    allowed.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
                };
                if allowed.iter().any(leads_on) && is_structure(inner) {
                    walk(inner, &path, allowed, outside);
                } else {
                    outside.push(path);
                }
            }
        }
        // A bare value is no property, and nothing says that it may be written.
        _ => outside.push(if within.is_empty() { "(value)".to_owned() } else { within.to_owned() }),
    }
}

/// An object, or an array of objects. (`{"a": 1}` does not write `a.b`.)
fn is_structure(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().all(is_structure),
        _ => false,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole).map(Self)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("a property comes twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

//! Text to values, for JSON and YAML alike: bounded, and refusing a name that occurs twice.

use std::fmt;

use base::Problem;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::DOCUMENT_BYTES_MAX;

/// How deep a document may nest.
const DEPTH_MAX: usize = 64;
/// How many nodes a YAML document may have, and how many its aliases may repeat.
const YAML_NODES_MAX: usize = 2_000_000;
const YAML_REPEATED_MAX: usize = 250_000;

/// Parses a document in JSON or YAML, of at most [`DOCUMENT_BYTES_MAX`] bytes. `name` is the file
/// or address that problems name, with line and column.
///
/// # Errors
/// What cannot be read, or has a name twice.
pub fn document(text: &str, name: &str) -> Result<Value, Problem> {
    if text.len() > DOCUMENT_BYTES_MAX {
        let detail = format!("the document is longer than {DOCUMENT_BYTES_MAX} bytes");
        return Err(Problem::invalid("document_too_large", detail)
            .at(name)
            .hint("split the API, or remove examples from the document"));
    }
    // A byte order mark is legal in both and meant by nobody.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') { json(text, name) } else { yaml(text, name) }
}

fn json(text: &str, name: &str) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Strict(DEPTH_MAX)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|why| {
            // serde_json ends its messages with the position, which stands in the place already.
            let text = why.to_string();
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            unreadable("JSON", what, &format!("{name}:{}:{}", why.line(), why.column()))
        })
}

fn yaml(text: &str, name: &str) -> Result<Value, Problem> {
    yaml_with(text, Strict(DEPTH_MAX)).map_err(|why| {
        let place = match why.location() {
            Some(at) => format!("{name}:{}:{}", at.line(), at.column()),
            None => name.to_owned(),
        };
        let text = why.without_snippet().to_string();
        unreadable("YAML", text.lines().next().unwrap_or_default(), &place)
    })
}

/// Reads YAML with a seed, within limits on depth, size and what aliases may blow up to.
pub(super) fn yaml_with<'t, S: DeserializeSeed<'t>>(
    text: &'t str,
    seed: S,
) -> Result<S::Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        // OpenAPI is YAML 1.2 by its JSON schema: `no`, `on` and `n` are texts.
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: YAML_NODES_MAX,
            max_events: YAML_NODES_MAX * 2,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: YAML_REPEATED_MAX,
        },
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
        seed.deserialize(reader)
    })
}

fn unreadable(format: &str, why: &str, place: &str) -> Problem {
    Problem::invalid("unreadable_document", format!("not acceptable {format}: {why}"))
        .at(place)
        .hint("correct the document there and import it again; nothing was changed")
}

/// Reads one value that may nest this many levels further.
#[derive(Clone, Copy)]
struct Strict(usize);

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let nested = || E::custom(format!("nested more than {DEPTH_MAX} deep"));
        self.0.checked_sub(1).map(Self).ok_or_else(nested)
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // YAML's infinities and NaN have no JSON form; nothing that is read here is a float.
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` occurs twice")));
            }
            out.insert(name, members.next_value_seed(seed)?);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests;

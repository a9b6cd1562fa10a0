//! The one byte form of a value that is hashed or signed: JSON with the members of every object
//! sorted by name and no white space. It is the part of RFC 8785 that needs no number formatting:
//! floating-point numbers are refused, because their text form varies between writers.

use serde::Serialize;
use serde_json::Value;

use crate::Digest;

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum NotCanonical {
    /// The value cannot be written as JSON.
    #[error("not representable as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is not a whole number.
    #[error("`{0}` is not a whole number")]
    Float(String),
}

/// The canonical bytes of a value.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// SHA-256 of the canonical bytes.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest, NotCanonical> {
    Ok(Digest::of(&[&to_bytes(value)?]))
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    match value {
        Value::Number(number) if number.is_f64() => Err(NotCanonical::Float(number.to_string())),
        Value::Array(items) => write_all(b'[', items.iter(), b']', out, write),
        Value::Object(members) => {
            // Sorted here, not by the map: its order depends on a feature that any crate of the
            // build can switch on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            write_all(b'{', members.into_iter(), b'}', out, |(name, item), out| {
                serde_json::to_writer(&mut *out, name)?;
                out.push(b':');
                write(item, out)
            })
        }
        scalar => Ok(serde_json::to_writer(out, scalar)?),
    }
}

fn write_all<T>(
    open: u8,
    items: impl Iterator<Item = T>,
    close: u8,
    out: &mut Vec<u8>,
    each: impl Fn(T, &mut Vec<u8>) -> Result<(), NotCanonical>,
) -> Result<(), NotCanonical> {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out)?;
    }
    out.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_has_no_canonical_form() {
        assert!(matches!(to_bytes(&serde_json::json!({"a": [1.5]})), Err(NotCanonical::Float(_))));
    }

    #[test]
    fn members_are_sorted_and_text_is_kept() {
        let value = serde_json::json!({"b": [1, null, true], "a": {"é": "x\"y", "A": -3}});
        let text = String::from_utf8(to_bytes(&value).unwrap()).unwrap();
        assert_eq!(text, r#"{"a":{"A":-3,"é":"x\"y"},"b":[1,null,true]}"#);
    }
}

//! Bodies in JSON: what has one reading, the values at a dotted name, and what a body writes.

use std::borrow::Cow;

use contract::{strict, writable};
use serde_json::{Number, Value};
use smallvec::SmallVec;

use crate::{Reading, Writes};

/// JSON that has one reading: no property twice, not too deep.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    strict::parse(bytes, strict::Limits::default()).ok()
}

/// The value that an element without the property has: nobody's, as no attribute has it. So what is
/// tied does not hold for an element that does not say whose it is.
pub(crate) const NOTHING: &str = "\0";

/// A JSON patch (RFC 6902): a list of steps, which says nothing of what comes out. Read as what it
/// changes, its steps could carry any property.
pub fn is_patch(media: &[u8]) -> bool {
    let kind = media.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json-patch+json")
}

/// The values of a property by its dotted name; of arrays, those of every element.
pub fn read<'v>(root: &'v Value, path: &str) -> Reading<'v> {
    let mut values = SmallVec::new();
    match collect(root, path, &mut values) {
        Some(()) if values.iter().all(|value| value == NOTHING) => Reading::absent(),
        Some(()) => Reading::Values(values),
        None => Reading::Unreadable,
    }
}

/// Whether every property is allowed by its dotted name or that of one around it.
pub fn writes(root: &Value, allowed: &[String]) -> Writes {
    // A bare value is no property, and nothing says that it may be written.
    if !is_structure(root) {
        return Writes::Outside(vec!["(value)".to_owned()]);
    }
    let Ok(allowed) = writable::Fields::parse(allowed.iter().map(String::as_str)) else {
        return Writes::Unreadable;
    };
    let outside = writable::check(root, &allowed);
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
        if items.is_empty() {
            values.push(Cow::Borrowed(NOTHING));
        }
        return items.iter().try_for_each(|item| collect(item, path, values));
    }
    let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, "")))
    else {
        values.push(match value {
            Value::String(text) if text == NOTHING => return None,
            Value::String(text) => Cow::Borrowed(text),
            Value::Number(number) => Cow::Owned(plain(number)?),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        });
        return Some(());
    };
    let Value::Object(object) = value else { return None };
    let twins = object.keys().filter(|key| is_twin(key, name)).count();
    match object.get(name) {
        Some(inner) if twins == 1 => collect(inner, rest, values),
        None if twins == 0 => {
            values.push(Cow::Borrowed(NOTHING));
            Some(())
        }
        _ => None,
    }
}

/// From here on several whole numbers share one double.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A number in the one form that conditions compare: digits without an exponent, without a fraction
/// that is zero, and zero without a sign. `None`: as a double it is no longer the number that was
/// sent, and who reads it otherwise has another one. A double has a few hundred digits at most.
fn plain(number: &Number) -> Option<String> {
    if number.is_u64() || number.is_i64() {
        return Some(number.to_string());
    }
    let value = number.as_f64()?;
    let is_exact = value.fract() != 0.0 || value.abs() < WHOLE_MAX;
    // Nothing added makes `-0` plain `0`.
    is_exact.then(|| (value + 0.0).to_string())
}

/// Whether some readers take a name for another: by its case, also as Unicode has it (`\u{17f}` is a
/// small `s`, `\u{212a}` a capital `k`).
fn is_twin(found: &str, name: &str) -> bool {
    if found.is_ascii() && name.is_ascii() {
        return found.eq_ignore_ascii_case(name);
    }
    fn folded(text: &str) -> impl Iterator<Item = char> {
        text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
    }
    folded(found).eq(folded(name))
}

/// An object, or an array of objects. (`{"a": 1}` does not write `a.b`.)
fn is_structure(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().all(is_structure),
        _ => false,
    }
}

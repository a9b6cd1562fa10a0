//! Texts of addresses and header fields as the values they stand for.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::run::Task;
use crate::schema::Id;
use crate::schema::types::Types;

/// Undoes percent-encoding (RFC 3986 §2.1), and in queries `+` for a space, as forms have it.
/// `None` where `%` is not followed by two digits, or the result is not UTF-8.
pub(crate) fn decoded(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    let coded = |byte: u8| byte == b'%' || (plus_is_space && byte == b'+');
    if !text.bytes().any(coded) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                bytes.extend(base::encoding::from_hex(std::str::from_utf8(digits).ok()?)?);
                rest = tail;
            }
            b'+' if plus_is_space => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The value of one of these types that a text stands for: the first that meets the schema, else
/// the first that can be read, which then tells what is wrong. `None` when none can be read.
pub(crate) fn value(task: &Task<'_>, id: Option<Id>, types: Types, text: &str) -> Option<Value> {
    let mut readings = readings(types, text);
    let several = readings.len() > 1;
    let fitting = id
        .filter(|_| several)
        .and_then(|id| readings.iter().position(|reading| task.fits(id, reading)));
    readings.drain(..).nth(fitting.unwrap_or_default())
}

/// What a text can be read as, from the narrowest type to the widest.
fn readings(types: Types, text: &str) -> Vec<Value> {
    let mut out = Vec::new();
    if types.meets(Types::NUMBER) {
        let integers_only = !types.has(Types::FRACTION);
        out.extend(number(text, integers_only).map(Value::Number));
    }
    if types.has(Types::BOOLEAN) {
        out.extend(text.parse().ok().map(Value::Bool));
    }
    if types.has(Types::NULL) && matches!(text, "" | "null") {
        out.push(Value::Null);
    }
    if types.has(Types::STRING) {
        out.push(Value::String(text.to_owned()));
    }
    out
}

/// A number as JSON writes it.
fn number(text: &str, integers_only: bool) -> Option<Number> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let allowed = text.bytes().all(|byte| byte.is_ascii_digit() || b"-+.eE".contains(&byte));
    let number = serde_json::from_str(text).ok().filter(|_| allowed)?;
    (digits || !integers_only).then_some(number)
}

#[cfg(test)]
mod tests;

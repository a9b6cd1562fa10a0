//! Whether two values are the same in the sense of JSON Schema: `1` is `1.0`, and objects do not
//! have an order.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde_json::Value;

use super::number;

pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => number::order(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| equal(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        (a, b) => a == b,
    }
}

/// The same for values that are the same. Whoever wants to can find two values with one
/// fingerprint, so what is done with it has to be bounded in another way too.
fn fingerprint(value: &Value) -> u64 {
    let mut hasher = FxHasher::default();
    match value {
        Value::Null => 0_u8.hash(&mut hasher),
        Value::Bool(flag) => flag.hash(&mut hasher),
        Value::Number(one) => match number::integer(one) {
            Some(integer) => integer.hash(&mut hasher),
            None => one.as_f64().map(f64::to_bits).hash(&mut hasher),
        },
        Value::String(text) => text.hash(&mut hasher),
        Value::Array(items) => {
            items.iter().for_each(|item| fingerprint(item).hash(&mut hasher));
            items.len().hash(&mut hasher);
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let mut hasher = FxHasher::default();
                (name, fingerprint(value)).hash(&mut hasher);
                hasher.finish()
            };
            members.iter().map(member).fold(0, u64::wrapping_add).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Whether items of an array are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distinct {
    /// No two are.
    All,
    /// Some are; the index of one that is like another before it.
    Not(usize),
    /// More pairs have one fingerprint than may be compared.
    TooCostly,
}

/// Compares items; `pairs_max` bounds how many pairs are looked at closely.
pub(crate) fn distinct(items: &[Value], mut pairs_max: usize) -> Distinct {
    let mut order: Vec<(u64, usize, &Value)> =
        items.iter().enumerate().map(|(index, item)| (fingerprint(item), index, item)).collect();
    order.sort_unstable_by_key(|(print, index, _)| (*print, *index));
    for run in order.chunk_by(|(a, ..), (b, ..)| a == b) {
        for (at, (_, index, item)) in run.iter().enumerate() {
            for (.., other) in run.iter().take(at) {
                let Some(left) = pairs_max.checked_sub(1) else { return Distinct::TooCostly };
                pairs_max = left;
                if equal(item, other) {
                    return Distinct::Not(*index);
                }
            }
        }
    }
    Distinct::All
}

#[cfg(test)]
mod tests;

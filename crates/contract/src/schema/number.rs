//! Numbers as JSON Schema compares them: by value, however they are written. Integers are compared
//! exactly, also with doubles, because two keys that differ in the last digit are two keys.

use std::cmp::Ordering;

use serde_json::Number;

/// Doubles from here on are integers, and beyond 64 bits.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

/// The integer that a number is, if it is one of those within some 64 bits.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    if let Some(signed) = number.as_i64() {
        return Some(signed.into());
    }
    if let Some(unsigned) = number.as_u64() {
        return Some(unsigned.into());
    }
    let double = number.as_f64().filter(|double| double.trunc() == *double)?;
    #[expect(clippy::cast_possible_truncation, reason = "an integer within 65 bits")]
    (double.abs() < BEYOND).then_some(double as i128)
}

/// Whether a number has no fraction.
pub(crate) fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|one| one.trunc() == one)
}

/// Which of two numbers is larger.
pub(crate) fn order(a: &Number, b: &Number) -> Ordering {
    if let (Some(a), Some(b)) = (integer(a), integer(b)) {
        return a.cmp(&b);
    }
    let (Some(a_double), Some(b_double)) = (a.as_f64(), b.as_f64()) else { return Ordering::Equal };
    match a_double.total_cmp(&b_double) {
        // One of them is no integer, and the other was rounded to it.
        Ordering::Equal => match (integer(a), integer(b)) {
            (Some(exact), None) => compare_exact(exact, b_double),
            (None, Some(exact)) => compare_exact(exact, a_double).reverse(),
            _ => Ordering::Equal,
        },
        other => other,
    }
}

/// An integer against a double that is none or is beyond all integers here.
fn compare_exact(exact: i128, double: f64) -> Ordering {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which keeps the order")]
    let floor = double.floor() as i128;
    if exact <= floor { Ordering::Less } else { Ordering::Greater }
}

/// Whether `value` is `step` taken an integer number of times, in decimal digits as written: `0.3`
/// is three times `0.1`, which doubles would deny.
pub(crate) fn is_multiple(value: &Number, step: &Number) -> bool {
    let (Some((value, value_tens)), Some((step, step_tens))) = (decimal(value), decimal(step))
    else {
        return false;
    };
    if step == 0 {
        return false;
    }
    if value_tens >= step_tens {
        let tens = value_tens - step_tens;
        let left = (0..tens).fold(value % step, |left, _| left * 10 % step);
        return left == 0;
    }
    // The value has more digits behind the point: it is divisible only by what it has there.
    let tens = (0..step_tens - value_tens).try_fold(step, |step, _| step.checked_mul(10));
    tens.map_or(value == 0, |step| value % step == 0)
}

/// Digits and the power of ten that they are to be taken by, without the sign.
fn decimal(number: &Number) -> Option<(u128, i32)> {
    let text = number.to_string();
    let (digits, tens) = match text.split_once(['e', 'E']) {
        Some((digits, tens)) => (digits, tens.parse::<i32>().ok()?),
        None => (text.as_str(), 0),
    };
    let digits = digits.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let value = format!("{whole}{fraction}").parse().ok()?;
    Some((value, tens - i32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests;

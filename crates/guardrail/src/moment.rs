//! Times as Cedar has them: milliseconds, while ours are microseconds. What is beyond is told
//! beside it, so that no grant ends a part of a millisecond too late.

use base::Timestamp;

const MILLI: i64 = 1_000;
const DAY_MILLIS: i64 = 86_400_000;

/// Whole milliseconds since 1970, and the microseconds beyond (0 to 999).
pub(crate) fn split(at: Timestamp) -> (i64, i64) {
    (at.as_micros().div_euclid(MILLI), at.as_micros().rem_euclid(MILLI))
}

/// `2026-11-28T20:15:00.000Z`; `None` outside of the years 0 to 9999, which Cedar cannot write.
pub(crate) fn text(millis: i64) -> Option<String> {
    let (year, month, day) = civil(millis.div_euclid(DAY_MILLIS));
    let rest = millis.rem_euclid(DAY_MILLIS);
    let (seconds, part) = (rest / MILLI, rest % MILLI);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    (0..=9_999).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}.{part:03}Z", {
            seconds % 60
        })
    })
}

/// The moment that a text in Cedar's form says: a day, or a time with an offset.
pub(crate) fn read(text: &str) -> Option<i64> {
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    // Cedar writes an offset without a colon, and our own times have one.
    let full = match full.len().checked_sub(5).and_then(|at| full.split_at_checked(at)) {
        Some((time, offset)) if offset.starts_with(['+', '-']) => {
            let (hours, minutes) = offset.split_at_checked(3)?;
            format!("{time}{hours}:{minutes}")
        }
        _ => full,
    };
    Timestamp::parse(&full).ok().map(|at| at.as_micros().div_euclid(MILLI))
}

/// The same as an expression.
pub(crate) fn expression(millis: i64) -> String {
    match text(millis) {
        Some(text) => format!("datetime(\"{text}\")"),
        None => format!("datetime(\"1970-01-01\").offset(duration(\"{millis}ms\"))"),
    }
}

/// The condition that `context.now` is before a moment, to the microsecond.
pub(crate) fn is_before(end: Timestamp) -> String {
    let (millis, beyond) = split(end);
    let end = expression(millis);
    if beyond == 0 {
        return format!("context.now < {end}");
    }
    format!("(context.now < {end} || (context.now == {end} && context.now_us < {beyond}))")
}

/// Year, month and day of a day since 1970 in the Gregorian calendar (Hinnant's algorithm: years
/// begin in March, so that the leap day is the last).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;

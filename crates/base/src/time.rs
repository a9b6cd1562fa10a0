//! Moments and spans, both in whole microseconds, and their text forms: RFC 3339 in UTC for
//! moments, `90d`, `1h`, `15m`, `30s`, `250ms` for spans.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01T00:00:00Z. Serialised as RFC 3339 text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A length of time in microseconds, never negative when parsed. Serialised as text (`90d`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Span(i64);

/// Why a text is not a moment or a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// Not RFC 3339, or outside the years 0 to 9999.
    #[error("`{0}` is not a time; write it like 2026-03-01T09:00:00Z")]
    Timestamp(String),
    /// Not a number followed by a unit, or too long for a span.
    #[error("`{0}` is not a duration; write a number and a unit: 90d, 12h, 15m, 30s, 250ms")]
    Span(String),
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the Unix epoch; saturates.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Days since the Unix epoch in UTC, rounded down: the unit in which usage is folded.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// The start (00:00 UTC) of a day counted as by [`Timestamp::day`].
    pub const fn from_day(day: i64) -> Self {
        Self(day.saturating_mul(MICROS_PER_DAY))
    }

    /// The time from `earlier` to this moment; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Parses RFC 3339 with any offset, or a bare date (`2026-03-01`, taken as 00:00 UTC).
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime::Timestamp(text.to_owned());
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(moment.as_microsecond()));
        }
        // A date-time without a zone would pass as a date; only the bare form is taken.
        if text.len() != "2026-03-01".len() {
            return Err(bad());
        }
        let date = text.parse::<jiff::civil::Date>().map_err(|_| bad())?;
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?;
        Ok(Self(zoned.timestamp().as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many decimals as needed. Moments outside the years that the
    /// format can write are shown as microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = BadTime;
    fn try_from(text: String) -> Result<Self, BadTime> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> String {
        moment.to_string()
    }
}

impl std::str::FromStr for Timestamp {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        Self::parse(text)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Span {
    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// From seconds; saturates.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// From days of 24 hours; saturates.
    pub const fn from_days(days: i64) -> Self {
        Self(days.saturating_mul(MICROS_PER_DAY))
    }

    /// In microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// In whole seconds, rounded towards zero.
    pub const fn as_secs(self) -> i64 {
        self.0 / 1_000_000
    }

    /// In whole days of 24 hours, rounded towards zero.
    pub const fn as_days(self) -> i64 {
        self.0 / MICROS_PER_DAY
    }

    /// For timers; zero when negative.
    pub const fn to_std(self) -> std::time::Duration {
        if self.0 <= 0 {
            return std::time::Duration::ZERO;
        }
        std::time::Duration::from_micros(self.0.unsigned_abs())
    }

    /// Parses a whole number and one unit: `d`, `h`, `m`, `s`, `ms`.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime::Span(text.to_owned());
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, unit) = trimmed.split_at_checked(split).ok_or_else(bad)?;
        let number: i64 = number.parse().map_err(|_| bad())?;
        let micros = match unit {
            "d" => MICROS_PER_DAY,
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            _ => return Err(bad()),
        };
        number.checked_mul(micros).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Span {
    /// The largest unit that writes the span as a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units =
            [(MICROS_PER_DAY, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];
        match units.iter().find(|(size, _)| self.0 % size == 0 && self.0 != 0) {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}ms", self.0 / 1_000),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = BadTime;
    fn try_from(text: String) -> Result<Self, BadTime> {
        Self::parse(&text)
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl std::str::FromStr for Span {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;

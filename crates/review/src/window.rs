//! The stretch of time that verdicts on use look at, and how much of it the records cover.

use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest window in days: active days are kept as bits of one word.
pub const WINDOW_DAYS_MAX: u32 = 120;

/// Below this share of the window (in thousandths) records are too thin for a verdict on disuse.
pub const COVERAGE_PERMILLE_MIN: u32 = 950;

/// How many weeks a usage line shows.
pub const WEEKS: usize = 13;

/// The half-open stretch `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it: when the inventory was read.
    pub until: Timestamp,
    /// Share of it for which the gate was up and its records were kept, in thousandths.
    pub coverage_permille: u32,
}

impl Window {
    /// The `days` before `until`; more than [`WINDOW_DAYS_MAX`] are cut to it.
    pub fn ending(until: Timestamp, days: u32, coverage_permille: u32) -> Self {
        let days = i64::from(days.min(WINDOW_DAYS_MAX));
        Self { from: until - Span::from_days(days), until, coverage_permille }
    }

    /// The share of the window that records since `seen_since` cover, in thousandths.
    pub fn coverage_since(until: Timestamp, days: u32, seen_since: Option<Timestamp>) -> u32 {
        let length = Span::from_days(i64::from(days.clamp(1, WINDOW_DAYS_MAX))).as_micros();
        let Some(since) = seen_since else { return 0 };
        let seen = until.since(since).as_micros().clamp(0, length);
        u32::try_from(i128::from(seen) * 1_000 / i128::from(length)).unwrap_or(0)
    }

    /// The records are enough to say that something was not used.
    pub const fn is_sufficient(&self) -> bool {
        self.coverage_permille >= COVERAGE_PERMILLE_MIN
    }

    /// Its length in whole days.
    pub fn days(&self) -> u32 {
        u32::try_from(self.until.since(self.from).as_days()).unwrap_or(0)
    }

    /// `at` lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Which of the last [`WEEKS`] weeks of it `at` lies in, 0 being the oldest.
    pub fn week_of(&self, at: Timestamp) -> Option<usize> {
        let back = usize::try_from(self.until.since(at).as_micros().max(0)).ok()?;
        let week = usize::try_from(Span::from_days(7).as_micros()).ok()?;
        WEEKS.checked_sub(1 + back.saturating_sub(1) / week)
    }
}

#[cfg(test)]
mod tests;

//! Days and months of UTC, which quotas are counted in.

use base::{Timestamp, words};

words! {
    /// The time in which a quota is counted.
    Calendar {
        /// A day of UTC.
        Day = "day",
        /// A month of UTC.
        Month = "month",
    }
}

/// One day or month, from its start to the start of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// 00:00 UTC of its first day.
    pub start: Timestamp,
    /// 00:00 UTC of the day after its last.
    pub end: Timestamp,
}

impl Period {
    /// The one that `now` is in.
    pub fn at(calendar: Calendar, now: Timestamp) -> Self {
        let today = now.day();
        let (first, next) = match calendar {
            Calendar::Day => (today, today + 1),
            Calendar::Month => {
                let (year, month) = month_of(today);
                let (after, following) =
                    if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                (first_day(year, month), first_day(after, following))
            }
        };
        Self { start: Timestamp::from_day(first), end: Timestamp::from_day(next) }
    }

    /// How long it is, in seconds.
    pub fn seconds(self) -> u64 {
        u64::try_from(self.end.since(self.start).as_secs()).unwrap_or_default()
    }
}

/// Days before the year 0000-03-01, from which the calendar repeats every 400 years.
const EPOCH_SHIFT: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;

/// Year and month (1 to 12) of a day since 1970-01-01. Years begin in March here, so that the leap
/// day is the last of its year.
fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + EPOCH_SHIFT;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_PER_ERA), shifted.rem_euclid(DAYS_PER_ERA));
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let before_year = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let month = (5 * (day_of_era - before_year) + 2) / 153;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3) } else { (year + 1, month - 9) }
}

/// The first day of a month, since 1970-01-01.
fn first_day(year: i64, month: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let before_month = (153 * month + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + before_month;
    era * DAYS_PER_ERA + day_of_era - EPOCH_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(calendar: Calendar, now: &str) -> String {
        let period = Period::at(calendar, Timestamp::parse(now).unwrap());
        format!("{} to {}", period.start, period.end)
    }

    #[test]
    fn a_day_and_a_month_end_at_midnight_of_utc() {
        for (calendar, now, expected) in [
            (Calendar::Day, "2026-03-02T09:00:00Z", "2026-03-02T00:00:00Z to 2026-03-03T00:00:00Z"),
            (
                Calendar::Day,
                "2026-03-02T23:59:59.999999+05:00",
                "2026-03-02T00:00:00Z to 2026-03-03T00:00:00Z",
            ),
            (
                Calendar::Month,
                "2026-03-02T09:00:00Z",
                "2026-03-01T00:00:00Z to 2026-04-01T00:00:00Z",
            ),
            (
                Calendar::Month,
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z to 2027-01-01T00:00:00Z",
            ),
            (
                Calendar::Month,
                "2028-02-29T12:00:00Z",
                "2028-02-01T00:00:00Z to 2028-03-01T00:00:00Z",
            ),
            (
                Calendar::Month,
                "1969-12-31T23:59:59Z",
                "1969-12-01T00:00:00Z to 1970-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(shown(calendar, now), expected, "{calendar} {now}");
        }
    }

    #[test]
    fn months_follow_each_other_without_gap_for_centuries() {
        let mut period = Period::at(Calendar::Month, Timestamp::parse("1899-01-01").unwrap());
        for _ in 0..12 * 302 {
            let next = Period::at(Calendar::Month, period.end);
            assert_eq!(next.start, period.end);
            assert!(next.start.to_string().ends_with("-01T00:00:00Z"), "{}", next.start);
            assert!((28 * 86_400..=31 * 86_400).contains(&next.seconds()));
            period = next;
        }
        // From the first month of 1899 it is 302 years and a month to the end of the last one.
        assert_eq!(period.end.to_string(), "2201-02-01T00:00:00Z");
    }
}

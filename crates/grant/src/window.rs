//! Hours of the week in which a grant allows: `mon-fri 08:00-18:00`, `sat,sun 00:00-24:00 +02:00`.
//!
//! Times are at a fixed offset from UTC (none = UTC). Clock changes are not followed: a zone's
//! rules change by law, and a decision must be the same when it is replayed years later.

use std::fmt;

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Minutes of a week.
pub const WEEK_MINUTES: u32 = 7 * DAY_MINUTES;
const DAY_MINUTES: u32 = 24 * 60;
const MINUTE_MICROS: i64 = 60_000_000;
/// 1970-01-01 was a Thursday; weeks begin on Monday (ISO 8601).
const EPOCH_MINUTES: i64 = 3 * DAY_MINUTES as i64;
const ALL_DAYS: u8 = 0b111_1111;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One window. Serialised as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// Bit 0 = Monday.
    days: u8,
    /// Minutes of the day, first and behind the last.
    from: u32,
    to: u32,
    /// Minutes east of UTC.
    offset: i32,
}

/// Why a text is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not like `mon-fri 08:00-18:00` or `sat,sun 00:00-24:00 +02:00`")]
pub struct BadWindow(String);

impl BadWindow {
    /// What was probably meant, as windows that can be written: hours over midnight are two, and
    /// days over Sunday are listed.
    pub fn instead(&self) -> Option<String> {
        let Parts { days, from, to, offset } = parts(&self.0)?;
        let evening = Window { days, from, to: if from < to { to } else { DAY_MINUTES }, offset };
        if from < to || to == 0 {
            return (from < evening.to).then(|| format!("`{evening}`"));
        }
        // The morning after: Sunday's is Monday.
        let next = (days << 1 | days >> 6) & ALL_DAYS;
        let morning = Window { days: next, from: 0, to, offset };
        (from > to && from < DAY_MINUTES).then(|| format!("`{evening}` and `{morning}`"))
    }
}

/// The minute of the UTC week, 0 to 10,079: 0 is Monday 00:00.
pub fn week_minute(at: Timestamp) -> u32 {
    let minutes = at.as_micros().div_euclid(MINUTE_MICROS) + EPOCH_MINUTES;
    u32::try_from(minutes.rem_euclid(i64::from(WEEK_MINUTES))).unwrap_or(0)
}

impl Window {
    /// Whether a moment is in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.contains_minute(week_minute(at))
    }

    /// Whether a minute of the UTC week is in it.
    pub fn contains_minute(&self, minute: u32) -> bool {
        let week = i64::from(WEEK_MINUTES);
        let local = (i64::from(minute) + i64::from(self.offset)).rem_euclid(week);
        let local = u32::try_from(local).unwrap_or(0);
        let (day, minute) = (local / DAY_MINUTES, local % DAY_MINUTES);
        self.days & (1 << day) != 0 && (self.from..self.to).contains(&minute)
    }

    /// The same as ranges of minutes of the UTC week, first and behind the last, sorted and apart.
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for minute in (0..WEEK_MINUTES).filter(|minute| self.contains_minute(*minute)) {
            match ranges.last_mut() {
                Some((_, end)) if *end == minute => *end += 1,
                _ => ranges.push((minute, minute + 1)),
            }
        }
        ranges
    }
}

impl std::str::FromStr for Window {
    type Err = BadWindow;
    fn from_str(text: &str) -> Result<Self, BadWindow> {
        parse(text).ok_or_else(|| BadWindow(text.to_owned()))
    }
}

/// What a text says, whether or not days and hours are in order.
struct Parts {
    days: u8,
    from: u32,
    to: u32,
    offset: i32,
}

fn parse(text: &str) -> Option<Window> {
    let Parts { days, from, to, offset } = parts(text)?;
    let in_order = from < to && !text.split_ascii_whitespace().take(1).any(is_over_sunday);
    in_order.then_some(Window { days, from, to, offset })
}

fn parts(text: &str) -> Option<Parts> {
    let mut words = text.split_ascii_whitespace();
    let (days, hours, offset) = (days(words.next()?)?, words.next()?, words.next());
    let (from, to) = hours.split_once('-')?;
    let (from, to) = (clock(from)?, clock(to)?);
    let offset = offset.map_or(Some(0), signed)?;
    words.next().is_none().then_some(Parts { days, from, to, offset })
}

fn day(name: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == name)
}

/// The first and the last day of a part like `mon-fri`, or of one like `mon`.
fn run(part: &str) -> Option<(usize, usize)> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    Some((day(first)?, day(last)?))
}

fn is_over_sunday(days: &str) -> bool {
    days.split(',').filter_map(run).any(|(first, last)| first > last)
}

fn days(text: &str) -> Option<u8> {
    let mut bits = 0u8;
    for part in text.split(',') {
        let (first, last) = run(part)?;
        let mut set = |days: std::ops::RangeInclusive<usize>| {
            days.for_each(|day| bits |= 1 << day);
        };
        if first <= last {
            set(first..=last);
        } else {
            set(first..=6);
            set(0..=last);
        }
    }
    Some(bits)
}

/// `hh:mm`, up to `24:00`.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= DAY_MINUTES).then_some(hours * 60 + minutes)
}

fn signed(text: &str) -> Option<i32> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let minutes = i32::try_from(clock(rest)?).ok()?;
    (minutes <= 14 * 60).then_some(sign * minutes)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut day = 0;
        while let Some(name) = DAYS.get(day) {
            let is_in = |day: usize| day < DAYS.len() && self.days & (1 << day) != 0;
            if !is_in(day) {
                day += 1;
                continue;
            }
            let run = (day..).take_while(|day| is_in(*day)).count();
            let last = day + run.saturating_sub(1);
            match DAYS.get(last) {
                Some(end) if last > day => write!(f, "{comma}{name}-{end}")?,
                _ => write!(f, "{comma}{name}")?,
            }
            comma = ",";
            day += run;
        }
        let (from, to) = (self.from, self.to);
        let (h, m) = (from / 60, from % 60);
        write!(f, " {h:02}:{m:02}-{:02}:{:02}", to / 60, to % 60)?;
        if self.offset != 0 {
            let sign = if self.offset < 0 { '-' } else { '+' };
            let off = self.offset.abs();
            write!(f, " {sign}{:02}:{:02}", off / 60, off % 60)?;
        }
        Ok(())
    }
}

impl From<Window> for String {
    fn from(window: Window) -> String {
        window.to_string()
    }
}

impl TryFrom<String> for Window {
    type Error = BadWindow;
    fn try_from(text: String) -> Result<Self, BadWindow> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;

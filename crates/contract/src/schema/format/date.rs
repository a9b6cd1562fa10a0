//! Dates and times as RFC 3339 writes them. Each reader takes all of a text or none of it.

/// What is left of a text.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        let digits = head.iter().map(|byte| char::from(*byte).to_digit(10));
        let value = digits.into_iter().try_fold(0, |sum, digit| Some(sum * 10 + digit?))?;
        self.0 = tail;
        Some(value)
    }

    /// One of these bytes.
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, tail) = self.0.split_first()?;
        self.0 = tail;
        allowed.contains(first).then_some(*first)
    }

    /// As many digits as there are.
    fn digits(&mut self) -> usize {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = self.0.get(count..).unwrap_or_default();
        count
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn full_date(&mut self) -> Option<()> {
        let year = self.number(4)?;
        self.one_of(b"-")?;
        let month = self.number(2)?;
        self.one_of(b"-")?;
        let day = self.number(2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        (1..=last).contains(&day).then_some(())
    }

    fn full_time(&mut self) -> Option<()> {
        let (hour, minute, second) = self.clock()?;
        if self.0.first() == Some(&b'.') {
            self.one_of(b".")?;
            (self.digits() > 0).then_some(())?;
        }
        let offset = self.offset()?;
        // A leap second is the last of a day in UTC.
        let day = 24 * 60;
        let in_utc = (i64::from(hour * 60 + minute) - offset).rem_euclid(day);
        (second < 60 || in_utc == day - 1).then_some(())
    }

    fn clock(&mut self) -> Option<(u32, u32, u32)> {
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        self.one_of(b":")?;
        let second = self.number(2)?;
        (hour < 24 && minute < 60 && second < 61).then_some((hour, minute, second))
    }

    /// In minutes.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2)?;
        self.one_of(b":")?;
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(sign * i64::from(hours * 60 + minutes))
    }
}

pub(super) fn date_time(text: &str) -> Option<()> {
    let mut rest = Rest(text.as_bytes());
    rest.full_date()?;
    // A space is what §5.6 allows for the sake of readability, and what databases print.
    rest.one_of(b"Tt ")?;
    rest.full_time()?;
    rest.end()
}

pub(super) fn date(text: &str) -> Option<()> {
    let mut rest = Rest(text.as_bytes());
    rest.full_date()?;
    rest.end()
}

pub(super) fn time(text: &str) -> Option<()> {
    let mut rest = Rest(text.as_bytes());
    rest.full_time()?;
    rest.end()
}

/// `P3DT4H`, `P2W`: units in their order, none left out between two.
pub(super) fn duration(text: &str) -> Option<()> {
    let text = text.strip_prefix('P')?;
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    if let Some(time) = time {
        units(time, b"HMS").filter(|count| *count > 0)?;
    }
    let weeks = time.is_none() && units(days, b"W") == Some(1);
    let count = if weeks { 1 } else { units(days, b"YMD")? };
    (count > 0 || time.is_some()).then_some(())
}

/// How many units a text has, if they are adjacent ones of these.
fn units(text: &str, order: &[u8]) -> Option<usize> {
    let mut rest = Rest(text.as_bytes());
    let mut last = None;
    let mut count = 0;
    while rest.end().is_none() {
        (rest.digits() > 0).then_some(())?;
        let unit = rest.one_of(order)?;
        let at = order.iter().position(|known| *known == unit)?;
        last.is_none_or(|last: usize| at == last + 1).then_some(())?;
        last = Some(at);
        count += 1;
    }
    Some(count)
}

//! Rates by the generic cell rate algorithm: one moment of state per key, no windows, no bursts at
//! window edges.
//!
//! A [`Share`] of a rate is a rate too: what one node of a fleet may admit of it.

use base::{Span, Timestamp};

/// A part of a whole, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const WHOLE: Self = Self(1_000_000);

    /// So many millionths; never more than everything.
    pub fn from_millionths(millionths: u64) -> Self {
        Self(u32::try_from(millionths).unwrap_or(u32::MAX).min(Self::WHOLE.0))
    }

    /// In millionths.
    pub const fn millionths(self) -> u64 {
        self.0 as u64
    }

    /// This part of an amount, rounded down.
    pub fn of(self, amount: u64) -> u64 {
        let (part, whole) = (u64::from(self.0), u64::from(Self::WHOLE.0));
        // Divided first, so that no amount overflows.
        amount / whole * part + amount % whole * part / whole
    }
}

/// What a key has used of its rate: the moment up to which it has used it, in nanoseconds since the
/// Unix epoch. (Microseconds would be off by a tenth at a hundred thousand a second.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct State(i64);

impl State {
    /// Nothing yet.
    pub const FRESH: Self = Self(i64::MIN);

    /// Whether a key with this state could as well be forgotten at `now`.
    pub fn is_spent(self, now: Timestamp) -> bool {
        self.0 <= nanos(now)
    }
}

/// So many events in so much time, with so many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds between two events, rounded up: a rate is never exceeded by rounding.
    interval: i64,
    /// Events at once after a pause.
    burst: u32,
    /// Events that one may cost at most; a part of a rate has a smaller burst, not cheaper events.
    largest: u32,
}

impl Rate {
    /// `per_second` events a second on average, `burst` at once; each is at least one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self::per(per_second, Span::from_secs(1), burst)
    }

    /// `count` events in each `window` on average, `burst` at once; counts are at least one, and
    /// two events are at least a nanosecond apart.
    pub fn per(count: u32, window: Span, burst: u32) -> Self {
        Self::every(interval(count, window), burst)
    }

    /// One event in each so many nanoseconds on average.
    pub(crate) fn every(interval: i64, burst: u32) -> Self {
        let burst = burst.max(1);
        Self { interval: interval.max(1), burst, largest: burst }
    }

    /// A part of the rate. Its burst is at least one, or a small part could never be used; so the
    /// parts of one rate together can exceed its burst by one event each, and its average not.
    #[must_use]
    pub fn part(self, share: Share) -> Self {
        if share >= Share::WHOLE {
            return self;
        }
        let parts = i64::from(share.0.max(1));
        let scaled = self.interval.saturating_mul(i64::from(Share::WHOLE.0));
        let interval = scaled / parts + i64::from(scaled % parts != 0);
        let burst = u32::try_from(share.of(u64::from(self.burst))).unwrap_or(self.burst).max(1);
        Self { interval, burst, largest: self.largest }
    }

    /// The state of a key that had used all but one of its burst at `moment`.
    pub fn all_but_one(self, moment: Timestamp) -> State {
        State(nanos(moment).saturating_add(self.times(self.burst.saturating_sub(1))))
    }

    /// One more event at `now`, given the state after the last one: the next state, or how long to
    /// wait.
    pub fn step(self, state: State, now: Timestamp) -> Result<State, Span> {
        self.step_by(1, state, now)
    }

    /// An event that costs as much as so many. One that costs more than the burst passes after a
    /// pause that would allow all of the burst, and is paid for afterwards; one that costs nothing
    /// always passes.
    pub fn step_by(self, cost: u32, state: State, now: Timestamp) -> Result<State, Span> {
        if cost == 0 {
            return Ok(state);
        }
        let now = nanos(now);
        let due = state.0.max(now);
        let ahead = due.saturating_sub(now);
        let room = self.times(self.burst).saturating_sub(self.times(cost)).max(0);
        if ahead > room {
            return Err(Span::from_micros(micros_up(ahead - room)));
        }
        Ok(State(due.saturating_add(self.times(cost))))
    }

    /// The state as it may be at `now`. A clock that was set back makes a key look as if it had
    /// used far more than it can have; it has used all, then, and waits no longer than for that.
    #[must_use]
    pub fn settled(self, state: State, now: Timestamp) -> State {
        State(state.0.min(nanos(now).saturating_add(self.times(self.largest.max(self.burst)))))
    }

    /// How many events could come at once at `now`.
    pub fn left(self, state: State, now: Timestamp) -> u64 {
        self.free(state, now).0 / self.interval.max(1).unsigned_abs()
    }

    /// How much of the burst is free at `now`, and all of it, in one unit.
    pub(crate) fn free(self, state: State, now: Timestamp) -> (u64, u64) {
        let ahead = state.0.saturating_sub(nanos(now)).max(0);
        let whole = self.times(self.burst);
        (whole.saturating_sub(ahead).max(0).unsigned_abs(), whole.unsigned_abs())
    }

    /// How long from `now` until the whole burst could come again.
    pub fn whole_in(self, state: State, now: Timestamp) -> Span {
        Span::from_micros(micros_up(state.0.saturating_sub(nanos(now)).max(0)))
    }

    /// The state under another rate of a key that goes over to it at `now`. It takes along what it
    /// could have used at once, as far as the other rate has room for it, and nothing more: when a
    /// rate moves from one node to another, the burst does not come twice.
    #[must_use]
    pub fn converted(self, state: State, to: Self, now: Timestamp) -> State {
        let now = nanos(now);
        let ahead = i128::from(state.0.max(now)) - i128::from(now);
        let (from, into) = (i128::from(self.interval.max(1)), i128::from(to.interval.max(1)));
        // Both in units of `from`: what is free now, and what the other rate has room for.
        let free = i128::from(self.burst) * from - ahead;
        let room = i128::from(to.burst) * from;
        let used = room - free.min(room);
        let ahead = used * into / from + i128::from(used * into % from != 0);
        State(narrow(i128::from(now) + ahead))
    }

    fn times(self, events: u32) -> i64 {
        self.interval.saturating_mul(i64::from(events))
    }
}

/// Nanoseconds between two of `count` events in a window.
pub(crate) fn interval(count: u32, window: Span) -> i64 {
    let window = window.as_micros().saturating_mul(1_000).max(1);
    let count = i64::from(count.max(1));
    window / count + i64::from(window % count != 0)
}

fn nanos(moment: Timestamp) -> i64 {
    moment.as_micros().saturating_mul(1_000)
}

fn micros_up(nanos: i64) -> i64 {
    nanos / 1_000 + i64::from(nanos % 1_000 > 0)
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;

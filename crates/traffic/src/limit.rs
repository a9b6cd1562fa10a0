//! Limits: how much may be used, by whom, in what time. One line of text each:
//!
//! ```text
//! 200/s per identity            a rate: GCRA, in `s`, `min` or `h`
//! 1000/min per credential burst 50
//! 10000/day per grant           a quota: a counter in days or months of UTC
//! 20 concurrent per identity    requests at the same time
//! ```
//!
//! What is counted is the cost of a request, which is 1 unless its operation says otherwise; at
//! the same time each request counts once.
//!
//! A [`Limit`] is a value. What one key (an identity, a source, …) has used of it is a [`Meter`],
//! and how the nodes of a fleet divide it among them is [`fleet`]. No clock, no store, no map of
//! keys: those are the shell's.

mod demand;
pub mod fleet;
mod key;
mod meter;
mod name;
mod parse;
mod period;
mod quota;
mod standing;

use std::fmt;

use base::{Problem, Span, words};
use serde::{Deserialize, Serialize};

use crate::rate::{self, Rate};

pub use key::{BadKey, Caller, Key, KeyRef, network};
pub use meter::{Fleet, Meter, Terms};
pub use name::Name;
pub use period::{Calendar, Period};
pub use standing::{Fullness, Standing};

/// The most limits of one API or grant.
pub const LIMITS_MAX: usize = 8;
/// The most that a request can cost.
pub const COST_MAX: u32 = 1_000_000;
/// The most events that any limit counts.
const COUNT_MAX: u64 = 1_000_000_000_000;

words! {
    /// Whose use a limit counts together.
    Scope {
        /// All that one identity sends.
        Identity = "identity",
        /// All that is sent with one credential.
        Credential = "credential",
        /// All that one grant lets through.
        Grant = "grant",
        /// All that calls one operation, whoever sends it.
        Operation = "operation",
        /// All that comes from one source: an IPv4 address, or a /64 of IPv6.
        Source = "source",
        /// All that calls the API.
        Api = "api",
    }
}

words! {
    /// The time in which a rate is counted.
    Window {
        /// A second.
        Second = "s",
        /// A minute.
        Minute = "min",
        /// An hour.
        Hour = "h",
    }
}

impl Window {
    /// In seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

/// What is counted, and up to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// So many in each window on average, so many at once after a pause.
    Rate {
        /// In each window; at least 1.
        count: u32,
        /// The window.
        window: Window,
        /// At once; at least 1.
        burst: u32,
    },
    /// So many in each day or month of UTC.
    Quota {
        /// In each; at least 1.
        count: u64,
        /// Day or month.
        calendar: Calendar,
    },
    /// So many requests at the same time.
    Concurrent {
        /// At least 1.
        count: u32,
    },
}

/// How much may be used, by whom, in what time. Serialised as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    scope: Scope,
    measure: Measure,
    /// Of a rate: nanoseconds between two events. Every request needs it, and a division is not
    /// cheap.
    interval: i64,
}

impl Limit {
    fn new(scope: Scope, measure: Measure) -> Self {
        let interval = match measure {
            Measure::Rate { count, window, .. } => {
                rate::interval(count, Span::from_secs(i64::from(window.seconds())))
            }
            Measure::Quota { .. } | Measure::Concurrent { .. } => 0,
        };
        Self { scope, measure, interval }
    }

    /// Whose use it counts together.
    pub const fn scope(self) -> Scope {
        self.scope
    }

    /// What it counts.
    pub const fn measure(self) -> Measure {
        self.measure
    }

    /// What headers and messages call it. Depends on scope and window alone, so it stays when the
    /// amount changes.
    pub const fn name(self) -> Name {
        Name::of(self.scope, self.measure)
    }

    /// The most that one request can cost and still pass.
    pub fn capacity(self) -> u64 {
        match self.measure {
            Measure::Rate { burst, .. } => u64::from(burst),
            Measure::Quota { count, .. } => count,
            Measure::Concurrent { count } => u64::from(count),
        }
    }

    /// Whether a request's cost matters to it; requests at the same time count once each.
    pub const fn weighs(self) -> bool {
        !matches!(self.measure, Measure::Concurrent { .. })
    }

    /// Refuses lists of limits that cannot hold together: too many, or two of one name.
    pub fn check_list(limits: &[Self]) -> Result<(), Problem> {
        if limits.len() > LIMITS_MAX {
            let detail = format!("there are {} limits", limits.len());
            return Err(Problem::invalid("too_many_limits", detail)
                .hint(format!("keep the strictest; {LIMITS_MAX} can be held at once")));
        }
        for (index, limit) in limits.iter().enumerate() {
            let before = limits.iter().take(index);
            if let Some(twin) = before.into_iter().find(|other| other.name() == limit.name()) {
                let detail = format!("`{twin}` and `{limit}` limit the same");
                return Err(Problem::invalid("limit_twice", detail).hint("keep one of them"));
            }
        }
        Ok(())
    }

    /// Refuses a cost that no request of it could ever pass with.
    pub fn check_cost(self, operation: &str, cost: u32) -> Result<(), Problem> {
        if self.weighs() && u64::from(cost) > self.capacity() {
            let detail = format!("`{operation}` costs {cost} and can never pass `{self}`");
            let hint = match self.measure {
                Measure::Rate { .. } => format!("lower the cost, or write `{} burst {cost}`", {
                    let text = self.to_string();
                    text.split(" burst ").next().unwrap_or_default().to_owned()
                }),
                _ => "lower the cost, or raise the limit".to_owned(),
            };
            return Err(Problem::invalid("cost_over_limit", detail).hint(hint));
        }
        Ok(())
    }

    /// The rate, if it is one.
    pub(crate) fn rate(self) -> Option<Rate> {
        match self.measure {
            Measure::Rate { burst, .. } => Some(Rate::every(self.interval, burst)),
            Measure::Quota { .. } | Measure::Concurrent { .. } => None,
        }
    }
}

/// The burst of a rate that does not say: what the rate lets through in a second, at least one.
pub(crate) const fn usual_burst(count: u32, window: Window) -> u32 {
    let burst = count / window.seconds();
    if burst == 0 { 1 } else { burst }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::Rate { count, window, .. } => write!(f, "{count}/{window}")?,
            Measure::Quota { count, calendar } => write!(f, "{count}/{calendar}")?,
            Measure::Concurrent { count } => write!(f, "{count} concurrent")?,
        }
        write!(f, " per {}", self.scope)?;
        match self.measure {
            Measure::Rate { count, window, burst } if burst != usual_burst(count, window) => {
                write!(f, " burst {burst}")
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<String> for Limit {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> String {
        limit.to_string()
    }
}

#[cfg(test)]
mod tests;

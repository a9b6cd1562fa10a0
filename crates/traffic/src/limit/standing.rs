//! What a caller is told of a limit: the `RateLimit` and `RateLimit-Policy` fields of
//! draft-ietf-httpapi-ratelimit-headers (the form with one item per policy, from its ninth version
//! on).

use std::cmp::Ordering;
use std::fmt;

use base::Span;

use super::Name;

/// How a limit stands for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which limit.
    pub name: Name,
    /// How much it allows.
    pub allowed: u64,
    /// In how many seconds; `None` for requests at the same time.
    pub window: Option<u64>,
    /// How much is left.
    pub left: u64,
    /// How long until more is left.
    pub reset: Span,
}

impl Standing {
    /// Nothing is left for so long.
    #[must_use]
    pub fn used_up(self, wait: Span) -> Self {
        Self { left: 0, reset: wait, ..self }
    }

    /// Which of two is nearer to its end: the one with the smaller part left.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let mine = u128::from(self.left) * u128::from(other.allowed);
        let theirs = u128::from(other.left) * u128::from(self.allowed);
        match mine.cmp(&theirs) {
            Ordering::Less => self,
            Ordering::Greater => other,
            Ordering::Equal if self.left <= other.left => self,
            Ordering::Equal => other,
        }
    }

    /// Seconds of a wait, rounded up: who comes back too early is refused again.
    pub fn seconds(wait: Span) -> u64 {
        wait.as_micros().max(0).unsigned_abs().div_ceil(1_000_000)
    }

    /// The value of `RateLimit-Policy`.
    pub fn policy(self) -> impl fmt::Display {
        struct Policy(Standing);
        impl fmt::Display for Policy {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{}\";q={}", self.0.name, self.0.allowed)?;
                match self.0.window {
                    Some(seconds) => write!(f, ";w={seconds}"),
                    None => f.write_str(";qu=\"concurrent-requests\""),
                }
            }
        }
        Policy(self)
    }

    /// The value of `RateLimit`.
    pub fn service(self) -> impl fmt::Display {
        struct Service(Standing);
        impl fmt::Display for Service {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{}\";r={}", self.0.name, self.0.left)?;
                match Standing::seconds(self.0.reset) {
                    0 => Ok(()),
                    seconds => write!(f, ";t={seconds}"),
                }
            }
        }
        Service(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, allowed: u64, left: u64) -> Standing {
        let name = Name::find(name).unwrap();
        let window = (!name.is_concurrent()).then_some(60);
        Standing { name, allowed, window, left, reset: Span::from_millis(2_001) }
    }

    #[test]
    fn the_fields_are_structured_as_the_draft_has_them() {
        let rate = standing("per-identity-minute", 200, 12);
        assert_eq!(rate.policy().to_string(), "\"per-identity-minute\";q=200;w=60");
        assert_eq!(rate.service().to_string(), "\"per-identity-minute\";r=12;t=3");
        let slots = standing("per-grant-concurrent", 20, 19);
        let slots = Standing { reset: Span::default(), ..slots };
        let policy = "\"per-grant-concurrent\";q=20;qu=\"concurrent-requests\"";
        assert_eq!(slots.policy().to_string(), policy);
        assert_eq!(slots.service().to_string(), "\"per-grant-concurrent\";r=19");
    }

    #[test]
    fn the_stricter_of_two_is_the_one_of_which_less_is_left() {
        let (rate, quota) =
            (standing("per-identity", 200, 100), standing("per-grant-day", 10_000, 4_999));
        assert_eq!(rate.stricter(quota), quota);
        assert_eq!(quota.stricter(rate), quota);
        assert_eq!(rate.stricter(quota).used_up(Span::from_secs(9)).left, 0);
    }
}

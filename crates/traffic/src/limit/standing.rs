//! What a caller is told of a limit: the `RateLimit` and `RateLimit-Policy` fields of
//! draft-ietf-httpapi-ratelimit-headers (the form with one item per policy, from its ninth version
//! on).

use std::fmt;

use base::Span;

use super::Name;

/// How much of a limit is left, in a unit of its own. Of two limits the one with the smaller part
/// left is nearer to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fullness {
    pub(super) left: u64,
    pub(super) whole: u64,
}

impl Fullness {
    /// Whether less is left than of the other.
    pub fn is_less_than(self, other: Self) -> bool {
        let mine = u128::from(self.left) * u128::from(other.whole);
        mine < u128::from(other.left) * u128::from(self.whole)
    }
}

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
    fn nearer_to_its_end_is_the_one_with_the_smaller_part_left() {
        let fullness = |left, whole| Fullness { left, whole };
        assert!(fullness(4_999, 10_000).is_less_than(fullness(100, 200)));
        assert!(!fullness(100, 200).is_less_than(fullness(4_999, 10_000)));
        assert!(!fullness(1, 2).is_less_than(fullness(2, 4)), "neither");
        assert!(fullness(0, u64::MAX).is_less_than(fullness(1, u64::MAX)));
    }
}

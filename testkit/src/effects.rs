//! The two effects, tamed: a clock that moves when told to, and randomness that repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base::{Clock, Digest, Entropy, Span, Timestamp};

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_micros())))
    }

    /// Moves by `span`.
    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }

    /// Moves to `now`, also back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    /// Stands at 2026-03-02T09:00:00Z, a Monday morning.
    fn default() -> Self {
        Self::at(Timestamp::from_secs(1_772_442_000))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The time of the machine, for tests of what runs in real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the test's side of the effect")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Bytes that depend on nothing but the seed and how many were drawn before.
#[derive(Debug, Clone)]
pub struct SeededEntropy {
    seed: u64,
    block: u64,
    left: Vec<u8>,
}

impl SeededEntropy {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, block: 0, left: Vec::new() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.left.is_empty() {
                self.left =
                    Digest::of(&[&self.seed.to_be_bytes(), &self.block.to_be_bytes()]).0.to_vec();
                self.block += 1;
            }
            *byte = self.left.pop().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, lengths: &[usize]) -> Vec<u8> {
        let mut entropy = SeededEntropy::new(seed);
        let mut all = Vec::new();
        for length in lengths {
            let mut bytes = vec![0; *length];
            entropy.fill(&mut bytes);
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn randomness_repeats_whatever_the_portions_and_differs_by_seed() {
        assert_eq!(drawn(7, &[70]), drawn(7, &[1, 31, 2, 36]));
        assert_ne!(drawn(7, &[70]), drawn(8, &[70]));
        assert_ne!(drawn(7, &[64])[..32], drawn(7, &[64])[32..]);
    }

    #[test]
    fn the_clock_moves_only_when_told_to_and_is_shared_by_its_clones() {
        let clock = FakeClock::default();
        let before = clock.now();
        clock.clone().advance(Span::from_secs(5));
        assert_eq!(clock.now().since(before), Span::from_secs(5));
    }
}

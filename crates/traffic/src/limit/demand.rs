//! How much is asked of a key, admitted or not: what came in slots of a quarter of a second,
//! smoothed over some of them. Nodes compare these figures, so they are measured in time, not in
//! rounds, which each node has at its own pace.

use base::Timestamp;

/// Length of a slot in microseconds.
pub(super) const SLOT_US: i64 = 250_000;
/// Units of a smoothed figure to one unit of cost: a key with a call every few slots is not idle.
pub(super) const FINE: u64 = 256;

/// What is asked of one key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Demand {
    slot: i64,
    current: u32,
    smoothed: u32,
}

impl Demand {
    /// So much more is asked for.
    pub(super) fn add(&mut self, cost: u32, now: Timestamp) {
        self.advance(now);
        self.current = self.current.saturating_add(cost);
    }

    /// What was asked for in the slot that runs.
    pub(super) fn current(&self) -> u64 {
        u64::from(self.current)
    }

    /// What is asked for in a slot, in units of 1 / [`FINE`]. A burst counts at once.
    pub(super) fn per_slot(&mut self, now: Timestamp) -> u64 {
        self.advance(now);
        u64::from(self.smoothed).max(u64::from(self.current) * FINE)
    }

    /// Goes on to the slot of `now`. A clock that was set back stays in the slot that runs.
    fn advance(&mut self, now: Timestamp) {
        let slot = now.as_micros().div_euclid(SLOT_US);
        let passed = slot.saturating_sub(self.slot);
        if passed <= 0 {
            return;
        }
        let ended = u64::from(self.current) * FINE;
        let mean = (u64::from(self.smoothed) + ended) / 2;
        // Half is left after each slot in which nothing came.
        let quiet = u32::try_from(passed - 1).unwrap_or(u32::MAX);
        let mean = mean.checked_shr(quiet).unwrap_or(0);
        *self = Self { slot, current: 0, smoothed: u32::try_from(mean).unwrap_or(u32::MAX) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(slot: i64) -> Timestamp {
        Timestamp::from_micros(slot * SLOT_US + 7)
    }

    #[test]
    fn a_steady_demand_is_found_and_an_ended_one_is_forgotten() {
        let mut demand = Demand::default();
        for slot in 0..20 {
            demand.add(50, at(slot));
        }
        assert!((50 * FINE - 5..=50 * FINE).contains(&demand.per_slot(at(20))));
        assert!(demand.per_slot(at(24)) <= 4 * FINE);
        assert_eq!(demand.per_slot(at(60)), 0);
    }

    #[test]
    fn a_burst_counts_before_its_slot_has_ended_and_a_clock_set_back_ends_none() {
        let mut demand = Demand::default();
        demand.add(9, at(5));
        demand.add(1, at(2));
        assert_eq!(demand.per_slot(at(3)), 10 * FINE);
        assert_eq!(demand.current(), 10);
    }
}

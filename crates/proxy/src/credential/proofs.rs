//! Proofs of possession that were used: none is good twice (RFC 9449 §11.1).
//!
//! Two generations of the same length in time: what was used stays known for at least one of them.
//! When a generation is full nothing more is accepted until it is over, because what is forgotten
//! could be sent again. Only proofs whose signature was verified get here, so that filling it takes
//! tokens of a trusted issuer.

use std::sync::{Mutex, PoisonError};

use base::{Digest, Span, Timestamp};
use rustc_hash::FxHashSet;

/// Why a proof that is good in itself is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was used before.
    Used,
    /// There is no room to remember it.
    Full,
}

/// The proofs that were used.
pub(crate) struct UsedProofs {
    state: Mutex<State>,
    length: Span,
    generation_max: usize,
}

struct State {
    young: FxHashSet<Digest>,
    old: FxHashSet<Digest>,
    since: Timestamp,
}

impl UsedProofs {
    /// Each is remembered for at least `length`; at most `capacity` are.
    pub(crate) fn new(length: Span, capacity: usize) -> Self {
        let (young, old) = (FxHashSet::default(), FxHashSet::default());
        let since = Timestamp::from_secs(0);
        let state = Mutex::new(State { young, old, since });
        Self { state, length, generation_max: capacity / 2 }
    }

    /// Uses a proof up.
    pub(crate) fn take(&self, proof: Digest, now: Timestamp) -> Result<(), Unusable> {
        // Nothing is left half-changed by a panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since + self.length <= now {
            // After a pause of two lengths the old ones are too old as well.
            let young = std::mem::take(&mut state.young);
            let is_recent = state.since + self.length + self.length > now;
            state.old = if is_recent { young } else { FxHashSet::default() };
            state.since = now;
        }
        if state.young.contains(&proof) || state.old.contains(&proof) {
            return Err(Unusable::Used);
        }
        if state.young.len() >= self.generation_max {
            return Err(Unusable::Full);
        }
        state.young.insert(proof);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(number: u64) -> Digest {
        Digest::of(&[&number.to_be_bytes()])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_proof_is_refused_the_second_time_for_as_long_as_it_could_be_used() {
        let used = UsedProofs::new(Span::from_secs(90), 100);
        for start in [0, 1_000, 5_000] {
            for (number, first) in (start..start + 360).enumerate() {
                let mine = proof(start as u64 * 1_000 + number as u64 / 10);
                let outcome = used.take(mine, at(first));
                let wanted = if number % 10 == 0 { Ok(()) } else { Err(Unusable::Used) };
                assert_eq!(outcome, wanted, "{first}");
            }
        }
        used.take(proof(1), at(9_000)).unwrap();
        for later in [1, 89, 90, 100, 179] {
            // Another one moves the time on.
            used.take(proof(later), at(9_000 + later as i64)).ok();
        }
        let used = UsedProofs::new(Span::from_secs(90), 100);
        used.take(proof(1), at(50)).unwrap();
        assert_eq!(used.take(proof(1), at(139)), Err(Unusable::Used));
    }

    #[test]
    fn when_there_is_no_room_nothing_more_is_accepted_until_there_is() {
        let used = UsedProofs::new(Span::from_secs(90), 20);
        for number in 0..10 {
            used.take(proof(number), at(0)).unwrap();
        }
        assert_eq!(used.take(proof(10), at(1)), Err(Unusable::Full));
        assert_eq!(used.take(proof(9), at(1)), Err(Unusable::Used));
        used.take(proof(10), at(90)).unwrap();
        assert_eq!(used.take(proof(9), at(90)), Err(Unusable::Used));
    }
}

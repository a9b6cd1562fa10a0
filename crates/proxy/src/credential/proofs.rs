//! Proofs of possession that were used: none is good twice (RFC 9449 §11.1).
//!
//! Two generations of the same length in time: what was used stays known for at least one of them.
//! When a generation is full nothing more is accepted until it is over, because what is forgotten
//! could be sent again. Only proofs that were verified, of credentials that are good, get here, and
//! no key takes more than a quarter of a generation: whoever sends so many is refused alone.
//!
//! What was used before the process began is not known, so that proofs from before it are refused.

use std::sync::{Mutex, PoisonError};

use base::{Digest, Span, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use token::Proof;

/// The part of a generation that one key may take, as in 1/4.
const SHARE: usize = 4;

/// Why a proof that is good in itself is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was used before.
    Used,
    /// It is from before anything was remembered.
    Forgotten,
    /// Its key has used too many.
    TooMany,
    /// There is no room to remember it.
    Full,
}

/// The proofs that were used.
pub(crate) struct UsedProofs {
    state: Mutex<State>,
    length: Span,
    generation_max: usize,
    began_at: Timestamp,
}

struct State {
    young: FxHashSet<Digest>,
    old: FxHashSet<Digest>,
    /// How many of the young ones each key has.
    by_key: FxHashMap<Digest, usize>,
    since: Timestamp,
}

impl UsedProofs {
    /// Each is remembered for at least `length`; at most `capacity` are, from `now` on.
    pub(crate) fn new(length: Span, capacity: usize, now: Timestamp) -> Self {
        let (young, old) = (FxHashSet::default(), FxHashSet::default());
        let by_key = FxHashMap::default();
        let state = Mutex::new(State { young, old, by_key, since: now });
        // `iat` has whole seconds.
        let began_at = Timestamp::from_secs(now.as_secs());
        Self { state, length, generation_max: capacity / 2, began_at }
    }

    /// Uses a proof up.
    pub(crate) fn take(&self, proof: &Proof, now: Timestamp) -> Result<(), Unusable> {
        if proof.issued_at < self.began_at {
            return Err(Unusable::Forgotten);
        }
        // Nothing is left half-changed by a panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(self.length, now);
        if state.young.contains(&proof.id) || state.old.contains(&proof.id) {
            return Err(Unusable::Used);
        }
        if state.young.len() >= self.generation_max {
            return Err(Unusable::Full);
        }
        let of_key = state.by_key.entry(proof.key).or_default();
        if *of_key >= (self.generation_max / SHARE).max(1) {
            return Err(Unusable::TooMany);
        }
        *of_key += 1;
        state.young.insert(proof.id);
        Ok(())
    }
}

impl State {
    /// Begins a generation when the present one is over.
    fn turn(&mut self, length: Span, now: Timestamp) {
        if now < self.since {
            // The clock went back: what is known is known for longer.
            self.since = now;
        }
        if self.since + length <= now {
            // After a pause of two lengths the old ones are too old as well.
            let young = std::mem::take(&mut self.young);
            let is_recent = self.since + length + length > now;
            self.old = if is_recent { young } else { FxHashSet::default() };
            self.by_key = FxHashMap::default();
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    /// One of a key, made long after the process began.
    fn by(key: u64, number: u64) -> Proof {
        let [key, id] = [key, number].map(|number| Digest::of(&[&number.to_be_bytes()]));
        Proof { key, id, issued_at: at(100_000) }
    }

    fn used(capacity: usize) -> UsedProofs {
        UsedProofs::new(Span::from_secs(90), capacity, at(0))
    }

    #[test]
    fn a_proof_is_refused_the_second_time_for_as_long_as_it_could_be_used() {
        let proofs = used(1_000);
        for start in [0, 1_000, 5_000] {
            for (number, first) in (start..start + 360).enumerate() {
                let mine = by(1, start as u64 * 1_000 + number as u64 / 10);
                let outcome = proofs.take(&mine, at(first));
                let wanted = if number % 10 == 0 { Ok(()) } else { Err(Unusable::Used) };
                assert_eq!(outcome, wanted, "{first}");
            }
        }
        let proofs = used(1_000);
        proofs.take(&by(1, 1), at(50)).unwrap();
        assert_eq!(proofs.take(&by(1, 1), at(139)), Err(Unusable::Used));
    }

    #[test]
    fn when_there_is_no_room_nothing_more_is_accepted_until_there_is() {
        let proofs = used(20);
        for number in 0..10 {
            proofs.take(&by(number, number), at(0)).unwrap();
        }
        assert_eq!(proofs.take(&by(10, 10), at(1)), Err(Unusable::Full));
        assert_eq!(proofs.take(&by(9, 9), at(1)), Err(Unusable::Used));
        proofs.take(&by(10, 10), at(90)).unwrap();
        assert_eq!(proofs.take(&by(9, 9), at(90)), Err(Unusable::Used));
    }

    #[test]
    fn a_key_that_takes_more_than_its_share_is_refused_alone() {
        let proofs = used(80);
        for number in 0..10 {
            proofs.take(&by(1, number), at(0)).unwrap();
        }
        for number in 10..1_000 {
            assert_eq!(proofs.take(&by(1, number), at(1)), Err(Unusable::TooMany));
        }
        proofs.take(&by(2, 5_000), at(1)).unwrap();
        proofs.take(&by(1, 10), at(90)).unwrap();
    }

    #[test]
    fn what_the_process_cannot_remember_is_refused() {
        let proofs = used(20);
        let before = Proof { issued_at: at(-1), ..by(1, 1) };
        assert_eq!(proofs.take(&before, at(1)), Err(Unusable::Forgotten));
        let since = Proof { issued_at: at(0), ..by(1, 1) };
        assert_eq!(proofs.take(&since, at(1)), Ok(()));
        let half = Timestamp::from_micros(at(0).as_micros() + 500_000);
        let proofs = UsedProofs::new(Span::from_secs(90), 20, half);
        assert_eq!(proofs.take(&since, half), Ok(()), "of the second in which it began");
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_be_forgotten_sooner() {
        let proofs = used(100);
        proofs.take(&by(1, 1), at(10_000)).unwrap();
        // Back by far, and on from there.
        for now in [5_000, 5_089, 5_090, 5_170] {
            assert_eq!(proofs.take(&by(1, 1), at(now)), Err(Unusable::Used), "{now}");
        }
        proofs.take(&by(1, 2), at(5_000)).unwrap();
        assert_eq!(proofs.take(&by(1, 2), at(5_089)), Err(Unusable::Used));
        // Nor is what was young never over because it is in the future.
        let proofs = used(2);
        proofs.take(&by(1, 1), at(10_000)).unwrap();
        assert_eq!(proofs.take(&by(2, 2), at(5_000)), Err(Unusable::Full));
        proofs.take(&by(2, 2), at(5_090)).unwrap();
    }
}

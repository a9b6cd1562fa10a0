//! Proofs of possession that were used: none is good twice (RFC 9449 §11.1).
//!
//! Two generations of the same length in time: what was used stays known for at least one of them.
//! When a generation is full nothing more is accepted until it is over, because what is forgotten
//! could be sent again. Only proofs that were verified, of credentials that are good, get here, and
//! no credential takes more than a quarter of a generation: whoever sends so many is refused alone.
//!
//! What was used before the process began is not known, so that proofs from before it are refused;
//! and so are those that are as old as what was forgotten, for the clock may go back.

use std::sync::{Mutex, PoisonError};

use base::{CredentialId, Digest, Span, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use token::Proof;

/// The part of a generation that one credential may take, as in 1/4.
const SHARE: usize = 4;

/// Why a proof that is good in itself is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was used before.
    Used,
    /// It is from before anything was remembered, or as old as what is not remembered any more.
    Forgotten,
    /// Its credential has used too many.
    TooMany,
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
    /// How many of the young ones each credential has.
    by_credential: FxHashMap<CredentialId, usize>,
    since: Timestamp,
    /// When it began to remember, in the clock's time now.
    began_at: Timestamp,
    /// What was made at or before this may have been forgotten.
    forgotten: Timestamp,
    /// When the youngest of the young ones and of the old ones was made.
    made: [Timestamp; 2],
}

impl UsedProofs {
    /// Each is remembered for at least `length`; at most `capacity` are, from `now` on.
    pub(crate) fn new(length: Span, capacity: usize, now: Timestamp) -> Self {
        let state = State {
            young: FxHashSet::default(),
            old: FxHashSet::default(),
            by_credential: FxHashMap::default(),
            since: now,
            began_at: now,
            forgotten: Timestamp::MIN,
            made: [Timestamp::MIN; 2],
        };
        Self { state: Mutex::new(state), length, generation_max: capacity / 2 }
    }

    /// Uses a proof up.
    pub(crate) fn take(
        &self,
        proof: &Proof,
        credential: &CredentialId,
        now: Timestamp,
    ) -> Result<(), Unusable> {
        // Nothing is left half-changed by a panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(self.length, now);
        // `iat` has whole seconds.
        let began_at = Timestamp::from_secs(state.began_at.as_secs());
        if proof.issued_at < began_at || proof.issued_at <= state.forgotten {
            return Err(Unusable::Forgotten);
        }
        if state.young.contains(&proof.id) || state.old.contains(&proof.id) {
            return Err(Unusable::Used);
        }
        if state.young.len() >= self.generation_max {
            return Err(Unusable::Full);
        }
        let share = (self.generation_max / SHARE).max(1);
        let of_credential = state.by_credential.entry(credential.clone()).or_default();
        if *of_credential >= share {
            return Err(Unusable::TooMany);
        }
        *of_credential += 1;
        state.made[0] = state.made[0].max(proof.issued_at);
        state.young.insert(proof.id);
        Ok(())
    }
}

impl State {
    /// Begins a generation when the present one is over.
    fn turn(&mut self, length: Span, now: Timestamp) {
        // The clock went back: what is known is known for longer, and what it said when all began
        // was as wrong.
        self.since = self.since.min(now);
        self.began_at = self.began_at.min(now);
        if self.since + length > now {
            return;
        }
        let is_recent = self.since + length + length > now;
        let [young, old] = self.made;
        if is_recent {
            self.old = std::mem::take(&mut self.young);
            self.forgotten = self.forgotten.max(old);
            self.made = [Timestamp::MIN, young];
        } else {
            // After a pause of two lengths the young ones are too old as well.
            self.young.clear();
            self.old.clear();
            self.forgotten = self.forgotten.max(old).max(young);
            self.made = [Timestamp::MIN; 2];
        }
        self.by_credential = FxHashMap::default();
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    /// One that was made then.
    fn made(number: u64, seconds: i64) -> Proof {
        let [key, id] = [0, number].map(|number: u64| Digest::of(&[&number.to_be_bytes()]));
        Proof { key, id, issued_at: at(seconds) }
    }

    fn used(capacity: usize) -> UsedProofs {
        UsedProofs::new(Span::from_secs(90), capacity, at(0))
    }

    /// Takes a proof that is as new as can be.
    fn take(proofs: &UsedProofs, of: &str, number: u64, now: i64) -> Result<(), Unusable> {
        proofs.take(&made(number, now), &of.parse().unwrap(), at(now))
    }

    fn again(proofs: &UsedProofs, proof: &Proof, now: i64) -> Result<(), Unusable> {
        proofs.take(proof, &"one".parse().unwrap(), at(now))
    }

    #[test]
    fn a_proof_is_refused_the_second_time_for_as_long_as_it_could_be_used() {
        let proofs = used(1_000);
        for start in [0, 1_000, 5_000] {
            for (number, first) in (start..start + 360).enumerate() {
                let (number, tenth) = (number as i64 % 10, number as u64 / 10);
                let mine = made(start as u64 * 1_000 + tenth, first - number + 30);
                let wanted = if number == 0 { Ok(()) } else { Err(Unusable::Used) };
                assert_eq!(again(&proofs, &mine, first), wanted, "{first}");
            }
        }
        let proofs = used(1_000);
        let mine = made(1, 80);
        again(&proofs, &mine, 50).unwrap();
        assert_eq!(again(&proofs, &mine, 139), Err(Unusable::Used));
    }

    /// However senders' clocks differ, within what is tolerated.
    #[test]
    fn what_is_new_is_never_taken_for_something_forgotten() {
        let proofs = used(1_000_000);
        for (number, now) in (0..2_000).enumerate() {
            for (late, age) in [-30, 0, 60].into_iter().enumerate() {
                let proof = made((number * 3 + late) as u64, now - age);
                let wanted = if now < age { Err(Unusable::Forgotten) } else { Ok(()) };
                assert_eq!(again(&proofs, &proof, now), wanted, "{now} {age}");
            }
        }
    }

    #[test]
    fn when_there_is_no_room_nothing_more_is_accepted_until_there_is() {
        let proofs = used(20);
        for number in 0..10 {
            take(&proofs, &format!("c-{number}"), number, 0).unwrap();
        }
        assert_eq!(take(&proofs, "other", 10, 1), Err(Unusable::Full));
        assert_eq!(again(&proofs, &made(9, 0), 1), Err(Unusable::Used));
        take(&proofs, "other", 10, 90).unwrap();
        assert_eq!(again(&proofs, &made(9, 0), 90), Err(Unusable::Used));
    }

    #[test]
    fn a_credential_that_takes_more_than_its_share_is_refused_alone() {
        let proofs = used(80);
        for number in 0..10 {
            take(&proofs, "one", number, 0).unwrap();
        }
        for number in 10..1_000 {
            assert_eq!(take(&proofs, "one", number, 1), Err(Unusable::TooMany));
        }
        take(&proofs, "other", 5_000, 1).unwrap();
        take(&proofs, "one", 10, 90).unwrap();
    }

    #[test]
    fn what_the_process_cannot_remember_is_refused() {
        let proofs = used(20);
        assert_eq!(again(&proofs, &made(1, -1), 1), Err(Unusable::Forgotten));
        assert_eq!(again(&proofs, &made(1, 0), 1), Ok(()));
        let half = Timestamp::from_micros(at(0).as_micros() + 500_000);
        let proofs = UsedProofs::new(Span::from_secs(90), 20, half);
        assert_eq!(again(&proofs, &made(1, 0), 1), Ok(()), "of the second in which it began");
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_good_again() {
        let proofs = used(1_000);
        let mine = made(1, 1_000);
        again(&proofs, &mine, 1_000).unwrap();
        // Long forgotten, and then in date again.
        take(&proofs, "one", 2, 1_100).unwrap();
        take(&proofs, "one", 3, 1_200).unwrap();
        for now in [1_000, 1_010, 1_059] {
            assert_eq!(again(&proofs, &mine, now), Err(Unusable::Forgotten), "{now}");
        }
        // What is still known stays known.
        assert_eq!(again(&proofs, &made(3, 1_200), 1_150), Err(Unusable::Used));
        // And what was young is over some day, though it is in the future.
        let proofs = used(2);
        take(&proofs, "one", 1, 10_000).unwrap();
        assert_eq!(take(&proofs, "other", 2, 5_000), Err(Unusable::Full));
        take(&proofs, "other", 2, 5_090).unwrap();
    }

    /// A clock that was ahead when the process began is put right: nobody waits for it.
    #[test]
    fn proofs_are_taken_though_the_clock_was_ahead_when_all_began() {
        let proofs = used(20);
        assert_eq!(again(&proofs, &made(1, -3_600), -3_600), Ok(()));
        assert_eq!(again(&proofs, &made(2, -3_601), -3_590), Err(Unusable::Forgotten));
    }
}

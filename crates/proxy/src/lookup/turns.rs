//! Whose turn it is to have a question put to a source. Questions are asked before the limits of a
//! request are known, so that what one caller can make a source do is bounded here: it has a part of
//! the turns at most, and what waits is bounded, for each caller and for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::IdentityId;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Questions that one source is asked at the same time; others wait for their turn, within the
/// source's time.
const AT_ONCE_MAX: usize = 64;
/// Of these, those about one caller.
const AT_ONCE_OF_ONE_MAX: usize = 16;
/// Questions on their way to a source, waiting or asked.
const PLACES_MAX: usize = 4_096;
/// Of these, those about one caller.
const PLACES_OF_ONE_MAX: usize = 256;

/// The turns of one source.
pub(super) struct Turns {
    all: Semaphore,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    taken: usize,
    by_caller: HashMap<IdentityId, Share>,
}

/// What one caller has.
struct Share {
    taken: usize,
    turns: Arc<Semaphore>,
}

/// A place among the questions on their way.
pub(super) struct Place {
    of: Arc<Turns>,
    caller: IdentityId,
    mine: Arc<Semaphore>,
}

/// A turn, for as long as it lives.
pub(super) struct Turn<'p> {
    _mine: SemaphorePermit<'p>,
    _all: SemaphorePermit<'p>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { all: Semaphore::new(AT_ONCE_MAX), places: Mutex::default() }
    }

    /// A place for a question about a caller; `None` = there is none left.
    pub(super) fn enter(self: &Arc<Self>, caller: &IdentityId) -> Option<Place> {
        let mut places = self.places();
        let of_one = places.by_caller.get(caller).map_or(0, |share| share.taken);
        if places.taken >= PLACES_MAX || of_one >= PLACES_OF_ONE_MAX {
            return None;
        }
        places.taken += 1;
        let fresh = || Share { taken: 0, turns: Arc::new(Semaphore::new(AT_ONCE_OF_ONE_MAX)) };
        let share = places.by_caller.entry(caller.clone()).or_insert_with(fresh);
        share.taken += 1;
        Some(Place { of: Arc::clone(self), caller: caller.clone(), mine: Arc::clone(&share.turns) })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Nothing is left half-changed by a panic.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the turn. Who waits for its own part takes none of the others'.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, String> {
        let mine = self.mine.acquire().await.map_err(|error| error.to_string())?;
        let all = self.of.all.acquire().await.map_err(|error| error.to_string())?;
        Ok(Turn { _mine: mine, _all: all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.of.places();
        places.taken = places.taken.saturating_sub(1);
        let Some(share) = places.by_caller.get_mut(&self.caller) else { return };
        share.taken = share.taken.saturating_sub(1);
        if share.taken == 0 {
            places.by_caller.remove(&self.caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn caller(name: &str) -> IdentityId {
        name.parse().unwrap()
    }

    #[test]
    fn one_caller_has_a_part_of_the_places_and_of_the_turns() {
        let turns = Arc::new(Turns::new());
        let greedy = caller("greedy");
        let places: Vec<Place> = std::iter::from_fn(|| turns.enter(&greedy)).collect();
        assert_eq!(places.len(), 256);
        let now: Vec<_> = places.iter().filter_map(|one| one.turn().now_or_never()).collect();
        assert_eq!(now.len(), 16);
        for number in 0..3 {
            let other = turns.enter(&caller(&format!("other-{number}"))).unwrap();
            assert!(other.turn().now_or_never().is_some());
        }
        drop(now);
        assert!(places[255].turn().now_or_never().is_some(), "turns come back");
        drop(places);
        assert!(turns.enter(&greedy).is_some(), "places come back");
        let left = turns.places();
        assert_eq!((left.taken, left.by_caller.len()), (0, 0));
    }

    #[test]
    fn all_callers_together_have_so_many() {
        let turns = Arc::new(Turns::new());
        let mut places = Vec::new();
        for number in 0..20 {
            let caller = caller(&format!("caller-{number}"));
            places.extend(std::iter::from_fn(|| turns.enter(&caller)));
        }
        assert_eq!(places.len(), 4_096);
        let now: Vec<_> = places.iter().filter_map(|one| one.turn().now_or_never()).collect();
        assert_eq!(now.len(), 64);
    }
}

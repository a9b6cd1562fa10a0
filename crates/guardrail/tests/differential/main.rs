//! The ruleset against its own meaning: random worlds are exported as Cedar policies, and every
//! random request is decided by both. The decision, the grants that allow and the guardrails that
//! forbid must be the same, to the microsecond and to the last draw.
//!
//! Seeds are fixed, so that a run is the same everywhere; `PORTREEVE_SEED` begins elsewhere.

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod dice;
mod requests;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use compare::Tally;
use dice::Dice;
use world::World;

/// At least this many decisions a run.
const DECISIONS: u64 = 1_000_000;
const PER_WORLD: u64 = 2_600;

#[test]
fn a_million_requests_are_decided_as_their_exported_policies_decide_them() {
    #[expect(clippy::disallowed_methods, reason = "a run can begin elsewhere")]
    let seed = std::env::var("PORTREEVE_SEED").ok().map_or(2026, |text| text.parse().unwrap());
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number * PER_WORLD >= DECISIONS {
                return tally;
            }
            let seed = seed + number;
            let mut dice = Dice::new(seed);
            let world = World::roll(&mut dice, seed);
            tally.add(&world.decide(&mut dice, PER_WORLD));
        }
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().fold(Tally::default(), |mut all, worker| {
            all.add(&worker.join().unwrap());
            all
        })
    });
    println!("{tally:?}");
    assert!(tally.decided >= DECISIONS, "{tally:?}");
    // A run in which some answer hardly ever comes says little about it.
    for (what, count) in tally.outcomes() {
        assert!(count >= DECISIONS / 1_000, "{what} came up only {count} times: {tally:?}");
    }
}

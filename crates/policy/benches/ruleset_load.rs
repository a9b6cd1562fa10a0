//! Builds the ruleset of 100,000 identities and 1,000,000 grants; prints the time, the resident
//! memory and the time of one revoke.

#[path = "../tests/common/mod.rs"]
mod common;
mod town;

use std::time::{Duration, Instant};

use grant::{Grant, GrantStatus};
use portreeve_policy::{Change, Ruleset};

const GRANTS: u32 = 1_000_000;
const REVOKES: u32 = 1_000;

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let out = work();
    (out, start.elapsed())
}

/// Seconds that this thread was on a processor: on a busy machine the time on the wall says more
/// about the others.
fn on_processor() -> f64 {
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    nanos.unwrap_or(0) as f64 / 1e9
}

/// Resident memory in MiB, by the kernel's account.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4 / 1024
}

fn main() {
    // The generator costs time of its own, which is taken off.
    let start = on_processor();
    let (count, generating) = timed(|| town::state(GRANTS).count());
    let generated = on_processor();
    let before = resident();
    let (ruleset, building) = timed(|| Ruleset::build(1, town::state(GRANTS)).unwrap());
    let after = resident();
    let on_processor = on_processor() - generated - (generated - start);
    let mut revokes: Vec<Duration> = (0..REVOKES)
        .map(|n| {
            let n = n * 997;
            let revoked = Grant {
                status: GrantStatus::Revoked,
                ..common::grant(&format!("g_{n:026}"), &town::name(n % 100_000), "orders0", &["o0"])
            };
            timed(|| ruleset.apply(2, [Change::Grant(revoked)]).unwrap()).1
        })
        .collect();
    revokes.sort_unstable();
    let quantile = |share: f64| revokes[((revokes.len() - 1) as f64 * share) as usize].as_micros();
    println!("objects              {count}, of these {} grants", ruleset.grants_count());
    println!("load                 {:.2} s", building.saturating_sub(generating).as_secs_f64());
    println!("load on processor    {on_processor:.2} s");
    println!("with generating      {:.2} s", building.as_secs_f64());
    println!("resident             {after} MiB, of these {} by loading", after - before);
    println!("one revoke           p50 {} us, p99 {} us", quantile(0.5), quantile(0.99));
}

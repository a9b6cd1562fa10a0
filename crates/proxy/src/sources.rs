//! What each source address uses whoever calls: connections, signature verifications; and, where a
//! token names the key, each source with each key. Bounded:
//! states that are spent are forgotten when the table grows. (Requests are counted by [limits].)
//!
//! [limits]: crate::limits

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Digest, Span, Timestamp};
use rustc_hash::FxHashMap;
use traffic::Rate;
use traffic::limit::network;
use traffic::rate::State;

use crate::config::Limits;

/// Tables are cleaned when they pass this size, and again at each doubling.
const CLEAN_AT: usize = 4_096;

/// The use that all sources make.
pub(crate) struct Sources {
    connections: Mutex<Connections>,
    verifications: Mutex<Meter<IpAddr>>,
    proofs: Mutex<Meter<(IpAddr, Digest)>>,
    limits: Limits,
}

#[derive(Default)]
struct Connections {
    total: usize,
    by_source: FxHashMap<IpAddr, usize>,
}

impl Sources {
    pub(crate) fn new(limits: Limits) -> Self {
        let (connections, verifications) = (Mutex::default(), Mutex::default());
        Self { connections, verifications, proofs: Mutex::default(), limits }
    }

    /// Counts a connection for as long as the ticket lives; `None` = it is one too many.
    pub(crate) fn admit_connection(self: &Arc<Self>, ip: IpAddr) -> Option<Ticket> {
        let source = network(ip);
        let mut connections = lock(&self.connections);
        if connections.total >= self.limits.connections {
            return None;
        }
        let of_source = connections.by_source.entry(source).or_default();
        if *of_source >= self.limits.connections_per_source {
            return None;
        }
        *of_source += 1;
        connections.total += 1;
        Some(Ticket { sources: Arc::clone(self), source })
    }

    /// One more signature verification; or how long to wait.
    pub(crate) fn admit_verification(&self, source: IpAddr, now: Timestamp) -> Result<(), Span> {
        let rate = self.limits.verifications_per_source;
        lock(&self.verifications).step(rate, network(source), now)
    }

    /// One more proof by a key of which the signature was not good; or how long to wait.
    pub(crate) fn note_forged(
        &self,
        source: IpAddr,
        key: Digest,
        now: Timestamp,
    ) -> Result<(), Span> {
        let rate = self.limits.verifications_per_source;
        lock(&self.proofs).step(rate, (network(source), key), now)
    }

    /// Whether one more would be tolerated, without counting it; or how long to wait.
    pub(crate) fn may_prove(
        &self,
        source: IpAddr,
        key: Digest,
        now: Timestamp,
    ) -> Result<(), Span> {
        let rate = self.limits.verifications_per_source;
        lock(&self.proofs).could(rate, (network(source), key), now)
    }

    fn release(&self, source: IpAddr) {
        let mut connections = lock(&self.connections);
        connections.total = connections.total.saturating_sub(1);
        if let Some(count) = connections.by_source.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                connections.by_source.remove(&source);
            }
        }
    }
}

/// A counted connection.
pub(crate) struct Ticket {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.sources.release(self.source);
    }
}

struct Meter<K> {
    states: FxHashMap<K, State>,
    clean_at: usize,
}

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self { states: FxHashMap::default(), clean_at: 0 }
    }
}

impl<K: Hash + Eq> Meter<K> {
    fn could(&self, rate: Rate, key: K, now: Timestamp) -> Result<(), Span> {
        let Some(state) = self.states.get(&key) else { return Ok(()) };
        rate.step(rate.settled(*state, now), now).map(drop)
    }

    fn step(&mut self, rate: Rate, key: K, now: Timestamp) -> Result<(), Span> {
        if self.states.len() >= self.clean_at.max(CLEAN_AT) {
            self.states.retain(|_, state| !state.is_spent(now));
            self.clean_at = self.states.len() * 2;
        }
        let state = self.states.entry(key).or_insert(State::FRESH);
        *state = rate.settled(*state, now);
        *state = rate.step(*state, now)?;
        Ok(())
    }
}

/// The tables are consistent after every statement that changes them, so a panic elsewhere while
/// one was held leaves nothing to repair.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(limits: Limits) -> Arc<Sources> {
        Arc::new(Sources::new(limits))
    }

    #[test]
    fn a_source_cannot_take_more_connections_than_its_share() {
        let sources = sources(Limits { connections_per_source: 2, ..Limits::default() });
        let ip = "192.0.2.1".parse().unwrap();
        let first = sources.admit_connection(ip).unwrap();
        let _second = sources.admit_connection(ip).unwrap();
        assert!(sources.admit_connection(ip).is_none());
        assert!(sources.admit_connection("192.0.2.2".parse().unwrap()).is_some());
        drop(first);
        assert!(sources.admit_connection(ip).is_some());
    }

    #[test]
    fn a_whole_ipv6_network_is_one_source() {
        let sources = sources(Limits { connections_per_source: 1, ..Limits::default() });
        let _one = sources.admit_connection("2001:db8::1".parse().unwrap()).unwrap();
        assert!(sources.admit_connection("2001:db8::ffff:2".parse().unwrap()).is_none());
        assert!(sources.admit_connection("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn all_sources_together_cannot_take_more_than_the_total() {
        let sources = sources(Limits { connections: 1, ..Limits::default() });
        let _one = sources.admit_connection("192.0.2.1".parse().unwrap()).unwrap();
        assert!(sources.admit_connection("192.0.2.2".parse().unwrap()).is_none());
    }

    #[test]
    fn verifications_are_budgeted_per_source_and_the_table_stays_bounded() {
        let rate = Rate::new(1, 1);
        let sources = sources(Limits { verifications_per_source: rate, ..Limits::default() });
        let now = Timestamp::from_secs(1);
        for number in 0..20_000u32 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + number));
            let now = now + Span::from_secs(i64::from(number));
            sources.admit_verification(ip, now).unwrap();
            assert!(sources.admit_verification(ip, now).is_err());
        }
        assert!(lock(&sources.verifications).states.len() <= CLEAN_AT);
    }
}

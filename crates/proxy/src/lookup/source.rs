//! One source: what it answered lately, what it is being asked now, and how it does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Clock, Problem, Span, Timestamp};
use futures_util::FutureExt;
use futures_util::future::Shared;
use policy::{Answer, Lookup};
use tokio::sync::oneshot;

use super::cache::{Cache, Kept};
use super::client::Client;
use super::turns::{Place, Turns};
use super::{Asker, SourceConfig};

/// How often it is written that a source fails, at most.
const WARN_EVERY: Span = Span::from_secs(10);

/// A whole question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) asker: Asker,
    pub(super) lookup: Lookup,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The question.
    pub lookup: Lookup,
    /// The source that answers for it; empty = none does.
    pub source: String,
    /// What it said.
    pub answer: Answer,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// What a source was asked, and how it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions that were answered by what was known.
    pub recalled: u64,
    /// Answers that the relation is there.
    pub related: u64,
    /// Answers that it is not.
    pub unrelated: u64,
    /// Questions without an answer.
    pub failed: u64,
    /// How long the source took for those that were put to it, together, in microseconds.
    pub took_us: u64,
}

#[derive(Default)]
struct Counters {
    recalled: AtomicU64,
    related: AtomicU64,
    unrelated: AtomicU64,
    failed: AtomicU64,
    took_us: AtomicU64,
}

type Flight = Shared<oneshot::Receiver<(Answer, Timestamp)>>;

/// One source.
pub(super) struct Source {
    pub(super) config: SourceConfig,
    client: Client,
    cache: Mutex<Cache<Key>>,
    /// What is being asked. Asked by a task of its own, so that the question outlives whoever asked
    /// first.
    flights: Mutex<HashMap<Key, Flight>>,
    turns: Arc<Turns>,
    counters: Counters,
    /// When it was last written that it fails, in microseconds; how often it did is in the counters.
    warned_at: AtomicI64,
}

impl Key {
    pub(super) fn new(asker: &Asker, lookup: &Lookup) -> Self {
        Self { asker: asker.clone(), lookup: lookup.clone() }
    }
}

impl Source {
    pub(super) fn new(
        config: SourceConfig,
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> Result<Self, Problem> {
        let client = Client::new(&config.url, config.token.as_ref(), tls)
            .map_err(|problem| problem.at(config.name.clone()))?;
        let cache = Mutex::new(Cache::new(config.cache_entries, config.cache_for));
        let (flights, turns) = (Mutex::default(), Arc::new(Turns::new()));
        let (counters, warned_at) = (Counters::default(), AtomicI64::new(i64::MIN));
        Ok(Self { config, client, cache, flights, turns, counters, warned_at })
    }

    /// Whether it is set like this.
    pub(super) fn is_of(&self, other: &SourceConfig) -> bool {
        let SourceConfig { name, relations, url, token, timeout, cache_for, cache_entries } =
            &self.config;
        let secret = |token: &Option<base::Secret<String>>| {
            token.as_ref().map(|token| token.expose().clone())
        };
        *name == other.name
            && *relations == other.relations
            && *url == other.url
            && secret(token) == secret(&other.token)
            && (*timeout, *cache_for) == (other.timeout, other.cache_for)
            && *cache_entries == other.cache_entries
    }

    pub(super) fn counts(&self) -> Counts {
        let Counters { recalled, related, unrelated, failed, took_us } = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            recalled: read(recalled),
            related: read(related),
            unrelated: read(unrelated),
            failed: read(failed),
            took_us: read(took_us),
        }
    }

    /// What is known without asking.
    pub(super) fn recall(&self, key: &Key, now: Timestamp) -> Option<Looked> {
        let kept = lock(&self.cache).get(key, now)?;
        self.counters.recalled.fetch_add(1, Ordering::Relaxed);
        let answer = answer(kept.related);
        Some(self.looked(key.lookup.clone(), answer, kept.asked_at))
    }

    fn looked(&self, lookup: Lookup, answer: Answer, asked_at: Timestamp) -> Looked {
        Looked { lookup, source: self.config.name.clone(), answer, asked_at }
    }

    /// What is known, or else what the source says.
    pub(super) async fn answer(self: &Arc<Self>, key: Key, clock: &Arc<dyn Clock>) -> Looked {
        let flight = match self.board(&key, clock) {
            Ok(known) => return known,
            Err(flight) => flight,
        };
        // The task can only be lost with the threads that it runs on.
        let (answer, asked_at) = flight.await.unwrap_or((Answer::Unknown, clock.now()));
        self.looked(key.lookup, answer, asked_at)
    }

    /// What is known, or else the question on its way, which is begun if nobody did.
    fn board(self: &Arc<Self>, key: &Key, clock: &Arc<dyn Clock>) -> Result<Looked, Flight> {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(key) {
            return Err(flight.clone());
        }
        // Under the lock: what has landed by now is in the cache.
        if let Some(known) = self.recall(key, clock.now()) {
            return Ok(known);
        }
        let now = clock.now();
        let Some(place) = self.turns.enter(&key.asker.identity) else {
            drop(flights);
            self.failed(key, "too many questions are on their way", now);
            return Ok(self.looked(key.lookup.clone(), Answer::Unknown, now));
        };
        let (sender, receiver) = oneshot::channel();
        let flight = receiver.shared();
        flights.insert(key.clone(), flight.clone());
        drop(flights);
        let landing = Landing { source: Arc::clone(self), key: key.clone() };
        let clock = Arc::clone(clock);
        tokio::spawn(async move {
            let found = landing.source.put(&landing.key, &place, &*clock).await;
            drop(place);
            drop(landing);
            let _ = sender.send(found);
        });
        Err(flight)
    }

    /// Puts a question to the source.
    async fn put(&self, key: &Key, place: &Place, clock: &dyn Clock) -> (Answer, Timestamp) {
        let asked_at = clock.now();
        let mut had_turn = false;
        let asked = tokio::time::timeout(self.config.timeout, async {
            let _turn = place.turn().await?;
            had_turn = true;
            self.client.ask(key).await
        });
        let said = asked.await.unwrap_or_else(|_| Err("it took too long".to_owned()));
        if had_turn && said.is_err() {
            // Connections may lead nowhere any more.
            self.client.forget_idle();
        }
        let took = clock.now().since(asked_at).as_micros().max(0).unsigned_abs();
        self.counters.took_us.fetch_add(took, Ordering::Relaxed);
        let answer = match said {
            Ok(related) => {
                lock(&self.cache).put(key.clone(), Kept { related, asked_at });
                let Counters { related: yes, unrelated: no, .. } = &self.counters;
                (if related { yes } else { no }).fetch_add(1, Ordering::Relaxed);
                answer(related)
            }
            Err(why) => {
                self.failed(key, &why, asked_at);
                Answer::Unknown
            }
        };
        (answer, asked_at)
    }

    /// Counts a question without an answer, and says so now and then: callers can cause any number.
    fn failed(&self, key: &Key, why: &str, now: Timestamp) {
        let failed = self.counters.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let (now, before) = (now.as_micros(), self.warned_at.load(Ordering::Relaxed));
        let is_time = now < before || now.saturating_sub(before) >= WARN_EVERY.as_micros();
        let first = |before| {
            let order = Ordering::Relaxed;
            self.warned_at.compare_exchange(before, now, order, order).is_ok()
        };
        if is_time && first(before) {
            let (source, relation) = (&self.config.name, &key.lookup.relation);
            tracing::warn!(source, relation, failed, "a relation could not be looked up: {why}");
        }
    }
}

fn answer(related: bool) -> Answer {
    if related { Answer::Related } else { Answer::Unrelated }
}

/// Takes a question off the list of those on their way, however its task ends.
struct Landing {
    source: Arc<Source>,
    key: Key,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.source.flights).remove(&self.key);
    }
}

/// Nothing here is left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

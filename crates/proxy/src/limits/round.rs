//! What a round of the fleet reads of the meters and writes to them. Whoever has the store carries
//! it there and back: [`Limiter::ask`], then [`Limiter::settle`] or [`Limiter::miss`].

use base::{Span, Timestamp};
use traffic::limit::fleet::{Ask, Asked, Settled, Told};
use traffic::limit::{Fleet, Key, Terms};
use traffic::rate::Share;

use super::{Limiter, SHARDS, lock};

/// Keys in one round; more wait for the next.
const KEYS_PER_ROUND: usize = 2_000;
/// Without a round for so long a node goes on by itself.
const CUT_OFF_AFTER: Span = Span::from_secs(2);
/// How often all keys are looked at: idle ones are given up, spent ones forgotten.
const LOOK_EVERY: Span = Span::from_secs(10);

/// Where this gate is in the rounds of its fleet.
#[derive(Debug)]
pub(super) struct Rounds {
    seen: u64,
    heard_at: Timestamp,
    looked_at: Timestamp,
    /// The shard that a round begins with, so that none always waits.
    first: usize,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { seen: 0, heard_at: Timestamp::MIN, looked_at: Timestamp::MIN, first: 0 }
    }
}

impl Limiter {
    /// Shares limits with other nodes from now on. Until its first rounds the gate has no part of
    /// anything: each key passes one request.
    pub fn join(&self, now: Timestamp) {
        lock(&self.rounds).heard_at = now;
        self.set_terms(Terms { split: Share::NONE, since: now, fleet: Fleet::Joined });
    }

    /// Resolves when the next round should not be long in coming: a quota is used of which the store
    /// does not know yet, or a request was refused that another share might have let pass.
    pub async fn wanted(&self) {
        self.wake.notified().await;
    }

    /// What this gate says in a round.
    pub fn ask(&self, now: Timestamp) -> Asked {
        let (mut rounds, terms) = (lock(&self.rounds), self.terms());
        let looks = now.since(rounds.looked_at) >= LOOK_EVERY;
        if looks {
            rounds.looked_at = now;
        }
        rounds.first = (rounds.first + 1) % SHARDS;
        let mut keys = Vec::new();
        for number in 0..self.shards.len() {
            let Some(mut shard) = self.shard((rounds.first + number) % self.shards.len()) else {
                continue;
            };
            if looks {
                shard.sweep(now);
                shard.list_idle(now);
            }
            shard.ask(&mut keys, KEYS_PER_ROUND, terms, now);
        }
        Asked { at: now, split: terms.split, seen: rounds.seen, keys, is_last: false }
    }

    /// What it says in its last round: advances are given back.
    pub fn ask_last(&self, now: Timestamp) -> Asked {
        let terms = self.terms();
        let mut keys = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.give_back();
            shard.ask(&mut keys, usize::MAX, terms, now);
        }
        let seen = lock(&self.rounds).seen;
        Asked { at: now, split: terms.split, seen, keys, is_last: true }
    }

    /// Takes over what a round says.
    pub fn settle(&self, settled: Settled, now: Timestamp) {
        let terms = self.terms();
        let is_past = |told: &&Told| told.period.is_some_and(|period| period.end <= now);
        for told in settled.keys.iter().filter(|told| !is_past(told)) {
            let Ok(key) = told.key.parse::<Key>() else {
                tracing::warn!(key = told.key, "a key of another version is left alone");
                continue;
            };
            let (hash, number) = self.place(&key.as_ref());
            let Some(mut shard) = self.shard(number) else { continue };
            let found = shard.find_or_make(hash, &key.as_ref(), told.limit, terms, now);
            // Without room the book counts what this gate has of the key, which is no less.
            let Some(slot) = found else { continue };
            let Some(entry) = shard.entry_mut(slot) else { continue };
            entry.meter.settle(told.limit, told, terms, now);
            if told.speaks && entry.meter.list() {
                shard.listed.push(slot);
            }
        }
        self.take_split(settled.split, now);
        let mut rounds = lock(&self.rounds);
        (rounds.seen, rounds.heard_at) = (settled.seen, now);
    }

    /// The round came to nothing; `reached` = the store may have it all the same. After some time
    /// without a round the node goes on by itself, with its part of what was free of quotas.
    pub fn miss(&self, asked: &Asked, reached: bool, now: Timestamp) {
        if !reached {
            self.withdraw(asked);
        }
        let terms = self.terms();
        let is_cut_off = now.since(lock(&self.rounds).heard_at) > CUT_OFF_AFTER;
        if terms.fleet == Fleet::Joined && is_cut_off {
            self.set_terms(Terms { fleet: Fleet::CutOff, ..terms });
        }
    }

    fn withdraw(&self, asked: &Asked) {
        for ask in &asked.keys {
            let Ok(key) = ask.key.parse::<Key>() else { continue };
            let (hash, number) = self.place(&key.as_ref());
            let Some(mut shard) = self.shard(number) else { continue };
            let Some(slot) = shard.find(hash, &key.as_ref()) else { continue };
            let Some(entry) = shard.entry_mut(slot) else { continue };
            entry.meter.withdraw();
            if entry.meter.list() {
                shard.listed.push(slot);
            }
        }
    }

    fn take_split(&self, split: Share, now: Timestamp) {
        let terms = self.terms();
        if terms.fleet == Fleet::Alone {
            return;
        }
        self.set_terms(Terms { fleet: Fleet::Joined, ..terms.with_split(split, now) });
        if terms.split == split {
            return;
        }
        for shard in &self.shards {
            for (_, entry) in lock(shard).entries_mut() {
                entry.meter.follow(entry.limit, split, now);
            }
        }
    }
}

impl super::Shard {
    fn list_idle(&mut self, now: Timestamp) {
        let mut idle = Vec::new();
        for (slot, entry) in self.entries_mut() {
            if entry.meter.is_idle(now) && entry.meter.list() {
                idle.push(slot);
            }
        }
        self.listed.extend(idle);
    }

    fn give_back(&mut self) {
        let mut given = Vec::new();
        for (slot, entry) in self.entries_mut() {
            if entry.meter.give_back() && entry.meter.list() {
                given.push(slot);
            }
        }
        self.listed.extend(given);
    }

    /// Says what is listed, up to so many keys in all.
    fn ask(&mut self, keys: &mut Vec<Ask>, keys_max: usize, terms: Terms, now: Timestamp) {
        let mut again = Vec::new();
        while keys.len() < keys_max {
            let Some(slot) = self.listed.pop() else { break };
            let Some(entry) = self.entry_mut(slot) else { continue };
            let text = entry.key.to_string();
            keys.push(entry.meter.ask(&text, entry.limit, terms, now));
            if entry.meter.stays_in_rounds(now) && entry.meter.list() {
                again.push(slot);
            }
        }
        self.listed.extend(again);
    }
}

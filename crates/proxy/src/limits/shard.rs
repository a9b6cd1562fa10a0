//! Some of the keys, found by their hash.

use std::hash::BuildHasher;

use base::{Span, Timestamp};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use traffic::Limit;
use traffic::limit::{Key, KeyRef, Meter, Name, Terms};

/// A full shard is swept no more often: each sweep looks at all its keys.
const SWEEP_EVERY: Span = Span::from_millis(100);

/// One key and what was used of it, in the order in which a look-up reads it.
#[repr(C)]
pub(super) struct Entry {
    hash: u64,
    pub(super) key: Key,
    pub(super) meter: Meter,
    pub(super) limit: Limit,
}

/// Keys in slots that stay where they are until they are given up, so that a slot number found
/// under a lock is good for as long as the lock is held.
pub(super) struct Shard {
    table: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// Slots that take part in the next round.
    pub(super) listed: Vec<u32>,
    room: usize,
    swept_at: Timestamp,
    refused: HashTable<Refused>,
}

/// How many requests one limit of one API refused.
struct Refused {
    api: Box<str>,
    name: Name,
    count: u64,
}

impl Refused {
    fn hash(api: &str, name: Name) -> u64 {
        FxBuildHasher.hash_one((api, name))
    }
}

impl Shard {
    pub(super) fn new(room: usize) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            listed: Vec::new(),
            room,
            swept_at: Timestamp::MIN,
            refused: HashTable::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn find(&self, hash: u64, key: &KeyRef<'_>) -> Option<u32> {
        let is_it = |slot: &u32| {
            self.entry(*slot).is_some_and(|entry| entry.hash == hash && entry.key.is(key))
        };
        self.table.find(hash, is_it).copied()
    }

    /// The slot of a key, which is made if there is room for it.
    pub(super) fn find_or_make(
        &mut self,
        hash: u64,
        key: &KeyRef<'_>,
        limit: Limit,
        terms: Terms,
        now: Timestamp,
    ) -> Option<u32> {
        if let Some(slot) = self.find(hash, key) {
            if let Some(entry) = self.entry_mut(slot) {
                // The amount may have been changed since.
                entry.limit = limit;
            }
            return Some(slot);
        }
        self.make_room(now).then_some(())?;
        let meter = Meter::new(limit, terms, now);
        let entry = Entry { key: key.to_key(), limit, meter, hash };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        *self.slots.get_mut(usize::try_from(slot).ok()?)? = Some(entry);
        let slots = &self.slots;
        self.table.insert_unique(hash, slot, |slot| hash_of(slots, *slot));
        Some(slot)
    }

    pub(super) fn entry(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(usize::try_from(slot).ok()?)?.as_ref()
    }

    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(usize::try_from(slot).ok()?)?.as_mut()
    }

    /// Everything, with the slot of each.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = (u32, &mut Entry)> {
        (0u32..).zip(&mut self.slots).filter_map(|(slot, entry)| Some((slot, entry.as_mut()?)))
    }

    fn make_room(&mut self, now: Timestamp) -> bool {
        if self.table.len() < self.room {
            return true;
        }
        if now.since(self.swept_at) >= SWEEP_EVERY {
            self.sweep(now);
        }
        self.table.len() < self.room
    }

    /// Forgets what could as well be forgotten.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.swept_at = now;
        let Self { table, slots, free, .. } = self;
        table.retain(|slot| {
            let at = usize::try_from(*slot).unwrap_or(usize::MAX);
            let Some(place) = slots.get_mut(at) else { return false };
            let keeps = place.as_ref().is_some_and(|entry| !entry.meter.is_spent(now));
            if !keeps {
                *place = None;
                free.push(*slot);
            }
            keeps
        });
    }

    /// One more request was refused by a limit.
    pub(super) fn count_refused(&mut self, api: &str, name: Name) {
        let hash = Refused::hash(api, name);
        let is_it = |known: &Refused| &*known.api == api && known.name == name;
        if let Some(known) = self.refused.find_mut(hash, is_it) {
            known.count += 1;
            return;
        }
        let first = Refused { api: api.into(), name, count: 1 };
        self.refused.insert_unique(hash, first, |known| Refused::hash(&known.api, known.name));
    }

    pub(super) fn refused(&self) -> impl Iterator<Item = (&str, Name, u64)> {
        self.refused.iter().map(|known| (&*known.api, known.name, known.count))
    }
}

fn hash_of(slots: &[Option<Entry>], slot: u32) -> u64 {
    let at = usize::try_from(slot).unwrap_or(usize::MAX);
    slots.get(at).and_then(Option::as_ref).map_or(0, |entry| entry.hash)
}

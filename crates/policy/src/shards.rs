//! A map that is cheap to copy with one entry changed.
//!
//! Two levels of 64 leave 4,096 small hash maps. A change copies the two levels on its way and one
//! of the small maps; the rest is shared. At a million entries that is a copy of some 250.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

const WIDTH: usize = 64;

type Leaf<K, V> = Arc<HashTable<(K, V)>>;
type Branch<K, V> = Arc<Vec<Option<Leaf<K, V>>>>;

/// A persistent map. The hash is not keyed: keys are ids that administrators chose and digests,
/// never text that a caller could pick to make them collide.
#[derive(Debug)]
pub(crate) struct Shards<K, V> {
    root: Arc<Vec<Option<Branch<K, V>>>>,
    len: usize,
}

impl<K, V> Clone for Shards<K, V> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(none()), len: 0 }
    }
}

fn none<T>() -> Vec<Option<T>> {
    std::iter::repeat_with(|| None).take(WIDTH).collect()
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    /// Which branch and which leaf. The bits are taken from the middle of the hash, because the
    /// small maps use its ends.
    fn place(hash: u64) -> (usize, usize) {
        let bits = |shift: u32| usize::try_from((hash >> shift) & 63).unwrap_or(0);
        (bits(32), bits(38))
    }

    /// The entry of a key, which is hashed once for all the levels.
    fn entry(&self, key: &K) -> Option<&(K, V)> {
        let hash = FxBuildHasher.hash_one(key);
        let (branch, leaf) = Self::place(hash);
        let leaf = self.root.get(branch)?.as_ref()?.get(leaf)?.as_deref()?;
        leaf.find(hash, |(known, _)| known == key)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key as it is stored: cloning it shares one allocation.
    pub(crate) fn stored_key(&self, key: &K) -> Option<&K> {
        self.entry(key).map(|(stored, _)| stored)
    }

    /// Every entry, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let branches = self.root.iter().flatten().flat_map(|branch| branch.iter());
        branches.flatten().flat_map(|leaf| leaf.iter()).map(|(key, value)| (key, value))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn leaf_mut(&mut self, hash: u64) -> Option<&mut HashTable<(K, V)>> {
        let (branch, leaf) = Self::place(hash);
        let branch = Arc::make_mut(&mut self.root).get_mut(branch)?;
        let branch = Arc::make_mut(branch.get_or_insert_with(|| Arc::new(none())));
        let leaf = branch.get_mut(leaf)?.get_or_insert_with(Default::default);
        Some(Arc::make_mut(leaf))
    }

    /// The place of a key in its leaf, for a change.
    fn slot(&mut self, key: &K) -> Option<Entry<'_, (K, V)>> {
        let hash = FxBuildHasher.hash_one(key);
        let again = |(key, _): &(K, V)| FxBuildHasher.hash_one(key);
        Some(self.leaf_mut(hash)?.entry(hash, |(known, _)| known == key, again))
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let fresh = match self.slot(&key) {
            Some(Entry::Occupied(mut known)) => {
                known.get_mut().1 = value;
                false
            }
            Some(Entry::Vacant(free)) => {
                free.insert((key, value));
                true
            }
            None => false,
        };
        self.len += usize::from(fresh);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if self.get(key).is_none() {
            return;
        }
        if let Some(Entry::Occupied(known)) = self.slot(key) {
            known.remove();
            self.len = self.len.saturating_sub(1);
        }
    }

    /// Changes the value under a key in place; a missing one starts from its default.
    pub(crate) fn update(&mut self, key: &K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        let fresh = match self.slot(key) {
            Some(Entry::Occupied(mut known)) => {
                change(&mut known.get_mut().1);
                false
            }
            Some(Entry::Vacant(free)) => {
                let mut value = V::default();
                change(&mut value);
                free.insert((key.clone(), value));
                true
            }
            None => false,
        };
        self.len += usize::from(fresh);
    }
}

#[cfg(test)]
mod tests;

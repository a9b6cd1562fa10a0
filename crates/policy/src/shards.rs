//! A map that is cheap to copy with one entry changed.
//!
//! Two levels of 64 leave 4,096 small hash maps. A change copies the two levels on its way and one
//! of the small maps; the rest is shared. At a million entries that is a copy of some 250.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap};

const WIDTH: usize = 64;

type Leaf<K, V> = Arc<FxHashMap<K, V>>;
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
    fn place(key: &K) -> (usize, usize) {
        let hash = FxBuildHasher.hash_one(key);
        let bits = |shift: u32| usize::try_from((hash >> shift) & 63).unwrap_or(0);
        (bits(32), bits(38))
    }

    fn leaf(&self, key: &K) -> Option<&FxHashMap<K, V>> {
        let (branch, leaf) = Self::place(key);
        self.root.get(branch)?.as_ref()?.get(leaf)?.as_deref()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.leaf(key)?.get(key)
    }

    /// The key as it is stored: cloning it shares one allocation.
    pub(crate) fn stored_key(&self, key: &K) -> Option<&K> {
        self.leaf(key)?.get_key_value(key).map(|(stored, _)| stored)
    }

    /// Every entry, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let branches = self.root.iter().flatten().flat_map(|branch| branch.iter());
        branches.flatten().flat_map(|leaf| leaf.iter())
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn leaf_mut(&mut self, key: &K) -> Option<&mut FxHashMap<K, V>> {
        let (branch, leaf) = Self::place(key);
        let branch = Arc::make_mut(&mut self.root).get_mut(branch)?;
        let branch = Arc::make_mut(branch.get_or_insert_with(|| Arc::new(none())));
        let leaf = branch.get_mut(leaf)?.get_or_insert_with(Default::default);
        Some(Arc::make_mut(leaf))
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let fresh = match self.leaf_mut(&key) {
            Some(leaf) => leaf.insert(key, value).is_none(),
            None => false,
        };
        self.len += usize::from(fresh);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if self.get(key).is_none() {
            return;
        }
        if let Some(leaf) = self.leaf_mut(key) {
            leaf.remove(key);
            self.len = self.len.saturating_sub(1);
        }
    }

    /// Changes the value under a key in place; a missing one starts from its default.
    pub(crate) fn update(&mut self, key: &K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        let mut fresh = false;
        if let Some(leaf) = self.leaf_mut(key) {
            if !leaf.contains_key(key) {
                leaf.insert(key.clone(), V::default());
                fresh = true;
            }
            if let Some(value) = leaf.get_mut(key) {
                change(value);
            }
        }
        self.len += usize::from(fresh);
    }
}

#[cfg(test)]
mod tests;

//! What is within what. Cedar takes no circles, and follows paths by itself: things in a circle
//! with each other are told as if each of them stood where all of them do.

use std::collections::{BTreeMap, BTreeSet};

/// Things and what each is directly within.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy<K>(BTreeMap<K, BTreeSet<K>>);

impl<K> Default for Hierarchy<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Hierarchy<K> {
    pub(crate) fn add(&mut self, one: K) {
        self.0.entry(one).or_default();
    }

    pub(crate) fn put(&mut self, inner: K, outer: K) {
        self.add(outer.clone());
        self.0.entry(inner).or_default().insert(outer);
    }

    /// All that one is within, however indirectly; itself only if it is in a circle.
    pub(crate) fn reach(&self, one: &K) -> BTreeSet<K> {
        let mut found = BTreeSet::new();
        let mut open = vec![one.clone()];
        while let Some(next) = open.pop() {
            for outer in self.0.get(&next).into_iter().flatten() {
                if found.insert(outer.clone()) {
                    open.push(outer.clone());
                }
            }
        }
        found
    }

    /// One, and all that it is in a circle with.
    pub(crate) fn peers(&self, one: &K) -> BTreeSet<K> {
        let reach = self.reach(one);
        let mut peers: BTreeSet<K> =
            reach.into_iter().filter(|other| self.reach(other).contains(one)).collect();
        peers.insert(one.clone());
        peers
    }

    /// What one and its peers are directly within, beside each other, with the peers of that.
    pub(crate) fn above(&self, one: &K) -> BTreeSet<K> {
        let peers = self.peers(one);
        let outer = peers.iter().filter_map(|peer| self.0.get(peer)).flatten();
        outer.filter(|outer| !peers.contains(outer)).flat_map(|outer| self.peers(outer)).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }
}

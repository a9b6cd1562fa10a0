//! Tokens whose signature was verified, found by the SHA-256 of their whole text, so that another
//! token can never stand in for one. Only the signature's verdict is kept: times, subject,
//! credential and identity are checked on every request.
//!
//! Two generations bound it: when the young one is full it becomes the old one, and the former old
//! one is forgotten. That forgets in blocks, and needs no order on every look-up.

use std::sync::Arc;

use base::Digest;
use rustc_hash::FxHashMap;
use token::{Claims, Issuer};

/// A bounded cache of verified claims.
pub(crate) struct ClaimsCache<V = Claims> {
    /// The issuers that the entries were verified against; others empty the cache.
    issuers: Arc<Vec<Issuer>>,
    young: FxHashMap<Digest, Arc<V>>,
    old: FxHashMap<Digest, Arc<V>>,
    generation_max: usize,
}

impl<V> ClaimsCache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            issuers: Arc::default(),
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            generation_max: (capacity / 2).max(1),
        }
    }

    /// The claims of a token that was verified against exactly these issuers.
    pub(crate) fn get(&mut self, token: &Digest, issuers: &Arc<Vec<Issuer>>) -> Option<Arc<V>> {
        if !Arc::ptr_eq(&self.issuers, issuers) {
            self.young.clear();
            self.old.clear();
            self.issuers = Arc::clone(issuers);
            return None;
        }
        if let Some(claims) = self.young.get(token) {
            return Some(Arc::clone(claims));
        }
        let claims = self.old.remove(token)?;
        self.insert(*token, Arc::clone(&claims), issuers);
        Some(claims)
    }

    /// Keeps claims, unless the issuers changed while they were verified.
    pub(crate) fn insert(&mut self, token: Digest, claims: Arc<V>, issuers: &Arc<Vec<Issuer>>) {
        if !Arc::ptr_eq(&self.issuers, issuers) {
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u32) -> Digest {
        Digest::of(&[&number.to_be_bytes()])
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let issuers = Arc::new(Vec::new());
        let mut cache = ClaimsCache::<u32>::new(100);
        assert_eq!(cache.get(&token(0), &issuers), None);
        for number in 0..10_000 {
            cache.insert(token(number), Arc::new(number), &issuers);
            assert_eq!(cache.get(&token(0), &issuers).as_deref(), Some(&0), "used all the time");
            assert!(cache.young.len() + cache.old.len() <= 101);
        }
        assert_eq!(cache.get(&token(1), &issuers), None);
    }

    #[test]
    fn other_issuers_empty_it_and_late_verdicts_of_former_ones_are_not_kept() {
        let (former, present) = (Arc::new(Vec::new()), Arc::new(Vec::new()));
        let mut cache = ClaimsCache::<u32>::new(100);
        cache.get(&token(1), &former);
        cache.insert(token(1), Arc::new(1), &former);
        assert_eq!(cache.get(&token(1), &present), None);
        cache.insert(token(2), Arc::new(2), &former);
        assert_eq!(cache.get(&token(2), &present), None);
        assert_eq!(cache.get(&token(1), &former), None, "not even when they come back");
    }
}

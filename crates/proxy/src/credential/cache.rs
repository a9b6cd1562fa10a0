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
pub(crate) struct ClaimsCache {
    /// The issuers that the entries were verified against; others empty the cache.
    issuers: Arc<Vec<Issuer>>,
    young: FxHashMap<Digest, Arc<Claims>>,
    old: FxHashMap<Digest, Arc<Claims>>,
    generation_max: usize,
}

impl ClaimsCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            issuers: Arc::default(),
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            generation_max: (capacity / 2).max(1),
        }
    }

    /// The claims of a token that was verified against exactly these issuers.
    pub(crate) fn get(&mut self, token: &Digest, issuers: &Arc<Vec<Issuer>>) -> Option<Arc<Claims>> {
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
    pub(crate) fn insert(
        &mut self,
        token: Digest,
        claims: Arc<Claims>,
        issuers: &Arc<Vec<Issuer>>,
    ) {
        if !Arc::ptr_eq(&self.issuers, issuers) {
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, claims);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

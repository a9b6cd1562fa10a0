//! The keys of authentication: the pepper, fixed for the life of the process, and the trusted
//! issuers, which change as their key sets do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use token::{Issuer, Pepper};

/// What callers are authenticated with.
#[derive(Debug)]
pub struct Authenticators {
    pepper: Pepper,
    issuers: ArcSwap<Vec<Issuer>>,
    /// Names of issuers; never more than are configured.
    without_key: Mutex<BTreeSet<String>>,
}

impl Authenticators {
    /// With these issuers at first.
    pub fn new(pepper: Pepper, issuers: Vec<Issuer>) -> Self {
        Self { pepper, issuers: ArcSwap::from_pointee(issuers), without_key: Mutex::default() }
    }

    /// Replaces the issuers. Tokens verified by keys that are gone are not trusted from the next
    /// request on.
    pub fn set_issuers(&self, issuers: Vec<Issuer>) {
        self.issuers.store(Arc::new(issuers));
    }

    /// The issuers now.
    pub fn issuers(&self) -> Arc<Vec<Issuer>> {
        self.issuers.load_full()
    }

    /// The issuers of which refused tokens named a key that is not in their sets, since the last
    /// call: their key sets may have changed. Forged tokens name such keys too.
    pub fn take_issuers_without_key(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.without_key.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note_missing_key(&self, refused: &str, issuers: &[Issuer]) {
        let Some(issuer) = token::issuer_without_key(refused, issuers) else { return };
        let mut noted = self.without_key.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.contains(issuer.name()) {
            noted.insert(issuer.name().to_owned());
        }
    }

    pub(crate) fn pepper(&self) -> &Pepper {
        &self.pepper
    }
}

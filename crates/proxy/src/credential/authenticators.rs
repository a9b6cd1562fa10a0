//! The keys of authentication: the pepper, fixed for the life of the process, and the trusted
//! issuers, which change as their key sets do.

use std::sync::Arc;

use arc_swap::ArcSwap;
use token::{Issuer, Pepper};

/// What callers are authenticated with.
#[derive(Debug)]
pub struct Authenticators {
    pepper: Pepper,
    issuers: ArcSwap<Vec<Issuer>>,
}

impl Authenticators {
    /// With these issuers at first.
    pub fn new(pepper: Pepper, issuers: Vec<Issuer>) -> Self {
        Self { pepper, issuers: ArcSwap::from_pointee(issuers) }
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

    pub(crate) fn pepper(&self) -> &Pepper {
        &self.pepper
    }
}

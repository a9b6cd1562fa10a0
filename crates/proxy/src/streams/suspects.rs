//! Which open requests a set of changes may have touched, and which of the changes it was.

use base::{ApiId, CredentialId, GrantId, IdentityId};
use policy::Touch;
use rustc_hash::FxHashMap;

use super::entry::{Entry, Facts};

/// What changes touched, each with the sequence number of the first change that did.
#[derive(Debug, Default)]
pub(super) struct Suspects<'t> {
    apis: FxHashMap<&'t ApiId, u64>,
    identities: FxHashMap<&'t IdentityId, u64>,
    credentials: FxHashMap<&'t CredentialId, u64>,
    grants: FxHashMap<&'t GrantId, u64>,
    /// APIs of touched grants: by now another grant than at its start may let a request go on.
    granted: FxHashMap<&'t ApiId, u64>,
    /// The first change that may have touched anything.
    all: Option<u64>,
}

impl<'t> Suspects<'t> {
    pub(super) fn of(touched: &'t [(u64, Touch)]) -> Self {
        let mut suspects = Self::default();
        for (change, touch) in touched {
            suspects.add(*change, touch);
        }
        suspects
    }

    fn add(&mut self, change: u64, touch: &'t Touch) {
        match touch {
            Touch::Api(id) => {
                self.apis.entry(id).or_insert(change);
            }
            Touch::Identity(id) => {
                self.identities.entry(id).or_insert(change);
            }
            Touch::Credential(id) => {
                self.credentials.entry(id).or_insert(change);
            }
            Touch::Grant(id, api) => {
                self.grants.entry(id).or_insert(change);
                self.granted.entry(api).or_insert(change);
            }
            Touch::All => {
                self.all.get_or_insert(change);
            }
        }
    }

    /// The change that took the permission of a request away, if one of these did. What named the
    /// request itself goes before what only may have concerned it.
    pub(super) fn cause(&self, entry: &Entry) -> Option<u64> {
        let Facts { who, api, grants, .. } = &entry.facts;
        let named = [
            self.credentials.get(who.credential()).copied(),
            self.identities.get(who.identity()).copied(),
            grants.iter().filter_map(|grant| self.grants.get(grant)).min().copied(),
            self.apis.get(api).copied(),
        ];
        let named = named.into_iter().flatten().min();
        named.or(self.all).or_else(|| self.granted.get(api).copied())
    }
}

//! What the records of the window say about grants, credentials and identities: fed cell by cell
//! in any order, kept small enough for 25,000 grants and millions of cells.
//!
//! A call that several grants allowed is counted once per grant, and once per credential and
//! identity. The cells only carry the counts per grant, so the larger of two counts of the same
//! credential, operation and day is taken: every record of that day names the same grants, unless
//! a grant began or ended within the day.

use std::collections::BTreeMap;

use base::{ApiId, CredentialId, GrantId, IdentityId, OperationId, Timestamp};
use rustc_hash::FxHashMap;
use serde::Serialize;
use traffic::{Usage, UsageKey};

use crate::window::{WEEKS, Window};

/// Use of one grant in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GrantUse {
    /// Calls that it let through.
    pub calls: u64,
    /// The last of them.
    pub last_at: Option<Timestamp>,
    /// Calls per week, oldest first.
    pub weeks: [u64; WEEKS],
    /// Calls per operation.
    pub operations: BTreeMap<OperationId, u64>,
    /// When properties of answers were received last, per operation, as far as answers were looked
    /// at. Left out of what is sealed when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub received: BTreeMap<OperationId, BTreeMap<String, Timestamp>>,
}

/// Use of one credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CredentialUse {
    /// Calls let through in the window.
    pub calls: u64,
    /// The last of them.
    pub last_at: Option<Timestamp>,
    /// The last call let through before the window, as far as records reach.
    pub last_before: Option<Timestamp>,
}

/// What one identity did in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IdentityUse {
    /// Calls let through.
    pub calls: u64,
    /// The UTC days with one, as bits from the first day of the window.
    days: [u64; 2],
    /// Calls per API and operation.
    #[serde(skip)]
    pub operations: FxHashMap<(ApiId, OperationId), u64>,
}

impl IdentityUse {
    /// On how many UTC days it called.
    pub fn active_days(&self) -> u32 {
        self.days.iter().map(|word| word.count_ones()).sum()
    }

    fn mark(&mut self, day: i64) {
        if let Ok(day) = usize::try_from(day)
            && let Some(word) = self.days.get_mut(day / 64)
        {
            *word |= 1 << (day % 64);
        }
    }
}

/// Use in a window, indexed by what was used.
#[derive(Debug, Clone)]
pub struct UsageFacts {
    window: Window,
    grants: FxHashMap<GrantId, GrantUse>,
    credentials: FxHashMap<CredentialId, CredentialUse>,
    identities: FxHashMap<IdentityId, IdentityUse>,
    seen: Seen,
}

/// Calls counted so far per credential, operation and day, by small numbers instead of ids.
#[derive(Debug, Clone, Default)]
struct Seen {
    credentials: FxHashMap<CredentialId, u32>,
    operations: FxHashMap<(ApiId, Option<OperationId>), u32>,
    cells: FxHashMap<(u32, u32, i64), u64>,
}

impl Seen {
    /// How many of `calls` were not counted before for the same credential, operation and day.
    fn fresh(&mut self, key: &UsageKey, calls: u64) -> u64 {
        let next = u32::try_from(self.credentials.len()).unwrap_or(u32::MAX);
        let credential = *self.credentials.entry(key.credential_id.clone()).or_insert(next);
        let next = u32::try_from(self.operations.len()).unwrap_or(u32::MAX);
        let operation = (key.api_id.clone(), key.operation.clone());
        let operation = *self.operations.entry(operation).or_insert(next);
        let counted = self.cells.entry((credential, operation, key.day)).or_default();
        let fresh = calls.saturating_sub(*counted);
        *counted += fresh;
        fresh
    }
}

impl UsageFacts {
    /// No use at all.
    pub fn empty(window: Window) -> Self {
        Self {
            window,
            grants: FxHashMap::default(),
            credentials: FxHashMap::default(),
            identities: FxHashMap::default(),
            seen: Seen::default(),
        }
    }

    /// The window that it is about.
    pub const fn window(&self) -> Window {
        self.window
    }

    /// Adds one cell. Cells of which no call lies in the window only tell when a credential was
    /// used before it; a cell that straddles its start counts whole.
    pub fn add(&mut self, key: &UsageKey, usage: &Usage) {
        if usage.last_at < self.window.from {
            self.note_earlier_use(key.credential_id.clone(), usage.last_at);
            return;
        }
        if usage.first_at >= self.window.until {
            return;
        }
        if let Some(grant) = &key.grant_id {
            self.add_to_grant(grant, key, usage);
        }
        let fresh = self.seen.fresh(key, usage.calls);
        let credential = self.credentials.entry(key.credential_id.clone()).or_default();
        credential.calls += fresh;
        credential.last_at = credential.last_at.max(Some(usage.last_at));
        let identity = self.identities.entry(key.identity_id.clone()).or_default();
        identity.calls += fresh;
        identity.mark(key.day - self.window.from.day());
        if let Some(operation) = &key.operation {
            let operation = (key.api_id.clone(), operation.clone());
            *identity.operations.entry(operation).or_default() += fresh;
        }
    }

    fn add_to_grant(&mut self, grant: &GrantId, key: &UsageKey, usage: &Usage) {
        let used = self.grants.entry(grant.clone()).or_default();
        used.calls += usage.calls;
        used.last_at = used.last_at.max(Some(usage.last_at));
        if let Some(week) = self.window.week_of(usage.last_at)
            && let Some(count) = used.weeks.get_mut(week)
        {
            *count += usage.calls;
        }
        if let Some(operation) = &key.operation {
            *used.operations.entry(operation.clone()).or_default() += usage.calls;
        }
    }

    /// Tells that a credential was used before the window.
    pub fn note_earlier_use(&mut self, credential: CredentialId, at: Timestamp) {
        let used = self.credentials.entry(credential).or_default();
        used.last_before = used.last_before.max(Some(at));
    }

    /// Tells that a property was received under a grant in the window; of a grant that was not used
    /// there, nothing is kept.
    pub fn note_received(
        &mut self,
        grant: &GrantId,
        operation: OperationId,
        path: String,
        at: Timestamp,
    ) {
        if let Some(used) = self.grants.get_mut(grant) {
            let last_at = used.received.entry(operation).or_default().entry(path).or_insert(at);
            *last_at = (*last_at).max(at);
        }
    }

    /// Use of a grant; `None` when there was none.
    pub fn grant(&self, id: &GrantId) -> Option<&GrantUse> {
        self.grants.get(id)
    }

    /// Use of a credential; `None` when there was none, in the window or before.
    pub fn credential(&self, id: &CredentialId) -> Option<&CredentialUse> {
        self.credentials.get(id)
    }

    /// What an identity did; `None` when it did nothing.
    pub fn identity(&self, id: &IdentityId) -> Option<&IdentityUse> {
        self.identities.get(id)
    }

    /// Use per grant, sorted by id: what the seal of an inventory covers.
    pub(crate) fn sorted_grants(&self) -> Vec<(&GrantId, &GrantUse)> {
        let mut rows: Vec<_> = self.grants.iter().collect();
        rows.sort_by(|a, b| a.0.cmp(b.0));
        rows
    }

    /// Use per credential, sorted by id.
    pub(crate) fn sorted_credentials(&self) -> Vec<(&CredentialId, &CredentialUse)> {
        let mut rows: Vec<_> = self.credentials.iter().collect();
        rows.sort_by(|a, b| a.0.cmp(b.0));
        rows
    }

    /// Use per identity, sorted by id.
    pub(crate) fn sorted_identities(&self) -> Vec<(&IdentityId, &IdentityUse)> {
        let mut rows: Vec<_> = self.identities.iter().collect();
        rows.sort_by(|a, b| a.0.cmp(b.0));
        rows
    }
}

#[cfg(test)]
mod tests;

//! Usage: call records folded per grant × operation × credential × day.

use std::collections::HashMap;

use base::{ApiId, CredentialId, GrantId, IdentityId, OperationId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::CallRecord;

/// What calls are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UsageKey {
    /// The grant that let them pass; `None` in observe mode without a grant.
    pub grant_id: Option<GrantId>,
    /// Who called.
    pub identity_id: IdentityId,
    /// With what.
    pub credential_id: CredentialId,
    /// Which API.
    pub api_id: ApiId,
    /// Which operation; `None` when the catalogue has none (observe mode).
    pub operation: Option<OperationId>,
    /// UTC day, as [`Timestamp::day`] counts.
    pub day: i64,
}

/// What is known of the calls under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many were let through.
    pub calls: u64,
    /// Of these, answered with 2xx.
    pub succeeded: u64,
    /// The first.
    pub first_at: Timestamp,
    /// The last.
    pub last_at: Timestamp,
}

impl Usage {
    /// Adds what another fold saw.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.succeeded += other.succeeded;
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// Usage in memory since the last flush.
#[derive(Debug, Default)]
pub struct UsageFold {
    cells: HashMap<UsageKey, Usage>,
}

impl UsageFold {
    /// Counts a record, once per grant that let it pass. Refused requests are no use.
    pub fn add(&mut self, record: &CallRecord) {
        if !record.outcome.was_let_through() {
            return;
        }
        let (Some(identity), Some(credential), Some(api)) =
            (&record.identity_id, &record.credential_id, &record.api_id)
        else {
            return;
        };
        let seen = Usage {
            calls: 1,
            succeeded: u64::from((200..300).contains(&record.status)),
            first_at: record.at,
            last_at: record.at,
        };
        let key = |grant_id: Option<GrantId>| UsageKey {
            grant_id,
            identity_id: identity.clone(),
            credential_id: credential.clone(),
            api_id: api.clone(),
            operation: record.operation.clone(),
            day: record.at.day(),
        };
        if record.grant_ids.is_empty() {
            self.merge(key(None), seen);
        }
        for grant in &record.grant_ids {
            self.merge(key(Some(grant.clone())), seen);
        }
    }

    fn merge(&mut self, key: UsageKey, seen: Usage) {
        self.cells.entry(key).and_modify(|usage| usage.merge(&seen)).or_insert(seen);
    }

    /// Hands over what was folded so far, sorted by key, and starts anew.
    pub fn take(&mut self) -> Vec<(UsageKey, Usage)> {
        let mut cells: Vec<_> = std::mem::take(&mut self.cells).into_iter().collect();
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        cells
    }

    /// Nothing has been folded since the last [`UsageFold::take`].
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

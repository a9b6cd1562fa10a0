//! Fields received: what call records say was in answers, folded per grant × identity × operation.

use std::collections::{BTreeMap, HashMap};

use base::{ApiId, GrantId, IdentityId, OperationId, Timestamp};

use crate::CallRecord;

/// Stands for properties that the catalogue does not have. A property of that name is written `\*`.
pub const OTHER: &str = "*";
/// Stands for properties that are not listed. No property is written like this.
pub const MORE: &str = "[more]";
/// The most paths under one key between two flushes.
pub const PATHS_MAX: usize = 256;

/// Who received, because of what, from where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceivedKey {
    /// The grant that let the call pass; `None` in observe mode without a grant.
    pub grant_id: Option<GrantId>,
    /// Who called.
    pub identity_id: IdentityId,
    /// Which API.
    pub api_id: ApiId,
    /// Which operation.
    pub operation: OperationId,
}

/// A property that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// By whom.
    pub key: ReceivedKey,
    /// As the catalogue writes it, or [`OTHER`], or [`MORE`].
    pub path: String,
    /// The last time, as far as answers were looked at.
    pub last_at: Timestamp,
}

/// Fields received since the last flush.
#[derive(Debug, Default)]
pub struct ReceivedFold {
    cells: HashMap<ReceivedKey, BTreeMap<String, Timestamp>>,
}

impl ReceivedFold {
    /// Adds what a record says, under each grant that let the call pass.
    pub fn add(&mut self, record: &CallRecord) {
        let (Some(seen), Some(identity), Some(api), Some(operation)) =
            (&record.fields_seen, &record.identity_id, &record.api_id, &record.operation)
        else {
            return;
        };
        let none = [None];
        let grants = record.grant_ids.iter().map(Some);
        let unknown = none.into_iter().filter(|_| record.grant_ids.is_empty());
        for grant in grants.chain(unknown) {
            let cell = self.cells.entry(ReceivedKey {
                grant_id: grant.cloned(),
                identity_id: identity.clone(),
                api_id: api.clone(),
                operation: operation.clone(),
            });
            let cell = cell.or_default();
            seen.paths.iter().for_each(|path| note(cell, path, record.at));
            if seen.other {
                note(cell, OTHER, record.at);
            }
            if seen.more {
                note(cell, MORE, record.at);
            }
        }
    }

    /// Hands over what was folded so far, sorted, and starts anew.
    pub fn take(&mut self) -> Vec<Received> {
        let mut cells: Vec<_> = std::mem::take(&mut self.cells).into_iter().collect();
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        let received = |(key, paths): (ReceivedKey, BTreeMap<String, Timestamp>)| {
            let one = move |(path, last_at)| Received { key: key.clone(), path, last_at };
            paths.into_iter().map(one)
        };
        cells.into_iter().flat_map(received).collect()
    }
}

fn note(cell: &mut BTreeMap<String, Timestamp>, path: &str, at: Timestamp) {
    if let Some(last_at) = cell.get_mut(path) {
        *last_at = (*last_at).max(at);
    } else {
        // Two places are kept for what stands for others.
        let full = cell.len() >= PATHS_MAX - 2 && path != OTHER && path != MORE;
        let path = if full { MORE } else { path };
        let last_at = cell.entry(path.to_owned()).or_insert(at);
        *last_at = (*last_at).max(at);
    }
}

#[cfg(test)]
mod tests;

//! The grants that one identity or one group holds.

use std::sync::Arc;

use base::{GrantId, GroupId, IdentityId, Timestamp};
use grant::GrantStatus;
use smallvec::SmallVec;

use crate::numbers::{ApiNumber, OperationNumber, Operations};

/// One grant, as far as decisions need it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: GrantId,
    pub(crate) api: ApiNumber,
    pub(crate) status: GrantStatus,
    pub(crate) operations: Operations,
    /// [`Timestamp::MAX`] = never.
    pub(crate) ends: Timestamp,
    /// Response fields that may be seen; `None` = all.
    pub(crate) fields: Option<Arc<[String]>>,
}

impl Held {
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.status == GrantStatus::Active && self.ends > now
    }

    /// Allows the operation at `now`.
    pub(crate) fn covers(&self, operation: OperationNumber, now: Timestamp) -> bool {
        self.is_live(now) && self.operations.contains(operation)
    }
}

/// Grants of one holder, sorted by API. Those that are not in force stay: explanations name them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings(Vec<Held>);

impl Holdings {
    /// The grants on one API.
    pub(crate) fn on(&self, api: ApiNumber) -> &[Held] {
        let start = self.0.partition_point(|held| held.api < api);
        let rest = self.0.get(start..).unwrap_or_default();
        let end = rest.partition_point(|held| held.api == api);
        rest.get(..end).unwrap_or_default()
    }

    /// Adds a grant that is not held yet.
    pub(crate) fn add(&mut self, held: Held) {
        let place = self.0.partition_point(|other| (other.api, &other.id) < (held.api, &held.id));
        self.0.insert(place, held);
    }

    pub(crate) fn remove(&mut self, id: &GrantId) {
        self.0.retain(|held| held.id != *id);
    }
}

/// An identity: whether it may act, and what it holds. A grant or a membership that names an
/// unknown identity waits here without `state` and allows nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) state: Option<State>,
    /// Sorted.
    pub(crate) groups: SmallVec<[GroupId; 2]>,
    pub(crate) holdings: Holdings,
}

/// Whether an identity may act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) active: bool,
    pub(crate) left_at: Option<Timestamp>,
}

impl Subject {
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.state.is_some_and(|state| state.active && state.left_at.is_none_or(|left| left > now))
    }

    pub(crate) fn join(&mut self, group: &GroupId) {
        if let Err(place) = self.groups.binary_search(group) {
            self.groups.insert(place, group.clone());
        }
    }

    pub(crate) fn leave(&mut self, group: &GroupId) {
        self.groups.retain(|other| other != group);
    }
}

/// A group: who is in it, and what it holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circle {
    /// Sorted, each once.
    pub(crate) members: Arc<[IdentityId]>,
    pub(crate) holdings: Holdings,
}

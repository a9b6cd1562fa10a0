//! What signed decisions order, as data: which grant, reviewed in which version, is to become what.
//! The executor has no choices left, and a plan takes nothing away that was given after the review.

use std::collections::BTreeSet;

use base::{CampaignId, GrantId, IdentityId, ItemId, OperationId, Timestamp};
use grant::{Grant, GrantStatus, OperationSet};
use serde::{Deserialize, Serialize};

use crate::item::{Item, ItemState, Verdict};
use crate::verification::Proof;

/// What is to become of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", content = "operations", rename_all = "snake_case")]
pub enum Act {
    /// It is revoked.
    Remove,
    /// It covers only these operations.
    Narrow(BTreeSet<OperationId>),
}

impl Act {
    /// `remove` or `narrow`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Narrow(_) => "narrow",
        }
    }
}

/// How far an act is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RemediationState {
    /// To be executed.
    Planned,
    /// To be executed, but the grant gives more by now than was reviewed: somebody has to revoke or
    /// narrow it first.
    Blocked {
        /// The version found.
        found: u32,
        /// When it was noticed.
        at: Timestamp,
    },
    /// Executed; the ruleset version that holds it, and since when it stands.
    Applied {
        /// Ruleset version.
        change: u64,
        /// When it was committed.
        at: Timestamp,
    },
    /// Proved.
    Verified {
        /// Ruleset version.
        change: u64,
        /// When it was committed.
        at: Timestamp,
        /// What proves it.
        proof: Proof,
    },
    /// Executed, but the access is still there or was used. Blocks the campaign.
    Failed {
        /// Ruleset version.
        change: u64,
        /// When it was committed.
        at: Timestamp,
        /// Calls that the removed permission let through afterwards.
        allowed_since: u64,
        /// In words.
        problem: String,
    },
    /// Nothing that was to go was left when the act was to be executed.
    Superseded {
        /// The version that stood then; `None` when the grant was gone.
        found: Option<u32>,
        /// When that was noticed.
        at: Timestamp,
    },
}

impl RemediationState {
    /// `planned`, `blocked`, `applied`, `verified`, `failed` or `superseded`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Blocked { .. } => "blocked",
            Self::Applied { .. } => "applied",
            Self::Verified { .. } => "verified",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
        }
    }

    /// Still to be executed.
    pub const fn is_planned(&self) -> bool {
        matches!(self, Self::Planned | Self::Blocked { .. })
    }

    /// Needs no more work and hides nothing.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Superseded { .. })
    }

    /// Executed, with the ruleset version that holds it and since when.
    pub const fn applied(&self) -> Option<(u64, Timestamp)> {
        match self {
            Self::Applied { change, at }
            | Self::Verified { change, at, .. }
            | Self::Failed { change, at, .. } => Some((*change, *at)),
            Self::Planned | Self::Blocked { .. } | Self::Superseded { .. } => None,
        }
    }
}

/// One act of the plan. The item and the grant version together are its idempotency key: there is
/// at most one act for them, however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// The campaign.
    pub campaign: CampaignId,
    /// The item whose decision orders it.
    pub item: ItemId,
    /// The grant.
    pub grant: GrantId,
    /// The version that was reviewed. A newer one that gives no more is changed too.
    pub grant_version: u32,
    /// The operations that were reviewed, as they were granted.
    pub reviewed: OperationSet,
    /// What is to become of it.
    pub act: Act,
    /// The operations that are to be gone.
    pub gone: BTreeSet<OperationId>,
    /// Whose decision it is. Absent in plans that were stored before it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<IdentityId>,
    /// How far it is.
    pub state: RemediationState,
}

/// What executing an act on a grant means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The grant is to be written like this.
    Write(Box<Grant>),
    /// Nothing that is to go is left of it, whoever saw to that.
    AlreadyDone,
    /// The grant is another one than was reviewed, and gives nothing that is to go.
    Stale {
        /// The version found; `None` when there is no grant.
        found: Option<u32>,
    },
    /// The grant gives what is to go, and more than was reviewed. A plan does not undo what was
    /// given later, and what was signed is not done: somebody has to look.
    Widened {
        /// The version found.
        found: u32,
    },
}

impl Remediation {
    /// The act that a decided item orders; `None` when it keeps or is not decided.
    pub fn of(item: &Item) -> Option<Self> {
        let ItemState::Decided(decision) = &item.state else { return None };
        let granted = item.sealed.operations.iter().map(|op| op.id.clone());
        let (act, gone) = match &decision.draft.verdict {
            Verdict::Keep => return None,
            Verdict::Remove => (Act::Remove, granted.collect()),
            Verdict::Narrow(kept) => {
                let gone = granted.filter(|op| !kept.contains(op)).collect();
                (Act::Narrow(kept.clone()), gone)
            }
        };
        Some(Self {
            campaign: item.sealed.campaign.clone(),
            item: item.sealed.id.clone(),
            grant: item.sealed.grant.id.clone(),
            grant_version: item.sealed.grant.version,
            reviewed: item.sealed.grant.operations.clone(),
            act,
            gone,
            decided_by: Some(decision.draft.by.clone()),
            state: RemediationState::Planned,
        })
    }

    /// The idempotency key.
    pub fn key(&self) -> String {
        format!("{}@{}", self.item, self.grant_version)
    }

    /// What executing it on the grant as it stands means. A signed act holds for every version
    /// that gives no more than the reviewed one: whoever narrows a grant between a signature and
    /// its execution changes nothing about it.
    pub fn apply_to(&self, grant: Option<&Grant>) -> Applied {
        let Some(grant) = grant else { return Applied::Stale { found: None } };
        if grant.status == GrantStatus::Revoked {
            return Applied::AlreadyDone;
        }
        if self.reviewed.covers(&grant.operations) {
            return match &self.act {
                Act::Narrow(kept) if is_within(&grant.operations, kept) => Applied::AlreadyDone,
                _ => Applied::Write(Box::new(self.wanted(grant))),
            };
        }
        let found = grant.version;
        match self.gone.iter().any(|operation| grant.operations.contains(operation)) {
            true => Applied::Widened { found },
            false => Applied::Stale { found: Some(found) },
        }
    }

    fn wanted(&self, grant: &Grant) -> Grant {
        let mut wanted = grant.clone();
        wanted.version = grant.version.saturating_add(1);
        let Act::Narrow(kept) = &self.act else {
            wanted.status = GrantStatus::Revoked;
            return wanted;
        };
        let left: BTreeSet<_> = kept.iter().filter(|id| grant.operations.contains(id)).collect();
        if left.is_empty() {
            wanted.status = GrantStatus::Revoked;
            return wanted;
        }
        wanted.operations = OperationSet::Only(left.into_iter().cloned().collect());
        wanted.reason = ::grant::GrantReason::Review;
        // What is left stands by the decision, not by whoever gave the wider grant.
        wanted.approved_by = self.decided_by.as_ref().map(ToString::to_string);
        wanted
    }

    /// A call on `operation` under the grant is one that the act was to end.
    pub fn ends(&self, operation: Option<&OperationId>) -> bool {
        match (&self.act, operation) {
            (Act::Remove, _) | (_, None) => true,
            (Act::Narrow(kept), Some(operation)) => !kept.contains(operation),
        }
    }

    /// Notes that it was executed, or found stale.
    #[must_use]
    pub fn noted(self, state: RemediationState) -> Self {
        Self { state, ..self }
    }
}

fn is_within(granted: &OperationSet, kept: &BTreeSet<OperationId>) -> bool {
    match granted {
        OperationSet::All(_) => false,
        OperationSet::Only(ids) => ids.is_subset(kept),
    }
}

#[cfg(test)]
mod tests;

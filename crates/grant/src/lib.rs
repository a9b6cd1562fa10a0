//! Grants: who may use which operations of which API, on which objects and under which terms, until
//! when and because of what. The grant is the unit of review, versioned, and named in every record
//! of a call that it allowed.
//!
//! No I/O, no clock, no randomness.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod guardrails;
mod operations;
mod relation;
mod role;
pub mod rollout;
mod subject;
mod terms;
pub mod tie;
pub mod window;

use std::collections::BTreeSet;

use base::{ApiId, GrantId, RoleId, Timestamp, words};
use identity::Origin;
use serde::{Deserialize, Serialize};

pub use guardrails::Guardrails;
pub use operations::{AllOperations, OperationSet};
pub use relation::Relation;
pub use role::{Role, RoleTable};
pub use rollout::{Bound, Rollout};
pub use subject::GrantSubject;
pub use terms::{Terms, Withdrawal, WithdrawalStage};
pub use tie::{Place, Source, Tie};
pub use window::Window;

words! {
    /// Why a grant exists.
    GrantReason {
        /// Somebody asked and somebody approved.
        Request = "request",
        /// A review narrowed an earlier version.
        Review = "review",
        /// Carried over from another system.
        Import = "import",
        /// Given by a rule.
        Rule = "rule",
        /// An administrator gave it directly.
        Direct = "direct",
    }
}

words! {
    /// Whether a grant allows anything.
    GrantStatus {
        /// In force until it expires.
        Active = "active",
        /// Stopped for now; one act undoes it.
        Suspended = "suspended",
        /// Removed for good. The row stays: records name it.
        Revoked = "revoked",
    }
}

/// Permission for a subject to use operations of an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Stable id.
    pub id: GrantId,
    /// Grows by one with each change; a plan made for an older version cannot undo a newer one.
    pub version: u32,
    /// Who may call.
    pub subject: GrantSubject,
    /// What may be called.
    pub api: ApiId,
    /// Which operations of it.
    pub operations: OperationSet,
    /// Roles of the API whose operations it covers too, as they are at the time of the request.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<RoleId>,
    /// What may be seen of responses: dotted names, or `no <data class>`; `None` = all.
    pub fields: Option<Vec<String>>,
    /// Under which circumstances it allows.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it allows anything.
    pub status: GrantStatus,
    /// Why it exists.
    pub reason: GrantReason,
    /// Who asked, where known.
    pub requested_by: Option<String>,
    /// Who gave or approved it.
    pub approved_by: Option<String>,
    /// When a review last kept it.
    pub last_certified_at: Option<Timestamp>,
    /// Who kept it then.
    pub last_certified_by: Option<String>,
    /// Who maintains it.
    pub origin: Origin,
}

impl Grant {
    /// In force at `now`: active, not expired, and certified where that is asked.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == GrantStatus::Active && self.ends_at().is_none_or(|end| end > now)
    }

    /// When it stops allowing by itself: the earlier of its end and of its certification's.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.expires_at, self.terms.certified_until) {
            (Some(end), Some(certified)) => Some(end.min(certified)),
            (end, certified) => end.or(certified),
        }
    }

    /// The same grant, kept by a review. One that has to be kept in time is good for as long again
    /// as it was since it was given or kept before.
    #[must_use]
    pub fn certified(mut self, at: Timestamp, by: &str) -> Self {
        let since = self.last_certified_at.unwrap_or(self.created_at);
        self.terms.certified_until =
            self.terms.certified_until.map(|until| at + until.since(since));
        self.last_certified_at = Some(at);
        self.last_certified_by = Some(by.to_owned());
        self
    }
}

#[cfg(test)]
mod tests;

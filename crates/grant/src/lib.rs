//! Grants: who may use which operations of which API, until when and because of what. The grant
//! is the unit of review, versioned, and named in every record of a call that it allowed.
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

use std::collections::BTreeSet;
use std::fmt;

use base::{ApiId, GrantId, GroupId, IdentityId, OperationId, Timestamp, words};
use identity::Origin;
use serde::{Deserialize, Serialize};

/// Who a grant is for: an identity, or each member of a group (`group:<id>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GrantSubject {
    /// One identity.
    Identity(IdentityId),
    /// The members of a group, whoever they are at the time of the request.
    Group(GroupId),
}

impl fmt::Display for GrantSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(id) => write!(f, "{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
        }
    }
}

impl From<GrantSubject> for String {
    fn from(subject: GrantSubject) -> String {
        subject.to_string()
    }
}

impl std::str::FromStr for GrantSubject {
    type Err = base::id::BadId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("group:") {
            Some(group) => Ok(Self::Group(group.parse()?)),
            None => Ok(Self::Identity(text.parse()?)),
        }
    }
}

impl TryFrom<String> for GrantSubject {
    type Error = base::id::BadId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The operations that a grant covers. Serialised as `"*"` or a sorted list of operation ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OperationSet {
    /// Every operation of the API, also those added later.
    All(AllOperations),
    /// These, and no others. Empty covers nothing.
    Only(BTreeSet<OperationId>),
}

/// The text `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllOperations {
    /// Written `*`.
    #[serde(rename = "*")]
    Star,
}

impl OperationSet {
    /// Every operation.
    pub const ALL: Self = Self::All(AllOperations::Star);

    /// Whether `operation` is covered.
    pub fn contains(&self, operation: &OperationId) -> bool {
        match self {
            Self::All(_) => true,
            Self::Only(ids) => ids.contains(operation),
        }
    }

    /// Whether everything that `other` covers is covered here too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(_), _) => true,
            (Self::Only(_), Self::All(_)) => false,
            (Self::Only(mine), Self::Only(theirs)) => theirs.is_subset(mine),
        }
    }
}

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
    /// Response fields that may be seen; `None` = all.
    pub fields: Option<Vec<String>>,
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
    /// In force at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == GrantStatus::Active && self.expires_at.is_none_or(|end| end > now)
    }
}

//! Which operations a grant or a role covers.

use std::collections::BTreeSet;

use base::OperationId;
use serde::{Deserialize, Serialize};

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

    /// What either of them covers.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All(_), _) | (_, Self::All(_)) => Self::ALL,
            (Self::Only(mine), Self::Only(theirs)) => Self::Only(mine | theirs),
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

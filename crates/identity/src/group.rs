//! Groups of identities.

use base::{GroupId, IdentityId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Origin;

/// A named set of identities. Grants to a group hold for each member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Stable id.
    pub id: GroupId,
    /// Display name.
    pub name: String,
    /// Members, sorted by id, each once.
    pub members: Vec<IdentityId>,
    /// Groups whose members are members here too, sorted by id, each once. Never in a circle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Who maintains it.
    pub origin: Origin,
    /// When it came to be.
    pub created_at: Timestamp,
}

//! Which open requests a change may have taken the permission of: those are asked again at once.

use base::{ApiId, CredentialId, GrantId, IdentityId};

use crate::Change;

/// What a change touched. Says where to look, not what is found there: [`crate::Ruleset::confirm`]
/// does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// Everything on this API: its operations or its mode may have changed, or it is gone.
    Api(ApiId),
    /// Everything of this identity.
    Identity(IdentityId),
    /// Everything that this credential proved.
    Credential(CredentialId),
    /// Everything that this grant on this API let in.
    Grant(GrantId, ApiId),
    /// Everybody but these, who are the members of a group now. Who left it is not known here.
    AllBut(Vec<IdentityId>),
}

impl From<&Change> for Touch {
    fn from(change: &Change) -> Self {
        match change {
            Change::Api(api) => Self::Api(api.id.clone()),
            Change::ApiRemoved(id) => Self::Api(id.clone()),
            Change::Identity(identity) => Self::Identity(identity.id.clone()),
            Change::Group(group) => Self::AllBut(group.members.clone()),
            Change::Credential(credential) => Self::Credential(credential.id.clone()),
            Change::Grant(grant) => Self::Grant(grant.id.clone(), grant.api.clone()),
        }
    }
}

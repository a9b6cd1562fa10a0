//! Which open requests a change may have taken the permission of: those are asked again at once.

use base::{ApiId, CredentialId, GrantId, IdentityId};
use grant::GrantSubject;

use crate::Change;

/// What a change touched. Says where to look, not what is found there: [`crate::Ruleset::confirm`]
/// does. Rather too much than too little: what is looked at in vain costs a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// Everything on this API: its operations, its mode or what roles cover may have changed, or it
    /// is gone.
    Api(ApiId),
    /// Everything of this identity.
    Identity(IdentityId),
    /// Everything that this credential proved.
    Credential(CredentialId),
    /// Everything that this grant on this API let in.
    Grant(GrantId, ApiId),
    /// Everything.
    All,
}

impl Touch {
    /// What a change touched; `None` = it takes no permission away.
    pub fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Api(api) => Self::Api(api.id.clone()),
            Change::ApiRemoved(id) => Self::Api(id.clone()),
            Change::Identity(identity) => Self::Identity(identity.id.clone()),
            Change::Credential(credential) => Self::Credential(credential.id.clone()),
            Change::Grant(grant) => Self::Grant(grant.id.clone(), grant.api.clone()),
            // A role, and those that include it, cover operations of one API.
            Change::Role(role) => Self::Api(role.api.clone()),
            // Who left a group is not known here, nor who was in it by way of another group; and
            // who came may be forbidden by a guardrail what they did before.
            // A rollout that goes on, or is taken back, changes who is governed by which side.
            Change::Group(_) | Change::Guard(_) | Change::Rollout(_) => Self::All,
            Change::Relation(relation) => match &relation.subject {
                GrantSubject::Identity(id) => Self::Identity(id.clone()),
                GrantSubject::Group(_) => Self::All,
            },
            // How messages are checked says nothing of who may call: what is open goes on under
            // the checks that it began with.
            Change::Contract(..) => return None,
        })
    }
}

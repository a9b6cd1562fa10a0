//! Who may see and do what on the administrative side.
//!
//! | actor | sees | changes |
//! |--|--|--|
//! | administrator | everything | everything |
//! | auditor | everything | nothing |
//! | member | themselves; what they or their groups own; its grants and credentials | see below |
//!
//! A member may, for what they answer for and nothing else:
//! - issue and revoke credentials of the machine identities they own, and suspend these (undoing a
//!   suspension is for administrators, who may have been the ones to suspend);
//! - give, narrow and revoke grants on the APIs they own, but never give one to themselves, to what
//!   they own or to a group that either is in: nobody approves their own access;
//! - narrow and revoke the grants of the identities they own;
//! - read the operations of an API they own anew from its document.
//!
//! What an actor may not see is `NotFound` to them; what they see but may not do is `Forbidden`.

use std::collections::BTreeSet;

use base::{GroupId, IdentityId, Problem};
use catalog::Api;
use grant::{Grant, GrantSubject};
use identity::{Identity, Owner};
use policy::Ruleset;
use store::{Connection, StoreError};

use crate::Actor;

/// An actor, with what their memberships make them.
pub(crate) struct Authority<'a> {
    pub(crate) actor: &'a Actor,
    groups: BTreeSet<GroupId>,
}

impl<'a> Authority<'a> {
    /// Of this actor in this state.
    pub(crate) async fn of(state: &mut Connection, actor: &'a Actor) -> Result<Self, StoreError> {
        // Those who read everything never need the list.
        let groups = match actor.reads_all() {
            true => BTreeSet::new(),
            false => state.groups_of(actor.id.as_str()).await?.into_iter().collect(),
        };
        Ok(Self { actor, groups })
    }

    /// The id that lists are narrowed to; `None` when the actor sees everything.
    pub(crate) fn narrowed_to(&self) -> Option<String> {
        (!self.actor.reads_all()).then(|| self.actor.id.to_string())
    }

    fn is_owner(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Person(id) => *id == self.actor.id,
            Owner::Group(id) => self.groups.contains(id),
        }
    }

    pub(crate) fn owns_identity(&self, identity: &Identity) -> bool {
        identity.owner.as_ref().is_some_and(|owner| self.is_owner(owner))
    }

    pub(crate) fn owns_api(&self, api: &Api) -> bool {
        let owner = api.owner.as_deref().and_then(|owner| owner.parse().ok());
        owner.is_some_and(|owner| self.is_owner(&owner))
    }

    pub(crate) fn sees_identity(&self, identity: &Identity) -> bool {
        self.actor.reads_all() || identity.id == self.actor.id || self.owns_identity(identity)
    }

    pub(crate) fn sees_api(&self, api: &Api) -> bool {
        self.actor.reads_all() || self.owns_api(api)
    }

    /// `subject` is the grant's identity, when it has one.
    pub(crate) fn sees_grant(
        &self,
        grant: &Grant,
        subject: Option<&Identity>,
        ruleset: &Ruleset,
    ) -> bool {
        self.actor.reads_all()
            || subject.is_some_and(|identity| self.sees_identity(identity))
            || self.is_of_my_group(&grant.subject)
            || ruleset.api(&grant.api).is_some_and(|api| self.owns_api(api))
    }

    fn is_of_my_group(&self, subject: &GrantSubject) -> bool {
        matches!(subject, GrantSubject::Group(id) if self.groups.contains(id))
    }

    /// Administrators and auditors.
    pub(crate) fn must_read_all(&self, act: &str) -> Result<(), Problem> {
        if self.actor.reads_all() {
            return Ok(());
        }
        let detail = format!("{} may not {act}", self.actor.id);
        Err(Problem::forbidden("not_allowed", detail).hint("ask an administrator"))
    }

    /// Only administrators.
    pub(crate) fn must_administer(&self, act: &str) -> Result<(), Problem> {
        self.must(self.actor.is_admin(), act, "ask an administrator")
    }

    /// Administrators, and members where `theirs` holds.
    pub(crate) fn must(&self, theirs: bool, act: &str, hint: &str) -> Result<(), Problem> {
        // An auditor who owns something still changes nothing: that is what the role promises.
        let member = self.actor.role == crate::Role::Member;
        if self.actor.is_admin() || (member && theirs) {
            return Ok(());
        }
        let detail = format!("{} may not {act}", self.actor.id);
        Err(Problem::forbidden("not_allowed", detail).hint(hint))
    }

    /// Whether access of these would be access of the actor themselves, or of what they answer for.
    pub(crate) async fn is_own_access(
        &self,
        state: &mut Connection,
        holders: &[IdentityId],
    ) -> Result<bool, StoreError> {
        let own = state.identities_seen_by(self.narrowed_to()).await?;
        Ok(holders.iter().any(|holder| own.contains(holder)))
    }
}

//! Who exists, what they may do and what they did, as of one moment, sealed with a digest.

use base::{
    ApiId, CredentialId, Digest, GrantId, GroupId, IdentityId, OperationId, Timestamp, canonical,
};
use catalog::{Api, Impact, Operation};
use grant::{Grant, GrantSubject, OperationSet};
use identity::{Credential, Group, Identity, Owner, Seasonality};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::finding::{FindingSubject, Rule};
use crate::usage::UsageFacts;
use crate::window::Window;

/// Somebody accepted a finding until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The rule whose finding is accepted.
    pub rule: Rule,
    /// On what. An identity stands for its credentials and its grants too.
    pub subject: FindingSubject,
    /// From when.
    pub approved_at: Timestamp,
    /// Until when; always has an end.
    pub expires_at: Timestamp,
}

/// What an inventory is made of, read by the shell from one consistent state.
#[derive(Debug)]
pub struct InventoryParts {
    /// The moment it is true for.
    pub as_of: Timestamp,
    /// The ruleset version (change sequence) that the state was read at.
    pub ruleset_version: u64,
    /// Every identity.
    pub identities: Vec<Identity>,
    /// Every group.
    pub groups: Vec<Group>,
    /// Every credential.
    pub credentials: Vec<Credential>,
    /// Every API.
    pub apis: Vec<Api>,
    /// Every grant, revoked ones too or not.
    pub grants: Vec<Grant>,
    /// What was used; carries the window.
    pub usage: UsageFacts,
    /// Accepted findings.
    pub exceptions: Vec<Exception>,
}

/// Why parts do not make an inventory.
#[derive(Debug, thiserror::Error)]
pub enum Unsealable {
    /// Two rows have one id.
    #[error("the id `{0}` comes twice")]
    DuplicateId(String),
    /// A row has no canonical form.
    #[error("a row has no canonical form: {0}")]
    NotCanonical(#[from] canonical::NotCanonical),
}

/// A sealed state: sorted, indexed, with a digest over its content.
#[derive(Debug)]
pub struct Inventory {
    parts: InventoryParts,
    digest: Digest,
    identities: FxHashMap<IdentityId, usize>,
    groups: FxHashMap<GroupId, usize>,
    credentials: FxHashMap<CredentialId, usize>,
    apis: FxHashMap<ApiId, usize>,
    grants: FxHashMap<GrantId, usize>,
    grants_by_subject: FxHashMap<GrantSubject, Vec<usize>>,
    groups_by_member: FxHashMap<IdentityId, Vec<usize>>,
}

impl Inventory {
    /// Sorts, indexes and digests the parts.
    pub fn seal(mut parts: InventoryParts) -> Result<Self, Unsealable> {
        parts.identities.sort_by(|a, b| a.id.cmp(&b.id));
        parts.groups.sort_by(|a, b| a.id.cmp(&b.id));
        parts.credentials.sort_by(|a, b| a.id.cmp(&b.id));
        parts.apis.sort_by(|a, b| a.id.cmp(&b.id));
        parts.grants.sort_by(|a, b| a.id.cmp(&b.id));
        let mut grants_by_subject: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (index, grant) in parts.grants.iter().enumerate() {
            grants_by_subject.entry(grant.subject.clone()).or_default().push(index);
        }
        let mut groups_by_member: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (index, group) in parts.groups.iter().enumerate() {
            for member in &group.members {
                groups_by_member.entry(member.clone()).or_default().push(index);
            }
        }
        Ok(Self {
            digest: digest(&parts)?,
            identities: index(parts.identities.iter().map(|row| &row.id))?,
            groups: index(parts.groups.iter().map(|row| &row.id))?,
            credentials: index(parts.credentials.iter().map(|row| &row.id))?,
            apis: index(parts.apis.iter().map(|row| &row.id))?,
            grants: index(parts.grants.iter().map(|row| &row.id))?,
            grants_by_subject,
            groups_by_member,
            parts,
        })
    }

    /// The digest over everything that it holds.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The moment it is true for.
    pub const fn as_of(&self) -> Timestamp {
        self.parts.as_of
    }

    /// The ruleset version that it was read at.
    pub const fn ruleset_version(&self) -> u64 {
        self.parts.ruleset_version
    }

    /// The window that use is known for.
    pub const fn window(&self) -> Window {
        self.parts.usage.window()
    }

    /// What was used.
    pub const fn usage(&self) -> &UsageFacts {
        &self.parts.usage
    }

    /// Every identity, by id.
    pub fn identities(&self) -> &[Identity] {
        &self.parts.identities
    }

    /// Every credential, by id.
    pub fn credentials(&self) -> &[Credential] {
        &self.parts.credentials
    }

    /// Every grant, by id.
    pub fn grants(&self) -> &[Grant] {
        &self.parts.grants
    }

    /// Every group, by id.
    pub fn groups(&self) -> &[Group] {
        &self.parts.groups
    }

    /// Every API, by id.
    pub fn apis(&self) -> &[Api] {
        &self.parts.apis
    }

    /// One identity.
    pub fn identity(&self, id: &IdentityId) -> Option<&Identity> {
        self.parts.identities.get(*self.identities.get(id)?)
    }

    /// One group.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.parts.groups.get(*self.groups.get(id)?)
    }

    /// One credential.
    pub fn credential(&self, id: &CredentialId) -> Option<&Credential> {
        self.parts.credentials.get(*self.credentials.get(id)?)
    }

    /// One API.
    pub fn api(&self, id: &ApiId) -> Option<&Api> {
        self.parts.apis.get(*self.apis.get(id)?)
    }

    /// One grant.
    pub fn grant(&self, id: &GrantId) -> Option<&Grant> {
        self.parts.grants.get(*self.grants.get(id)?)
    }

    /// The identity is known and active.
    pub fn is_active(&self, id: &IdentityId) -> bool {
        self.identity(id).is_some_and(|identity| identity.is_active(self.parts.as_of))
    }

    /// The active members of a group, sorted by id; empty when there is no such group.
    pub fn active_members(&self, id: &GroupId) -> Vec<&IdentityId> {
        let members = self.group(id).map(|group| group.members.as_slice()).unwrap_or_default();
        let mut active: Vec<_> = members.iter().filter(|member| self.is_active(member)).collect();
        active.sort();
        active
    }

    /// The group has an active member.
    pub fn is_group_active(&self, id: &GroupId) -> bool {
        self.group(id).is_some_and(|group| group.members.iter().any(|m| self.is_active(m)))
    }

    /// The person, or one of the group, is active.
    pub fn is_owner_active(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Person(id) => self.is_active(id),
            Owner::Group(id) => self.is_group_active(id),
        }
    }

    /// In force, and its subject is active.
    pub fn is_grant_live(&self, grant: &Grant) -> bool {
        grant.is_live(self.parts.as_of)
            && match &grant.subject {
                GrantSubject::Identity(id) => self.is_active(id),
                GrantSubject::Group(id) => self.is_group_active(id),
            }
    }

    /// Accepted, and its identity is active.
    pub fn is_credential_live(&self, credential: &Credential) -> bool {
        credential.is_live(self.parts.as_of) && self.is_active(&credential.identity)
    }

    /// The season that the subject of a grant declares; groups have none.
    pub fn season_of(&self, grant: &Grant) -> Seasonality {
        match &grant.subject {
            GrantSubject::Identity(id) => {
                self.identity(id).map_or(Seasonality::None, |identity| identity.seasonality)
            }
            GrantSubject::Group(_) => Seasonality::None,
        }
    }

    /// The operations that a grant covers now, sorted. Those that it names but the API no longer
    /// has stay in: they come back to life when the API does.
    pub fn operations_of<'a>(&'a self, grant: &'a Grant) -> Vec<&'a OperationId> {
        match &grant.operations {
            OperationSet::Only(ids) => ids.iter().collect(),
            OperationSet::All(_) => {
                let api = self.api(&grant.api);
                let mut ids: Vec<_> =
                    api.into_iter().flat_map(|api| &api.operations).map(|op| &op.id).collect();
                ids.sort();
                ids
            }
        }
    }

    /// One operation of an API.
    pub fn operation(&self, api: &ApiId, id: &OperationId) -> Option<&Operation> {
        self.api(api)?.operations.iter().find(|operation| operation.id == *id)
    }

    /// What people call an operation: the summary of its document, else its id.
    pub fn title_of(&self, api: &ApiId, id: &OperationId) -> String {
        let summary = self.operation(api, id).and_then(|operation| operation.summary.clone());
        summary.unwrap_or_else(|| id.to_string())
    }

    /// The grant reaches an operation whose misuse is expensive.
    pub fn is_high_risk(&self, grant: &Grant) -> bool {
        self.dangers_of(grant).next().is_some()
    }

    /// The operations of a grant whose misuse is expensive.
    pub fn dangers_of<'a>(&'a self, grant: &'a Grant) -> impl Iterator<Item = &'a Operation> {
        let operations = self.api(&grant.api).into_iter().flat_map(|api| &api.operations);
        operations.filter(|op| grant.operations.contains(&op.id) && is_dangerous(op))
    }

    /// Grants given to exactly this subject.
    pub fn grants_of(&self, subject: &GrantSubject) -> impl Iterator<Item = &Grant> {
        let indexes = self.grants_by_subject.get(subject).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.parts.grants.get(*index))
    }

    /// The groups that an identity is a member of.
    pub fn groups_of(&self, member: &IdentityId) -> impl Iterator<Item = &Group> {
        let indexes = self.groups_by_member.get(member).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.parts.groups.get(*index))
    }

    /// Direct grants of an identity and those of its groups.
    pub fn grants_reaching(&self, identity: &IdentityId) -> Vec<&Grant> {
        let mut grants: Vec<_> =
            self.grants_of(&GrantSubject::Identity(identity.clone())).collect();
        for group in self.groups_of(identity) {
            grants.extend(self.grants_of(&GrantSubject::Group(group.id.clone())));
        }
        grants
    }

    /// A current exception accepts findings of `rule` on `subject`, or on the identity it is of.
    pub fn is_excepted(&self, rule: Rule, subject: &FindingSubject) -> bool {
        let now = self.parts.as_of;
        let holder = self.holder_of(subject);
        self.parts.exceptions.iter().any(|exception| {
            exception.rule == rule
                && exception.approved_at <= now
                && now < exception.expires_at
                && (exception.subject == *subject
                    || holder.is_some_and(
                        |id| matches!(&exception.subject, FindingSubject::Identity(x) if x == id),
                    ))
        })
    }

    fn holder_of(&self, subject: &FindingSubject) -> Option<&IdentityId> {
        match subject {
            FindingSubject::Identity(_) => None,
            FindingSubject::Credential(id) => self.credential(id).map(|row| &row.identity),
            FindingSubject::Grant(id) => match &self.grant(id)?.subject {
                GrantSubject::Identity(id) => Some(id),
                GrantSubject::Group(_) => None,
            },
        }
    }

    /// Display name of an identity, or its id.
    pub fn name_of<'a>(&'a self, id: &'a IdentityId) -> &'a str {
        self.identity(id).map_or(id.as_str(), |identity| identity.name.as_str())
    }
}

/// Misuse would be expensive: administration, or a change of high impact.
fn is_dangerous(operation: &Operation) -> bool {
    operation.admin || (operation.mutating && operation.impact == Impact::High)
}

fn index<'a, T>(ids: impl Iterator<Item = &'a T>) -> Result<FxHashMap<T, usize>, Unsealable>
where
    T: Clone + Eq + std::hash::Hash + std::fmt::Display + 'a,
{
    let mut map = FxHashMap::default();
    for (position, id) in ids.enumerate() {
        if map.insert(id.clone(), position).is_some() {
            return Err(Unsealable::DuplicateId(id.to_string()));
        }
    }
    Ok(map)
}

/// Every section is digested by itself and the digests are digested, so that a row cannot move
/// from one section into another unseen, and no section has to be in memory twice at once.
fn digest(parts: &InventoryParts) -> Result<Digest, Unsealable> {
    let head = ("portreeve inventory 1", parts.as_of, parts.ruleset_version, parts.usage.window());
    let sections = [
        canonical::digest(&head)?,
        section(&parts.identities)?,
        section(&parts.groups)?,
        section(&parts.credentials)?,
        section(&parts.apis)?,
        section(&parts.grants)?,
        section(&parts.exceptions)?,
        section(&parts.usage.sorted_grants())?,
        section(&parts.usage.sorted_credentials())?,
        section(&parts.usage.sorted_identities())?,
    ];
    let bytes: Vec<&[u8]> = sections.iter().map(|digest| digest.0.as_slice()).collect();
    Ok(Digest::of(&bytes))
}

fn section<T: Serialize>(rows: &[T]) -> Result<Digest, Unsealable> {
    let mut bytes = Vec::new();
    for row in rows {
        bytes.extend(canonical::to_bytes(row)?);
        bytes.push(b'\n');
    }
    Ok(Digest::of(&[&bytes]))
}

#[cfg(test)]
mod tests;

//! Changes: how a ruleset moves forward.

use std::sync::Arc;

use base::{ApiId, GrantId, GroupId, IdentityId, Problem, Timestamp};
use catalog::{Api, Operation};
use grant::{Grant, GrantSubject, Relation, Role, Terms};
use identity::{Credential, Group, Identity, IdentityStatus};

use crate::contracts::CheckedContract;
use crate::credentials::Proof;
use crate::guard::Guard;
use crate::holdings::{About, Held, Limits, State};
use crate::rollout::{Rollout, Touched, Trial};
use crate::{Ruleset, relations};

/// One object as it is now. Everything but an API and its contract is never removed: what is
/// revoked or disabled says so itself, and a group without members holds for nobody.
#[derive(Debug, Clone)]
pub enum Change {
    /// An API with all its operations.
    Api(Api),
    /// An API is gone; grants on it allow nothing until it comes back.
    ApiRemoved(ApiId),
    /// An identity.
    Identity(Identity),
    /// A group with all its members.
    Group(Group),
    /// A credential.
    Credential(Credential),
    /// A grant.
    Grant(Grant),
    /// A role.
    Role(Role),
    /// The objects that a subject has a relation to.
    Relation(Relation),
    /// The contract of an API; `None` = its messages are not checked.
    Contract(ApiId, Option<Arc<CheckedContract>>),
    /// The guardrails; `None` = there are none.
    Guard(Option<Arc<dyn Guard>>),
    /// A change that is being rolled out; `None` = there is none any more.
    Rollout(Option<Trial>),
}

impl Ruleset {
    /// `watch`: these are changes of a state that held before, so that one of an object that a
    /// rollout changes too means that the rollout no longer applies. Of a whole state, they are not.
    pub(crate) fn absorb(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        watch: bool,
    ) -> Result<(), Problem> {
        let mut routes_changed = false;
        let held = self.rollout.take();
        let mut broken = held.as_ref().and_then(|held| held.broken().map(str::to_owned));
        let mut trial = held.map(|held| held.trial.clone());
        for change in changes {
            if watch && let Some(trial) = &trial {
                let touched = Touched::of(&change).filter(|touched| trial.edits(touched));
                broken = broken.or(touched.map(|touched| format!("{touched} was changed since")));
            }
            match change {
                Change::Api(api) => {
                    routes_changed = true;
                    self.put_api(api)?;
                }
                Change::ApiRemoved(id) => {
                    routes_changed = true;
                    Arc::make_mut(&mut self.routes).remove(&id);
                }
                Change::Identity(identity) => self.put_identity(&identity),
                Change::Group(group) => self.put_group(group),
                Change::Credential(credential) => self.put_credential(&credential),
                Change::Grant(grant) => self.put_grant(grant),
                Change::Role(role) => Arc::make_mut(&mut self.roles).put(role, &mut self.numbers),
                Change::Relation(relation) => self.put_relation(relation),
                Change::Contract(api, contract) => self.put_contract(api, contract),
                Change::Guard(guard) => self.guard = guard,
                Change::Rollout(next) => {
                    let is_same = |one: &Trial| next.as_ref().is_some_and(|next| next.id == one.id);
                    // Broken it stays, however far it went.
                    broken = broken.filter(|_| trial.as_ref().is_some_and(is_same));
                    trial = next;
                }
            }
        }
        // Once at the end: two APIs may swap their paths in one step.
        if routes_changed {
            Arc::make_mut(&mut self.routes).index()?;
        }
        self.rollout = trial.map(|trial| Arc::new(Rollout::over(self, trial, broken)));
        Ok(())
    }

    fn put_api(&mut self, api: Api) -> Result<(), Problem> {
        let number = self.numbers.take_api(&api.id);
        let take = |operation: &Operation| self.numbers.take_operation(number, &operation.id);
        let numbers = api.operations.iter().map(take).collect();
        Arc::make_mut(&mut self.routes).put(api, (number, numbers))
    }

    fn put_identity(&mut self, identity: &Identity) {
        let state =
            State { active: identity.status == IdentityStatus::Active, left_at: identity.left_at };
        let about = Arc::new(About::of(identity));
        self.subjects.update(&identity.id, |subject| {
            let subject = Arc::make_mut(subject);
            subject.state = Some(state);
            subject.about = Some(about);
        });
    }

    fn put_group(&mut self, group: Group) {
        let mut members: Vec<IdentityId> = group.members;
        members.sort_unstable();
        members.dedup();
        let before = self.circles.get(&group.id).map(|circle| Arc::clone(&circle.members));
        let before = before.unwrap_or_default();
        for gone in before.iter().filter(|member| members.binary_search(member).is_err()) {
            self.subjects.update(gone, |subject| Arc::make_mut(subject).leave(&group.id));
        }
        for new in members.iter().filter(|member| before.binary_search(member).is_err()) {
            self.subjects.update(new, |subject| Arc::make_mut(subject).join(&group.id));
        }
        self.circles.update(&group.id, |circle| {
            Arc::make_mut(circle).members = members.into();
        });
        self.nest(&group.id, group.groups);
    }

    /// Groups in groups are few and change seldom: where one does, all are looked at again.
    fn nest(&mut self, group: &GroupId, within: Vec<GroupId>) {
        if self.nesting.holds(group, &within) {
            return;
        }
        let nesting = Arc::make_mut(&mut self.nesting);
        for (group, above) in nesting.put(group, within) {
            self.circles.update(&group, |circle| Arc::make_mut(circle).above = above);
        }
    }

    fn put_relation(&mut self, relation: Relation) {
        let subject = relation.subject.clone();
        self.relations.update(&subject, |relations| relations::put(relations, relation));
        if self.relations.get(&subject).is_some_and(|relations| relations.is_empty()) {
            self.relations.remove(&subject);
        }
    }

    fn put_credential(&mut self, credential: &Credential) {
        if let Some(home) = self.credential_homes.get(&credential.id).copied() {
            self.proofs.update(&home, |proofs| proofs.retain(|proof| proof.id != credential.id));
            if self.proofs.get(&home).is_some_and(|proofs| proofs.is_empty()) {
                self.proofs.remove(&home);
            }
        }
        let proof = Proof::of(credential);
        self.proofs.update(&credential.lookup, |proofs| proofs.push(proof));
        self.credential_homes.insert(credential.id.clone(), credential.lookup);
    }

    fn put_grant(&mut self, grant: Grant) {
        if let Some(home) = self.grant_homes.get(&grant.id).cloned() {
            self.take_back(&home, &grant.id);
        }
        let api = self.numbers.take_api(&grant.api);
        let held = Held {
            id: grant.id.clone(),
            api,
            status: grant.status,
            ends: grant.ends_at().unwrap_or(Timestamp::MAX),
            operations: self.numbers.take_set(api, &grant.operations).with_roles(grant.roles),
            limits: limits(grant.terms, grant.fields),
        };
        let home = self.hand_over(grant.subject, held);
        self.grant_homes.insert(grant.id, home);
    }

    fn take_back(&mut self, home: &GrantSubject, id: &GrantId) {
        match home {
            GrantSubject::Identity(identity) => {
                self.subjects.update(identity, |subject| Arc::make_mut(subject).holdings.remove(id))
            }
            GrantSubject::Group(group) => {
                self.circles.update(group, |circle| Arc::make_mut(circle).holdings.remove(id));
            }
        }
    }

    /// Gives a grant to its subject. Returns the subject with the id as it is stored already, so
    /// that a million grants do not keep a million copies of their holders' names.
    fn hand_over(&mut self, subject: GrantSubject, held: Held) -> GrantSubject {
        match subject {
            GrantSubject::Identity(id) => {
                self.subjects.update(&id, |subject| Arc::make_mut(subject).holdings.add(held));
                let stored = self.subjects.stored_key(&id).cloned();
                GrantSubject::Identity(stored.unwrap_or(id))
            }
            GrantSubject::Group(id) => {
                self.circles.update(&id, |circle| Arc::make_mut(circle).holdings.add(held));
                let stored = self.circles.stored_key(&id).cloned();
                GrantSubject::Group(stored.unwrap_or(id))
            }
        }
    }
}

/// Most grants have neither terms nor a limit on fields, and cost nothing for it.
fn limits(terms: Terms, fields: Option<Vec<String>>) -> Option<Arc<Limits>> {
    let limited = !terms.is_empty() || fields.is_some();
    limited.then(|| Arc::new(Limits { terms, fields }))
}

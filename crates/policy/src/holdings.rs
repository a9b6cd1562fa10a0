//! The grants that one identity or one group holds.

mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{GrantId, GroupId, IdentityId, Timestamp};
use grant::{GrantStatus, Place, Terms, Tie};
use identity::{Environment, Identity, IdentityKind, Owner};
use objects::Objects;
use smallvec::SmallVec;

use crate::facts::Request;
use crate::numbers::{ApiNumber, OperationNumber, Operations};
use crate::roles::Roles;

/// One grant, as far as decisions need it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: GrantId,
    pub(crate) api: ApiNumber,
    pub(crate) status: GrantStatus,
    pub(crate) operations: Operations,
    /// [`Timestamp::MAX`] = never.
    pub(crate) ends: Timestamp,
    /// What only some grants have; `None` = it allows its operations to the full.
    pub(crate) limits: Option<Arc<Limits>>,
}

/// What makes a grant allow less than its operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) terms: Terms,
    /// What may be seen of responses, as written; `None` = all.
    pub(crate) fields: Option<Vec<String>>,
}

impl Limits {
    /// The terms may ask something, yet nothing of a response is left out.
    pub(crate) fn shows_everything(&self) -> bool {
        let on_response = |tie: &Tie| matches!(tie.place, Place::Response(_));
        self.fields.is_none() && !self.terms.ties.iter().any(on_response)
    }
}

impl Held {
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.status == GrantStatus::Active && self.ends > now
    }

    /// Covers the operation and is in force at `now`.
    pub(crate) fn covers(&self, operation: OperationNumber, roles: &Roles, now: Timestamp) -> bool {
        self.is_live(now) && self.names(operation, roles)
    }

    /// Covers the operation, in force or not.
    pub(crate) fn names(&self, operation: OperationNumber, roles: &Roles) -> bool {
        let by_role = |role| roles.cover(role, self.api, operation);
        self.operations.contains(operation) || self.operations.roles().iter().any(by_role)
    }

    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.limits.as_ref().map(|limits| &limits.terms)
    }
}

/// How many grants on single objects are looked through one after the other. With more, they are
/// found by what the path says.
const OBJECTS_MIN: usize = 32;

/// Grants of one holder, sorted by API. Those that are not in force stay: explanations name them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    /// The API of each, beside each other: to find those on one API reads a line of memory, not one
    /// for each grant that is passed on the way.
    apis: SmallVec<[ApiNumber; 12]>,
    grants: Vec<Held>,
    /// Grants on single objects, where there are many of them.
    objects: Option<Box<Objects>>,
}

/// Which grants on an operation come into question.
#[derive(Clone, Copy)]
pub(crate) enum Narrowed<'a> {
    /// All.
    Not,
    /// Those that may hold for the objects of a request.
    By(&'a dyn Request),
}

impl Holdings {
    /// All grants on one API.
    pub(crate) fn on(&self, api: ApiNumber) -> impl Iterator<Item = &Held> {
        let objects = self.objects.iter().flat_map(move |objects| objects.on(api));
        self.listed(api).iter().chain(objects)
    }

    /// Calls `each` with the grants on one API that come into question.
    pub(crate) fn each<'r>(
        &'r self,
        api: ApiNumber,
        narrowed: Narrowed<'_>,
        mut each: impl FnMut(&'r Held),
    ) {
        self.listed(api).iter().for_each(&mut each);
        match (&self.objects, narrowed) {
            (None, _) => {}
            (Some(objects), Narrowed::Not) => objects.on(api).for_each(each),
            (Some(objects), Narrowed::By(request)) => {
                objects.of(api, request).into_iter().for_each(each);
            }
        }
    }

    /// Whether grants in force cover an operation that [`Narrowed::By`] may pass over.
    pub(crate) fn cover_objects(
        &self,
        numbers: (ApiNumber, OperationNumber),
        roles: &Roles,
        now: Timestamp,
    ) -> bool {
        self.objects.as_ref().is_some_and(|objects| objects.cover(numbers, roles, now))
    }

    /// The grants on one API that are listed here.
    fn listed(&self, api: ApiNumber) -> &[Held] {
        let start = self.apis.partition_point(|other| *other < api);
        let rest = self.apis.get(start..).unwrap_or_default();
        let length = rest.partition_point(|other| *other == api);
        self.grants.get(start..start + length).unwrap_or_default()
    }

    /// Adds a grant that is not held yet.
    pub(crate) fn add(&mut self, held: Held) {
        let held = match &mut self.objects {
            Some(objects) => match objects.add(held) {
                Some(held) => held,
                None => return,
            },
            None => held,
        };
        let is_for_objects = self.objects.is_none() && objects::texts_of(&held).is_some();
        self.list(held);
        if is_for_objects && self.grants.len() >= OBJECTS_MIN {
            self.find_by_object();
        }
    }

    /// From so many on, grants on single objects are kept apart.
    fn find_by_object(&mut self) {
        let are_for_objects = self.grants.iter().filter(|held| objects::texts_of(held).is_some());
        if are_for_objects.count() < OBJECTS_MIN {
            return;
        }
        let mut objects = Objects::default();
        let all = std::mem::take(&mut self.grants);
        self.grants = all.into_iter().filter_map(|held| objects.add(held)).collect();
        self.objects = Some(Box::new(objects));
        self.number();
    }

    fn list(&mut self, held: Held) {
        let before = |other: &Held| (other.api, &other.id) < (held.api, &held.id);
        let place = self.grants.partition_point(before);
        self.apis.insert(place, held.api);
        self.grants.insert(place, held);
    }

    pub(crate) fn remove(&mut self, id: &GrantId) {
        if self.objects.as_mut().is_some_and(|objects| objects.remove(id)) {
            return;
        }
        self.grants.retain(|held| held.id != *id);
        self.number();
    }

    fn number(&mut self) {
        self.apis.clear();
        self.apis.extend(self.grants.iter().map(|held| held.api));
    }
}

/// An identity: whether it may act, and what it holds. A grant or a membership that names an
/// unknown identity waits here without `state` and allows nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) state: Option<State>,
    /// What conditions ask of it; present with `state`.
    pub(crate) about: Option<Arc<About>>,
    /// Sorted.
    pub(crate) groups: SmallVec<[GroupId; 2]>,
    pub(crate) holdings: Holdings,
}

/// Whether an identity may act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) active: bool,
    pub(crate) left_at: Option<Timestamp>,
}

/// What is known of an identity, for conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What it is.
    pub kind: IdentityKind,
    /// Where it belongs.
    pub environment: Environment,
    /// Who answers for it.
    pub owner: Option<Owner>,
    /// Its supplier.
    pub vendor: Option<String>,
    /// Its mail address.
    pub email: Option<String>,
    /// What else is known.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl About {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            kind: identity.kind,
            environment: identity.environment,
            owner: identity.owner.clone(),
            vendor: identity.vendor.clone(),
            email: identity.email.clone(),
            attributes: identity.attributes.clone(),
        }
    }

    /// The values of an attribute of the identity with this id. The built-in names win over
    /// attributes that are called the same.
    pub fn values(&self, id: &IdentityId, name: &str) -> SmallVec<[String; 1]> {
        let one = |value: Option<String>| value.into_iter().collect();
        match name {
            "id" => one(Some(id.to_string())),
            "kind" => one(Some(self.kind.to_string())),
            "environment" => one(Some(self.environment.to_string())),
            "owner" => one(self.owner.as_ref().map(ToString::to_string)),
            "vendor" => one(self.vendor.clone()),
            "email" => one(self.email.clone()),
            name => self.attributes.get(name).into_iter().flatten().cloned().collect(),
        }
    }
}

impl Subject {
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.state.is_some_and(|state| state.active && state.left_at.is_none_or(|left| left > now))
    }

    pub(crate) fn join(&mut self, group: &GroupId) {
        if let Err(place) = self.groups.binary_search(group) {
            self.groups.insert(place, group.clone());
        }
    }

    pub(crate) fn leave(&mut self, group: &GroupId) {
        self.groups.retain(|other| other != group);
    }
}

/// A group: who is in it, and what it holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circle {
    /// Sorted, each once.
    pub(crate) members: Arc<[IdentityId]>,
    /// Groups that contain this one, also by others between them; sorted, never itself.
    pub(crate) above: Arc<[GroupId]>,
    pub(crate) holdings: Holdings,
}

//! Everything that decides, read at once: for exports and proofs.

use std::collections::{BTreeMap, BTreeSet};

use base::Problem;
use catalog::Api;
use grant::{Grant, GrantStatus, Guardrails, Relation, Role, Source};
use guardrail::State;
use identity::{Group, Identity};
use store::{Cursor, Object, Store};

/// The most identities, groups, grants and relations that are exported or proved about.
const OBJECTS_MAX: usize = 200_000;

/// A state that owns its parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    apis: BTreeMap<String, Api>,
    identities: BTreeMap<String, Identity>,
    groups: BTreeMap<String, Group>,
    roles: BTreeMap<String, Role>,
    grants: BTreeMap<String, Grant>,
    relations: BTreeMap<(String, String), Relation>,
    guardrails: Option<Guardrails>,
}

/// The same as lists, which a [`State`] borrows.
#[derive(Debug, Default)]
pub(super) struct Lists {
    apis: Vec<Api>,
    identities: Vec<Identity>,
    groups: Vec<Group>,
    roles: Vec<Role>,
    grants: Vec<Grant>,
    relations: Vec<Relation>,
    guardrails: Option<Guardrails>,
}

impl Whole {
    /// Reads what is committed, and gives the sequence of the last change in it.
    pub(super) async fn read(store: &Store) -> Result<(Self, u64), Problem> {
        let (mut snapshot, mut whole) = (store.read().await?, Self::default());
        let version = snapshot.version();
        let mut cursor = Cursor::Start;
        while !matches!(cursor, Cursor::End) {
            let (batch, next) = snapshot.load(cursor).await?;
            cursor = next;
            batch.objects()?.into_iter().for_each(|object| whole.put(object));
            if whole.size() > OBJECTS_MAX {
                let detail = format!("there are more than {OBJECTS_MAX} objects");
                return Err(Problem::conflict("too_many", detail)
                    .hint("exports and proofs are for smaller states; ask `policy replay`"));
            }
        }
        Ok((whole, version))
    }

    /// Takes a change in.
    pub(super) fn put(&mut self, object: Object) {
        match object {
            Object::Api(api) => drop(self.apis.insert(api.id.to_string(), api)),
            Object::ApiRemoved(id) => drop(self.apis.remove(id.as_str())),
            Object::Identity(one) => drop(self.identities.insert(one.id.to_string(), one)),
            Object::Group(group) => drop(self.groups.insert(group.id.to_string(), group)),
            Object::Role(role) => drop(self.roles.insert(role.id.to_string(), role)),
            Object::Grant(grant) => drop(self.grants.insert(grant.id.to_string(), grant)),
            Object::Relation(one) => {
                let key = (one.subject.to_string(), one.name.to_string());
                self.relations.insert(key, one);
            }
            Object::Guardrails(set) => self.guardrails = Some(set),
            // Who proves to be whom, and what a message has to look like, are no matter of policy;
            // what is being rolled out is no policy yet.
            Object::Credential(_)
            | Object::Contract(_)
            | Object::ContractRemoved(_)
            | Object::Rollout(_) => {}
        }
    }

    fn size(&self) -> usize {
        self.identities.len() + self.groups.len() + self.grants.len() + self.relations.len()
    }

    pub(super) fn into_lists(self) -> Lists {
        Lists {
            apis: self.apis.into_values().collect(),
            identities: self.identities.into_values().collect(),
            groups: self.groups.into_values().collect(),
            roles: self.roles.into_values().collect(),
            grants: self.grants.into_values().collect(),
            relations: self.relations.into_values().collect(),
            guardrails: self.guardrails.map(|set| super::guardrails::of(&set)),
        }
    }
}

impl Lists {
    pub(super) fn state(&self) -> State<'_> {
        State {
            apis: &self.apis,
            identities: &self.identities,
            groups: &self.groups,
            roles: &self.roles,
            grants: &self.grants,
            relations: &self.relations,
            guardrails: self.guardrails.as_ref().filter(|set| !set.files.is_empty()),
        }
    }

    /// The same where these relations are looked up: what is stored under their names does not count.
    pub(super) fn looking_up(mut self, relations: &BTreeSet<String>) -> Self {
        self.relations.retain(|relation| !relations.contains(&relation.name));
        self
    }

    /// A grant in force that hangs on one of these relations, and on which.
    pub(super) fn hanging_on(&self, relations: &BTreeSet<String>) -> Option<(&Grant, String)> {
        let active = self.grants.iter().filter(|grant| grant.status == GrantStatus::Active);
        active.into_iter().find_map(|grant| {
            let sources = grant.terms.ties.iter().flat_map(|tie| &tie.sources);
            let name = sources.into_iter().find_map(|source| match source {
                Source::Related(name) if relations.contains(name) => Some(name.clone()),
                _ => None,
            });
            Some((grant, name?))
        })
    }

    pub(super) fn has_identity(&self, id: &str) -> bool {
        self.identities.iter().any(|identity| identity.id.as_str() == id)
    }
}

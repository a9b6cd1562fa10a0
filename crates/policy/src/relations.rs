//! Which objects a caller has to do with, itself or as a member of a group.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GroupId, IdentityId};
use grant::{GrantSubject, Relation};

use crate::shards::Shards;

/// The relations of one subject: each name with its objects. Few names, any number of objects.
pub(crate) type Relations = Arc<Vec<(Box<str>, Arc<BTreeSet<String>>)>>;

/// The relations of one caller, its own and those of its groups.
#[derive(Debug, Clone, Copy)]
pub struct Related<'r> {
    all: &'r Shards<GrantSubject, Relations>,
    identity: &'r IdentityId,
    groups: &'r [GroupId],
}

impl<'r> Related<'r> {
    pub(crate) fn new(
        all: &'r Shards<GrantSubject, Relations>,
        identity: &'r IdentityId,
        groups: &'r [GroupId],
    ) -> Self {
        Self { all, identity, groups }
    }

    fn sets<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a BTreeSet<String>> {
        let own = std::iter::once(GrantSubject::Identity(self.identity.clone()));
        let groups = self.groups.iter().cloned().map(GrantSubject::Group);
        own.chain(groups)
            .filter_map(|subject| self.all.get(&subject))
            .flat_map(|relations| relations.iter())
            .filter(move |(known, _)| **known == *name)
            .map(|(_, objects)| objects.as_ref())
    }

    /// Whether the caller has this relation to an object.
    pub fn contains(&self, name: &str, object: &str) -> bool {
        self.sets(name).any(|objects| objects.contains(object))
    }

    /// The objects that the caller has this relation to.
    pub fn objects<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.sets(name).flatten().map(String::as_str)
    }

    /// Every relation by name, for whoever states the caller's facts elsewhere.
    pub fn names(&self) -> BTreeSet<String> {
        let own = std::iter::once(GrantSubject::Identity(self.identity.clone()));
        let groups = self.groups.iter().cloned().map(GrantSubject::Group);
        own.chain(groups)
            .filter_map(|subject| self.all.get(&subject))
            .flat_map(|relations| relations.iter().map(|(name, _)| name.to_string()))
            .collect()
    }
}

/// Sets one relation of a subject; without objects it is gone.
pub(crate) fn put(relations: &mut Relations, relation: Relation) {
    let relations = Arc::make_mut(relations);
    relations.retain(|(name, _)| **name != *relation.name);
    if !relation.objects.is_empty() {
        relations.push((relation.name.into(), Arc::new(relation.objects)));
    }
}

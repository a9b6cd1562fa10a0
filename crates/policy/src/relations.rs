//! Which objects a caller has to do with, itself or as a member of a group.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GroupId, IdentityId};
use grant::{GrantSubject, Relation};

use crate::Ruleset;
use crate::lookup::{Answer, Answers, Lookup, OBJECT_BYTES_MAX};
use crate::shards::Shards;

/// The relations of one subject: each name with its objects. Few names, any number of objects.
pub(crate) type Relations = Arc<Vec<(Box<str>, Arc<BTreeSet<String>>)>>;

/// The relations of one caller, its own and those of its groups.
#[derive(Debug, Clone, Copy)]
pub struct Related<'r> {
    all: &'r Shards<GrantSubject, Relations>,
    /// Names that sources answer for.
    looked_up: &'r BTreeSet<String>,
    answers: &'r Answers,
    identity: &'r IdentityId,
    groups: &'r [GroupId],
}

/// Whether a caller has a relation to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Has {
    Yes,
    No,
    /// The source was asked, and did not say.
    Unknown,
    /// The source was not asked yet.
    Ask(Lookup),
    /// It is not known here what the caller brings.
    Later,
}

impl<'r> Related<'r> {
    pub(crate) fn new(
        ruleset: &'r Ruleset,
        answers: &'r Answers,
        identity: &'r IdentityId,
        groups: &'r [GroupId],
    ) -> Self {
        let (all, looked_up) = (&ruleset.relations, &*ruleset.looked_up);
        Self { all, looked_up, answers, identity, groups }
    }

    /// Whether a source answers for this relation, so that nobody knows all of its objects.
    pub fn is_looked_up(&self, name: &str) -> bool {
        self.looked_up.contains(name)
    }

    /// Whether an object is among [`Related::objects`].
    pub fn contains(&self, name: &str, object: &str) -> bool {
        self.sets(name).any(|objects| objects.contains(object))
    }

    /// Whether the caller has this relation to an object.
    pub(crate) fn has(&self, name: &str, object: &str) -> Has {
        let known = |is_so| if is_so { Has::Yes } else { Has::No };
        if !self.is_looked_up(name) {
            return known(self.contains(name, object));
        }
        if object.len() > OBJECT_BYTES_MAX {
            return Has::No;
        }
        let lookup = Lookup { relation: name.to_owned(), object: object.to_owned() };
        match self.answers.get(&lookup) {
            Some(Answer::Unknown) => Has::Unknown,
            Some(answer) => known(answer == Answer::Related),
            None => Has::Ask(lookup),
        }
    }

    fn sets<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a BTreeSet<String>> {
        let own = std::iter::once(GrantSubject::Identity(self.identity.clone()));
        let groups = self.groups.iter().cloned().map(GrantSubject::Group);
        own.chain(groups)
            .filter(|_| !self.is_looked_up(name))
            .filter_map(|subject| self.all.get(&subject))
            .flat_map(|relations| relations.iter())
            .filter(move |(known, _)| **known == *name)
            .map(|(_, objects)| objects.as_ref())
    }

    /// The objects that the caller is known to have this relation to: none where a source answers.
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

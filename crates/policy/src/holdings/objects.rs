//! Grants on single objects (`path.id = "42"`) of a holder that has many of them, found by what the
//! path of a request says: of ten thousand, a decision looks at those for its own object.

use std::sync::Arc;

use base::{GrantId, Timestamp};
use grant::{GrantStatus, Place, Source, Tie};

use super::Held;
use crate::Request;
use crate::facts::Reading;
use crate::numbers::{ApiNumber, OperationNumber, Operations};
use crate::roles::Roles;
use crate::shards::Shards;

/// A parameter of the path, and what it has to say.
type Key = (ApiNumber, Arc<str>, String);

/// Where a grant is found: under each text that its parameter may have.
#[derive(Debug, Clone)]
struct Home {
    api: ApiNumber,
    parameter: Arc<str>,
    texts: Arc<[String]>,
}

/// See the module. Cheap to copy with one grant changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    held: Shards<Key, Arc<[Held]>>,
    homes: Shards<GrantId, Home>,
    /// The parameters that grants on an API look at, with their number.
    parameters: Vec<(ApiNumber, Arc<str>, usize)>,
    sets: Vec<Set>,
}

/// What many grants cover alike.
#[derive(Debug, Clone)]
struct Set {
    api: ApiNumber,
    operations: Operations,
    /// Those in force.
    count: usize,
    /// No end of these is later.
    ends: Timestamp,
}

/// The parameter and the texts by which a grant holds for some objects only, whatever else it says.
pub(super) fn texts_of(held: &Held) -> Option<(&str, Vec<&str>)> {
    held.terms()?.ties.iter().find_map(|tie| {
        let Tie { place: Place::Path(parameter), sources } = tie else { return None };
        Some((parameter.as_str(), sources.iter().map(text_of).collect::<Option<_>>()?))
    })
}

fn text_of(source: &Source) -> Option<&str> {
    match source {
        Source::Text(text) => Some(text),
        Source::Identity(_) | Source::Claim(_) | Source::Related(_) => None,
    }
}

impl Objects {
    /// Adds a grant that is not held yet; gives it back where it is for no single objects.
    pub(super) fn add(&mut self, held: Held) -> Option<Held> {
        let Some((parameter, texts)) = texts_of(&held) else { return Some(held) };
        let texts: Arc<[String]> = texts.into_iter().map(str::to_owned).collect();
        let parameter = self.parameter(held.api, parameter);
        for text in texts.iter() {
            let key = (held.api, Arc::clone(&parameter), text.clone());
            self.held.update(&key, |there| {
                let others = there.iter().filter(|other| other.id != held.id).cloned();
                *there = others.chain([held.clone()]).collect();
            });
        }
        self.count(&held);
        self.homes.insert(held.id, Home { api: held.api, parameter, texts });
        None
    }

    /// False when it is not here.
    pub(super) fn remove(&mut self, id: &GrantId) -> bool {
        let Some(home) = self.homes.get(id).cloned() else { return false };
        self.homes.remove(id);
        let mut gone = None;
        for text in home.texts.iter() {
            let key = (home.api, Arc::clone(&home.parameter), text.clone());
            let there = self.held.get(&key).cloned().unwrap_or_default();
            let rest: Arc<[Held]> = there.iter().filter(|held| held.id != *id).cloned().collect();
            gone = gone.or_else(|| there.iter().find(|held| held.id == *id).cloned());
            match rest.is_empty() {
                true => self.held.remove(&key),
                false => self.held.insert(key, rest),
            }
        }
        self.parameters.iter_mut().for_each(|(api, parameter, count)| {
            let is_same = *api == home.api && *parameter == home.parameter;
            *count = count.saturating_sub(usize::from(is_same));
        });
        self.parameters.retain(|(_, _, count)| *count > 0);
        if let Some(held) = gone.filter(|held| held.status == GrantStatus::Active) {
            let is_same = |set: &&mut Set| set.api == held.api && set.operations == held.operations;
            if let Some(set) = self.sets.iter_mut().find(is_same) {
                set.count = set.count.saturating_sub(1);
            }
            self.sets.retain(|set| set.count > 0);
        }
        true
    }

    fn parameter(&mut self, api: ApiNumber, parameter: &str) -> Arc<str> {
        let known =
            self.parameters.iter_mut().find(|(of, name, _)| *of == api && **name == *parameter);
        if let Some((_, name, count)) = known {
            *count += 1;
            return Arc::clone(name);
        }
        let name: Arc<str> = parameter.into();
        self.parameters.push((api, Arc::clone(&name), 1));
        name
    }

    fn count(&mut self, held: &Held) {
        if held.status != GrantStatus::Active {
            return;
        }
        let is_same = |set: &&mut Set| set.api == held.api && set.operations == held.operations;
        match self.sets.iter_mut().find(is_same) {
            Some(set) => {
                set.count += 1;
                set.ends = set.ends.max(held.ends);
            }
            None => self.sets.push(Set {
                api: held.api,
                operations: held.operations.clone(),
                count: 1,
                ends: held.ends,
            }),
        }
    }

    /// The grants on an API, each once, in no particular order.
    pub(super) fn on(&self, api: ApiNumber) -> impl Iterator<Item = &Held> {
        self.homes.iter().filter(move |(_, home)| home.api == api).filter_map(|(id, home)| {
            let text = home.texts.first()?.clone();
            let held = self.held.get(&(home.api, Arc::clone(&home.parameter), text))?;
            held.iter().find(|held| held.id == *id)
        })
    }

    /// Those that may hold for a request: no other can.
    pub(super) fn of<'r>(&'r self, api: ApiNumber, request: &dyn Request) -> Vec<&'r Held> {
        let mut found = Vec::new();
        for (of, parameter, _) in &self.parameters {
            if *of != api {
                continue;
            }
            match request.read(&Place::Path(parameter.to_string())) {
                Reading::Later => return self.on(api).collect(),
                Reading::Unreadable => {}
                // All that is there has to be among the texts, so the first is.
                Reading::Values(values) => {
                    let key =
                        values.first().map(|text| (api, Arc::clone(parameter), text.to_string()));
                    found.extend(
                        key.and_then(|key| self.held.get(&key))
                            .into_iter()
                            .flat_map(|held| held.iter()),
                    );
                }
            }
        }
        found
    }

    /// Whether some of them cover an operation, for whatever objects.
    pub(super) fn cover(
        &self,
        (api, operation): (ApiNumber, OperationNumber),
        roles: &Roles,
        now: Timestamp,
    ) -> bool {
        let covers = |set: &Set| {
            let by_role = |role| roles.cover(role, api, operation);
            set.operations.contains(operation) || set.operations.roles().iter().any(by_role)
        };
        self.sets.iter().any(|set| set.api == api && set.ends > now && covers(set))
    }
}

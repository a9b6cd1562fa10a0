//! Once through the candidates of a search. Those whose answer hangs on what a source says are left
//! open and asked about; with the answers, the candidates are gone through again.

use std::collections::{BTreeSet, HashMap};

use base::{ApiId, IdentityId};
use catalog::Method;
use futures_util::StreamExt as _;
use futures_util::stream;
use policy::{Answers, Lookup, Ruleset};

use super::judge::judge;
use super::page::{Cursor, Kept, Listed};
use super::question::{Resource, Seen, SubjectType, seen};
use super::search::Search;
use crate::App;
use crate::lookup::{ROUNDS_MAX, Wanted};

/// About how many candidates sources are asked for one part of an answer. What is left comes with
/// the next part.
const CANDIDATES_MAX: usize = 100;

/// How many are asked about at once: the gate asks the same sources, for requests that wait.
const AT_ONCE: usize = 8;

/// Who, on which API: what answers are about.
type About = (IdentityId, ApiId);

/// What sources said so far.
#[derive(Default)]
pub(super) struct Known {
    answers: HashMap<About, Answers>,
    /// How often they were asked because of a candidate, by its name.
    rounds: HashMap<String, usize>,
}

/// What would have to be known to close what was left open.
#[derive(Default)]
pub(super) struct Open {
    names: Vec<String>,
    lookups: HashMap<About, BTreeSet<Lookup>>,
}

impl Open {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Known {
    pub(super) async fn ask(&mut self, app: &App, open: Open) {
        open.names.into_iter().for_each(|name| *self.rounds.entry(name).or_default() += 1);
        let each = |((identity, api), lookups): (About, BTreeSet<Lookup>)| async move {
            let wanted = Wanted { identity, api, lookups: lookups.into_iter().collect() };
            let looked = app.ask_sources(&wanted).await;
            ((wanted.identity, wanted.api), looked)
        };
        let mut asked = stream::iter(open.lookups).map(each).buffer_unordered(AT_ONCE);
        while let Some((about, looked)) = asked.next().await {
            let answers = self.answers.entry(about).or_default();
            looked.into_iter().for_each(|one| answers.put(one.lookup, one.answer));
        }
    }
}

pub(super) struct Pass<'s> {
    search: &'s Search,
    known: &'s Known,
    open: Open,
}

impl<'s> Pass<'s> {
    pub(super) fn new(search: &'s Search, known: &'s Known) -> Self {
        Self { search, known, open: Open::default() }
    }

    /// What was left open.
    pub(super) fn open(self) -> Open {
        self.open
    }

    pub(super) fn ruleset(&self) -> &'s Ruleset {
        &self.search.ruleset
    }

    pub(super) fn subjects(
        &mut self,
        kind: SubjectType,
        resource: &Resource,
        action: &str,
        cursor: &Cursor,
    ) -> Listed {
        let ruleset = self.ruleset();
        let candidates = match resource.find(ruleset, action) {
            Some((entry, Some(operation))) => {
                ruleset.covered(&entry.api().id, &operation.id, self.search.circumstances.now)
            }
            _ => Vec::new(),
        };
        let is_sought =
            |id: &IdentityId| ruleset.kind_of(id).is_some_and(|known| kind.takes(known));
        cursor.take(candidates.iter().map(IdentityId::as_str), |id| match id.parse() {
            Ok(id) if is_sought(&id) => self.keep(id.as_str(), &id, resource, action),
            _ => Kept::No,
        })
    }

    pub(super) fn apis(&mut self, who: &IdentityId, action: &str, cursor: &Cursor) -> Listed {
        let ids: BTreeSet<_> = self.ruleset().apis().map(|api| api.id.clone()).collect();
        cursor.take(ids.iter().map(ApiId::as_str), |name| match name.parse() {
            Ok(id) => self.keep(name, who, &Resource::Api(id), action),
            Err(_) => Kept::No,
        })
    }

    pub(super) fn actions(
        &mut self,
        who: &IdentityId,
        resource: &Resource,
        cursor: &Cursor,
    ) -> Listed {
        let names: BTreeSet<String> = match resource {
            Resource::Api(id) => {
                let operations = self.ruleset().api(id).map(|api| &api.operations);
                operations.into_iter().flatten().map(|one| one.id.to_string()).collect()
            }
            Resource::Route { .. } => {
                let head = std::iter::once("HEAD".to_owned());
                Method::ALL.iter().map(ToString::to_string).chain(head).collect()
            }
        };
        let names = names.iter().map(String::as_str);
        cursor.take(names, |action| self.keep(action, who, resource, action))
    }

    fn keep(&mut self, name: &str, who: &IdentityId, resource: &Resource, action: &str) -> Kept {
        let Search { sight, given, circumstances, .. } = self.search;
        let ruleset = self.ruleset();
        let Some((entry, operation)) = resource.find(ruleset, action) else { return Kept::No };
        let api = &entry.api().id;
        if seen(sight, Some(who), Some(api)) == Seen::Nothing {
            return Kept::No;
        }
        let none = Answers::default();
        let answers = self.known.answers.get(&(who.clone(), api.clone())).unwrap_or(&none);
        let asked = given.of(resource, operation);
        match judge(ruleset, who, (entry, operation), &asked, circumstances, answers) {
            Ok(Ok(_)) => Kept::Yes,
            Ok(Err(_)) => Kept::No,
            Err(wanted) => self.want(name, wanted),
        }
    }

    /// Who was asked about is asked about to the end, so that each part of an answer gets further.
    fn want(&mut self, name: &str, wanted: Wanted) -> Kept {
        match self.known.rounds.get(name) {
            Some(rounds) if *rounds >= ROUNDS_MAX => return Kept::No,
            Some(_) => {}
            None if self.known.rounds.len() + self.open.names.len() >= CANDIDATES_MAX => {
                return Kept::Enough;
            }
            None => {}
        }
        self.open.names.push(name.to_owned());
        let Wanted { identity, api, lookups } = wanted;
        self.open.lookups.entry((identity, api)).or_default().extend(lookups);
        Kept::Open
    }
}

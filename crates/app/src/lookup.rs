//! Relations that are looked up: which ones, and asking about them for whoever wants to know what
//! the gate would say. The gate of this process asks; here it is only known that one can.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{ApiId, IdentityId, Problem, Timestamp};
use futures_util::future::BoxFuture;
use policy::{Answer, Answers, Lookup, Ruleset};

use crate::App;
use crate::policies::guardrails;
use crate::view::LookedUp;

/// How often sources are asked for one answer: once for each kind of credential that the answer may
/// hang on.
pub(crate) const ROUNDS_MAX: usize = 8;

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The question.
    pub lookup: Lookup,
    /// The source; empty = none answers for the relation.
    pub source: String,
    /// What it said.
    pub answer: Answer,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// Asks the sources of relations, as the gate does.
pub trait RelationSources: Send + Sync {
    /// What the sources say of a caller and objects of an API; one answer for each question.
    fn ask<'a>(
        &'a self,
        identity: &'a IdentityId,
        api: &'a ApiId,
        lookups: &'a [Lookup],
    ) -> BoxFuture<'a, Vec<Looked>>;
}

/// What a judgement would have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) identity: IdentityId,
    pub(crate) api: ApiId,
    pub(crate) lookups: Vec<Lookup>,
}

/// What was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) answers: Answers,
    looked: Vec<Looked>,
}

impl App {
    /// Asks these for relations. The first one set stays.
    pub fn use_relation_sources(&self, sources: Arc<dyn RelationSources>) {
        let _ = self.relation_sources.set(sources);
    }

    /// Whether these relations could be looked up: no guardrail looks at one of them.
    pub async fn may_look_up(&self, relations: &BTreeSet<String>) -> Result<(), Problem> {
        match self.read().await?.guardrails().await? {
            Some(set) => guardrails::ask_no_source(&set, relations),
            None => Ok(()),
        }
    }

    /// From now on these relations are looked up, and no others: what is stored under their names
    /// does not count. Refused where a guardrail looks at one of them; then nothing changes.
    pub async fn look_up(&self, relations: BTreeSet<String>) -> Result<(), Problem> {
        loop {
            // Before the lock, as whoever commits has a connection when it takes the lock.
            let mut state = self.read().await?;
            // Held, so that nothing that is published meanwhile is undone, and no guardrail comes up
            // that looks at one of them.
            let _publishing = self.publishing.lock().await;
            if state.version() < self.ruleset().load().version() {
                continue;
            }
            if let Some(set) = state.guardrails().await? {
                guardrails::ask_no_source(&set, &relations)?;
            }
            self.install_looked_up(relations);
            return Ok(());
        }
    }

    fn install_looked_up(&self, relations: BTreeSet<String>) {
        let present = self.ruleset().load_full();
        if *present.looked_up() == relations {
            return;
        }
        let next = Arc::new(present.looking_up(relations));
        self.ruleset().store(Arc::clone(&next));
        self.cut_streams_untold(&next);
    }

    /// Judges with what sources say. `judge` tells what it would have to know; it is asked again
    /// with the answers, a few times. `None`: it still wants to know more.
    pub(crate) async fn with_answers<R>(
        &self,
        asked: &mut Asked,
        mut judge: impl FnMut(&Answers) -> Result<R, Wanted>,
    ) -> Option<R> {
        for _ in 0..ROUNDS_MAX {
            match judge(&asked.answers) {
                Ok(judged) => return Some(judged),
                Err(wanted) => asked.add(self.ask_sources(&wanted).await),
            }
        }
        judge(&asked.answers).ok()
    }

    /// What sources say. Where there is nobody to ask, nothing is known.
    pub(crate) async fn ask_sources(&self, wanted: &Wanted) -> Vec<Looked> {
        let Wanted { identity, api, lookups } = wanted;
        let looked = match self.relation_sources.get() {
            Some(sources) => sources.ask(identity, api, lookups).await,
            None => Vec::new(),
        };
        let now = self.now();
        let unknown = |lookup: &Lookup| Looked {
            lookup: lookup.clone(),
            source: String::new(),
            answer: Answer::Unknown,
            asked_at: now,
        };
        let missing = |lookup: &&Lookup| !looked.iter().any(|one| one.lookup == **lookup);
        let missing: Vec<Looked> = lookups.iter().filter(missing).map(unknown).collect();
        looked.into_iter().chain(missing).collect()
    }
}

impl Asked {
    pub(crate) fn add(&mut self, looked: Vec<Looked>) {
        for one in looked {
            self.answers.put(one.lookup.clone(), one.answer);
            self.looked.push(one);
        }
    }

    /// As it is shown.
    pub(crate) fn views(&self, now: Timestamp) -> Vec<LookedUp> {
        let view = |one: &Looked| LookedUp {
            relation: one.lookup.relation.clone(),
            object: one.lookup.object.clone(),
            source: one.source.clone(),
            answer: one.answer.to_string(),
            asked_at: one.asked_at.to_string(),
            age_seconds: now.since(one.asked_at).as_secs().max(0).unsigned_abs(),
        };
        self.looked.iter().map(view).collect()
    }
}

/// Refuses to set a relation that a source answers for.
pub(crate) fn is_stored(ruleset: &Ruleset, name: &str) -> Result<(), Problem> {
    if !ruleset.looks_up(name) {
        return Ok(());
    }
    let detail = format!("the relation `{name}` is looked up: a source answers for it");
    Err(Problem::conflict("relation_looked_up", detail).at("name").hint(
        "change it at the source, or take it out of [[relation-source]] in the configuration",
    ))
}

//! Relations that are looked up: the sources that answer for them, and what they answered lately.
//!
//! A decision says what it has to know ([`policy::Decided::NeedsRelations`]); here a source is asked
//! for it, within a time and a number of questions at once, of which one caller has a part; identical
//! questions once. An answer is
//! kept for as long as the source's setting says. That a source did not answer is kept nowhere and
//! is no answer: the decision refuses by it. Nothing is decided here.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::{ApiId, Clock, IdentityId, Problem, Secret, Span, Timestamp};
use futures_util::future;
use policy::{Answer, Answers, Lookup};
use rustc_hash::FxHashMap;

mod cache;
mod client;
mod source;
mod turns;

pub use source::{Counts, Looked};
use source::{Key, Source};

/// A source of relations.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// What messages and metrics call it.
    pub name: String,
    /// The relations that it answers for. A relation has one source.
    pub relations: Vec<String>,
    /// Its evaluation endpoint (AuthZEN Authorization API 1.0): `http://` or `https://`, without a
    /// query.
    pub url: String,
    /// Sent as a bearer token.
    pub token: Option<Secret<String>>,
    /// How long an answer may take, the wait for a turn and the connection included.
    pub timeout: Duration,
    /// How long an answer holds; zero = it is asked each time.
    pub cache_for: Span,
    /// Answers kept.
    pub cache_entries: usize,
}

/// Who and what a question is about, beside the relation and the object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asker {
    /// The caller.
    pub identity: IdentityId,
    /// The API of the object.
    pub api: ApiId,
}

/// The sources of a gate.
pub struct Lookups {
    clock: Arc<dyn Clock>,
    tls: Option<Arc<rustls::ClientConfig>>,
    table: ArcSwap<Table>,
}

/// Sources that can be installed.
pub struct Sources(Table);

#[derive(Default)]
struct Table {
    sources: Vec<Arc<Source>>,
    by_relation: FxHashMap<String, Arc<Source>>,
}

impl Lookups {
    /// No source. `tls`: towards those with `https://`.
    pub fn new(clock: Arc<dyn Clock>, tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        Self { clock, tls, table: ArcSwap::default() }
    }

    /// Sources that can be installed: one that is as it was keeps its answers.
    pub fn prepare(&self, configs: Vec<SourceConfig>) -> Result<Sources, Problem> {
        let before = self.table.load();
        let mut table = Table::default();
        for config in configs {
            let known = before.sources.iter().find(|known| known.is_of(&config));
            let source = match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(Source::new(config, self.tls.clone())?),
            };
            for relation in &source.config.relations {
                if table.by_relation.insert(relation.clone(), Arc::clone(&source)).is_some() {
                    let detail = format!("the relation `{relation}` has two sources");
                    return Err(Problem::invalid("two_sources", detail).at(relation.clone()));
                }
            }
            table.sources.push(source);
        }
        Ok(Sources(table))
    }

    /// Asks these sources from now on, and no others.
    pub fn install(&self, sources: Sources) {
        self.table.store(Arc::new(sources.0));
    }

    /// Adds the answers that are known without asking. True when these are all.
    pub(crate) fn recall(&self, asker: &Asker, lookups: &[Lookup], answers: &mut Answers) -> bool {
        let (table, now) = (self.table.load(), self.clock.now());
        lookups.iter().fold(true, |all, lookup| {
            let source = table.by_relation.get(&lookup.relation);
            match source.and_then(|source| source.recall(&Key::new(asker, lookup), now)) {
                Some(looked) => {
                    answers.put(lookup.clone(), looked.answer);
                    all
                }
                None => false,
            }
        })
    }

    /// Answers questions about a caller on an API: by what is known, else by asking. Takes as long as
    /// the slowest source may.
    pub async fn ask(&self, asker: &Asker, lookups: &[Lookup]) -> Vec<Looked> {
        let table = self.table.load_full();
        let each = lookups.iter().map(|lookup| {
            let (source, key) = (table.by_relation.get(&lookup.relation), Key::new(asker, lookup));
            let clock = &self.clock;
            async move {
                match source {
                    Some(source) => source.answer(key, clock).await,
                    None => Looked::nobody(key, clock.now()),
                }
            }
        });
        future::join_all(each).await
    }

    /// What each source was asked since it was installed, by its name.
    pub fn counts(&self) -> Vec<(String, Counts)> {
        let sources = self.table.load_full();
        sources.sources.iter().map(|one| (one.config.name.clone(), one.counts())).collect()
    }
}

impl Looked {
    /// No source answers for it.
    fn nobody(key: Key, now: Timestamp) -> Self {
        let Key { lookup, .. } = key;
        Self { lookup, source: String::new(), answer: Answer::Unknown, asked_at: now }
    }
}

impl std::fmt::Debug for Lookups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let table = self.table.load();
        let names = table.sources.iter().map(|source| &source.config.name);
        f.debug_list().entries(names).finish()
    }
}

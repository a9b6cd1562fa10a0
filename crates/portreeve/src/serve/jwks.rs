//! The keys of token issuers: read at start, read again on a schedule, and when a token names a
//! key that is not there. A key set that cannot be read leaves the last good one in force until it
//! is too old; then the issuer's tokens are refused, because a withdrawn key could still sign.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use app::{Fetcher, HttpFetcher};
use base::problem::ProblemKind;
use base::{Clock, Problem, Span, Timestamp};
use proxy::Authenticators;
use token::{Issuer, JwkSet};

use crate::config::{IssuerSetting, Location};

/// A key set that was read is not read again for so long.
const READ_EVERY: Span = Span::from_secs(300);
/// Anybody can make a token that names an unknown key, so what these cause is seldom.
const MISSING_KEY_EVERY: Span = Span::from_secs(30);
/// The longest that reading a key set may take.
const READ_TIME_MAX: Duration = Duration::from_secs(10);
/// A key set older than this no longer proves anything.
const KEPT_FOR: Span = Span::from_days(1);

/// The key sets of all issuers and what came of the last attempt to read each.
pub(crate) struct KeySets {
    authenticators: Arc<Authenticators>,
    clock: Arc<dyn Clock>,
    fetcher: HttpFetcher,
    generations: AtomicU64,
    /// Single flight: a second refresh waits for the first.
    sources: tokio::sync::Mutex<Vec<Source>>,
}

/// Key sets that were read and are not in force yet.
pub(crate) struct Prepared(Vec<Source>);

#[derive(Clone)]
struct Source {
    setting: IssuerSetting,
    issuer: Issuer,
    /// The key set as it was read: equal texts need no new generation, which would void every
    /// cached verification.
    text: String,
    read_at: Timestamp,
    /// When it was last read because a token named a key that it did not have.
    looked_at: Timestamp,
}

impl KeySets {
    pub(crate) fn new(
        authenticators: Arc<Authenticators>,
        clock: Arc<dyn Clock>,
        fetcher: HttpFetcher,
    ) -> Self {
        let generations = AtomicU64::new(1);
        Self { authenticators, clock, fetcher, generations, sources: tokio::sync::Mutex::default() }
    }

    /// Reads the key sets of other issuers, and changes nothing yet. An issuer that is away must not
    /// keep the gate from serving everybody else, nor a reload from its other changes: its tokens
    /// are refused until its keys are read.
    pub(crate) async fn prepare(&self, settings: &[IssuerSetting]) -> Result<Prepared, Problem> {
        let known = self.sources.lock().await.clone();
        let mut sources = Vec::new();
        for setting in settings {
            let (keys, text, read_at) = match read(&setting.jwks, &self.fetcher).await {
                Ok((keys, text)) => (keys, text, self.clock.now()),
                Err(problem) if matches!(setting.jwks, Location::File(_)) => return Err(problem),
                Err(problem) => {
                    let issuer = &setting.token.name;
                    if let Some(last) = known.iter().find(|last| last.setting == *setting) {
                        tracing::warn!(issuer, "its last keys stay: {problem}");
                        sources.push(last.clone());
                        continue;
                    }
                    tracing::error!(issuer, "its tokens are refused for now: {problem}");
                    (JwkSet::empty(), String::new(), Timestamp::MIN)
                }
            };
            let issuer = Issuer::new(setting.token.clone(), keys, self.next_generation())?;
            let (setting, looked_at) = (setting.clone(), Timestamp::MIN);
            sources.push(Source { setting, issuer, text, read_at, looked_at });
        }
        let issuers: Vec<Issuer> = sources.iter().map(|source| source.issuer.clone()).collect();
        token::issuers_are_distinct(&issuers)?;
        Ok(Prepared(sources))
    }

    /// Generations grow without end and none is given twice: a cached token must never be taken for
    /// one that was verified by later keys.
    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::SeqCst)
    }

    /// Trusts these issuers and no others. Keys that were read again since they were prepared stay.
    pub(crate) async fn install(&self, prepared: Prepared) {
        let mut sources = self.sources.lock().await;
        let newer = |source: Source| {
            let is_newer =
                |known: &&Source| known.setting == source.setting && known.read_at > source.read_at;
            sources.iter().find(is_newer).cloned().unwrap_or(source)
        };
        *sources = prepared.0.into_iter().map(newer).collect();
        self.authenticators.set_issuers(sources.iter().map(|s| s.issuer.clone()).collect());
    }

    /// Reads the key sets that are due. What cannot be read is named; the others are in force.
    pub(crate) async fn refresh(&self) -> Result<(), Problem> {
        self.read_again(Source::is_due).await
    }

    /// Reads the key sets of which a token named a key that they do not have. That it fails is no
    /// fault of this machine's unless the key set is due as well, and then it is told there.
    pub(crate) async fn look_for_missing_keys(&self) -> Result<(), Problem> {
        let wanted = self.authenticators.take_issuers_without_key();
        if wanted.is_empty() {
            return Ok(());
        }
        let looked = self.read_again(|source, now| {
            let is_wanted = wanted.contains(source.issuer.name());
            let is_due = is_wanted && now.since(source.looked_at) >= MISSING_KEY_EVERY;
            if is_due {
                source.looked_at = now;
            }
            is_due
        });
        if let Err(problem) = looked.await {
            tracing::warn!("a token names an unknown key, and the last keys stay: {problem}");
        }
        Ok(())
    }

    async fn read_again(
        &self,
        mut is_due: impl FnMut(&mut Source, Timestamp) -> bool,
    ) -> Result<(), Problem> {
        let mut sources = self.sources.lock().await;
        let (now, mut failed, mut changed) = (self.clock.now(), None, false);
        for source in sources.iter_mut() {
            if !is_due(source, now) {
                continue;
            }
            let generation = source.issuer.generation();
            let read = source.read_again(now, &self.fetcher, self.next_generation());
            failed = read.await.err().or(failed);
            changed |= source.issuer.generation() != generation;
        }
        if changed {
            let issuers = sources.iter().map(|source| source.issuer.clone()).collect();
            self.authenticators.set_issuers(issuers);
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Source {
    fn is_due(&mut self, now: Timestamp) -> bool {
        now.since(self.read_at) >= READ_EVERY
    }

    async fn read_again(
        &mut self,
        now: Timestamp,
        fetcher: &HttpFetcher,
        generation: u64,
    ) -> Result<(), Problem> {
        match read(&self.setting.jwks, fetcher).await {
            Ok((keys, text)) => {
                self.read_at = now;
                self.take(keys, text, generation);
                Ok(())
            }
            Err(problem) if now.since(self.read_at) > KEPT_FOR => {
                self.take(JwkSet::empty(), String::new(), generation);
                Err(problem.hint("its tokens are refused until its keys are read"))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Other keys are another generation; the same ones stay what they are.
    fn take(&mut self, keys: JwkSet, text: String, generation: u64) {
        if text != self.text {
            self.text = text;
            self.issuer = self.issuer.with_keys(keys, generation);
        }
    }
}

/// Reads one key set from where it is, as keys and as text.
pub(crate) async fn read(
    location: &Location,
    fetcher: &HttpFetcher,
) -> Result<(JwkSet, String), Problem> {
    let (text, place) = match location {
        Location::File(path) => {
            let place = path.display().to_string();
            let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                let detail = format!("cannot read the key set: {error}");
                Problem::invalid("jwks_unreadable", detail).at(place.clone())
            })?;
            (text, place)
        }
        Location::Url(url) => {
            let fetched = tokio::time::timeout(READ_TIME_MAX, fetcher.fetch(url)).await;
            let late = |_| {
                let detail = "the key set did not come in time";
                Problem::new(ProblemKind::Unavailable, "not_fetched", detail).at(url.clone())
            };
            (fetched.map_err(late)??, url.clone())
        }
    };
    let keys = JwkSet::parse(&text).map_err(|problem| problem.at(place))?;
    Ok((keys, text))
}

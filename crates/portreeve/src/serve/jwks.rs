//! The keys of token issuers: read at start, read again on a schedule. A key set that cannot be
//! read leaves the last good one in force until it is too old; then the issuer's tokens are
//! refused, because a withdrawn key could still sign.

use std::sync::Arc;

use base::{Clock, Problem, Span, Timestamp};
use proxy::Authenticators;
use token::{Issuer, JwkSet};

use crate::config::{IssuerSetting, Location};

/// A key set that was read is not read again for so long.
const READ_EVERY: Span = Span::from_secs(300);
/// A key set older than this no longer proves anything.
const KEPT_FOR: Span = Span::from_days(1);

/// The key sets of all issuers and what came of the last attempt to read each.
pub(crate) struct KeySets {
    authenticators: Arc<Authenticators>,
    clock: Arc<dyn Clock>,
    /// Single flight: a second refresh waits for the first.
    sources: tokio::sync::Mutex<Vec<Source>>,
}

/// Key sets that were read and are not in force yet.
pub(crate) struct Prepared(Vec<Source>);

struct Source {
    setting: IssuerSetting,
    issuer: Issuer,
    /// The key set as it was read: equal texts need no new generation, which would void every
    /// cached verification.
    text: String,
    read_at: Timestamp,
}

impl KeySets {
    pub(crate) fn new(authenticators: Arc<Authenticators>, clock: Arc<dyn Clock>) -> Self {
        Self { authenticators, clock, sources: tokio::sync::Mutex::default() }
    }

    /// Reads the key sets of other issuers, and changes nothing yet. At a start, an issuer that is
    /// away must not keep the gate from serving everybody else: its tokens are refused until its
    /// keys are read.
    pub(crate) async fn prepare(
        &self,
        settings: &[IssuerSetting],
        starting: bool,
    ) -> Result<Prepared, Problem> {
        // Generations grow without end: a cached token must never be taken for one that was
        // verified by later keys.
        let known = self.sources.lock().await;
        let generation = known.iter().map(|s| s.issuer.generation()).max().unwrap_or(0) + 1;
        drop(known);
        let mut sources = Vec::new();
        for setting in settings {
            let (keys, text, read_at) = match read(&setting.jwks).await {
                Ok((keys, text)) => (keys, text, self.clock.now()),
                Err(problem) if starting && matches!(setting.jwks, Location::Url(_)) => {
                    let issuer = &setting.token.name;
                    tracing::error!(issuer, "its tokens are refused for now: {problem}");
                    (JwkSet::empty(), String::new(), Timestamp::MIN)
                }
                Err(problem) => return Err(problem),
            };
            let issuer = Issuer::new(setting.token.clone(), keys, generation)?;
            sources.push(Source { setting: setting.clone(), issuer, text, read_at });
        }
        let issuers: Vec<Issuer> = sources.iter().map(|source| source.issuer.clone()).collect();
        token::issuers_are_distinct(&issuers)?;
        Ok(Prepared(sources))
    }

    /// Trusts these issuers and no others.
    pub(crate) async fn install(&self, prepared: Prepared) {
        let mut sources = self.sources.lock().await;
        *sources = prepared.0;
        self.authenticators.set_issuers(sources.iter().map(|s| s.issuer.clone()).collect());
    }

    /// Reads all key sets again. What cannot be read is named; the others are in force.
    pub(crate) async fn refresh(&self) -> Result<(), Problem> {
        let mut sources = self.sources.lock().await;
        let (now, mut failed, mut changed) = (self.clock.now(), None, false);
        for source in sources.iter_mut().filter(|source| source.is_due(now)) {
            let (keys, text) = match read(&source.setting.jwks).await {
                Ok(read) => {
                    source.read_at = now;
                    read
                }
                Err(problem) if now.since(source.read_at) > KEPT_FOR => {
                    failed = Some(problem.hint("its tokens are refused until its keys are read"));
                    (JwkSet::empty(), String::new())
                }
                Err(problem) => {
                    failed = Some(problem);
                    continue;
                }
            };
            if text != source.text {
                source.text = text;
                source.issuer = source.issuer.with_keys(keys, source.issuer.generation() + 1);
                changed = true;
            }
        }
        if changed {
            let issuers = sources.iter().map(|source| source.issuer.clone()).collect();
            self.authenticators.set_issuers(issuers);
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Source {
    fn is_due(&self, now: Timestamp) -> bool {
        now.since(self.read_at) >= READ_EVERY
    }
}

/// Reads one key set from where it is, as keys and as text.
pub(crate) async fn read(location: &Location) -> Result<(JwkSet, String), Problem> {
    let (text, place) = match location {
        Location::File(path) => {
            let place = path.display().to_string();
            let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                let detail = format!("cannot read the key set: {error}");
                Problem::invalid("jwks_unreadable", detail).at(place.clone())
            })?;
            (text, place)
        }
        Location::Url(url) => (crate::client::fetch(url).await?, url.clone()),
    };
    let keys = JwkSet::parse(&text).map_err(|problem| problem.at(place))?;
    Ok((keys, text))
}

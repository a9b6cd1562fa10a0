//! The gate: what all its workers share, and what each has for itself.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::{Clock, Digest, Entropy, RequestId, Span, Timestamp};
use policy::Ruleset;
use rustc_hash::FxHashMap;
use token::{Claims, Proof, ProofFault, ProofFor};
use traffic::Reason;

use crate::config::GateConfig;
use crate::credential::{Authenticators, ClaimsCache, UsedProofs};
use crate::limits::Limiter;
use crate::lookup::Lookups;
use crate::recorder::Recorder;
use crate::sources::Sources;
use crate::stage::Journal;
use crate::streams::{Shard, Streams};
use crate::upstream::{Lines, Pool, Upstream};

mod entropy;
mod serve;

pub use serve::{Drained, Listeners, Workers};

use entropy::Buffered;

/// The gate. Requests come in at its listeners and are judged by the ruleset as it is at that
/// moment.
pub struct Gate {
    core: Arc<Core>,
    entropy: Arc<Mutex<Box<dyn Entropy>>>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// What all workers share.
pub(crate) struct Core {
    pub(crate) config: GateConfig,
    pub(crate) ruleset: Arc<ArcSwap<Ruleset>>,
    pub(crate) authenticators: Arc<Authenticators>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) proofs: UsedProofs,
    pub(crate) limits: Arc<Limiter>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) lookups: Arc<Lookups>,
    /// TLS towards upstreams that are spoken to in HTTP/2.
    upstream_tls_h2: Option<Arc<rustls::ClientConfig>>,
    /// The grace of a shutdown is over.
    by_force: AtomicBool,
}

impl Core {
    pub(crate) fn upstream_tls_h2(&self) -> Option<&Arc<rustls::ClientConfig>> {
        self.upstream_tls_h2.as_ref()
    }

    /// What still runs is being cut by the gate itself.
    pub(crate) fn ends_by_force(&self) -> bool {
        self.by_force.load(Ordering::Relaxed)
    }
}

impl Gate {
    /// A gate that judges by `ruleset`, whatever it is at the time of a request. `entropy` makes
    /// request ids.
    pub fn new(
        config: GateConfig,
        ruleset: Arc<ArcSwap<Ruleset>>,
        authenticators: Arc<Authenticators>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Self {
        let sources = Arc::new(Sources::new(config.limits.clone()));
        let limits = Arc::new(Limiter::new(&config.limits));
        let lifetime = config.proofs.remembered();
        let proofs = UsedProofs::new(lifetime, config.limits.used_proofs, clock.now());
        let upstream_tls_h2 = config.upstream_tls.as_deref().map(|tls| {
            let mut tls = tls.clone();
            tls.alpn_protocols = vec![b"h2".to_vec()];
            Arc::new(tls)
        });
        let lookups = Lookups::new(Arc::clone(&clock), config.upstream_tls.clone());
        let core = Core {
            config,
            ruleset,
            authenticators,
            recorder,
            clock,
            sources,
            proofs,
            limits,
            streams: Arc::default(),
            lookups: Arc::new(lookups),
            upstream_tls_h2,
            by_force: AtomicBool::new(false),
        };
        Self { core: Arc::new(core), entropy: Arc::new(Mutex::new(entropy)), tls: None }
    }

    /// The limits that it holds requests against, for whoever divides them among nodes.
    pub fn limits(&self) -> &Arc<Limiter> {
        &self.core.limits
    }

    /// What is open at this gate.
    pub fn streams(&self) -> &Arc<Streams> {
        &self.core.streams
    }

    /// The sources of relations that are looked up, to be installed, asked and measured.
    pub fn lookups(&self) -> &Arc<Lookups> {
        &self.core.lookups
    }

    /// Listeners speak TLS only. See [`crate::tls::server_config`].
    #[must_use]
    pub fn with_tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }
}

/// What one worker has for itself. Workers never share connections or caches, so the locks here are
/// never waited for; they are there because tasks may move between threads.
pub(crate) struct Worker {
    core: Arc<Core>,
    pool: Mutex<Pool>,
    lines: Mutex<Lines>,
    claims: Mutex<ClaimsCache>,
    upstreams: Mutex<FxHashMap<String, Arc<Upstream>>>,
    entropy: Mutex<Buffered>,
    /// How late the worker was with what was due, in microseconds.
    delay_us: AtomicI64,
    shard: Arc<Shard>,
}

/// Upstream URLs remembered; more than any catalogue has, so that a changing one cannot grow it.
const UPSTREAMS_MAX: usize = 4_096;

impl Worker {
    pub(crate) fn new(gate: &Gate) -> Self {
        let core = Arc::clone(&gate.core);
        Self {
            pool: Mutex::new(Pool::new(core.config.pool.clone())),
            lines: Mutex::new(Lines::new(core.config.pool.idle_for)),
            claims: Mutex::new(ClaimsCache::new(core.config.limits.cached_tokens)),
            upstreams: Mutex::default(),
            entropy: Mutex::new(Buffered::new(Arc::clone(&gate.entropy))),
            delay_us: AtomicI64::new(0),
            shard: core.streams.shard(),
            core,
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// What is open at this worker.
    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// HTTP/2 connections to upstreams.
    pub(crate) fn lines(&self) -> MutexGuard<'_, Lines> {
        lock(&self.lines)
    }

    /// How late the worker gets to what is due.
    pub(crate) fn delay(&self) -> Span {
        Span::from_micros(self.delay_us.load(Ordering::Relaxed))
    }

    /// The worker got so late to something that was due. A delay that is over is forgotten by
    /// halves, so that one quiet moment does not end the refusals that brought it about.
    pub(crate) fn note_delay(&self, late: Duration) {
        let late = i64::try_from(late.as_micros()).unwrap_or(i64::MAX);
        let half = self.delay_us.load(Ordering::Relaxed) / 2;
        self.delay_us.store(late.max(half), Ordering::Relaxed);
    }

    /// Opens the journal of a request whose head is complete now.
    pub(crate) fn open_journal(&self, source: IpAddr) -> Journal {
        let now = self.core.clock.now();
        let request_id = RequestId::generate(now, &mut *lock(&self.entropy));
        Journal::open(Arc::clone(&self.core), request_id, now, source)
    }

    /// Where an upstream URL leads. One that cannot be read refuses; the catalogue checks it before.
    pub(crate) fn upstream(&self, url: &str) -> Result<Arc<Upstream>, Reason> {
        let mut upstreams = lock(&self.upstreams);
        if let Some(upstream) = upstreams.get(url) {
            return Ok(Arc::clone(upstream));
        }
        let upstream = Upstream::parse(url).map(Arc::new).map_err(|problem| {
            tracing::error!(%problem, "upstream refused");
            Reason::UpstreamUnreachable
        })?;
        if upstreams.len() >= UPSTREAMS_MAX {
            upstreams.clear();
        }
        upstreams.insert(url.to_owned(), Arc::clone(&upstream));
        Ok(upstream)
    }

    /// The claims of a token whose signature is good. A signature is verified once; how many new
    /// tokens a source can have verified is limited before any cryptography.
    pub(crate) fn verified_claims(
        &self,
        text: &str,
        source: IpAddr,
        now: Timestamp,
    ) -> Result<Arc<Claims>, Reason> {
        let issuers = self.core.authenticators.issuers();
        let digest = Digest::of(&[text.as_bytes()]);
        if let Some(claims) = lock(&self.claims).get(&digest, &issuers) {
            return Ok(claims);
        }
        self.core.sources.admit_verification(source, now).map_err(|_| Reason::RateLimited)?;
        let claims = token::verify_jwt(text, &issuers, now).inspect_err(|_| {
            self.core.authenticators.note_missing_key(text, &issuers);
        })?;
        let claims = Arc::new(claims);
        lock(&self.claims).insert(digest, Arc::clone(&claims), &issuers);
        Ok(claims)
    }

    /// Verifies a proof for a token that was verified before. Each request has a proof of its own, so
    /// only those that fail count; and they count for the source and the key together, so that who
    /// stole a token, or sends junk from the same network, does not use up what others may do.
    pub(crate) fn verified_proof(
        &self,
        text: &str,
        asked: &ProofFor<'_>,
        source: IpAddr,
        now: Timestamp,
    ) -> Result<Result<Proof, ProofFault>, Reason> {
        let sources = &self.core.sources;
        sources.may_prove(source, asked.key, now).map_err(|_| Reason::RateLimited)?;
        let proof = token::verify_proof(text, asked, self.core.config.proofs, now);
        if matches!(proof, Err(ProofFault::BadSignature | ProofFault::Malformed)) {
            let counted = sources.note_forged(source, asked.key, now);
            counted.map_err(|_| Reason::RateLimited)?;
        }
        Ok(proof)
    }
}

/// Nothing here is left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

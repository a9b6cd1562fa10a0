//! A running portreeve: gate, console and jobs over an open installation.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use app::HttpFetcher;
use arc_swap::ArcSwap;
use base::problem::ProblemKind;
use base::{Problem, Span};
use console::ConsoleConfig;
use ipnet::IpNet;
use jobs::{Job, Schedule, Supervisor};
use proxy::lookup::SourceConfig;
use proxy::tls::Clients;
use proxy::{Authenticators, ExtAuth, Gate, GateConfig, Listeners, Lookups, Workers};
use tokio_util::sync::CancellationToken;

use super::console::Console;
use super::core::Core;
use super::counters::Counters;
use super::facts::Process;
use super::jwks::KeySets;
use super::limits;
use super::recorder::LogRecorder;
use super::relations::{self, GateSources};
use super::streams::GateStreams;
use crate::config::TlsFiles;
use crate::system::SystemEntropy;

/// How often it is looked whether a key set is due; one that failed is tried again then.
const KEY_SETS_EVERY: Duration = Duration::from_secs(15);
/// How soon a key set is read again after a token named a key that is not in it.
const MISSING_KEYS_EVERY: Duration = Duration::from_secs(1);

/// Where and how to listen.
pub(crate) struct Doors {
    pub(crate) listen: SocketAddr,
    pub(crate) console: SocketAddr,
    pub(crate) url: Option<String>,
    pub(crate) console_url: Option<String>,
    pub(crate) ext_auth: Option<ExtAuth>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) upstream_roots: Option<PathBuf>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How long proofs of possession are good for.
    pub(crate) proof_lifetime: Span,
    /// Sources of relations.
    pub(crate) relations: Vec<SourceConfig>,
    /// Requests in flight that the gate bears, and how late it may be.
    pub(crate) bears: (u64, Span),
    /// Whom hints suggest to issue a key to.
    pub(crate) example_identity: Option<String>,
    /// Of so many answers that nobody filters, one is looked at; 0 = none.
    pub(crate) watch_one_in: u16,
}

/// Everything that runs.
pub(crate) struct Running {
    pub(crate) core: Core,
    pub(crate) process: Arc<Process>,
    pub(crate) key_sets: Arc<KeySets>,
    pub(crate) lookups: Arc<Lookups>,
    supervisor: Supervisor,
    workers: Workers,
    stop_gate: CancellationToken,
    console: Console,
    secure: bool,
}

impl Running {
    /// Starts to listen. Either both ports are open when this returns, or none.
    pub(crate) async fn start(core: Core, doors: Doors) -> Result<Self, Problem> {
        let tls = doors.tls.as_ref().map(|files| server_tls(files, None)).transpose()?;
        let callers_tls = doors.tls.as_ref().map(callers_tls).transpose()?;
        let console_listener = bind(doors.console, "console").await?;
        let console_address = console_listener
            .local_addr()
            .map_err(|error| unusable("console", doors.console, &error))?;
        let gate_listeners = bind_gate(doors.listen)?;
        let counters = Arc::new(Counters::default());
        let authenticators = Arc::new(Authenticators::new(core.keys.pepper.clone(), Vec::new()));
        let gate = Arc::new(gate(&core, &doors, &authenticators, &counters, callers_tls)?);
        limits::begin(&core.app, gate.limits(), &*core.clock).await?;
        core.app.use_streams(Arc::new(GateStreams(Arc::clone(gate.streams()))));
        let lookups = Arc::clone(gate.lookups());
        core.app.use_relation_sources(Arc::new(GateSources(Arc::clone(&lookups))));
        let sources = relations::prepare(&core.app, &lookups, doors.relations).await?;
        relations::install(&core.app, &lookups, sources).await?;
        let supervisor = Supervisor::default();
        let proxy = gate_listeners.address();
        let process = Arc::new(Process {
            app: Arc::clone(&core.app),
            log: Arc::clone(&core.log),
            clock: Arc::clone(&core.clock),
            counters,
            supervisor: supervisor.clone(),
            limits: Arc::clone(gate.limits()),
            lookups: Arc::clone(&lookups),
            proxy_url: doors.url.unwrap_or_else(|| address_url(proxy, tls.is_some())),
            console_url: doors
                .console_url
                .unwrap_or_else(|| address_url(console_address, tls.is_some())),
            reviews: ArcSwap::default(),
        });
        let router = admin::router(admin::Parts {
            app: Arc::clone(&core.app),
            facts: process.clone(),
            clock: Arc::clone(&core.clock),
            entropy: Box::new(SystemEntropy),
        });
        let pages = console::router(
            Arc::clone(&core.app),
            ConsoleConfig {
                secure_cookies: tls.is_some(),
                gate_url: process.proxy_url.clone(),
                clock: Arc::clone(&core.clock),
            },
        );
        let key_sets =
            Arc::new(KeySets::new(authenticators, Arc::clone(&core.clock), HttpFetcher::new()?));
        start_jobs(&supervisor, &core, &key_sets);
        limits::start(&supervisor, &core.app, gate.limits(), &core.clock);
        let stop_gate = CancellationToken::new();
        let workers = Workers::start(&gate, gate_listeners, &stop_gate)
            .map_err(|error| unusable("listen", doors.listen, &error))?;
        let secure = tls.is_some();
        let console = Console::start(console_listener, router.merge(pages), tls.map(http1_only))
            .map_err(|error| unusable("console", doors.console, &error))?;
        Ok(Self {
            core,
            process,
            key_sets,
            lookups,
            supervisor,
            workers,
            stop_gate,
            console,
            secure,
        })
    }

    /// Where callers reach the proxy.
    pub(crate) fn proxy_url(&self) -> &str {
        &self.process.proxy_url
    }

    /// Where people and automation reach the console.
    pub(crate) fn console_url(&self) -> String {
        address_url(self.console.address(), self.secure)
    }

    /// Ends in order: callers first, so that their records are written and folded by the jobs'
    /// last rounds.
    pub(crate) async fn stop(self) {
        self.stop_gate.cancel();
        match self.workers.join().await {
            Ok(drained) if drained.cut > 0 => tracing::warn!(cut = drained.cut, "requests cut"),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the gate ended abnormally"),
        }
        self.console.stop().await;
        if let Err(error) = self.core.log.flush().await {
            tracing::error!(%error, "the decision log was not flushed");
        }
        self.supervisor.stop().await;
        limits::end(&self.core.app, &self.process.limits, &*self.core.clock).await;
        if let Err(problem) = self.core.app.leave().await {
            tracing::warn!(%problem, "this node is still on the list of live nodes");
        }
    }
}

fn gate(
    core: &Core,
    doors: &Doors,
    authenticators: &Arc<Authenticators>,
    counters: &Arc<Counters>,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Gate, Problem> {
    let mut config = GateConfig { durable: core.durable, ..GateConfig::default() };
    if let Some(identity) = &doors.example_identity {
        config.example_identity.clone_from(identity);
    }
    config.watch_one_in = doors.watch_one_in;
    config.trusted_peers.clone_from(&doors.trusted_proxies);
    config.proofs.lifetime = doors.proof_lifetime;
    config.ext_auth.clone_from(&doors.ext_auth);
    (config.limits.in_flight, config.limits.delay) = doors.bears;
    config.upstream_tls = super::tls::upstream(doors.upstream_roots.as_deref())?;
    let recorder = LogRecorder::new(
        Arc::clone(&core.log),
        Arc::clone(counters),
        Arc::clone(core.app.rollout_tallies()),
    );
    let gate = Gate::new(
        config,
        Arc::clone(core.app.ruleset()),
        Arc::clone(authenticators),
        Arc::new(recorder),
        Arc::clone(&core.clock),
        Box::new(SystemEntropy),
    );
    Ok(match tls {
        Some(tls) => gate.with_tls(tls),
        None => gate,
    })
}

fn start_jobs(supervisor: &Supervisor, core: &Core, key_sets: &Arc<KeySets>) {
    jobs::start(supervisor, &core.app, &Schedule::default());
    let due = Arc::clone(key_sets);
    supervisor.run(Job {
        name: "key_sets",
        every: KEY_SETS_EVERY,
        pause_max: jobs::PAUSE_MAX,
        last_round: false,
        round: Box::new(move || {
            let key_sets = Arc::clone(&due);
            Box::pin(async move { key_sets.refresh().await })
        }),
    });
    let missing = Arc::clone(key_sets);
    supervisor.run(Job {
        name: "missing_keys",
        every: MISSING_KEYS_EVERY,
        pause_max: jobs::PAUSE_MAX,
        last_round: false,
        round: Box::new(move || {
            let key_sets = Arc::clone(&missing);
            Box::pin(async move { key_sets.look_for_missing_keys().await })
        }),
    });
}

/// Opens the gate's sockets. They share their port, with each other and with any other process of
/// the same user: so a plain bind first finds out whether the port is free.
fn bind_gate(address: SocketAddr) -> Result<Listeners, Problem> {
    if address.port() != 0 {
        std::net::TcpListener::bind(address).map_err(|e| unusable("listen", address, &e))?;
    }
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Listeners::bind(address, workers).map_err(|error| unusable("listen", address, &error))
}

async fn bind(address: SocketAddr, key: &str) -> Result<tokio::net::TcpListener, Problem> {
    let bound = tokio::net::TcpListener::bind(address).await;
    bound.map_err(|error| unusable(key, address, &error))
}

fn unusable(key: &str, address: SocketAddr, error: &std::io::Error) -> Problem {
    let detail = format!("cannot listen on {address}: {error}");
    Problem::new(ProblemKind::Unavailable, "address_unusable", detail)
        .at(key)
        .hint("stop what listens there, or take another port; 0 takes a free one")
}

fn server_tls(
    files: &TlsFiles,
    clients: Option<Clients<'_>>,
) -> Result<Arc<rustls::ServerConfig>, Problem> {
    let place = format!("{}, {}", files.cert.display(), files.key.display());
    let (chain, key) = (super::tls::read(&files.cert)?, super::tls::read(&files.key)?);
    proxy::tls::server_config(&chain, &key, clients).map_err(|problem| problem.at(place))
}

/// Callers may have to present a certificate; browsers at the console never do.
fn callers_tls(files: &TlsFiles) -> Result<Arc<rustls::ServerConfig>, Problem> {
    let Some(clients) = &files.clients else { return server_tls(files, None) };
    let roots = super::tls::read(&clients.roots)?;
    let asked = Clients { roots_pem: &roots, required: clients.required };
    server_tls(files, Some(asked))
        .map_err(|problem| problem.at(clients.roots.display().to_string()))
}

/// The console speaks HTTP/1.1, so its listener must not offer browsers anything else.
fn http1_only(tls: Arc<rustls::ServerConfig>) -> Arc<rustls::ServerConfig> {
    let mut config = (*tls).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn address_url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

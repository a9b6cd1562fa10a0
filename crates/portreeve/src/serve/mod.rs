//! `portreeve serve`: the gate and the console, by a configuration file.

pub(crate) mod console;
pub(crate) mod core;
pub(crate) mod counters;
pub(crate) mod facts;
pub(crate) mod jwks;
pub(crate) mod keys;
mod limits;
pub(crate) mod objects;
mod recorder;
pub(crate) mod relations;
mod reload;
pub(crate) mod running;
mod streams;
mod tls;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::core::{Core, Plan};
use self::running::{Doors, Running};
use crate::config::read;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::system::SystemClock;

/// Runs until it is told to end.
pub(crate) async fn run(file: &Path, out: Output) -> Result<Exit, Failure> {
    start_log("info", out);
    let mut signals = Signals::listen()?;
    let settings = read(file).map_err(crate::cli::unusable)?;
    let core = Core::open(Plan::of(&settings)?, Arc::new(SystemClock)).await?;
    objects::apply(&core.app, &settings).await?;
    let doors = Doors {
        listen: settings.listen,
        console: settings.console,
        url: settings.url.clone(),
        console_url: settings.console_url.clone(),
        ext_auth: settings.ext_auth.clone(),
        tls: settings.tls.clone(),
        relations: relations::read(&settings.relation_sources)?,
        upstream_roots: settings.upstream_roots.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        proof_lifetime: settings.proof_lifetime,
        bears: (settings.in_flight, settings.delay),
        example_identity: None,
        watch_one_in: settings.watch_one_in,
    };
    let running = Running::start(core, doors).await?;
    let key_sets = running.key_sets.prepare(&settings.issuers).await?;
    running.key_sets.install(key_sets).await;
    running.process.reviews.store(settings.reviews.clone().into());
    announce(&running, out)?;
    let mut settings = settings;
    while let Told::Reload = signals.next().await {
        reload::reload(file, &mut settings, &running).await;
    }
    running.stop().await;
    Ok(Exit::Done)
}

fn announce(running: &Running, out: Output) -> Result<(), Failure> {
    let (proxy, console) = (running.proxy_url(), running.console_url());
    out.show(&json!({"proxy": proxy, "console": console}), |_| {
        format!("proxy    {proxy}\nconsole  {console}\n")
    })
}

/// Logs to standard error; PORTREEVE_LOG chooses how much.
pub(crate) fn start_log(level: &str, out: Output) {
    let wanted = crate::system::environment("PORTREEVE_LOG");
    let filter = tracing_subscriber::EnvFilter::new(wanted.as_deref().unwrap_or(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process keeps the first log.
    let _ = match out.json {
        true => log.json().try_init(),
        false => log.with_ansi(false).with_target(false).try_init(),
    };
}

/// What a signal tells.
pub(crate) enum Told {
    /// Read the configuration again.
    Reload,
    /// End.
    End,
}

/// `SIGXFSZ`: listened to, a file that may not grow is an error like a full disk; else it ends the
/// process without a word.
const FILE_SIZE: SignalKind = SignalKind::from_raw(25);

/// The signals that a server listens to.
pub(crate) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    _file_size: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_size: signal(FILE_SIZE)?,
        })
    }

    pub(crate) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.hangup.recv() => Told::Reload,
            _ = self.terminate.recv() => Told::End,
            _ = self.interrupt.recv() => Told::End,
        }
    }
}

//! Use cases: load, call core, save and record. The only way to change state, for every door
//! (command line, admin API, console, jobs).
//!
//! A change is one transaction that writes the state, a row of the change log and the ledger
//! entry; the ruleset moves forward before the use case returns.
//!
//! # To add a use case
//! 1. A module per noun, with an `impl App { pub async fn …(&self, actor: &Actor, …) ->
//!    Result<_, Problem> }`. Parse every text of the caller first, with the field's
//!    name as the place of the problem.
//! 2. Reads: `let mut state = self.read().await?;`, one snapshot per use case.
//! 3. Writes: `let mut tx = self.begin(actor).await?;` loads through the same transaction, asks
//!    whether the actor may, calls core, writes with the store's `save_…` (which
//!    records), and ends with `self.commit(tx).await?`. That publishes to the gate of this node
//!    and tells what has lost its permission there to end; `self.settle(tx).await?` also waits
//!    for that and for the others, and is for whatever may take access away. Nothing else may
//!    commit a transaction.
//! 4. Time is [`App::now`], ids and secrets come from [`App::draw`].
//! 5. What the actor may not see is `NotFound`; what they see but may not do is `Forbidden`.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod actor;
mod address;
mod admin_token;
mod api;
pub mod ask;
mod authority;
mod calls;
mod evidence;
mod explain;
pub mod fetch;
pub mod findings;
mod grant;
mod group;
mod identity;
mod input;
mod inventory;
mod key;
mod ledger;
pub mod limits;
mod lookup;
mod near;
mod operations;
mod policies;
pub mod probe;
mod publish;
mod recorded;
mod relation;
mod remediation;
mod render;
mod review;
mod role;
mod rollouts;
mod search;
pub mod settings;
mod sign_in;
mod signals;
pub mod streams;
mod terms;
mod today;
mod usage;
mod used;
pub mod view;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use audit::SigningKey;
use base::{ActorId, Clock, Entropy, IdentityId, Problem, Timestamp};
use decision_log::DecisionLog;
use policy::Ruleset;
use store::{Snapshot, Store, Tx, Writer};

pub use actor::{Actor, Channel, Role};
pub use api::{TIMEOUT_MAX, check_limits};
pub use fetch::{Fetcher, HttpFetcher};
pub use findings::FindingQuery;
pub use lookup::{Looked, RelationSources};
pub use probe::Probe;
pub use rollouts::RolloutTallies;
pub use settings::{Keys, Settings, TrustedIssuer};
pub use sign_in::{NewSession, Session};
pub use streams::OpenStreams;

/// How many searches of the decision log run at once; others wait for their turn.
const LOG_READERS_MAX: usize = 2;

/// What an [`App`] is made of.
pub struct Parts {
    /// The state.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets are drawn from it.
    pub entropy: Box<dyn Entropy>,
    /// Secrets of the installation.
    pub keys: Keys,
    /// What the configuration decides.
    pub settings: Settings,
    /// Gets API documents by their addresses.
    pub fetcher: Arc<dyn Fetcher>,
    /// The call records of this node; absent where no gate runs.
    pub decision_log: Option<Arc<DecisionLog>>,
}

/// Every use case of portreeve. Shared by all doors of the process.
pub struct App {
    pub(crate) store: Store,
    clock: Arc<dyn Clock>,
    entropy: Mutex<Box<dyn Entropy>>,
    pub(crate) keys: Keys,
    /// Signs the ledger's checkpoints and evidence.
    pub(crate) signing_key: SigningKey,
    pub(crate) settings: Settings,
    pub(crate) fetcher: Arc<dyn Fetcher>,
    ruleset: Arc<ArcSwap<Ruleset>>,
    /// Held while the ruleset moves, so that it moves in the order of the change log.
    publishing: tokio::sync::Mutex<publish::Published>,
    pub(crate) decision_log: Option<Arc<DecisionLog>>,
    /// Held while usage is folded. What is known of callers' habits; `None` = it has to be learned
    /// from the records again.
    folding: tokio::sync::Mutex<Option<traffic::Walks>>,
    /// Held while plans are carried out: a signature and the job do not get in each other's way.
    remediating: tokio::sync::Mutex<()>,
    /// Held while a solver works.
    proving: Arc<tokio::sync::Mutex<()>>,
    probe: OnceLock<Arc<dyn Probe>>,
    open_streams: OnceLock<Arc<dyn OpenStreams>>,
    relation_sources: OnceLock<Arc<dyn RelationSources>>,
    cuts: streams::Cuts,
    call_counts: today::CallCounts,
    /// What the gate of this node did while a change was being rolled out.
    rollout_tallies: Arc<RolloutTallies>,
    /// Held while they are added to the store.
    tending: tokio::sync::Mutex<()>,
    /// Who reads the decision log for a person.
    log_readers: Arc<tokio::sync::Semaphore>,
    limit_rounds: limits::Rounds,
}

impl App {
    /// Builds the ruleset from the store and states that this node enforces it.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, Problem> {
        let signing_key = parts.keys.signing_key(&parts.settings.ledger)?;
        let ruleset = publish::load(&parts.store).await?;
        let started_at = parts.clock.now();
        let published = publish::Published::now(&ruleset, started_at);
        let app = Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            entropy: Mutex::new(parts.entropy),
            keys: parts.keys,
            signing_key,
            settings: parts.settings,
            fetcher: parts.fetcher,
            ruleset: Arc::new(ArcSwap::from_pointee(ruleset)),
            publishing: tokio::sync::Mutex::new(published),
            decision_log: parts.decision_log,
            folding: tokio::sync::Mutex::new(None),
            remediating: tokio::sync::Mutex::new(()),
            proving: Arc::default(),
            probe: OnceLock::new(),
            open_streams: OnceLock::new(),
            relation_sources: OnceLock::new(),
            cuts: streams::Cuts::default(),
            call_counts: today::CallCounts::default(),
            rollout_tallies: Arc::default(),
            tending: tokio::sync::Mutex::default(),
            log_readers: Arc::new(tokio::sync::Semaphore::new(LOG_READERS_MAX)),
            limit_rounds: limits::Rounds::new(started_at),
        });
        app.catch_up().await?;
        Ok(app)
    }

    /// What the gate of this node enforces. The gate keeps the handle; it always shows the newest.
    pub fn ruleset(&self) -> &Arc<ArcSwap<Ruleset>> {
        &self.ruleset
    }

    /// Proves removals by another way of asking the gate than the live ruleset: a request over the
    /// wire, where the gate runs in this process. The first one set stays.
    pub fn use_probe(&self, probe: Arc<dyn Probe>) {
        let _ = self.probe.set(probe);
    }

    /// Asks the gate.
    pub(crate) fn probe(&self) -> Arc<dyn Probe> {
        let live = || -> Arc<dyn Probe> {
            Arc::new(probe::LiveRuleset {
                ruleset: Arc::clone(&self.ruleset),
                clock: Arc::clone(&self.clock),
            })
        };
        Arc::clone(self.probe.get_or_init(live))
    }

    /// Counts what the gate does while a change is being rolled out; to be given every record.
    pub fn rollout_tallies(&self) -> &Arc<RolloutTallies> {
        &self.rollout_tallies
    }

    /// What the configuration decided.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Draws an id or a secret: `self.draw(GrantId::generate)`.
    pub(crate) fn draw<T>(&self, make: impl FnOnce(Timestamp, &mut dyn Entropy) -> T) -> T {
        // A panic elsewhere leaves a generator as good as it was.
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        make(self.clock.now(), &mut **entropy)
    }

    /// One consistent view of the state.
    pub(crate) async fn read(&self) -> Result<Snapshot, Problem> {
        Ok(self.store.read().await?)
    }

    /// A write transaction on behalf of the actor. End it with [`App::commit`].
    pub(crate) async fn begin(&self, actor: &Actor) -> Result<Tx, Problem> {
        let id = ActorId::parse(actor.id.as_str())
            .map_err(|error| Problem::internal(format!("actor `{}`: {error}", actor.id)))?;
        let writer = Writer { actor: id, channel: actor.channel };
        Ok(self.store.begin(&writer, self.now()).await?)
    }
}

/// The id of a part of portreeve that acts for itself.
pub(crate) fn system_id(part: &str) -> Result<IdentityId, Problem> {
    IdentityId::parse(&format!("system:{part}")).map_err(|e| Problem::internal(e.to_string()))
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("node", &self.settings.node).finish_non_exhaustive()
    }
}

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
//!    records), and ends with `self.commit(tx).await?`. That publishes to the gate of this node;
//!    `self.receipt(change).await?` waits for the others. Nothing else may commit a transaction.
//! 4. Time is [`App::now`], ids and secrets come from [`App::draw`].
//! 5. What the actor may not see is `NotFound`; what they see but may not do is `Forbidden`.

pub mod actor;
mod publish;
pub mod settings;
pub mod view;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base::{ActorId, Clock, Entropy, Problem, Timestamp};
use policy::Ruleset;
use store::{Snapshot, Store, Tx, Writer};

pub use actor::{Actor, Channel, Role};
pub use settings::{Keys, Settings, TrustedIssuer};

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
}

/// Every use case of portreeve. Shared by all doors of the process.
pub struct App {
    pub(crate) store: Store,
    clock: Arc<dyn Clock>,
    entropy: Mutex<Box<dyn Entropy>>,
    pub(crate) keys: Keys,
    pub(crate) settings: Settings,
    ruleset: Arc<ArcSwap<Ruleset>>,
    /// Held while the ruleset moves, so that it moves in the order of the change log.
    publishing: tokio::sync::Mutex<publish::Published>,
}

impl App {
    /// Builds the ruleset from the store and states that this node enforces it.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, Problem> {
        let ruleset = publish::load(&parts.store).await?;
        let published = publish::Published::now(&ruleset, parts.clock.now());
        let app = Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            entropy: Mutex::new(parts.entropy),
            keys: parts.keys,
            settings: parts.settings,
            ruleset: Arc::new(ArcSwap::from_pointee(ruleset)),
            publishing: tokio::sync::Mutex::new(published),
        });
        app.catch_up().await?;
        Ok(app)
    }

    /// What the gate of this node enforces. The gate keeps the handle; it always shows the newest.
    pub fn ruleset(&self) -> &Arc<ArcSwap<Ruleset>> {
        &self.ruleset
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

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("node", &self.settings.node).finish_non_exhaustive()
    }
}

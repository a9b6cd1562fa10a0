//! The ruleset: built from the store at start, then moved forward by changes, in their order, in
//! memory, before the use case that made them returns. Receipts of the nodes of a fleet.
//!
//! A change that the ruleset refuses is not committed: what is stored can always be enforced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::RolloutId;
use base::problem::ProblemKind;
use base::{Problem, Span, Timestamp};
use policy::{Change, Rollout, Ruleset, Touch, Trial};
use store::{Batch, Cursor, NodeRow, Object, RolledOut, Store, Tx};
use traffic::CutCount;

use crate::api::checks;
use crate::policies::guardrails;
use crate::view::{ChangeReceipt, NodeReceipt, ReturnedRollout};
use crate::{Actor, App};

/// Changes read at once when a node follows the others.
const FOLLOW_BATCH: u32 = 1_000;
/// Batches on their way from the store to the ruleset that is being built.
const LOAD_QUEUE: usize = 2;
/// How often the statements of other nodes are looked at while somebody waits for them.
const RECEIPT_POLL: Duration = Duration::from_millis(10);

/// How long it is kept what changes cut. Proofs of reviews keep their own.
const CUTS_KEPT: Span = Span::from_days(90);

/// What this node last published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    version: u64,
    since: Timestamp,
    /// When the store was last found to hold nothing newer.
    current_at: Timestamp,
    /// Which version the node last stated in the store, and when.
    stated: Option<(u64, Timestamp)>,
}

impl Published {
    pub(crate) fn now(ruleset: &Ruleset, now: Timestamp) -> Self {
        Self { version: ruleset.version(), since: now, current_at: now, stated: None }
    }
}

/// The changes that one transaction made, which are next to each other in the log.
#[derive(Debug, Clone)]
pub(crate) struct Committed {
    /// The change before them.
    base: u64,
    /// The last of them.
    sequence: u64,
    /// The rollout that they broke, and that was therefore returned with them.
    returned: Option<ReturnedRollout>,
}

impl Committed {
    /// One change that was made before.
    pub(crate) fn earlier(change: u64) -> Self {
        Self::up_to(change.saturating_sub(1), change)
    }

    fn up_to(base: u64, sequence: u64) -> Self {
        Self { base, sequence, returned: None }
    }

    fn first(&self) -> u64 {
        self.base.saturating_add(1)
    }
}

/// What was cut by several changes.
fn sum<'c>(counts: impl Iterator<Item = &'c CutCount>) -> CutCount {
    counts.fold(CutCount::default(), |sum, one| CutCount {
        cut: sum.cut.saturating_add(one.cut),
        open: sum.open.saturating_add(one.open),
    })
}

fn change_of(object: Object) -> Result<Change, Problem> {
    Ok(match object {
        Object::Api(api) => Change::Api(api),
        Object::ApiRemoved(id) => Change::ApiRemoved(id),
        Object::Identity(identity) => Change::Identity(identity),
        Object::Group(group) => Change::Group(group),
        Object::Credential(credential) => Change::Credential(credential),
        Object::Grant(grant) => Change::Grant(grant),
        Object::Role(role) => Change::Role(role),
        Object::Relation(relation) => Change::Relation(relation),
        Object::Guardrails(set) => Change::Guard(guardrails::compiled(&set)),
        Object::Contract(source) => {
            let checked = checks::compiled(&source)?;
            Change::Contract(source.api, checked.map(Arc::new))
        }
        Object::ContractRemoved(api) => Change::Contract(api, None),
        Object::Rollout(one) => Change::Rollout(trial_of(one)?),
    })
}

/// `None`: the rollout is over.
fn trial_of(one: RolledOut) -> Result<Option<Trial>, Problem> {
    let RolledOut { rollout, objects } = one;
    if !rollout.stage().is_open() {
        return Ok(None);
    }
    let edits = objects.into_iter().map(change_of).collect::<Result<_, _>>()?;
    Ok(Some(Trial { share: rollout.share(), bound: rollout.bound, edits, id: rollout.id }))
}

/// Builds the ruleset from the whole state. Reading and building overlap, and no more than a few
/// thousand objects are between them.
pub(crate) async fn load(store: &Store) -> Result<Ruleset, Problem> {
    let mut snapshot = store.read().await?;
    let version = snapshot.version();
    // Whole batches: a wake-up of the builder per object cost more than the object.
    let (send, mut receive) = tokio::sync::mpsc::channel(LOAD_QUEUE);
    let build = tokio::task::spawn_blocking(move || {
        let (mut corrupt, mut unusable) = (None, None);
        let batches = std::iter::from_fn(|| {
            let batch: Batch = receive.blocking_recv()?;
            batch.objects().map_err(|error| corrupt = Some(error)).ok()
        });
        let changes = batches
            .flatten()
            .map_while(|object| change_of(object).map_err(|problem| unusable = Some(problem)).ok());
        let built = Ruleset::build(version, changes);
        match (corrupt, unusable) {
            (Some(error), _) => Err(Problem::from(error)),
            (None, unusable) => unusable
                .map_or(built, Err)
                .map_err(|problem| problem.hint("the store holds what the gate cannot enforce")),
        }
    });
    let mut cursor = Cursor::Start;
    while !matches!(cursor, Cursor::End) {
        // An error drops the sender and leaves; the half-built ruleset is dropped with its task.
        let (batch, next) = snapshot.load(cursor).await?;
        cursor = next;
        if send.send(batch).await.is_err() {
            // The builder has given up; it says why below.
            cursor = Cursor::End;
        }
    }
    drop(send);
    let built = build.await.map_err(|error| Problem::internal(error.to_string()))?;
    built.inspect(|ruleset| guardrails::tell_fault(None, ruleset))
}

impl App {
    /// Commits and publishes: the gate of this node enforces the changes when this returns. Gives
    /// which they are. Nothing is committed that the ruleset refuses.
    pub(crate) async fn commit(&self, mut tx: Tx) -> Result<Committed, Problem> {
        let mut published = self.publishing.lock().await;
        let mut next = self.next(&mut tx).await?;
        let (base, made) = (tx.base(), tx.changes().len());
        let mut returned = None;
        if let Some(why) = next.ruleset.rollout().and_then(Rollout::broken) {
            // In the same transaction: the store never holds a change that is open and does not
            // apply, so that a node which starts later does not have to find out.
            returned = self.return_broken(&mut tx, why).await?;
            let more: Vec<_> = tx.changes().iter().skip(made).cloned().collect();
            next.advance(more.into_iter())?;
        }
        tx.sign_ledger(&self.signing_key).await?;
        let committed = tx.commit().await?;
        self.publish(&mut published, next);
        Ok(Committed { returned, ..Committed::up_to(base, committed.sequence) })
    }

    /// Commits what a transaction changed, if it did, and gives the receipts.
    pub(crate) async fn settle(&self, tx: Tx) -> Result<ChangeReceipt, Problem> {
        let made = match tx.changes().is_empty() {
            true => {
                let before = tx.base();
                // Before it is waited for: other nodes cannot state what they enforce while this
                // holds the head.
                drop(tx);
                Committed::up_to(before, before)
            }
            false => self.commit(tx).await?,
        };
        self.receipt(made).await
    }

    /// The ruleset as it would be after what a transaction has changed so far.
    pub(crate) async fn after(&self, tx: &mut Tx) -> Result<Arc<Ruleset>, Problem> {
        Ok(self.next(tx).await?.ruleset)
    }

    async fn next(&self, tx: &mut Tx) -> Result<Next, Problem> {
        let mut next = Next::after(self.ruleset().load_full());
        // The transaction holds the head, so these are all changes of others that there are.
        while next.ruleset.version() < tx.base() {
            let missed = tx.changes_after(next.ruleset.version(), FOLLOW_BATCH).await?;
            next.advance(missed.into_iter().take_while(|c| c.sequence <= tx.base()))?;
        }
        let own: Vec<_> = tx.changes().to_vec();
        next.advance(own.into_iter())?;
        guardrails::fit(tx, &next.ruleset).await?;
        Ok(next)
    }

    /// Stops following a rollout on this node, until the store says what became of it.
    pub(crate) async fn leave_rollout(&self, id: &RolloutId, why: &str) {
        // Held, so that nothing that is published meanwhile is undone.
        let _publishing = self.publishing.lock().await;
        let present = self.ruleset().load_full();
        if present.rollout().is_some_and(|rollout| rollout.id() == id) {
            let next = Arc::new(present.without_rollout(why));
            self.ruleset().store(Arc::clone(&next));
            self.cut_streams(&next, &[(next.version(), Touch::All)]);
        }
    }

    fn publish(&self, published: &mut Published, next: Next) {
        let now = self.now();
        published.current_at = now;
        let Next { ruleset, touched } = next;
        if ruleset.version() != published.version {
            published.version = ruleset.version();
            guardrails::tell_fault(Some(&self.ruleset().load()), &ruleset);
            self.ruleset().store(Arc::clone(&ruleset));
            published.since = now;
            // From here on nothing new gets in by what was taken away.
            self.cut_streams(&ruleset, &touched);
        }
    }

    /// Applies what other nodes committed, and states in the store which version this node
    /// enforces. To be called when the store says that something changed, and several times per
    /// lease anyway. Gives the version.
    pub async fn catch_up(&self) -> Result<u64, Problem> {
        // Before the look: what is committed during it is not claimed to be known.
        let looked_at = self.now();
        // Before the lock: who commits has a connection when it takes the lock, so whoever held
        // the lock and waited for a connection could wait for ever.
        let mut state = self.read().await?;
        let mut published = self.publishing.lock().await;
        let mut next = Next::after(self.ruleset().load_full());
        while next.ruleset.version() < state.version() {
            let missed = state.changes_after(next.ruleset.version(), FOLLOW_BATCH).await?;
            next.advance(missed.into_iter())?;
        }
        drop(state);
        // What was committed here since the look is known better than by it.
        let current_at = published.current_at.max(looked_at);
        self.publish(&mut published, next);
        published.current_at = current_at;
        let statement = *published;
        drop(published);
        self.state_version(statement).await?;
        Ok(statement.version)
    }

    /// Writes this node's statement, with what it cut, unless the store has it and it is fresh.
    async fn state_version(&self, statement: Published) -> Result<(), Problem> {
        let cuts = self.cuts.to_store(statement.version);
        let mut counts = BTreeMap::new();
        for publication in &cuts {
            counts.extend(publication.counts().await);
        }
        let now = self.now();
        let fresh = |stated: Timestamp| {
            now.since(stated).as_micros() < self.settings.node_lease.as_micros() / 3
        };
        let is_stated =
            statement.stated.is_some_and(|(stated, at)| stated == statement.version && fresh(at));
        if is_stated && cuts.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(&node_actor()?).await?;
        for (change, count) in counts {
            tx.save_stream_cut(&self.settings.node, change, count).await?;
        }
        if !cuts.is_empty() {
            tx.expire_stream_cuts(now - CUTS_KEPT).await?;
        }
        let row = NodeRow {
            id: self.settings.node.clone(),
            version: statement.version,
            since: statement.since,
            last_seen: now,
        };
        tx.state_node(&row).await?;
        tx.commit().await?;
        cuts.iter().for_each(|publication| publication.is_stored());
        self.publishing.lock().await.stated = Some((statement.version, now));
        Ok(())
    }

    /// The receipts of what a transaction changed: waits until every live node states that it
    /// enforces all of it. A node that is not heard of for a lease is not live, and is not waited
    /// for.
    pub(crate) async fn receipt(&self, made: Committed) -> Result<ChangeReceipt, Problem> {
        let change = made.sequence;
        let receipt =
            |receipts| ChangeReceipt { change, receipts, rollout_returned: made.returned.clone() };
        let own = *self.publishing.lock().await;
        let cut = self.cuts.counts(made.first(), change).await;
        let me = NodeReceipt::new(&self.settings.node, own.since, sum(cut.values()));
        if !self.store.is_shared() {
            return Ok(receipt(vec![me]));
        }
        let polls = 2 * self.settings.node_lease.to_std().as_millis() / RECEIPT_POLL.as_millis();
        let mut late = Vec::new();
        for _ in 0..polls.max(1) {
            let nodes = self.other_live_nodes().await?;
            let (there, missing): (Vec<_>, Vec<_>) =
                nodes.into_iter().partition(|node| node.version >= change);
            if missing.is_empty() {
                let mut receipts = vec![me];
                receipts.extend(self.receipts_of_others(&made, there).await?);
                receipts.sort_by(|a, b| a.node.cmp(&b.node));
                return Ok(receipt(receipts));
            }
            late = missing;
            tokio::time::sleep(RECEIPT_POLL).await;
        }
        let names: Vec<_> = late.iter().map(|node| node.id.as_str()).collect();
        let detail = format!("change {change} is saved, but not enforced by: {}", names.join(", "));
        Err(Problem::new(ProblemKind::Unavailable, "not_enforced_everywhere", detail)
            .hint("look at the logs of these nodes, or stop them"))
    }

    /// A node writes what it cut together with its statement.
    async fn receipts_of_others(
        &self,
        made: &Committed,
        nodes: Vec<NodeRow>,
    ) -> Result<Vec<NodeReceipt>, Problem> {
        if nodes.is_empty() {
            return Ok(Vec::new());
        }
        let cuts = self.read().await?.stream_cuts(made.first(), made.sequence).await?;
        let receipt = |node: NodeRow| {
            let own = cuts.iter().filter(|((id, _), _)| *id == node.id).map(|(_, cut)| cut);
            NodeReceipt::new(&node.id, node.since, sum(own))
        };
        Ok(nodes.into_iter().map(receipt).collect())
    }

    async fn other_live_nodes(&self) -> Result<Vec<NodeRow>, Problem> {
        let mut state = self.read().await?;
        let mut nodes = state.live_nodes(self.now() - self.settings.node_lease).await?;
        nodes.retain(|node| node.id != self.settings.node);
        Ok(nodes)
    }

    /// When this node last knew that its ruleset is the newest. A gate that must not be stale
    /// refuses when that is too long ago.
    pub async fn current_at(&self) -> Timestamp {
        self.publishing.lock().await.current_at
    }

    /// Takes this node off the list that others wait for.
    pub async fn leave(&self) -> Result<(), Problem> {
        let mut tx = self.begin(&node_actor()?).await?;
        tx.forget_node(&self.settings.node).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A ruleset that is to be published, and what it touches.
struct Next {
    ruleset: Arc<Ruleset>,
    touched: Vec<(u64, Touch)>,
}

impl Next {
    fn after(ruleset: Arc<Ruleset>) -> Self {
        Self { ruleset, touched: Vec::new() }
    }

    fn advance(&mut self, changes: impl Iterator<Item = store::Change>) -> Result<(), Problem> {
        let mut version = self.ruleset.version();
        let mut objects = Vec::new();
        for change in changes {
            if change.sequence != version + 1 {
                let detail = format!("the change log goes from {version} to {}", change.sequence);
                return Err(Problem::internal(detail));
            }
            version = change.sequence;
            if let Some(object) = change.object.map(change_of).transpose()? {
                self.touched.extend(Touch::of(&object).map(|touch| (version, touch)));
                objects.push(object);
            }
        }
        if version != self.ruleset.version() {
            self.ruleset = Arc::new(self.ruleset.apply(version, objects)?);
        }
        Ok(())
    }
}

pub(crate) fn node_actor() -> Result<Actor, Problem> {
    Ok(Actor::system(crate::system_id("node")?))
}

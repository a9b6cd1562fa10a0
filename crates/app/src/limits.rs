//! Limits in the store: the rounds in which the nodes of a fleet divide them, and what a node that
//! ended suddenly had used. The gate never waits for any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{ApiId, Problem, Span, Timestamp};
use decision_log::{DecisionLog, LogError, Order};
use policy::Ruleset;
use store::LimitTx;
use traffic::CallRecord;
use traffic::limit::fleet::{Asked, Book, Entries, Line, Member, NodeLine, Settled, put_down};
use traffic::limit::{Caller, KeyRef, Limit, Measure, Period};

use crate::App;
use crate::usage::unreadable;

/// A node with nothing to say says that it is there, so often.
const HEARD_EVERY: Span = Span::from_secs(2);
/// Quotas of past periods are looked at by nobody; they are kept for a while for people.
const PAST_KEPT: Span = Span::from_days(2);
const FORGET_EVERY: Span = Span::from_secs(3_600);
/// A request is admitted this much after its head was complete, at most and by far.
const ADMITTED_WITHIN: Span = Span::from_millis(10);

/// Where this node is in the book of limits.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// When this life of the node began.
    life: Timestamp,
    state: Mutex<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    written_at: Timestamp,
    forgot_at: Timestamp,
}

impl Rounds {
    pub(crate) fn new(life: Timestamp) -> Self {
        let never = Timestamp::MIN;
        Self { life, state: Mutex::new(Last { written_at: never, forgot_at: never }) }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        // Two moments; nothing is left half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there was no round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsettled {
    /// The store knows nothing of it.
    NotReached(Problem),
    /// It may have been saved, or not.
    Unknown(Problem),
}

impl From<Unsettled> for Problem {
    fn from(unsettled: Unsettled) -> Self {
        match unsettled {
            Unsettled::NotReached(problem) | Unsettled::Unknown(problem) => problem,
        }
    }
}

impl App {
    /// Whether other nodes can hold the same limits.
    pub fn shares_limits(&self) -> bool {
        self.store.is_shared()
    }

    /// One round of this node: what it says of its busy keys, and what it is told. To be had several
    /// times a second. `keys` of `asked` are brought into the store before this returns.
    pub async fn settle_limits(&self, asked: Asked) -> Result<Settled, Unsettled> {
        let not_reached = |problem: Problem| Unsettled::NotReached(problem);
        if let Some(settled) = self.nothing_new(&asked).await.map_err(not_reached)? {
            return Ok(settled);
        }
        let mut tx = self.limit_book().await.map_err(not_reached)?;
        let settled = self.settle_in(&mut tx, asked).await.map_err(not_reached)?;
        let committed = tx.commit().await;
        committed.map_err(|error| Unsettled::Unknown(error.into()))?;
        Ok(settled)
    }

    async fn limit_book(&self) -> Result<LimitTx, Problem> {
        Ok(self.store.limit_book().await?)
    }

    fn member(&self) -> Member {
        Member { node: self.settings.node.clone(), life: self.limit_rounds.life }
    }

    /// A round without news on either side writes nothing.
    async fn nothing_new(&self, asked: &Asked) -> Result<Option<Settled>, Problem> {
        let is_silent = asked.keys.is_empty() && !asked.is_last && asked.seen > 0;
        let settled = Settled { split: asked.split, seen: asked.seen, keys: Vec::new() };
        if !self.store.is_shared() {
            return Ok(is_silent.then_some(settled));
        }
        let is_fresh = self.now().since(self.limit_rounds.last().written_at) < HEARD_EVERY;
        let is_known = is_silent && is_fresh && {
            let mut state = self.read().await?;
            state.limit_sequence().await? == asked.seen
        };
        Ok(is_known.then_some(settled))
    }

    async fn settle_in(&self, tx: &mut LimitTx, asked: Asked) -> Result<Settled, Problem> {
        let (now, me) = (self.now(), self.member());
        let (mut book, mut asked) = (Book::at(tx.sequence()), asked);
        for node in tx.nodes().await? {
            book.enter_node(node);
        }
        let is_shared = self.store.is_shared();
        if is_shared && book.needs_all(&me, &asked, now) {
            asked.seen = 0;
        }
        let keys: Vec<&str> = asked.keys.iter().map(|ask| ask.key.as_str()).collect();
        let newer = tx.lines_after(asked.seen, now).await?;
        for line in newer.into_iter().chain(tx.lines_of(&keys).await?) {
            book.enter(line);
        }
        let settled = book.settle(&me, &asked, is_shared, now);
        if asked.is_last {
            book.leave(&me);
        }
        tx.save(book.into_entries(&me)).await?;
        let forgets = now.since(self.limit_rounds.last().forgot_at) > FORGET_EVERY;
        if forgets {
            tx.forget_before(now - PAST_KEPT).await?;
        }
        let mut last = self.limit_rounds.last();
        last.written_at = now;
        last.forgot_at = if forgets { now } else { last.forgot_at };
        Ok(settled)
    }

    /// Puts down what the former life of this node used of quotas and did not come to say, because
    /// it was killed: by its call records since its last round. To be done once, before the gate
    /// opens and before the first round. After an orderly end there is nothing to do.
    pub async fn recover_quotas(&self) -> Result<(), Problem> {
        let Some(log) = self.decision_log.clone() else { return Ok(()) };
        let mut tx = self.limit_book().await?;
        let me = self.member();
        let nodes = tx.nodes().await?;
        let former = nodes.into_iter().find(|node| node.member.node == me.node);
        let Some(former) = former.filter(|node| node.member.life != me.life) else {
            return Ok(());
        };
        let ruleset = self.ruleset().load_full();
        let from = former.at - ADMITTED_WITHIN;
        let used = used_since(log, ruleset, from).await?;
        let keys: Vec<&str> = used.keys().map(|(key, _)| key.as_str()).collect();
        let known = tx.lines_of(&keys).await?;
        let sequence = tx.sequence() + 1;
        let line = |used: Used| used.line(&former, &known, sequence);
        let lines: Vec<Line> = used.into_values().map(line).collect();
        if !lines.is_empty() {
            tracing::warn!(quotas = lines.len(), "put down what was used before a sudden end");
            tx.save(Entries { sequence: Some(sequence), lines, ..Entries::default() }).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What records show of the use of one quota.
#[derive(Debug)]
struct Used {
    key: String,
    limit: Limit,
    period: Period,
    cost: u64,
}

impl Used {
    /// What is put down to the life of a node that ended.
    fn line(self, former: &NodeLine, known: &[Line], sequence: u64) -> Line {
        let holder = former.member.advance_holder();
        let is_same = |line: &&Line| {
            line.key == self.key && line.period == Some(self.period) && line.holder == holder
        };
        let line = known.iter().find(is_same);
        let holds = put_down(line, former, self.cost);
        Line {
            key: self.key,
            period: Some(self.period),
            holder,
            limit: self.limit,
            holds,
            used: holds,
            demand: 0,
            sequence,
        }
    }
}

type UsedByKey = BTreeMap<(String, Timestamp), Used>;

/// What the records from a moment on show of the use of quotas, off the async threads.
async fn used_since(
    log: Arc<DecisionLog>,
    ruleset: Arc<Ruleset>,
    from: Timestamp,
) -> Result<UsedByKey, Problem> {
    let work = move || -> Result<UsedByKey, LogError> {
        let mut used = UsedByKey::new();
        log.scan(from, Timestamp::MAX, Order::OldestFirst, &mut |_, record| {
            count(record, &ruleset, &mut used);
            ControlFlow::Continue(())
        })?;
        Ok(used)
    };
    let used = tokio::task::spawn_blocking(work).await;
    let used = used.map_err(|error| Problem::internal(error.to_string()))?;
    used.map_err(|error| unreadable(&error))
}

/// Counts a record under the quotas of its API.
fn count(record: &CallRecord, ruleset: &Ruleset, used: &mut UsedByKey) {
    let Some(api) = record.api_id.as_ref().and_then(|id| ruleset.api(id)) else { return };
    if !record.outcome.was_let_through() {
        return;
    }
    let operation = record.operation.as_ref();
    let known = api.operations.iter().find(|known| Some(&known.id) == operation);
    let cost = u64::from(known.map_or(1, |operation| api.cost_of(operation)));
    for limit in &api.limits {
        let Measure::Quota { calendar, .. } = limit.measure() else { continue };
        let period = Period::at(calendar, record.at);
        for key in keys_of(record, *limit, &api.id) {
            let fresh = || Used { key: key.clone(), limit: *limit, period, cost: 0 };
            used.entry((key.clone(), period.start)).or_insert_with(fresh).cost += cost;
        }
    }
}

/// The keys that a call counts under. Which of several grants it was counted under is not in the
/// record, so it counts under each.
fn keys_of(record: &CallRecord, limit: Limit, api: &ApiId) -> BTreeSet<String> {
    let (Some(identity), Some(credential)) = (&record.identity_id, &record.credential_id) else {
        return BTreeSet::new();
    };
    let key = |grant| {
        let caller = Caller {
            identity: identity.as_str(),
            credential: credential.as_str(),
            grant,
            operation: record.operation.as_ref().map(|id| id.as_str()),
            source: record.source_ip,
        };
        KeyRef::of(limit, api, &caller).to_key().to_string()
    };
    if record.grant_ids.is_empty() {
        return BTreeSet::from([key(None)]);
    }
    record.grant_ids.iter().map(|grant| key(Some(grant.as_str()))).collect()
}

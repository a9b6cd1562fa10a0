//! What is open at the gate of this node: listed for those who may see its calls, and cut by the
//! changes that take its permission away, each of which knows afterwards how much that was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{NodeId, Problem, Timestamp};
use futures_util::future::BoxFuture;
use policy::{Ruleset, Touch};
use store::Connection;
use tokio::sync::watch;
use traffic::{CutCount, OpenStream, Reason, RolloutMark};

use crate::calls::Sight;
use crate::view::{OpenView, StreamQuery, StreamView};
use crate::{Actor, App};

/// Rows of a list unless asked otherwise, and at most.
const PAGE: u32 = 1_000;
const PAGE_MAX: u32 = 10_000;

/// How long what was told to end is waited for before it is counted.
const PATIENCE: Duration = Duration::from_secs(1);

/// Publications that are remembered for their receipts; only those that cut something.
const REMEMBERED_MAX: usize = 256;

/// How many streams each change ended, once that is known.
pub type Counting = BoxFuture<'static, BTreeMap<u64, CutCount>>;

/// What is open at the gate of this process.
pub trait OpenStreams: Send + Sync {
    /// What `keep` keeps of it, the oldest first, at most `limit`.
    fn list(&self, limit: usize, keep: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream>;

    /// Tells to end what these changes, each with its sequence number, took the permission of, by
    /// the ruleset that is published already. `None` when that is nothing; else how much, when it
    /// has ended or `patience` is over. `noted` is told, before it ends, of what a change that is
    /// being rolled out has to do with something open where that is another thing than before.
    fn cut(
        &self,
        ruleset: &Ruleset,
        touched: &[(u64, Touch)],
        now: Timestamp,
        patience: Duration,
        noted: &mut Noted<'_>,
    ) -> Option<Counting>;

    /// Says of everything that is open why it would have to end, were this ruleset published; `None`
    /// where it need not.
    fn suppose(
        &self,
        ruleset: &Ruleset,
        now: Timestamp,
        said: &mut dyn FnMut(&OpenStream, Option<Reason>),
    );
}

/// Is told what a rollout has to do with an open request.
pub type Noted<'n> = dyn FnMut(&OpenStream, &RolloutMark) + 'n;

/// What the latest publications of this node cut.
#[derive(Default)]
pub(crate) struct Cuts(Mutex<VecDeque<Arc<Publication>>>);

/// One publication that cut something.
pub(crate) struct Publication {
    first: u64,
    last: u64,
    /// `None` until it is counted.
    counts: watch::Receiver<Option<BTreeMap<u64, CutCount>>>,
    is_stored: AtomicBool,
}

impl Publication {
    /// Waits until it is counted.
    pub(crate) async fn counts(&self) -> BTreeMap<u64, CutCount> {
        let mut counts = self.counts.clone();
        // The counter is gone only when the process is about to be.
        counts.wait_for(Option::is_some).await.ok().and_then(|it| it.clone()).unwrap_or_default()
    }

    pub(crate) fn is_stored(&self) {
        self.is_stored.store(true, Ordering::Release);
    }
}

impl Cuts {
    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Publication>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, publication: Publication) {
        let mut all = self.all();
        if all.len() >= REMEMBERED_MAX {
            all.pop_front();
        }
        all.push_back(Arc::new(publication));
    }

    /// Publications up to this version whose counts are not in the store.
    pub(crate) fn to_store(&self, version: u64) -> Vec<Arc<Publication>> {
        let open =
            |it: &&Arc<Publication>| it.first <= version && !it.is_stored.load(Ordering::Acquire);
        self.all().iter().filter(open).cloned().collect()
    }

    /// What this node cut with the changes `from..=to`, as far as it is remembered.
    pub(crate) async fn counts(&self, from: u64, to: u64) -> BTreeMap<u64, CutCount> {
        let within = |it: &&Arc<Publication>| it.first <= to && it.last >= from;
        let publications: Vec<_> = self.all().iter().filter(within).cloned().collect();
        let mut counts = BTreeMap::new();
        for publication in publications {
            counts.extend(publication.counts().await);
        }
        counts.retain(|change, _| (from..=to).contains(change));
        counts
    }
}

impl App {
    /// Lists and cuts by this gate. The first one set stays.
    pub fn use_streams(&self, streams: Arc<dyn OpenStreams>) {
        let _ = self.open_streams.set(streams);
    }

    /// Cuts what these changes took the permission of. To be called when the ruleset is published.
    pub(crate) fn cut_streams(&self, ruleset: &Ruleset, touched: &[(u64, Touch)]) {
        let (Some((first, _)), Some((last, _))) = (touched.first(), touched.last()) else { return };
        let Some(streams) = self.open_streams.get() else { return };
        let (now, tallies) = (self.now(), &self.rollout_tallies);
        let mut noted = |open: &OpenStream, mark: &RolloutMark| tallies.count_open(open, mark, now);
        let counting = streams.cut(ruleset, touched, now, PATIENCE, &mut noted);
        let Some(counting) = counting else { return };
        let (counted, counts) = watch::channel(None);
        // On its own, so that it is counted also when who made the change has left.
        tokio::spawn(async move { counted.send_replace(Some(counting.await)) });
        let is_stored = AtomicBool::new(false);
        self.cuts.remember(Publication { first: *first, last: *last, counts, is_stored });
    }

    /// The same after a ruleset came to be by no change that has a number: no receipt tells of it.
    pub(crate) fn cut_streams_untold(&self, ruleset: &Ruleset) {
        let Some(streams) = self.open_streams.get() else { return };
        let all = [(ruleset.version(), Touch::All)];
        let (now, tallies) = (self.now(), &self.rollout_tallies);
        let mut noted = |open: &OpenStream, mark: &RolloutMark| tallies.count_open(open, mark, now);
        if let Some(counting) = streams.cut(ruleset, &all, now, PATIENCE, &mut noted) {
            tokio::spawn(counting);
        }
    }

    /// What each node cut with the changes `from..=to`, by node and change; of this node also what
    /// is not stored yet.
    pub(crate) async fn stream_cuts(
        &self,
        state: &mut Connection,
        from: u64,
        to: u64,
    ) -> Result<BTreeMap<(NodeId, u64), CutCount>, Problem> {
        let own = self.cuts.counts(from, to).await;
        let mut cuts = state.stream_cuts(from, to).await?;
        cuts.extend(own.into_iter().map(|(it, count)| ((self.settings.node.clone(), it), count)));
        Ok(cuts)
    }

    /// What is open at this node's gate, of the identities and to the APIs whose calls the actor
    /// sees, the oldest first.
    pub async fn streams(
        &self,
        actor: &Actor,
        query: StreamQuery,
    ) -> Result<Vec<StreamView>, Problem> {
        let sight = self.sight(actor).await?;
        let named = (query.identity.clone(), query.api.clone());
        let Some(streams) = self.open_streams.get() else { return Ok(Vec::new()) };
        let ruleset = self.ruleset().load();
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (identity, api) = (given(query.identity), given(query.api));
        let is_api = |open: &OpenStream, text: &str| {
            let named = || ruleset.api(&open.api_id).is_some_and(|api| api.name == text);
            open.api_id.as_str() == text || named()
        };
        let keep = |open: &OpenStream| {
            identity.as_deref().is_none_or(|text| open.identity_id.as_str() == text)
                && api.as_deref().is_none_or(|text| is_api(open, text))
                && sight.sees(Some(&open.identity_id), Some(&open.api_id))
        };
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let found = streams.list(usize::try_from(limit).unwrap_or(usize::MAX), &keep);
        if found.is_empty() {
            self.must_be_there(actor, named.0.as_deref(), named.1.as_deref()).await?;
        }
        Ok(found.into_iter().map(|open| self.stream_view(open)).collect())
    }

    /// What would become of what is open at this node's gate, were this ruleset published.
    pub(crate) fn open_under(&self, ruleset: &Ruleset, sight: &Sight) -> OpenView {
        let mut view = OpenView::default();
        let Some(streams) = self.open_streams.get() else { return view };
        streams.suppose(ruleset, self.now(), &mut |open, ends| {
            if !sight.sees(Some(&open.identity_id), Some(&open.api_id)) {
                return;
            }
            view.streams += 1;
            if let Some(reason) = ends {
                view.ending += 1;
                *view.reasons.entry(reason.to_string()).or_default() += 1;
            }
        });
        view
    }

    fn stream_view(&self, open: OpenStream) -> StreamView {
        StreamView {
            request_id: open.request_id.to_string(),
            node: self.settings.node.to_string(),
            since: open.since.to_string(),
            kind: open.kind.to_string(),
            identity_id: open.identity_id.to_string(),
            credential_id: open.credential_id.to_string(),
            api_id: open.api_id.to_string(),
            operation: open.operation.map(|operation| operation.to_string()),
            grant_ids: open.grant_ids.iter().map(ToString::to_string).collect(),
        }
    }
}

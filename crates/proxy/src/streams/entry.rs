//! One open request: what let it in, and whether it was told to end.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use base::{ApiId, GrantId, OperationId, RequestId, Timestamp};
use grant::Place;
use policy::{Answers, Kept, Ruleset};
use smallvec::SmallVec;
use token::Verified;
use traffic::{OpenStream, Reason, RolloutMark, StreamKind};

use super::cut::Left;
use super::{Noted, lock};

/// What let a request in.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) who: Verified,
    pub(crate) api: ApiId,
    pub(crate) operation: Option<OperationId>,
    pub(crate) grants: SmallVec<[GrantId; 2]>,
    pub(crate) request_id: RequestId,
    pub(crate) since: Timestamp,
    /// Where it came from, what it drew and what conditions looked at: it is judged by the same
    /// again.
    pub(crate) source: IpAddr,
    pub(crate) draw: u16,
    pub(crate) read: Vec<(Place, Vec<String>)>,
    /// What sources said of it.
    pub(crate) answers: Answers,
    /// What the change that was being rolled out when it came had to do with it.
    pub(crate) rollout: Option<RolloutMark>,
}

/// One open request.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) facts: Facts,
    kind: AtomicU8,
    /// Why it has to end, as one more than the reason's place in the list of reasons; 0 = it need
    /// not. Read at every step of the request, hence beside the lock.
    reason: AtomicU8,
    state: Mutex<State>,
    marked: Mutex<Marked>,
}

/// What a rollout has to do with an open request, by the last time that it was judged.
#[derive(Debug)]
struct Marked {
    mark: Option<RolloutMark>,
    /// It stands in a record: what is found out from now on is not of it.
    is_recorded: bool,
}

#[derive(Debug)]
enum State {
    /// With the task that carries it.
    Open(Option<Waker>),
    /// Told to end; counted there until it has.
    Cut(Arc<Left>),
    Ended,
}

impl Entry {
    pub(crate) fn new(mut facts: Facts, kind: StreamKind) -> Self {
        let marked = Marked { mark: facts.rollout.take(), is_recorded: false };
        Self {
            facts,
            marked: Mutex::new(marked),
            kind: AtomicU8::new(place(StreamKind::ALL, kind)),
            reason: AtomicU8::new(0),
            state: Mutex::new(State::Open(None)),
        }
    }

    /// Whether it may go on by this ruleset.
    pub(crate) fn confirm(&self, ruleset: &Ruleset, now: Timestamp) -> Result<(), Reason> {
        let Facts { who, api, operation, .. } = &self.facts;
        let governing = ruleset.governing(who.identity());
        let confirmed = governing.confirm(who, api, operation.as_ref(), self.kept(), now);
        if confirmed.is_err() {
            // It ends, and so is recorded and counted now.
            self.weigh(ruleset, now);
        }
        confirmed
    }

    /// Keeps for its record what the change that is being rolled out, if any, has to do with it.
    pub(crate) fn weigh(&self, ruleset: &Ruleset, now: Timestamp) {
        if ruleset.rollout().is_some() {
            self.mark(self.judge(ruleset, now).1, &mut |_, _| {});
        }
    }

    /// The same, with what the change that is being rolled out has to do with the answer.
    pub(super) fn judge(
        &self,
        ruleset: &Ruleset,
        now: Timestamp,
    ) -> (Result<(), Reason>, Option<RolloutMark>) {
        let Facts { who, api, operation, .. } = &self.facts;
        ruleset.confirm_rolled_out(who, api, operation.as_ref(), self.kept(), now)
    }

    fn kept(&self) -> Kept<'_> {
        let Facts { source, draw, read, answers, .. } = &self.facts;
        Kept { source: Some(*source), draw: *draw, read, answers }
    }

    /// Keeps for its record what a rollout has to do with it. `noted` is told when that is another
    /// thing than before: its end, and so its record, may be hours away.
    pub(super) fn mark(&self, mark: Option<RolloutMark>, noted: &mut Noted<'_>) {
        let Some(mark) = mark else { return };
        let mut marked = lock(&self.marked);
        // What was told to end has the mark that it ends by.
        if marked.is_recorded || self.must_end().is_some() || marked.mark.as_ref() == Some(&mark) {
            return;
        }
        // Locked, so that its record does not pass by whoever is told.
        noted(&self.describe(), &mark);
        marked.mark = Some(mark);
    }

    /// What a rollout has to do with it, for its record, which is being written.
    pub(crate) fn recorded(&self) -> Option<RolloutMark> {
        let mut marked = lock(&self.marked);
        marked.is_recorded = true;
        marked.mark.take()
    }

    /// What keeps it open has become known.
    pub(crate) fn turns_out(&self, kind: StreamKind) {
        self.kind.store(place(StreamKind::ALL, kind), Ordering::Relaxed);
    }

    /// Why it was told to end.
    pub(crate) fn must_end(&self) -> Option<Reason> {
        let reason = self.reason.load(Ordering::Acquire);
        Reason::ALL.get(usize::from(reason).checked_sub(1)?).copied()
    }

    /// Whom to wake when it has to end. Look afterwards whether it has to already.
    pub(crate) fn watch(&self, waker: Waker) {
        if let State::Open(watching) = &mut *lock(&self.state) {
            *watching = Some(waker);
        }
    }

    /// Tells it to end, and has it counted in `left` until it has. False when it was told before,
    /// or has ended.
    pub(super) fn cut(&self, reason: Reason, left: &Arc<Left>) -> bool {
        let watching = {
            let mut state = lock(&self.state);
            let State::Open(watching) = &mut *state else { return false };
            let watching = watching.take();
            left.one_more();
            *state = State::Cut(Arc::clone(left));
            self.reason.store(place(Reason::ALL, reason) + 1, Ordering::Release);
            watching
        };
        // Unlocked: it may end within this call.
        if let Some(watching) = watching {
            watching.wake();
        }
        true
    }

    /// Lost its permission before it was registered: nobody counts it.
    pub(crate) fn is_late(&self, reason: Reason) {
        self.cut(reason, &Arc::default());
    }

    pub(super) fn end(&self) {
        let before = std::mem::replace(&mut *lock(&self.state), State::Ended);
        if let State::Cut(left) = before {
            left.one_less();
        }
    }

    pub(super) fn describe(&self) -> OpenStream {
        let facts = &self.facts;
        let kind = usize::from(self.kind.load(Ordering::Relaxed));
        OpenStream {
            request_id: facts.request_id.clone(),
            since: facts.since,
            identity_id: facts.who.identity().clone(),
            credential_id: facts.who.credential().clone(),
            api_id: facts.api.clone(),
            operation: facts.operation.clone(),
            grant_ids: facts.grants.to_vec(),
            kind: StreamKind::ALL.get(kind).copied().unwrap_or(StreamKind::Body),
        }
    }
}

/// Where a word stands in the list of its kind; the lists are short.
fn place<T: PartialEq>(all: &[T], word: T) -> u8 {
    all.iter().position(|known| *known == word).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

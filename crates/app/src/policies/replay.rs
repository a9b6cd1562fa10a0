//! What a change would have done to recorded calls.

use std::sync::Arc;

use base::{Problem, Timestamp};
use policy::{Outlook, Rejudge, Ruleset, Shift};

use crate::authority::Authority;
use crate::calls::moment;
use crate::view::{ChangeSet, ReplayRequest, ReplayView, ShiftView};
use crate::{Actor, App};

/// How far back calls are judged unless asked otherwise.
const SINCE: &str = "90d";
/// Most rows of one side.
const SHIFTS_SHOWN_MAX: usize = 200;

impl App {
    /// Judges the recorded calls of this node again, as if a change were in force. Nothing changes.
    pub async fn replay(&self, actor: &Actor, asked: ReplayRequest) -> Result<ReplayView, Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_read_all("replay calls")?;
        let since = moment("since", asked.since.as_deref().or(Some(SINCE)), self.now())?;
        let since = since.unwrap_or(Timestamp::MIN);
        let (before, after) = match &asked.change {
            None => (None, self.ruleset().load_full()),
            Some(change) => {
                let (before, after) = self.tried(actor, change).await?;
                (Some(before), after)
            }
        };
        let outlook = self.outlook(since, before, after).await?;
        Ok(view(since, outlook))
    }

    /// The ruleset as it is, and as the change would make it.
    pub(super) async fn tried(
        &self,
        actor: &Actor,
        change: &ChangeSet,
    ) -> Result<(Arc<Ruleset>, Arc<Ruleset>), Problem> {
        let before = self.ruleset().load_full();
        // Never committed: dropped, the transaction leaves nothing.
        let mut tx = self.begin(actor).await?;
        self.apply(&mut tx, actor, change, &[]).await?;
        Ok((before, self.after(&mut tx).await?))
    }

    /// Reading and judging a long log takes seconds, and is done off the async threads.
    pub(super) async fn outlook(
        &self,
        since: Timestamp,
        before: Option<Arc<Ruleset>>,
        after: Arc<Ruleset>,
    ) -> Result<Outlook, Problem> {
        // Held until it is done, also when nobody waits any more: only so many read a long log at
        // once.
        let (turn, now) = (self.readable_log().await, self.now());
        let calls = self.recorded_calls();
        let judge = move || {
            let _turn = turn;
            let mut rejudge = Rejudge::new(before, after, now);
            calls.each(since, Timestamp::MAX, &mut |record| rejudge.take(record))?;
            Ok(rejudge.finish())
        };
        let done = tokio::task::spawn_blocking(judge).await;
        done.map_err(|error| Problem::internal(error.to_string()))?
    }
}

pub(super) fn view(since: Timestamp, outlook: Outlook) -> ReplayView {
    let calls = |shifts: &[Shift], others: u64| {
        shifts.iter().map(|shift| shift.calls).sum::<u64>() + others
    };
    let rows = |shifts: Vec<Shift>| {
        shifts.into_iter().take(SHIFTS_SHOWN_MAX).map(shift_view).collect::<Vec<_>>()
    };
    ReplayView {
        since: since.to_string(),
        judged: outlook.judged,
        unknown: outlook.unknown,
        newly_refused_calls: calls(&outlook.newly_refused, outlook.newly_refused_others),
        newly_allowed_calls: calls(&outlook.newly_allowed, outlook.newly_allowed_others),
        newly_refused: rows(outlook.newly_refused),
        newly_allowed: rows(outlook.newly_allowed),
    }
}

fn shift_view(shift: Shift) -> ShiftView {
    ShiftView {
        identity_id: shift.identity.to_string(),
        api_id: shift.api.to_string(),
        operation: shift.operation.map(|id| id.to_string()),
        calls: shift.calls,
        last_at: shift.last_at.to_string(),
        reason: shift.reason.map(|reason| reason.to_string()),
    }
}

//! Usage: this node's call records folded into the store. The fold starts where the store says it
//! stopped, so a running node and one that was killed do the same thing, and each record is counted
//! exactly once.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::Problem;
use base::problem::ProblemKind;
use decision_log::{DecisionLog, LogError, Position};
use store::Watermark;
use traffic::received::{Received, ReceivedFold};
use traffic::usage::UsageFold;
use traffic::{Usage, UsageKey};

use crate::App;
use crate::publish::node_actor;

/// Records folded before their cells are written: bounds memory after a long time without a store.
const RECORDS_PER_FLUSH: usize = 1_000_000;

/// What was folded, and up to where.
struct Folded {
    cells: Vec<(UsageKey, Usage)>,
    received: Vec<Received>,
    through: Position,
    /// The log may hold more.
    more: bool,
}

impl App {
    /// Counts the calls that were recorded since the last time. Run every few seconds and after a
    /// start.
    pub async fn flush_usage(&self) -> Result<(), Problem> {
        let Some(log) = self.decision_log.clone() else { return Ok(()) };
        // Two folds at the same time would read the same records; the store would refuse the
        // second, this spares the work.
        let _one_at_a_time = self.folding.lock().await;
        loop {
            let mark = self.read().await?.usage_watermark(&self.settings.node).await?;
            let after = mark.map(|Watermark { segment, batch }| Position { segment, batch });
            let Some(folded) = fold(Arc::clone(&log), after).await? else { return Ok(()) };
            let through =
                Watermark { segment: folded.through.segment, batch: folded.through.batch };
            let mut tx = self.begin(&node_actor()?).await?;
            tx.merge_usage(&self.settings.node, &folded.cells, through).await?;
            tx.merge_received(&folded.received).await?;
            self.commit(tx).await?;
            if !folded.more {
                return Ok(());
            }
        }
    }
}

/// Folds what was committed after a position, off the async threads; `None` when there is nothing.
async fn fold(log: Arc<DecisionLog>, after: Option<Position>) -> Result<Option<Folded>, Problem> {
    let work = move || -> Result<Option<Folded>, LogError> {
        let (mut fold, mut received) = (UsageFold::default(), ReceivedFold::default());
        let (mut through, mut left) = (None, RECORDS_PER_FLUSH);
        log.batches_after(after, &mut |position, records| {
            for record in records {
                fold.add(record);
                received.add(record);
            }
            through = Some(position);
            left = left.saturating_sub(records.len());
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(through.map(|through| Folded {
            cells: fold.take(),
            received: received.take(),
            through,
            more: left == 0,
        }))
    };
    let folded = tokio::task::spawn_blocking(work).await;
    let folded = folded.map_err(|error| Problem::internal(error.to_string()))?;
    folded.map_err(|error| unreadable(&error))
}

/// The log cannot be read.
pub(crate) fn unreadable(error: &LogError) -> Problem {
    Problem::new(ProblemKind::Unavailable, "call_records_unreadable", error.to_string())
        .hint("check the directory of the decision log")
}

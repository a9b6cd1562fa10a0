//! Usage: this node's call records folded into the store. The fold starts where the store says it
//! stopped, so a running node and one that was killed do the same thing, and each record is counted
//! exactly once.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::problem::ProblemKind;
use base::{Problem, Timestamp};
use decision_log::{DecisionLog, LogError, Order, Position};
use store::Watermark;
use traffic::received::{Received, ReceivedFold};
use traffic::usage::UsageFold;
use traffic::walk::MEMORY;
use traffic::{Usage, UsageKey, Walks};

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
        let mut habits = self.folding.lock().await;
        loop {
            let mark = self.read().await?.usage_watermark(&self.settings.node).await?;
            let after = mark.map(|Watermark { segment, batch }| Position { segment, batch });
            // Taken: what was fed with records whose counts are lost is not fed with them twice.
            let known = habits.take();
            let from = self.now() - MEMORY;
            let (folded, mut walks) = fold(Arc::clone(&log), after, known, from).await?;
            let Some(folded) = folded else {
                *habits = Some(walks);
                return Ok(());
            };
            let through =
                Watermark { segment: folded.through.segment, batch: folded.through.batch };
            let mut tx = self.begin(&node_actor()?).await?;
            tx.merge_usage(&self.settings.node, &folded.cells, through).await?;
            tx.merge_received(&folded.received).await?;
            tx.merge_walks(&walks.take()).await?;
            self.commit(tx).await?;
            *habits = Some(walks);
            if !folded.more {
                return Ok(());
            }
        }
    }
}

/// Folds what was committed after a position, off the async threads; `None` when there is nothing.
/// What is `known` of habits goes on; where nothing is, it is learned first from the records since
/// `from` that were folded before.
async fn fold(
    log: Arc<DecisionLog>,
    after: Option<Position>,
    known: Option<Walks>,
    from: Timestamp,
) -> Result<(Option<Folded>, Walks), Problem> {
    let work = move || -> Result<(Option<Folded>, Walks), LogError> {
        let mut walks = match known {
            Some(walks) => walks,
            None => learned(&log, after, from)?,
        };
        let (mut fold, mut received) = (UsageFold::default(), ReceivedFold::default());
        let (mut through, mut left) = (None, RECORDS_PER_FLUSH);
        log.batches_after(after, &mut |position, records| {
            for record in records {
                fold.add(record);
                received.add(record);
                walks.add(record);
            }
            through = Some(position);
            left = left.saturating_sub(records.len());
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let folded = through.map(|through| Folded {
            cells: fold.take(),
            received: received.take(),
            through,
            more: left == 0,
        });
        Ok((folded, walks))
    };
    let folded = tokio::task::spawn_blocking(work).await;
    let folded = folded.map_err(|error| Problem::internal(error.to_string()))?;
    folded.map_err(|error| unreadable(&error))
}

/// The habits of callers by what was folded already. What is noticed on the way was told before.
fn learned(
    log: &DecisionLog,
    through: Option<Position>,
    from: Timestamp,
) -> Result<Walks, LogError> {
    let mut walks = Walks::default();
    if let Some(through) = through {
        log.scan(from, Timestamp::MAX, Order::OldestFirst, &mut |position, record| {
            if position > through {
                return ControlFlow::Break(());
            }
            walks.add(record);
            ControlFlow::Continue(())
        })?;
        walks.take();
    }
    Ok(walks)
}

/// The log cannot be read.
pub(crate) fn unreadable(error: &LogError) -> Problem {
    Problem::new(ProblemKind::Unavailable, "call_records_unreadable", error.to_string())
        .hint("check the directory of the decision log")
}

//! Recorded calls, as reviews replay them: read from the decision log of this node, off the async
//! threads.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::problem::ProblemKind;
use base::{Problem, Timestamp};
use decision_log::{DecisionLog, Order};
use traffic::CallRecord;

use crate::App;

/// A handle on the records that can go to a blocking thread.
#[derive(Clone)]
pub(crate) struct RecordedCalls(Option<Arc<DecisionLog>>);

impl RecordedCalls {
    /// Visits every record of a time range once. An installation without a gate has none.
    pub(crate) fn each(
        &self,
        from: Timestamp,
        until: Timestamp,
        visit: &mut dyn FnMut(&CallRecord),
    ) -> Result<(), Problem> {
        let Some(log) = &self.0 else { return Ok(()) };
        let mut each = |_, record: &CallRecord| {
            visit(record);
            ControlFlow::Continue(())
        };
        log.scan(from, until, Order::OldestFirst, &mut each).map_err(|error| {
            Problem::new(ProblemKind::Unavailable, "call_records_unreadable", error.to_string())
                .hint("check the directory of the decision log")
        })
    }
}

impl App {
    /// The records of this node.
    pub(crate) fn recorded_calls(&self) -> RecordedCalls {
        RecordedCalls(self.decision_log.clone())
    }
}

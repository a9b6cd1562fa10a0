//! The gate's records go to the decision log. The two crates do not know each other; this is
//! where they meet.

use std::sync::Arc;

use app::RolloutTallies;
use decision_log::{DecisionLog, LogError};
use proxy::{RecordError, Recorder, Recording};
use traffic::CallRecord;

use super::counters::Counters;

/// Counts each record and appends it.
pub(crate) struct LogRecorder {
    log: Arc<DecisionLog>,
    counters: Arc<Counters>,
    rollouts: Arc<RolloutTallies>,
}

impl LogRecorder {
    pub(crate) fn new(
        log: Arc<DecisionLog>,
        counters: Arc<Counters>,
        rollouts: Arc<RolloutTallies>,
    ) -> Self {
        Self { log, counters, rollouts }
    }

    fn count(&self, record: &CallRecord) {
        self.counters.count(record);
        self.rollouts.count(record);
    }
}

fn refused(error: LogError) -> RecordError {
    match error {
        LogError::Full(_) => RecordError::Full,
        other => {
            tracing::error!("call record not written: {other}");
            RecordError::Failed
        }
    }
}

impl Recorder for LogRecorder {
    fn ready(&self) -> Result<(), RecordError> {
        self.log.check_room().map_err(refused)
    }

    fn record(&self, record: CallRecord) {
        self.count(&record);
        // What finds no room is counted by the log itself and shown in the metrics.
        let _ = self.log.append(record).map_err(refused);
    }

    fn record_durable(&self, record: CallRecord) -> Recording<'_> {
        self.count(&record);
        let safe = self.log.append_durable(record);
        Box::pin(async move { safe.await.map_err(refused) })
    }
}

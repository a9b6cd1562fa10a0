//! Where call records go. The gate knows this trait and no log.

use std::pin::Pin;

use traffic::CallRecord;

/// The future of a durable record.
pub type Recording<'r> = Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + 'r>>;

/// Takes the one record that every request leaves. Called from the request path: neither method
/// may block.
pub trait Recorder: Send + Sync + 'static {
    /// Whether records are taken now. Asked before a request is forwarded, so that a log that is
    /// full and set to refuse stops traffic before it has effects.
    fn ready(&self) -> Result<(), RecordError> {
        Ok(())
    }

    /// Takes a record without waiting for it to be safe.
    fn record(&self, record: CallRecord);

    /// Takes a record and resolves when it is safe.
    fn record_durable(&self, record: CallRecord) -> Recording<'_>;
}

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The log is full and is set to refuse then.
    #[error("the decision log is full")]
    Full,
    /// The log cannot be written.
    #[error("the decision log cannot be written")]
    Failed,
}

//! Last stage: a forwarded request that is over.

use traffic::{Outcome, Reason};

use super::{Admitted, Journal};
use crate::recorder::RecordError;
use crate::refusal::Refused;

/// How a forwarded request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The upstream's whole answer is there.
    Complete,
    /// The upstream failed.
    Failed(Reason),
    /// The answer, or its end, may not be seen, or nobody can tell.
    Withheld(Reason),
    /// The caller failed: it left, sent a body that cannot be forwarded, or lost its permission.
    Caller(Reason),
}

impl End {
    /// What to tell the caller in the place of an answer.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Failed(reason) | Self::Caller(reason) | Self::Withheld(reason) => reason,
            Self::Complete => Reason::UpstreamInvalid,
        }
    }
}

/// A forwarded request that is over and will be recorded.
pub(crate) struct Answered(Journal);

impl Answered {
    pub(crate) fn new(admitted: Admitted, end: End) -> Self {
        let mut journal = admitted.into_journal();
        journal.note(|record| match end {
            End::Complete => {}
            End::Failed(reason) => {
                record.outcome = Outcome::Failed;
                record.reason = Some(reason);
            }
            End::Withheld(reason) => {
                record.outcome = Outcome::Withheld;
                record.reason = Some(reason);
            }
            End::Caller(reason) => {
                record.outcome = Outcome::Cancelled;
                record.reason = Some(reason);
            }
        });
        Self(journal)
    }

    /// Lets the gate answer in the upstream's place.
    pub(crate) fn into_refused(self, reason: Reason) -> Refused {
        Refused::after_forwarding(self.0, reason)
    }

    /// Hands the record over.
    pub(crate) fn record(self) {
        self.0.close();
    }

    /// Hands the record over and waits until it is safe.
    pub(crate) async fn record_durably(self) -> Result<(), RecordError> {
        self.0.close_durably().await
    }
}

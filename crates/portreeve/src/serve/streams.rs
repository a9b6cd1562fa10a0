//! What is open at the gate, as the use cases ask for it. The two crates do not know each other;
//! this is where they meet.

use std::sync::Arc;
use std::time::Duration;

use app::OpenStreams;
use app::streams::{Counting, Noted};
use base::Timestamp;
use policy::{Ruleset, Touch};
use proxy::Streams;
use traffic::{OpenStream, Reason};

/// The streams of the gate of this process.
pub(crate) struct GateStreams(pub(crate) Arc<Streams>);

impl OpenStreams for GateStreams {
    fn list(&self, limit: usize, keep: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        self.0.list(limit, keep)
    }

    fn cut(
        &self,
        ruleset: &Ruleset,
        touched: &[(u64, Touch)],
        now: Timestamp,
        patience: Duration,
        noted: &mut Noted<'_>,
    ) -> Option<Counting> {
        let cut = self.0.judge(ruleset, touched, now, noted);
        if cut.is_empty() { None } else { Some(Box::pin(cut.settle(patience))) }
    }

    fn suppose(
        &self,
        ruleset: &Ruleset,
        now: Timestamp,
        said: &mut dyn FnMut(&OpenStream, Option<Reason>),
    ) {
        self.0.suppose(ruleset, now, said);
    }
}

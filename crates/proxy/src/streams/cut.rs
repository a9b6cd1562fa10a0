//! What one publication told to end, counted until it has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use traffic::{CutCount, Reason};

use super::Entry;

/// How many are still there.
#[derive(Debug, Default)]
pub(super) struct Left {
    open: AtomicU64,
    none: Notify,
}

impl Left {
    pub(super) fn one_more(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn one_less(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Kept for who comes to wait later.
            self.none.notify_one();
        }
    }

    fn open(&self) -> u64 {
        self.open.load(Ordering::Acquire)
    }

    async fn gone(&self) {
        while self.open() > 0 {
            self.none.notified().await;
        }
    }
}

/// What one publication told to end, by the change that took the permission away.
#[derive(Debug, Default)]
pub struct Cut(BTreeMap<u64, (u64, Arc<Left>)>);

impl Cut {
    pub(super) fn tell(&mut self, entry: &Entry, change: u64, reason: Reason) {
        let (told, left) = self.0.entry(change).or_default();
        if entry.cut(reason, left) {
            *told += 1;
        }
    }

    /// Nothing was told to end.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|(told, _)| *told == 0)
    }

    /// Waits until everything that was told to end has, but no longer than `patience`; then says
    /// per change what has ended and what has not. The latter goes on ending.
    pub async fn settle(self, patience: Duration) -> BTreeMap<u64, CutCount> {
        let all = async {
            for (_, left) in self.0.values() {
                left.gone().await;
            }
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("streams that lost their permission do not end");
        }
        let counted = self.0.into_iter().filter(|(_, (told, _))| *told > 0);
        let count = |(change, (told, left)): (u64, (u64, Arc<Left>))| {
            let open = left.open();
            (change, CutCount { cut: told.saturating_sub(open), open })
        };
        counted.map(count).collect()
    }
}

//! Whether anything moves on a connection. A caller that opens streams and then neither sends nor
//! takes anything would otherwise keep them for ever: the library has no such time-out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What moves on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    streams: AtomicUsize,
    /// Grows with everything that moves.
    movements: AtomicU64,
}

impl Activity {
    /// A stream begins.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.movements.fetch_add(1, Ordering::Relaxed);
        Stream(Arc::clone(self))
    }

    /// Resolves when nothing has moved for `idle`, measured in whole periods: between one and two
    /// of them when idle, and up to [`STALL_PERIODS`] more while streams are open.
    pub(super) async fn cease(&self, idle: Duration) {
        let mut still = 0;
        let mut before = self.movements.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(idle).await;
            let now = self.movements.load(Ordering::Relaxed);
            still = if now == before { still + 1 } else { 0 };
            before = now;
            let has_streams = self.streams.load(Ordering::Relaxed) > 0;
            if still >= if has_streams { STALL_PERIODS } else { 1 } {
                return;
            }
        }
    }
}

/// Open streams that wait for a slow upstream are still for longer than idle connections.
const STALL_PERIODS: u32 = 4;

/// One open stream.
#[derive(Debug)]
pub(super) struct Stream(Arc<Activity>);

impl Stream {
    /// Something moved.
    pub(super) fn moved(&self) {
        self.0.movements.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.moved();
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

//! Sending what is left, and closing so that the caller still reads it.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWrite;

use super::Connection;
use crate::h1::tunnel::CLOSE;

/// Bytes of an unwanted body that are read before the connection is dropped after all.
const LINGER_BYTES_MAX: usize = 1024 * 1024;

impl Connection {
    /// Sends all of the output. False when the caller does not take it.
    pub(super) async fn drain(&mut self) -> bool {
        self.drain_within(self.worker.core().config.patience.lag).await
    }

    async fn drain_within(&mut self, patience: Duration) -> bool {
        self.deadline.set(patience);
        std::future::poll_fn(|cx| match self.wire.poll_drain(cx) {
            Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
            Poll::Pending => self.deadline.poll(cx).map(|()| false),
        })
        .await
    }

    /// Tells the caller of a tunnel that its permission has ended (RFC 6455 §7.4.1).
    pub(super) async fn say_close(&mut self) {
        self.wire.output.bytes_mut().extend_from_slice(CLOSE);
        if self.drain_within(self.worker.core().config.patience.linger).await {
            self.linger().await;
        }
    }

    /// Ends our side, then reads on for a moment: closing with unread bytes makes the kernel reset
    /// the connection, and the reset can overtake the answer.
    pub(super) async fn linger(&mut self) {
        self.deadline.set(self.worker.core().config.patience.linger);
        let mut is_shut = false;
        let mut drained = 0;
        std::future::poll_fn(|cx| {
            loop {
                if !is_shut && Pin::new(&mut self.wire.socket).poll_shutdown(cx).is_ready() {
                    is_shut = true;
                }
                let waiting = self.wire.input.bytes().len();
                self.wire.input.consume(waiting);
                match self.wire.poll_fill(cx) {
                    Poll::Ready(Ok(count)) if count > 0 && drained < LINGER_BYTES_MAX => {
                        drained += count;
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return self.deadline.poll(cx),
                }
            }
        })
        .await;
    }
}

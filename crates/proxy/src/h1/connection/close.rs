//! Sending what is left, and closing so that the caller still reads it.

use std::pin::Pin;
use std::task::Poll;

use tokio::io::AsyncWrite;

use super::Connection;

/// Bytes of an unwanted body that are read before the connection is dropped after all.
const LINGER_BYTES_MAX: usize = 1024 * 1024;

impl Connection {
    /// Sends all of the output. False when the caller does not take it.
    pub(super) async fn drain(&mut self) -> bool {
        self.deadline.set(self.worker.core().config.patience.lag);
        std::future::poll_fn(|cx| match self.wire.poll_drain(cx) {
            Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
            Poll::Pending => self.deadline.poll(cx).map(|()| false),
        })
        .await
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

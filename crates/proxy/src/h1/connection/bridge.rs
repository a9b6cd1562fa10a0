//! Forwards one admitted request to an upstream that is spoken to in HTTP/2.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::forward::Complete;
use super::{Connection, Manner};
use crate::h1::bridge::Bridge;
use crate::h1::exchange::{Finish, Terms};
use crate::stage::{Admitted, End, UnderWay};
use crate::upstream::head::Http2Head;
use crate::upstream::passage::{self, Passage};
use crate::watching::Noticed;

impl Connection {
    /// Forwards a request and answers it. True when the connection can go on.
    pub(super) async fn bridge(
        &mut self,
        mut admitted: Admitted,
        head: Box<Http2Head>,
        manner: Manner,
    ) -> bool {
        let (passage, was_open) = match self.open_passage(&mut admitted, head, false).await {
            Ok(opened) => opened,
            Err(end) => return self.fail(admitted, end, manner).await,
        };
        let may_repeat = was_open && admitted.traits().may_repeat();
        let (mut finish, mut passage, mut noticed) = self.cross(passage, &mut admitted).await;
        if finish == Finish::Dead
            && may_repeat
            && let Some(head) = passage.recall()
        {
            let again = match self.open_passage(&mut admitted, head, true).await {
                Ok((again, _)) => again,
                Err(end) => return self.fail(admitted, end, manner).await,
            };
            (finish, passage, noticed) = self.cross(again, &mut admitted).await;
        }
        // What is left of the request is not wanted any more.
        drop(passage);
        admitted.note(finish.seen(noticed));
        match finish {
            Finish::Complete { caller: keep_alive, released, .. } => {
                self.complete(admitted, Complete { keep_alive, released }, manner).await
            }
            finish => self.conclude_broken(admitted, finish, manner).await,
        }
    }

    /// A stream with the head on its way, unless the permission ends before there is one.
    async fn open_passage(
        &mut self,
        admitted: &mut Admitted,
        head: Box<Http2Head>,
        fresh: bool,
    ) -> Result<(Passage, bool), End> {
        let (worker, upstream) = (Arc::clone(&self.worker), Arc::clone(admitted.upstream()));
        let traits = admitted.traits();
        let mut opening = pin!(passage::open(&worker, &upstream, traits, head, fresh));
        let UnderWay { core, entry, .. } = admitted.under_way();
        let lease = &mut self.lease;
        std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(Err(End::Caller(reason))),
            Poll::Pending => opening.as_mut().poll(cx).map_err(End::Failed),
        })
        .await
    }

    async fn cross(
        &mut self,
        passage: Passage,
        admitted: &mut Admitted,
    ) -> (Finish, Passage, Noticed) {
        let outflow = admitted.outflow();
        let traits = admitted.traits();
        let UnderWay { core, entry, request_id, tally } = admitted.under_way();
        let terms = Terms {
            entry,
            traits,
            request_id,
            durable: core.config.durable,
            body_bytes_max: core.config.limits.body_bytes,
            closing: self.shutdown.is_cancelled(),
        };
        let pace = self.pace();
        let Self { wire: caller, deadline, lease, .. } = self;
        let mut bridge = Bridge::new(caller, passage, deadline, pace, terms, outflow, tally);
        let finish = std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(bridge.end(reason)),
            Poll::Pending => bridge.poll(cx),
        })
        .await;
        let (passage, noticed) = bridge.conclude();
        (finish, passage, noticed)
    }
}

//! Forwards one admitted request over the caller's connection.

use std::pin::pin;
use std::task::Poll;

use traffic::Reason;

use super::{Connection, Manner};
use crate::h1::exchange::{Exchange, Finish, Terms};
use crate::h1::response::Departure;
use crate::h1::tunnel::Tunnel;
use crate::refusal::Answer;
use crate::stage::{Admitted, Answered, End, UnderWay};
use crate::upstream::connect::connect;
use crate::upstream::head::Head;
use crate::watching::Noticed;
use crate::wire::Wire;

/// What is known of a complete answer.
pub(super) struct Complete {
    pub(super) keep_alive: bool,
    pub(super) released: bool,
}

impl Connection {
    /// Forwards a request and answers it. True when the connection can go on.
    pub(super) async fn forward(&mut self, mut admitted: Admitted, manner: Manner) -> bool {
        admitted.open(&self.worker);
        self.lease.begin();
        let head = match admitted.take_head() {
            Head::Http1(head) => head,
            Head::Http2(head) => return self.bridge(admitted, head, manner).await,
        };
        let pooled = self.worker.pool().check_out(&admitted.upstream().key);
        let may_repeat = pooled.is_some() && admitted.traits().may_repeat();
        let mut wire = match self.open(pooled, &mut admitted).await {
            Ok(wire) => wire,
            Err(end) => return self.fail(admitted, end, manner).await,
        };
        wire.output.replace(head);
        let (mut finish, mut noticed) = self.exchange(&mut wire, &mut admitted).await;
        if finish == Finish::Dead && may_repeat {
            // The upstream closed an idle connection as the request was on its way. Once only.
            let head = wire.output.recall();
            wire = match self.open(None, &mut admitted).await {
                Ok(wire) => wire,
                Err(end) => return self.fail(admitted, end, manner).await,
            };
            wire.output.replace(head);
            (finish, noticed) = self.exchange(&mut wire, &mut admitted).await;
        }
        admitted.note(finish.seen(noticed));
        self.conclude(admitted, wire, finish, manner).await
    }

    /// A connection to the upstream, unless the permission ends before there is one.
    async fn open(&mut self, pooled: Option<Wire>, admitted: &mut Admitted) -> Result<Wire, End> {
        if let Some(wire) = pooled {
            return Ok(wire);
        }
        let tls = self.worker.core().config.upstream_tls.as_ref();
        let patience = admitted.traits().timeouts.connect.to_std();
        let upstream = std::sync::Arc::clone(admitted.upstream());
        let mut opening = pin!(connect(&upstream, tls, patience));
        let UnderWay { core, entry, .. } = admitted.under_way();
        let lease = &mut self.lease;
        std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(Err(End::Caller(reason))),
            Poll::Pending => opening.as_mut().poll(cx).map_err(End::Failed),
        })
        .await
    }

    async fn exchange(&mut self, wire: &mut Wire, admitted: &mut Admitted) -> (Finish, Noticed) {
        let (traits, outflow) = (admitted.traits(), admitted.outflow());
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
        let mut exchange = Exchange::new(caller, wire, deadline, pace, terms, outflow, tally);
        let finish = std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(exchange.end(reason)),
            Poll::Pending => exchange.poll(cx),
        })
        .await;
        (finish, exchange.noticed())
    }

    async fn conclude(
        &mut self,
        admitted: Admitted,
        wire: Wire,
        finish: Finish,
        manner: Manner,
    ) -> bool {
        match finish {
            Finish::Complete { caller, upstream, released } => {
                if upstream {
                    self.worker.pool().check_in(&admitted.upstream().key, wire);
                }
                let keep_alive = caller;
                self.complete(admitted, Complete { keep_alive, released }, manner).await
            }
            Finish::Switched => self.carry(admitted, wire).await,
            finish => {
                drop(wire);
                self.conclude_broken(admitted, finish, manner).await
            }
        }
    }

    /// Concludes an exchange that brought no whole answer.
    pub(super) async fn conclude_broken(
        &mut self,
        admitted: Admitted,
        finish: Finish,
        manner: Manner,
    ) -> bool {
        match finish {
            Finish::Broken(end, true) => {
                // The missing end of the answer is all that can be said.
                Answered::new(admitted, end).record();
                false
            }
            Finish::Broken(End::Caller(Reason::Cancelled) | End::Complete, false) => {
                Answered::new(admitted, End::Caller(Reason::Cancelled)).record();
                false
            }
            Finish::Broken(end, false) => {
                self.wire.output.clear();
                self.fail(admitted, end, manner).await
            }
            Finish::Dead | Finish::Complete { .. } | Finish::Switched => {
                self.fail(admitted, End::Failed(Reason::UpstreamUnreachable), manner).await
            }
        }
    }

    /// Carries a tunnel until it ends or loses its permission; then its caller is told, if that can
    /// be done without breaking into a frame. The connection is over either way.
    async fn carry(&mut self, mut admitted: Admitted, mut upstream: Wire) -> bool {
        let idle = self.worker.core().config.patience.tunnel;
        let UnderWay { core, entry, tally, .. } = admitted.under_way();
        let Self { wire: caller, deadline, lease, .. } = self;
        let mut tunnel = Tunnel::new(caller, &mut upstream, deadline, idle, tally);
        let end = std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(End::Caller(reason)),
            Poll::Pending => tunnel.poll(cx).map(|()| End::Complete),
        })
        .await;
        let says_why = end != End::Complete && tunnel.is_between_frames();
        // Nothing passes any more when the record says so.
        drop(upstream);
        Answered::new(admitted, end).record();
        if says_why {
            self.say_close().await;
        }
        false
    }

    /// Records a complete answer; in a durable gate, before its end is released.
    pub(super) async fn complete(
        &mut self,
        admitted: Admitted,
        answer: Complete,
        manner: Manner,
    ) -> bool {
        let Complete { keep_alive, released } = answer;
        if !self.worker.core().config.durable {
            Answered::new(admitted, End::Complete).record();
            return self.close_unless(keep_alive).await;
        }
        let request_id = admitted.request_id().to_owned();
        let recorded = Answered::new(admitted, End::Complete).record_durably().await;
        match recorded {
            Ok(()) => self.drain().await && self.close_unless(keep_alive).await,
            Err(error) => {
                tracing::error!(%error, request_id, "an answer was withheld");
                if !released {
                    self.withhold(&request_id, manner).await;
                }
                false
            }
        }
    }

    /// Puts 503 in the place of an answer that could not be recorded.
    async fn withhold(&mut self, request_id: &str, manner: Manner) {
        self.wire.output.clear();
        let answer = Answer::unrecorded(request_id, manner.grpc);
        let departure = Departure { version: manner.version, keep_alive: false };
        answer.write(departure, manner.to_head, self.wire.output.bytes_mut());
        if self.drain().await {
            self.linger().await;
        }
    }

    async fn close_unless(&mut self, keep_alive: bool) -> bool {
        if !keep_alive {
            self.linger().await;
        }
        keep_alive
    }

    /// Answers in the place of an upstream that gives no head any more, because it failed or
    /// because the caller may not have one.
    pub(super) async fn fail(&mut self, admitted: Admitted, end: End, manner: Manner) -> bool {
        let refused = Answered::new(admitted, end).into_refused(end.reason());
        self.refuse(refused, manner).await
    }
}

//! Forwards one admitted request over the caller's connection.

use std::task::Poll;

use traffic::Reason;

use super::{Connection, Manner};
use crate::h1::exchange::{Exchange, Finish, Terms};
use crate::h1::response::Departure;
use crate::h1::tunnel;
use crate::refusal::Answer;
use crate::stage::{Admitted, Answered, End, Tally};
use crate::upstream::connect::connect;
use crate::watching::Noticed;
use crate::wire::Wire;

/// What is known of a complete answer.
struct Complete {
    keep_alive: bool,
    released: bool,
}

impl Connection {
    /// Forwards a request and answers it. True when the connection can go on.
    pub(super) async fn forward(&mut self, mut admitted: Admitted, manner: Manner) -> bool {
        let pooled = self.worker.pool().check_out(&admitted.upstream().key);
        let may_repeat = pooled.is_some() && admitted.traits().may_repeat();
        let mut wire = match self.open(pooled, &admitted).await {
            Ok(wire) => wire,
            Err(reason) => return self.fail(admitted, reason, Tally::default(), manner).await,
        };
        wire.output.replace(admitted.take_head());
        let (mut finish, mut tally, mut noticed) = self.exchange(&mut wire, &admitted).await;
        if finish == Finish::Dead && may_repeat {
            // The upstream closed an idle connection as the request was on its way. Once only.
            let head = wire.output.recall();
            wire = match self.open(None, &admitted).await {
                Ok(wire) => wire,
                Err(reason) => return self.fail(admitted, reason, tally, manner).await,
            };
            wire.output.replace(head);
            (finish, tally, noticed) = self.exchange(&mut wire, &admitted).await;
        }
        if matches!(finish, Finish::Broken(_, false)) {
            noticed.passed = None;
        }
        admitted.note(noticed);
        self.conclude(admitted, wire, finish, tally, manner).await
    }

    async fn open(&self, pooled: Option<Wire>, admitted: &Admitted) -> Result<Wire, Reason> {
        match pooled {
            Some(wire) => Ok(wire),
            None => {
                let tls = self.worker.core().config.upstream_tls.as_ref();
                let patience = admitted.traits().timeouts.connect.to_std();
                connect(admitted.upstream(), tls, patience).await
            }
        }
    }

    async fn exchange(&mut self, wire: &mut Wire, admitted: &Admitted) -> (Finish, Tally, Noticed) {
        let config = &self.worker.core().config;
        let terms = Terms {
            traits: admitted.traits(),
            request_id: admitted.request_id(),
            durable: config.durable,
            body_bytes_max: config.limits.body_bytes,
            screen: admitted.screen(),
            watches: admitted.watches(),
            closing: self.shutdown.is_cancelled(),
        };
        let pace = self.pace();
        let inspection = admitted.inspection();
        let mut exchange =
            Exchange::new(&mut self.wire, wire, &mut self.deadline, pace, terms, inspection);
        let lease = &mut self.lease;
        lease.renew();
        let finish = std::future::poll_fn(|cx| match lease.poll(cx, admitted) {
            Poll::Ready(reason) => Poll::Ready(exchange.end(reason)),
            Poll::Pending => exchange.poll(cx),
        })
        .await;
        let tally = exchange.tally();
        (finish, tally, exchange.noticed())
    }

    async fn conclude(
        &mut self,
        admitted: Admitted,
        mut wire: Wire,
        finish: Finish,
        mut tally: Tally,
        manner: Manner,
    ) -> bool {
        match finish {
            Finish::Complete { caller, upstream, released } => {
                if upstream {
                    self.worker.pool().check_in(&admitted.upstream().key, wire);
                }
                let keep_alive = caller;
                self.complete(admitted, tally, Complete { keep_alive, released }, manner).await
            }
            Finish::Switched => {
                let end = self.carry(&admitted, &mut wire, &mut tally).await;
                Answered::new(admitted, end, tally).record();
                false
            }
            Finish::Dead => self.fail(admitted, Reason::UpstreamUnreachable, tally, manner).await,
            Finish::Broken(end, true) => {
                // The missing end of the answer is all that can be said.
                Answered::new(admitted, end, tally).record();
                false
            }
            Finish::Broken(End::Withheld(reason), false) => {
                self.wire.output.clear();
                let answered = Answered::new(admitted, End::Withheld(reason), tally);
                let refused = answered.into_refused(reason);
                self.refuse(refused, manner).await
            }
            Finish::Broken(End::Failed(reason), false) => {
                self.wire.output.clear();
                self.fail(admitted, reason, tally, manner).await
            }
            Finish::Broken(End::Caller(Reason::Cancelled) | End::Complete, false) => {
                Answered::new(admitted, End::Caller(Reason::Cancelled), tally).record();
                false
            }
            Finish::Broken(End::Caller(reason), false) => {
                self.wire.output.clear();
                let answered = Answered::new(admitted, End::Caller(reason), tally);
                let refused = answered.into_refused(reason);
                self.refuse(refused, manner).await
            }
        }
    }

    /// Carries a tunnel until it ends or loses its permission.
    async fn carry(&mut self, admitted: &Admitted, upstream: &mut Wire, tally: &mut Tally) -> End {
        let idle = self.worker.core().config.patience.tunnel;
        let (caller, deadline, lease) = (&mut self.wire, &mut self.deadline, &mut self.lease);
        let mut tunnel = std::pin::pin!(tunnel::carry(caller, upstream, deadline, idle, tally));
        std::future::poll_fn(|cx| match lease.poll(cx, admitted) {
            Poll::Ready(reason) => Poll::Ready(End::Caller(reason)),
            Poll::Pending => tunnel.as_mut().poll(cx).map(|()| End::Complete),
        })
        .await
    }

    /// Records a complete answer; in a durable gate, before its end is released.
    async fn complete(
        &mut self,
        admitted: Admitted,
        tally: Tally,
        answer: Complete,
        manner: Manner,
    ) -> bool {
        let Complete { keep_alive, released } = answer;
        if !self.worker.core().config.durable {
            Answered::new(admitted, End::Complete, tally).record();
            return self.close_unless(keep_alive).await;
        }
        let request_id = admitted.request_id().to_owned();
        let recorded = Answered::new(admitted, End::Complete, tally).record_durably().await;
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
        let answer = Answer::unrecorded(request_id);
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

    /// Answers for an upstream that failed before a head went to the caller.
    async fn fail(
        &mut self,
        admitted: Admitted,
        reason: Reason,
        tally: Tally,
        manner: Manner,
    ) -> bool {
        let refused = Answered::new(admitted, End::Failed(reason), tally).into_refused(reason);
        self.refuse(refused, manner).await
    }
}

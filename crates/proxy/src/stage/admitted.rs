//! Fourth stage: a request that may be forwarded, as the bytes that will be.

use std::sync::Arc;

use catalog::Timeouts;
use grant::Place;
use policy::{Kept, draw_of};
use token::Verified;
use traffic::headers::{Framing, Version};
use traffic::{Outcome, Reason};

use super::{Journal, JudgedBody, Permitted};
use crate::refusal::Refused;
use crate::screen::Screen;
use crate::upstream::{Upstream, head};

/// A request that may be forwarded. Owns everything that forwarding needs; the caller's head is
/// not read again.
pub(crate) struct Admitted {
    journal: Journal,
    who: Verified,
    upstream: Arc<Upstream>,
    head: Vec<u8>,
    traits: Traits,
    /// What conditions looked at, for asking again.
    read: Vec<(Place, Vec<String>)>,
    screen: Option<Screen>,
}

/// What forwarding needs to know of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) version: Version,
    pub(crate) framing: Framing,
    pub(crate) timeouts: Timeouts,
    /// The method is HEAD: the response has no body.
    pub(crate) to_head: bool,
    /// May be sent again when it is unknown whether it arrived (RFC 9110 §9.2.2).
    pub(crate) idempotent: bool,
    pub(crate) websocket: bool,
    /// The caller keeps its connection.
    pub(crate) keep_alive: bool,
    /// The body was read before the decision: so many bytes of it stand behind the head.
    pub(crate) read_body: Option<u64>,
}

impl Traits {
    /// Whether sending it twice is as good as once, and it can be sent twice.
    pub(crate) fn may_repeat(&self) -> bool {
        self.idempotent && matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

impl Admitted {
    pub(super) fn within_limits(permitted: Permitted<'_>) -> Result<Self, Refused> {
        let Permitted { mut received, who, permit, screen } = permitted;
        let worker = received.worker;
        let core = worker.core();
        let held = core
            .sources
            .admit_request(received.source, received.journal.at())
            .map_err(|wait| (Reason::RateLimited, Some(wait)))
            .and_then(|()| core.recorder.ready().map_err(|_| (Reason::LogUnavailable, None)))
            .and_then(|()| {
                worker.upstream(&received.api.api().upstream).map_err(|reason| (reason, None))
            });
        let upstream = match held {
            Ok(upstream) => upstream,
            Err((reason, wait)) => {
                let refused = Refused::new(received.journal, reason, &received.fields);
                return Err(refused.retry_after(wait));
            }
        };
        received.journal.note(|record| {
            record.outcome = match permit.observed() {
                Some(_) => Outcome::Observed,
                None => Outcome::Allowed,
            };
            record.reason = permit.observed();
            record.would_refuse = permit.would_refuse();
            record.grant_ids = permit.grants().to_vec();
            record.ruleset_version = permit.ruleset_version();
        });
        // What was judged goes on as it is, in one piece.
        if let Some(body) = received.body {
            received.fields.framing = Framing::Length(body.bytes().len() as u64);
        }
        let mut head = head::write(&head::Rewrite {
            arrival: received.arrival,
            fields: &received.fields,
            target: &received.target,
            prefix: &received.api.api().path,
            upstream: &upstream,
            screened: screen.is_some(),
            caller: head::Caller {
                source: received.source,
                scheme: received.peer.scheme,
                authority: &received.authority,
                identity: who.identity(),
                credential: who.credential(),
                request_id: received.journal.request_id(),
            },
        });
        head.extend_from_slice(received.body.map(JudgedBody::bytes).unwrap_or_default());
        let method = received.arrival.method;
        let traits = Traits {
            version: received.arrival.version,
            framing: received.fields.framing,
            timeouts: received.api.api().timeouts,
            to_head: method == "HEAD",
            idempotent: matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE"),
            websocket: received.fields.websocket,
            keep_alive: received.fields.keep_alive,
            read_body: received.body.map(|body| body.bytes().len() as u64),
        };
        let read = permit.read().to_vec();
        Ok(Self { journal: received.journal, who, upstream, head, traits, read, screen })
    }

    /// Asks the ruleset as it is now whether a request that is still open may go on.
    pub(crate) fn confirm(&self) -> Result<(), Reason> {
        let core = self.journal.core();
        let record = self.journal.record().ok_or(Reason::UnknownApi)?;
        let api = record.api_id.as_ref().ok_or(Reason::UnknownApi)?;
        let ruleset = core.ruleset.load();
        let ruleset = ruleset.governing(self.who.identity());
        let kept = Kept {
            source: Some(record.source_ip),
            draw: draw_of(record.request_id.as_str()),
            read: &self.read,
        };
        ruleset.confirm(&self.who, api, record.operation.as_ref(), kept, core.clock.now())
    }

    /// What is to be done to the response.
    pub(crate) fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref()
    }

    /// Writes down what was removed from the response.
    pub(crate) fn note_removed(&mut self, removed: Vec<String>) {
        self.journal.note(|record| record.fields_removed = removed);
    }

    pub(crate) fn traits(&self) -> Traits {
        self.traits
    }

    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    pub(crate) fn request_id(&self) -> &str {
        self.journal.request_id().as_str()
    }

    /// The head that goes to the upstream. Empty once it was taken.
    pub(crate) fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// For the answer.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}

//! Fourth stage: a request that may be forwarded, as the bytes that will be.

use std::sync::Arc;

use base::Span;
use catalog::{Protocol, Timeouts};
use token::Verified;
use traffic::headers::{Framing, RequestFields, Version};
use traffic::{Outcome, Reason, StreamKind};

use super::{Journal, Permitted, Received, Tally};
use crate::gate::{Core, Worker};
use crate::refusal::Refused;
use crate::streams::{Entry, Facts, Registration};
use crate::upstream::Upstream;
use crate::upstream::head::{self, Head};

/// A request that may be forwarded. Owns everything that forwarding needs; the caller's head is
/// not read again.
pub(crate) struct Admitted {
    journal: Journal,
    entry: Arc<Entry>,
    /// The ruleset that let it pass.
    decided_by: u64,
    /// Present while it is forwarded.
    registration: Option<Registration>,
    upstream: Arc<Upstream>,
    head: Option<Head>,
    traits: Traits,
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
    /// A gRPC call: what is said of its end is said as gRPC does.
    pub(crate) grpc: bool,
    /// How long the whole call may take.
    pub(crate) deadline: Option<Span>,
    /// The caller keeps its connection.
    pub(crate) keep_alive: bool,
}

/// A request on its way.
pub(crate) struct UnderWay<'a> {
    pub(crate) core: &'a Core,
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) request_id: &'a str,
    pub(crate) tally: &'a mut Tally,
}

impl Traits {
    /// What is going to keep the request open, as far as its head tells.
    fn kind(&self) -> StreamKind {
        match (self.websocket, self.grpc) {
            (true, _) => StreamKind::WebSocket,
            (false, true) => StreamKind::Grpc,
            (false, false) => StreamKind::Body,
        }
    }

    /// Whether sending it twice is as good as once, and it can be sent twice.
    pub(crate) fn may_repeat(&self) -> bool {
        self.idempotent && self.is_bodiless()
    }

    /// Nothing follows the head.
    pub(crate) fn is_bodiless(&self) -> bool {
        matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

impl Admitted {
    pub(super) fn within_limits(permitted: Permitted<'_>) -> Result<Self, Refused> {
        let Permitted { mut received, who, permit } = permitted;
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
            record.would_refuse = permit.observed();
            record.grant_ids = permit.grants().to_vec();
            record.ruleset_version = permit.ruleset_version();
        });
        let deadline = deadline(&received.fields, &received.api.api().timeouts);
        let traits = traits(&received, deadline);
        let head = match compose(&received, &who, &upstream, deadline) {
            Ok(head) => Some(head),
            Err(reason) => return Err(Refused::new(received.journal, reason, &received.fields)),
        };
        let facts = Facts {
            who,
            api: received.api.api().id.clone(),
            operation: received.operation.map(|operation| operation.id.clone()),
            grants: permit.grants().iter().cloned().collect(),
            request_id: received.journal.request_id().clone(),
            since: received.journal.at(),
        };
        let entry = Arc::new(Entry::new(facts, traits.kind()));
        let (decided_by, registration) = (permit.ruleset_version(), None);
        Ok(Self {
            journal: received.journal,
            entry,
            decided_by,
            registration,
            upstream,
            head,
            traits,
        })
    }

    /// From here on it is open: listed, and cut when its permission ends. A ruleset that was
    /// published since it was decided is asked here, for that publication did not see it.
    pub(crate) fn open(&mut self, worker: &Worker) {
        self.registration = Some(worker.shard().register(&self.entry));
        let core = self.journal.core();
        let ruleset = core.ruleset.load();
        if ruleset.version() != self.decided_by
            && let Err(reason) = self.entry.confirm(&ruleset, core.clock.now())
        {
            self.entry.is_late(reason);
        }
    }

    /// What lets the request go on, and where to count what passes.
    pub(crate) fn under_way(&mut self) -> UnderWay<'_> {
        let (core, request_id, tally) = self.journal.parts();
        UnderWay { core, entry: &self.entry, request_id: request_id.as_str(), tally }
    }

    pub(crate) fn set_tally(&mut self, tally: Tally) {
        self.journal.set_tally(tally);
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

    /// The head that goes to the upstream; once.
    pub(crate) fn take_head(&mut self) -> Head {
        self.head.take().unwrap_or(Head::Http1(Vec::new()))
    }

    /// For the answer.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}

/// The head that the upstream gets.
fn compose(
    received: &Received<'_>,
    who: &Verified,
    upstream: &Upstream,
    deadline: Option<Span>,
) -> Result<Head, Reason> {
    let api = received.api.api();
    let rewrite = head::Rewrite {
        arrival: received.arrival,
        fields: &received.fields,
        target: &received.target,
        prefix: &api.path,
        upstream,
        deadline,
        caller: head::Caller {
            source: received.source,
            scheme: received.peer.scheme,
            authority: &received.authority,
            identity: who.identity(),
            credential: who.credential(),
            request_id: received.journal.request_id(),
        },
    };
    head::write(&rewrite, api.protocol)
}

fn traits(received: &Received<'_>, deadline: Option<Span>) -> Traits {
    let (api, fields) = (received.api.api(), &received.fields);
    let method = received.arrival.method;
    Traits {
        version: received.arrival.version,
        framing: fields.framing,
        timeouts: api.timeouts,
        to_head: method == "HEAD",
        idempotent: matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE"),
        // HTTP/2 knows no upgrade (RFC 9113 §8.6).
        websocket: fields.websocket && api.protocol == Protocol::Http1,
        grpc: fields.grpc,
        deadline,
        keep_alive: fields.keep_alive,
    }
}

/// What a caller gives its gRPC call, cut to what the API gives it.
fn deadline(fields: &RequestFields<'_>, timeouts: &Timeouts) -> Option<Span> {
    if fields.grpc { fields.deadline.into_iter().chain(timeouts.call).min() } else { None }
}

//! Fourth stage: a request that may be forwarded, as the bytes that will be.

use std::sync::Arc;

use catalog::Timeouts;
use grant::Place;
use policy::{Kept, draw_of};
use token::Verified;
use traffic::headers::{Framing, Version};
use traffic::limit::Standing;
use traffic::{FieldsSeen, Outcome, Reason};

use super::{Checked, Journal, JudgedBody, Permitted, Received};
use crate::inspection::{self, Inspection, Plan};
use crate::limits;
use crate::refusal::Refused;
use crate::screen::Screen;
use crate::upstream::{Upstream, head};
use crate::watching::Noticed;

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
    /// What is checked while it is forwarded.
    plan: Option<Plan>,
    screen: Option<Screen>,
    /// The answer is looked at, though nothing is removed.
    watches: bool,
}

/// Whether a request is one of the share whose answers are looked at: by its id, so that a record
/// tells whether its answer was.
fn is_of_the_share(request_id: &str, one_in: u16) -> bool {
    draw_of(request_id).checked_rem(one_in) == Some(0)
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
    /// The limit that is nearest to its end, for the answer.
    pub(crate) standing: Option<Standing>,
}

impl Traits {
    /// Whether sending it twice is as good as once, and it can be sent twice.
    pub(crate) fn may_repeat(&self) -> bool {
        self.idempotent && matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

/// Whether the answer is looked at though nothing has to be removed: where its operation has fields
/// that are more than internal, and for a share of the requests.
fn watches(received: &Received<'_>) -> bool {
    let one_in = received.worker.core().config.watch_one_in;
    received.operation.is_some_and(|operation| {
        is_of_the_share(received.journal.request_id().as_str(), one_in)
            && operation.fields.iter().any(|field| field.class.weight() > 0)
    })
}

fn traits_of(received: &Received<'_>, standing: Option<Standing>) -> Traits {
    let method = received.arrival.method;
    Traits {
        version: received.arrival.version,
        framing: received.fields.framing,
        timeouts: received.api.api().timeouts,
        to_head: method == "HEAD",
        idempotent: matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE"),
        websocket: received.fields.websocket,
        keep_alive: received.fields.keep_alive,
        read_body: received.body.map(|body| body.bytes().len() as u64),
        standing,
    }
}

impl Admitted {
    pub(super) fn within_limits(checked: Checked<'_>) -> Result<Self, Refused> {
        let Checked { permitted, plan } = checked;
        let Permitted { mut received, who, permit, screen } = permitted;
        let worker = received.worker;
        let core = worker.core();
        let ready = core.recorder.ready().map_err(|_| Reason::LogUnavailable);
        let upstream = match ready.and_then(|()| worker.upstream(&received.api.api().upstream)) {
            Ok(upstream) => upstream,
            Err(reason) => {
                return Err(Refused::new(received.journal, reason, &received.fields));
            }
        };
        let request = limits::Request {
            api: received.api.api(),
            operation: received.operation,
            identity: who.identity().as_str(),
            credential: who.credential().as_str(),
            grants: permit.grants(),
            source: received.source,
        };
        // Last, so that what is refused for another reason uses nothing.
        let at = received.journal.at();
        let admission = match core.limits.admit(&request, worker.delay(), at) {
            Ok(admission) => admission,
            Err(exceeded) => {
                let refused = Refused::new(received.journal, exceeded.reason, &received.fields);
                return Err(refused.for_api(received.api.api()).beyond(exceeded));
            }
        };
        received.journal.hold(admission.held);
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
            unencoded: plan.as_ref().is_some_and(Plan::checks_responses),
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
        let traits = traits_of(&received, admission.standing);
        let read = permit.read().to_vec();
        let watches = screen.is_none() && watches(&received);
        let journal = received.journal;
        Ok(Self { journal, who, upstream, head, traits, read, plan, screen, watches })
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

    /// Whether the response is looked at, to learn what callers receive.
    pub(crate) fn watches(&self) -> bool {
        self.watches
    }

    /// Writes down what was removed from the response, what the caller received, and how messages
    /// break the API's document.
    pub(crate) fn note(&mut self, noticed: Noticed) {
        let Noticed { removed, passed, violations } = noticed;
        let seen = passed.map(|(paths, more)| self.seen(&paths, more));
        self.journal.note(|record| {
            record.fields_removed = removed;
            record.fields_seen = seen;
            inspection::keep(&mut record.violations, violations);
        });
    }

    /// By the names that the catalogue has now.
    fn seen(&self, paths: &[String], more: bool) -> FieldsSeen {
        let ruleset = self.journal.core().ruleset.load();
        let record = self.journal.record();
        let api = record.and_then(|record| ruleset.entry(record.api_id.as_ref()?));
        let operation = record.and_then(|record| api?.operation_by_id(record.operation.as_ref()?));
        FieldsSeen::of(paths, more, |path| operation?.catalogued(path))
    }

    pub(crate) fn traits(&self) -> Traits {
        self.traits
    }

    /// Whether the answer goes to the caller as it is: nobody has to take anything out of it.
    pub(super) fn is_whole(&self) -> bool {
        self.screen.is_none() && !self.plan.as_ref().is_some_and(Plan::may_withhold)
    }

    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    pub(crate) fn request_id(&self) -> &str {
        self.journal.request_id().as_str()
    }

    /// What is checked of an exchange that begins now.
    pub(crate) fn inspection(&self) -> Option<Inspection> {
        let limits = &self.journal.core().config.limits;
        self.plan.as_ref().map(|plan| plan.begin(limits))
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

//! Fourth stage: a request that may be forwarded, as the bytes that will be.

use std::sync::Arc;

use base::Span;
use catalog::{Operation, Protocol, Timeouts, field};
use policy::{Permit, draw_of};
use token::Verified;
use traffic::headers::{Framing, RequestFields, Version};
use traffic::limit::Standing;
use traffic::{FieldsSeen, FormWatch, Outcome, Reason, StreamKind};

use super::{Checked, Journal, JudgedBody, Permitted, Received, Tally};
use crate::gate::{Core, Worker};
use crate::inspection::{self, Plan};
use crate::limits;
use crate::outflow::Outflow;
use crate::refusal::Refused;
use crate::screen::Screen;
use crate::streams::{Entry, Facts, Registration};
use crate::upstream::Upstream;
use crate::upstream::head::{self, Head};
use crate::watching::Noticed;

/// A request that may be forwarded. Owns everything that forwarding needs; the caller's head is
/// not read again.
pub(crate) struct Admitted {
    journal: Journal,
    entry: Arc<Entry>,
    /// The ruleset that let it pass.
    /// The edition of the ruleset.
    decided_by: (u64, u64),
    /// Present while it is forwarded.
    registration: Option<Registration>,
    upstream: Arc<Upstream>,
    head: Option<Head>,
    traits: Traits,
    /// What is checked while it is forwarded.
    plan: Option<Plan>,
    /// Looks through its body.
    form: Option<Box<FormWatch>>,
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
    /// A gRPC call: what is said of its end is said as gRPC does.
    pub(crate) grpc: bool,
    /// How long the whole call may take.
    pub(crate) deadline: Option<Span>,
    /// The caller keeps its connection.
    pub(crate) keep_alive: bool,
    /// The body was read before the decision: so many bytes of it stand behind the head.
    pub(crate) read_body: Option<u64>,
    /// The limit that is nearest to its end, for the answer.
    pub(crate) standing: Option<Standing>,
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

    /// The framing of what is still to come of the body.
    pub(crate) fn uploads(&self) -> Framing {
        match self.read_body {
            Some(_) => Framing::None,
            None => self.framing,
        }
    }
}

/// Writes down that, and why, the request may pass.
fn note_permit(journal: &mut Journal, permit: &Permit) {
    journal.note(|record| {
        record.outcome = match permit.observed() {
            Some(_) => Outcome::Observed,
            None => Outcome::Allowed,
        };
        record.reason = permit.observed();
        record.would_refuse = permit.would_refuse();
        record.grant_ids = permit.grants().to_vec();
        record.ruleset_version = permit.ruleset_version();
    });
}

/// Whether the answer is looked at: it may hold classified properties, and is one of the share.
fn is_watched(received: &Received<'_>) -> bool {
    let one_in = received.worker.core().config.watch_one_in;
    received.operation.is_some_and(|operation| {
        is_of_the_share(received.journal.request_id().as_str(), one_in)
            && operation.fields.iter().any(|field| field.class.weight() > 0)
    })
}

impl Admitted {
    pub(super) fn within_limits(checked: Checked<'_>) -> Result<Self, Refused> {
        let Checked { permitted, plan } = checked;
        let Permitted { mut received, who, permit, screen } = permitted;
        let worker = received.worker;
        let core = worker.core();
        let (upstream, form) = match ready(&received) {
            Ok(ready) => ready,
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
        note_permit(&mut received.journal, &permit);
        // What was judged goes on as it is, in one piece.
        if let Some(body) = received.body {
            received.fields.framing = Framing::Length(body.bytes().len() as u64);
        }
        let deadline = deadline(&received.fields, &received.api.api().timeouts);
        let traits = Traits { standing: admission.standing, ..traits(&received, deadline) };
        let forms = Forms {
            screened: screen.is_some(),
            unencoded: plan.as_ref().is_some_and(Plan::checks_responses),
        };
        let head = match compose(&received, &who, &upstream, deadline, forms) {
            Ok(head) => Some(head),
            Err(reason) => return Err(Refused::new(received.journal, reason, &received.fields)),
        };
        received
            .journal
            .set_tally(Tally { bytes_in: traits.read_body.unwrap_or(0), ..Tally::default() });
        let facts = facts(&received, who, &permit);
        let entry = Arc::new(Entry::new(facts, traits.kind()));
        let watches = screen.is_none() && is_watched(&received);
        let (journal, decided_by) = (received.journal, received.ruleset.edition());
        let registration = None;
        Ok(Self {
            journal,
            entry,
            decided_by,
            registration,
            upstream,
            head,
            traits,
            plan,
            form,
            screen,
            watches,
        })
    }

    /// From here on it is open: listed, and cut when its permission ends. A ruleset that was
    /// published since it was decided is asked here, for that publication did not see it.
    pub(crate) fn open(&mut self, worker: &Worker) {
        self.journal.is_open_as(&self.entry);
        self.registration = Some(worker.shard().register(&self.entry));
        let core = self.journal.core();
        let ruleset = core.ruleset.load();
        if ruleset.edition() == self.decided_by {
            return;
        }
        let now = core.clock.now();
        match self.entry.confirm(&ruleset, now) {
            Ok(()) => self.entry.weigh(&ruleset, now),
            Err(reason) => self.entry.is_late(reason),
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

    /// What the answer of an exchange that begins now goes through.
    pub(crate) fn outflow(&self) -> Outflow {
        let limits = &self.journal.core().config.limits;
        let inspection = self.plan.as_ref().map(|plan| plan.begin(limits));
        Outflow::new(self.form.clone(), inspection, self.screen.clone(), self.watches)
    }

    /// Writes down what was removed from the response, what the caller received, and how messages
    /// break the API's document.
    pub(crate) fn note(&mut self, noticed: Noticed) {
        let Noticed { removed, mut counts, passed, violations } = noticed;
        if removed.is_empty() && passed.is_none() {
            self.journal.note(|record| {
                record.fields_removed = counts;
                inspection::keep(&mut record.violations, violations);
            });
            return;
        }
        let ruleset = self.journal.core().ruleset.load();
        let record = self.journal.record();
        let api = record.and_then(|record| ruleset.entry(record.api_id.as_ref()?));
        let operation = record.and_then(|record| api?.operation_by_id(record.operation.as_ref()?));
        // By the names that the catalogue has now.
        let seen = passed
            .map(|(paths, more)| FieldsSeen::of(&paths, more, |path| operation?.catalogued(path)));
        let mut removed = self.known(&removed, operation);
        removed.append(&mut counts);
        self.journal.note(|record| {
            record.fields_removed = removed;
            record.fields_seen = seen;
            inspection::keep(&mut record.violations, violations);
        });
    }

    /// What was removed, by names that the document or a grant has. Others can be data themselves.
    fn known(&self, removed: &[String], operation: Option<&Operation>) -> Vec<String> {
        let knows = |path: &str| {
            operation.is_some_and(|operation| operation.describes(path))
                || self.screen.as_ref().is_some_and(|screen| screen.names(path))
        };
        let mut known: Vec<String> = removed.iter().map(|path| field::known(path, knows)).collect();
        known.sort_unstable();
        known.dedup();
        known
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

    /// The head that goes to the upstream; once.
    pub(crate) fn take_head(&mut self) -> Head {
        self.head.take().unwrap_or(Head::Http1(Vec::new()))
    }

    /// For the answer.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}

/// What let the request in.
fn facts(received: &Received<'_>, who: Verified, permit: &Permit) -> Facts {
    Facts {
        who,
        api: received.api.api().id.clone(),
        operation: received.operation.map(|operation| operation.id.clone()),
        grants: permit.grants().iter().cloned().collect(),
        request_id: received.journal.request_id().clone(),
        since: received.journal.at(),
        source: received.source,
        draw: draw_of(received.journal.request_id().as_str()),
        read: permit.read().to_vec(),
        answers: received.answers.clone(),
        rollout: received.journal.record().and_then(|record| record.rollout.clone()),
    }
}

/// In what form an answer is asked for.
#[derive(Debug, Clone, Copy)]
struct Forms {
    screened: bool,
    unencoded: bool,
}

/// What has to be there: room for the record, the upstream, and one method.
fn ready(received: &Received<'_>) -> Result<(Arc<Upstream>, Option<Box<FormWatch>>), Reason> {
    let worker = received.worker;
    worker.core().recorder.ready().map_err(|_| Reason::LogUnavailable)?;
    Ok((worker.upstream(&received.api.api().upstream)?, form(received)?))
}

/// Who looks through the form that the request brings, for another method in it. What is here is
/// looked through at once.
fn form(received: &Received<'_>) -> Result<Option<Box<FormWatch>>, Reason> {
    if received.arrival.method != "POST" {
        return Ok(None);
    }
    let named = |name: &'static str| {
        let fields = received.arrival.fields.iter();
        fields.filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    };
    let mut types: Vec<&[u8]> = named("content-type").collect();
    if types.is_empty() {
        types.push(b"");
    }
    for content_type in types {
        let Some(mut watch) = FormWatch::of(content_type)? else { continue };
        if named("content-type").nth(1).is_some() {
            // One reader looks at the first, another at the last.
            return Err(Reason::MalformedRequest);
        }
        let is_coded = |value: &[u8]| !value.eq_ignore_ascii_case(b"identity");
        if !content_type.is_empty() && named("content-encoding").any(is_coded) {
            // Nobody sees what it says before it is unpacked.
            return Err(Reason::MalformedRequest);
        }
        received.body.map_or(Ok(()), |body| watch.see(body.bytes()))?;
        return Ok(Some(Box::new(watch)));
    }
    Ok(None)
}

/// The head that the upstream gets.
fn compose(
    received: &Received<'_>,
    who: &Verified,
    upstream: &Upstream,
    deadline: Option<Span>,
    forms: Forms,
) -> Result<Head, Reason> {
    let api = received.api.api();
    let rewrite = head::Rewrite {
        arrival: received.arrival,
        fields: &received.fields,
        target: &received.target,
        prefix: &api.path,
        upstream,
        screened: forms.screened,
        unencoded: forms.unencoded,
        deadline,
        body: received.body.map(JudgedBody::bytes),
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
        read_body: received.body.map(|body| body.bytes().len() as u64),
        standing: None,
    }
}

/// What a caller gives its gRPC call, cut to what the API gives it.
fn deadline(fields: &RequestFields<'_>, timeouts: &Timeouts) -> Option<Span> {
    if fields.grpc { fields.deadline.into_iter().chain(timeouts.call).min() } else { None }
}

//! One request over HTTP/2: through the stages, to the upstream, and the head of the answer.

use std::sync::Arc;
use std::task::Poll;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use httparse::Header;
use hyper::body::{Body, Incoming};
use smallvec::SmallVec;
use traffic::Reason;
use traffic::headers::Version;
use traffic::limit::Standing;

use super::activity::Stream;
use super::relay::{Fault, Relay, ReplyHead};
use super::reply::Reply;
use crate::gate::Worker;
use crate::refusal::{Answer, Refused};
use crate::stage::{
    self, Admitted, Answered, Arrival, End, Journal, JudgedBody, Lease, Peer, Tally, Verdict,
};
use crate::upstream::connect::connect;
use crate::watching::Noticed;

/// Answers one request.
pub(super) async fn answer(
    worker: &Arc<Worker>,
    peer: &Peer,
    request: Request<Incoming>,
    stream: Stream,
) -> Response<Reply> {
    let to_head = request.method() == Method::HEAD;
    let (head, mut body) = request.into_parts();
    let admitted = match judge(worker, peer, &head, &mut body).await {
        Ok(admitted) => admitted,
        Err(refused) => return refuse(*refused, to_head).await,
    };
    match forward(worker, *admitted, body, stream).await {
        Ok(response) => response,
        Err(refused) => refuse(*refused, to_head).await,
    }
}

async fn judge(
    worker: &Worker,
    peer: &Peer,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Box<Admitted>, Box<Refused>> {
    let pending = match admit(worker, peer, head, !body.is_end_stream(), None) {
        Verdict::Admitted(admitted) => return Ok(Box::new(admitted)),
        Verdict::Refused(refused) => return Err(Box::new(refused)),
        Verdict::NeedsBody(pending) => pending,
    };
    let read = match super::body::read(worker, body, &pending).await {
        Ok(read) => read,
        Err(reason) => return Err(Box::new(Refused::and_close(pending.journal, reason))),
    };
    let judged = JudgedBody::of(read, &fields(head), pending.refuses_ambiguity);
    match admit(worker, peer, head, true, Some((pending.journal, &judged))) {
        Verdict::Admitted(admitted) => Ok(Box::new(admitted)),
        Verdict::Refused(refused) => Err(Box::new(refused)),
        Verdict::NeedsBody(pending) => {
            Err(Box::new(Refused::and_close(pending.journal, Reason::PolicyError)))
        }
    }
}

fn fields(head: &Parts) -> SmallVec<[Header<'_>; 32]> {
    let fields = head.headers.iter();
    fields.map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() }).collect()
}

fn admit(
    worker: &Worker,
    peer: &Peer,
    head: &Parts,
    streams_body: bool,
    resumed: Option<(Journal, &JudgedBody)>,
) -> Verdict {
    let fields = fields(head);
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    // As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 §6.5.2).
    let size = |field: &Header<'_>| field.name.len() + field.value.len() + 32;
    let bytes = target.len() + fields.iter().map(size).sum::<usize>();
    let limits = &worker.core().config.limits;
    if fields.len() > limits.fields || bytes > limits.head_bytes {
        let journal = worker.open_journal(peer.ip);
        return Verdict::Refused(Refused::and_close(journal, Reason::TooLarge));
    }
    let arrival = Arrival {
        version: Version::Http2,
        method: head.method.as_str(),
        target: target.as_bytes(),
        authority: head.uri.authority().map(|authority| authority.as_str().as_bytes()),
        fields: &fields,
        streams_body,
    };
    stage::admit(worker, peer, &arrival, resumed)
}

async fn refuse(refused: Refused, to_head: bool) -> Response<Reply> {
    let (answer, open) = refused.answer();
    page(&open.record(answer).await, to_head)
}

/// A refusal in HTTP/2; to a HEAD request without the body, which the library would send.
fn page(answer: &Answer, to_head: bool) -> Response<Reply> {
    let body = if to_head { Vec::new() } else { answer.body.clone() };
    let mut response = Response::new(Reply::page(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.fields() {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(standing) = answer.standing {
        tell_standing(standing, response.headers_mut());
    }
    response
}

/// How the limits of the caller stand, in the place of what the upstream may say of its own.
fn tell_standing(standing: Standing, fields: &mut HeaderMap) {
    let policy = HeaderValue::from_str(&standing.policy().to_string());
    let service = HeaderValue::from_str(&standing.service().to_string());
    if let (Ok(policy), Ok(service)) = (policy, service) {
        fields.insert(HeaderName::from_static("ratelimit-policy"), policy);
        fields.insert(HeaderName::from_static("ratelimit"), service);
    }
}

async fn forward(
    worker: &Arc<Worker>,
    mut admitted: Admitted,
    body: Incoming,
    stream: Stream,
) -> Result<Response<Reply>, Box<Refused>> {
    let traits = admitted.traits();
    let head = admitted.take_head();
    let pooled = worker.pool().check_out(&admitted.upstream().key);
    let mut may_repeat = pooled.is_some() && traits.may_repeat();
    let mut wire = match pooled {
        Some(wire) => wire,
        None => match open(worker, &admitted).await {
            Ok(wire) => wire,
            Err(reason) => return Err(fail(admitted, End::Failed(reason), Tally::default())),
        },
    };
    wire.output.replace(head);
    let mut relay = Relay::new(Arc::clone(worker), wire, body, traits, stream);
    relay.screen_by(admitted.screen().cloned(), admitted.watches());
    relay.inspect(admitted.inspection());
    let mut lease = Lease::new();
    let head = loop {
        let heard = std::future::poll_fn(|cx| match lease.poll(cx, &admitted) {
            Poll::Ready(reason) => Poll::Ready(Err(Fault::Caller(reason))),
            Poll::Pending => relay.poll_head(cx),
        });
        match heard.await {
            Ok(head) => break head,
            Err(Fault::Dead) if may_repeat => {
                may_repeat = false;
                match open(worker, &admitted).await {
                    Ok(wire) => relay.retry_on(wire),
                    Err(reason) => return Err(fail(admitted, End::Failed(reason), relay.tally())),
                }
            }
            Err(fault) => {
                note_refused(&mut admitted, &mut relay);
                return Err(fail(admitted, fault.end(), relay.tally()));
            }
        }
    };
    // An answer that may still have to be refused is not begun.
    let decided = std::future::poll_fn(|cx| match lease.poll(cx, &admitted) {
        Poll::Ready(reason) => Poll::Ready(Err(Fault::Caller(reason))),
        Poll::Pending => relay.poll_decided(cx),
    });
    if let Err(fault) = decided.await {
        note_refused(&mut admitted, &mut relay);
        return Err(fail(admitted, fault.end(), relay.tally()));
    }
    respond(admitted, relay, lease, head).await
}

async fn respond(
    mut admitted: Admitted,
    mut relay: Relay,
    lease: Lease,
    head: ReplyHead,
) -> Result<Response<Reply>, Box<Refused>> {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    *response.headers_mut() = head.fields;
    if let Ok(id) = HeaderValue::from_str(admitted.request_id()) {
        response.headers_mut().insert(HeaderName::from_static("portreeve-request-id"), id);
    }
    if let Some(standing) = admitted.traits().standing {
        tell_standing(standing, response.headers_mut());
    }
    let is_durable = relay.is_durable();
    if !(relay.response_ended() && is_durable) {
        return Ok(response.map(|()| Reply::relayed(relay, admitted, lease)));
    }
    // Without a body the head is the end of the answer, and waits for the record.
    let request_id = admitted.request_id().to_owned();
    let (tally, to_head) = (relay.tally(), admitted.traits().to_head);
    admitted.note(relay.noticed());
    relay.settle();
    match Answered::new(admitted, End::Complete, tally).record_durably().await {
        Ok(()) => Ok(response.map(|()| Reply::page(Vec::new()))),
        Err(error) => {
            tracing::error!(%error, request_id, "an answer was withheld");
            Ok(page(&Answer::unrecorded(&request_id), to_head))
        }
    }
}

/// Writes down what was noticed of an answer of which nothing went to the caller.
fn note_refused(admitted: &mut Admitted, relay: &mut Relay) {
    admitted.note(Noticed { passed: None, ..relay.noticed() });
}

async fn open(worker: &Worker, admitted: &Admitted) -> Result<crate::wire::Wire, Reason> {
    let tls = worker.core().config.upstream_tls.as_ref();
    connect(admitted.upstream(), tls, admitted.traits().timeouts.connect.to_std()).await
}

fn fail(admitted: Admitted, end: End, tally: Tally) -> Box<Refused> {
    let reason = match end {
        End::Failed(reason) | End::Caller(reason) | End::Withheld(reason) => reason,
        End::Complete => Reason::UpstreamInvalid,
    };
    Box::new(Answered::new(admitted, end, tally).into_refused(reason))
}

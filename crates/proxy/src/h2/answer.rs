//! One request over HTTP/2: through the stages, to the upstream, and the head of the answer.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use httparse::Header;
use hyper::body::{Body, Incoming};
use smallvec::SmallVec;
use traffic::headers::Version;
use traffic::limit::Standing;
use traffic::{Reason, StreamKind, grpc};

use super::activity::Stream;
use super::relay::{Fault, Http1, Relay, Side};
use super::reply::Reply;
use crate::gate::Worker;
use crate::refusal::{Answer, Refused};
use crate::stage::{
    self, Admitted, Answered, Arrival, End, JudgedBody, Lease, Needs, Peer, Resumed, Tally, Traits,
    UnderWay, Verdict,
};
use crate::upstream::Upstream;
use crate::upstream::connect::connect;
use crate::upstream::head::Head;
use crate::upstream::passage::{self, ReplyHead};
use crate::watching::Noticed;

/// How a request wants to be answered, whatever else is wrong with it.
#[derive(Debug, Clone, Copy)]
struct Manner {
    to_head: bool,
    grpc: bool,
}

impl Manner {
    fn of(request: &Request<Incoming>) -> Self {
        let content_type = request.headers().get(CONTENT_TYPE);
        Self {
            to_head: request.method() == Method::HEAD,
            grpc: content_type.is_some_and(|value| grpc::is_call(value.as_bytes())),
        }
    }
}

/// Answers one request.
pub(super) async fn answer(
    worker: &Arc<Worker>,
    peer: &Peer,
    request: Request<Incoming>,
    stream: Stream,
) -> Response<Reply> {
    let manner = Manner::of(&request);
    let (head, mut body) = request.into_parts();
    let admitted = match judge(worker, peer, &head, &mut body).await {
        Ok(admitted) => admitted,
        Err(refused) => return refuse(*refused, manner).await,
    };
    match forward(worker, *admitted, body, stream).await {
        Ok(response) => response,
        Err(refused) => refuse(*refused, manner).await,
    }
}

async fn judge(
    worker: &Worker,
    peer: &Peer,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Box<Admitted>, Box<Refused>> {
    let streams_body = !body.is_end_stream();
    let mut verdict = admit(worker, peer, head, streams_body, None);
    let mut judged = None;
    loop {
        let mut pending = match verdict {
            Verdict::Admitted(admitted) => return Ok(Box::new(admitted)),
            Verdict::Refused(refused) => return Err(Box::new(refused)),
            Verdict::Waits(pending) => pending,
        };
        let read = match pending.needs {
            Needs::Relations(..) => {
                pending.ask(&worker.core().lookups).await;
                Ok(None)
            }
            Needs::Body { refuses_ambiguity } if judged.is_none() => {
                let read = super::body::read(worker, body, &pending).await;
                read.map(|read| Some(JudgedBody::of(read, &fields(head), refuses_ambiguity)))
            }
            Needs::Body { .. } => Err(Reason::PolicyError),
        };
        match read {
            Ok(read) => judged = read.or(judged),
            Err(reason) => return Err(Box::new(Refused::and_close(pending.journal, reason))),
        }
        let resumed = Some(pending.resume(judged.as_ref()));
        verdict = admit(worker, peer, head, streams_body, resumed);
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
    resumed: Option<Resumed<'_>>,
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

async fn refuse(refused: Refused, manner: Manner) -> Response<Reply> {
    let (answer, open) = refused.answer(manner.grpc);
    page(&open.record(answer).await, manner)
}

/// A refusal in HTTP/2; to a HEAD request without the body, which the library would send. To a gRPC
/// call it is a head alone, status and all.
fn page(answer: &Answer, manner: Manner) -> Response<Reply> {
    let body = if manner.to_head { Vec::new() } else { answer.body.clone() };
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
    admitted.open(worker);
    let mut lease = Lease::new();
    let traits = admitted.traits();
    let head = admitted.take_head();
    let (side, was_open) = match open(worker, &mut admitted, &mut lease, head, false).await {
        Ok(opened) => opened,
        Err(end) => return Err(fail(admitted, end)),
    };
    let mut may_repeat = was_open && traits.may_repeat();
    let outflow = admitted.outflow();
    let mut relay = Relay::new(Arc::clone(worker), side, body, traits, stream, outflow);
    let head = loop {
        match hear(&mut relay, &mut admitted, &mut lease).await {
            Ok(head) => break head,
            Err(Fault::Dead) if may_repeat => {
                may_repeat = false;
                let Some(head) = relay.side_mut().recall() else {
                    return Err(fail(admitted, Fault::Dead.end()));
                };
                match open(worker, &mut admitted, &mut lease, head, true).await {
                    Ok((side, _)) => *relay.side_mut() = side,
                    Err(end) => return Err(fail(admitted, end)),
                }
            }
            Err(fault) => {
                note_refused(&mut admitted, &mut relay);
                return Err(fail(admitted, fault.end()));
            }
        }
    };
    if let Err(fault) = decide(&mut relay, &mut admitted, &mut lease).await {
        note_refused(&mut admitted, &mut relay);
        return Err(fail(admitted, fault.end()));
    }
    respond(admitted, relay, lease, head).await
}

/// The head of the answer, unless the permission ends before there is one.
async fn hear(
    relay: &mut Relay,
    admitted: &mut Admitted,
    lease: &mut Lease,
) -> Result<ReplyHead, Fault> {
    std::future::poll_fn(|cx| {
        let UnderWay { core, entry, tally, .. } = admitted.under_way();
        let heard = match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(Err(Fault::Caller(reason))),
            Poll::Pending => relay.poll_head(cx),
        };
        // Noted each time: the caller may leave at any.
        *tally = Tally { status: 0, ..relay.tally() };
        heard
    })
    .await
}

/// An answer that may still have to be refused is not begun.
async fn decide(
    relay: &mut Relay,
    admitted: &mut Admitted,
    lease: &mut Lease,
) -> Result<(), Fault> {
    std::future::poll_fn(|cx| {
        let UnderWay { core, entry, tally, .. } = admitted.under_way();
        let decided = match lease.poll(cx, entry, core) {
            Poll::Ready(reason) => Poll::Ready(Err(Fault::Caller(reason))),
            Poll::Pending => relay.poll_decided(cx),
        };
        *tally = Tally { status: 0, ..relay.tally() };
        decided
    })
    .await
}

/// Writes down what was noticed of an answer of which nothing went to the caller.
fn note_refused(admitted: &mut Admitted, relay: &mut Relay) {
    admitted.note(Noticed { passed: None, ..relay.noticed() });
}

async fn respond(
    mut admitted: Admitted,
    mut relay: Relay,
    lease: Lease,
    head: ReplyHead,
) -> Result<Response<Reply>, Box<Refused>> {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    if head.event_stream {
        admitted.under_way().entry.turns_out(StreamKind::EventStream);
    }
    *response.headers_mut() = head.fields;
    if let Ok(id) = HeaderValue::from_str(admitted.request_id()) {
        response.headers_mut().insert(HeaderName::from_static("portreeve-request-id"), id);
    }
    if let Some(standing) = admitted.traits().standing {
        tell_standing(standing, response.headers_mut());
    }
    if !relay.response_ended() {
        return Ok(response.map(|()| Reply::relayed(relay, admitted, lease)));
    }
    // Without a body the head is the end of the answer: it has to say so itself, and waits for the
    // record where one is waited for.
    let request_id = admitted.request_id().to_owned();
    let manner = Manner { to_head: admitted.traits().to_head, grpc: admitted.traits().grpc };
    let is_durable = relay.is_durable();
    admitted.set_tally(relay.tally());
    admitted.note(relay.noticed());
    relay.settle();
    let answered = Answered::new(admitted, End::Complete);
    let recorded = match is_durable {
        true => answered.record_durably().await,
        false => {
            answered.record();
            Ok(())
        }
    };
    match recorded {
        Ok(()) => Ok(response.map(|()| Reply::page(Vec::new()))),
        Err(error) => {
            tracing::error!(%error, request_id, "an answer was withheld");
            Ok(page(&Answer::unrecorded(&request_id, manner.grpc), manner))
        }
    }
}

/// The upstream's side with the head on its way, unless the permission ends before there is one;
/// and whether its connection had been used before. `fresh` = one that had not.
async fn open(
    worker: &Worker,
    admitted: &mut Admitted,
    lease: &mut Lease,
    head: Head,
    fresh: bool,
) -> Result<(Side, bool), End> {
    let upstream = Arc::clone(admitted.upstream());
    let traits = admitted.traits();
    let mut opening = pin!(async {
        match head {
            Head::Http1(head) => open_http1(worker, &upstream, traits, head, fresh).await,
            Head::Http2(head) => {
                let opened = passage::open(worker, &upstream, traits, head, fresh).await;
                opened.map(|(passage, was_open)| (Side::Http2(Box::new(passage)), was_open))
            }
        }
    });
    let UnderWay { core, entry, .. } = admitted.under_way();
    std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
        Poll::Ready(reason) => Poll::Ready(Err(End::Caller(reason))),
        Poll::Pending => opening.as_mut().poll(cx).map_err(End::Failed),
    })
    .await
}

async fn open_http1(
    worker: &Worker,
    upstream: &Upstream,
    traits: Traits,
    head: Vec<u8>,
    fresh: bool,
) -> Result<(Side, bool), Reason> {
    let pooled = if fresh { None } else { worker.pool().check_out(&upstream.key) };
    let was_open = pooled.is_some();
    let wire = match pooled {
        Some(wire) => wire,
        None => {
            let tls = worker.core().config.upstream_tls.as_ref();
            connect(upstream, tls, traits.timeouts.connect.to_std()).await?
        }
    };
    Ok((Side::Http1(Box::new(Http1::new(wire, head, traits, &upstream.key))), was_open))
}

fn fail(admitted: Admitted, end: End) -> Box<Refused> {
    Box::new(Answered::new(admitted, end).into_refused(end.reason()))
}

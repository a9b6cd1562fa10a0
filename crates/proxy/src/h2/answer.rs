//! One request over HTTP/2: through the stages, to the upstream, and the head of the answer.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use httparse::Header;
use hyper::body::{Body, Incoming};
use smallvec::SmallVec;
use traffic::headers::Version;
use traffic::{Reason, StreamKind};

use super::activity::Stream;
use super::relay::{Fault, Relay, ReplyHead};
use super::reply::Reply;
use crate::gate::Worker;
use crate::refusal::{Answer, MEDIA_TYPE, Refused};
use crate::stage::{self, Admitted, Answered, Arrival, End, Lease, Peer, Tally, UnderWay};
use crate::upstream::connect::connect;
use crate::wire::Wire;

/// Answers one request.
pub(super) async fn answer(
    worker: &Arc<Worker>,
    peer: &Peer,
    request: Request<Incoming>,
    stream: Stream,
) -> Response<Reply> {
    let to_head = request.method() == Method::HEAD;
    let admitted = match judge(worker, peer, &request) {
        Ok(admitted) => admitted,
        Err(refused) => return refuse(*refused, to_head).await,
    };
    match forward(worker, *admitted, request.into_body(), stream).await {
        Ok(response) => response,
        Err(refused) => refuse(*refused, to_head).await,
    }
}

fn judge(
    worker: &Worker,
    peer: &Peer,
    request: &Request<Incoming>,
) -> Result<Box<Admitted>, Box<Refused>> {
    let fields: SmallVec<[Header<'_>; 32]> = request
        .headers()
        .iter()
        .map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() })
        .collect();
    let uri = request.uri();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    // As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 §6.5.2).
    let size = |field: &Header<'_>| field.name.len() + field.value.len() + 32;
    let bytes = target.len() + fields.iter().map(size).sum::<usize>();
    let limits = &worker.core().config.limits;
    if fields.len() > limits.fields || bytes > limits.head_bytes {
        let journal = worker.open_journal(peer.ip);
        return Err(Box::new(Refused::and_close(journal, Reason::TooLarge)));
    }
    let arrival = Arrival {
        version: Version::Http2,
        method: request.method().as_str(),
        target: target.as_bytes(),
        authority: uri.authority().map(|authority| authority.as_str().as_bytes()),
        fields: &fields,
        streams_body: !request.body().is_end_stream(),
    };
    stage::admit(worker, peer, &arrival).map(Box::new).map_err(Box::new)
}

async fn refuse(refused: Refused, to_head: bool) -> Response<Reply> {
    let (answer, open) = refused.answer();
    if let Err(error) = open.record(&answer).await {
        tracing::error!(%error, "a refusal was not recorded");
    }
    page(&answer, to_head)
}

/// A refusal in HTTP/2; to a HEAD request without the body, which the library would send.
fn page(answer: &Answer, to_head: bool) -> Response<Reply> {
    let body = if to_head { Vec::new() } else { answer.body.clone() };
    let mut response = Response::new(Reply::page(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", MEDIA_TYPE);
    set("cache-control", "no-store");
    set("portreeve-request-id", &answer.request_id);
    if let Some(challenge) = &answer.challenge {
        set("www-authenticate", challenge);
    }
    if let Some(seconds) = answer.retry_after {
        set("retry-after", &seconds.to_string());
    }
    response
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
    let pooled = worker.pool().check_out(&admitted.upstream().key);
    let mut may_repeat = pooled.is_some() && traits.may_repeat();
    let mut wire = match pooled {
        Some(wire) => wire,
        None => match open(worker, &mut admitted, &mut lease).await {
            Ok(wire) => wire,
            Err(end) => return Err(fail(admitted, end)),
        },
    };
    wire.output.replace(head);
    let mut relay = Relay::new(Arc::clone(worker), wire, body, traits, stream);
    let head = loop {
        match hear(&mut relay, &mut admitted, &mut lease).await {
            Ok(head) => break head,
            Err(Fault::Dead) if may_repeat => {
                may_repeat = false;
                match open(worker, &mut admitted, &mut lease).await {
                    Ok(wire) => relay.retry_on(wire),
                    Err(end) => return Err(fail(admitted, end)),
                }
            }
            Err(fault) => return Err(fail(admitted, fault.end())),
        }
    };
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

async fn respond(
    mut admitted: Admitted,
    relay: Relay,
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
    let is_durable = relay.is_durable();
    if !(relay.response_ended() && is_durable) {
        return Ok(response.map(|()| Reply::relayed(relay, admitted, lease)));
    }
    // Without a body the head is the end of the answer, and waits for the record.
    let request_id = admitted.request_id().to_owned();
    let to_head = admitted.traits().to_head;
    admitted.set_tally(relay.tally());
    relay.settle();
    match Answered::new(admitted, End::Complete).record_durably().await {
        Ok(()) => Ok(response.map(|()| Reply::page(Vec::new()))),
        Err(error) => {
            tracing::error!(%error, request_id, "an answer was withheld");
            Ok(page(&Answer::unrecorded(&request_id), to_head))
        }
    }
}

/// A connection to the upstream, unless the permission ends before there is one.
async fn open(worker: &Worker, admitted: &mut Admitted, lease: &mut Lease) -> Result<Wire, End> {
    let tls = worker.core().config.upstream_tls.as_ref();
    let upstream = Arc::clone(admitted.upstream());
    let patience = admitted.traits().timeouts.connect.to_std();
    let mut opening = pin!(connect(&upstream, tls, patience));
    let UnderWay { core, entry, .. } = admitted.under_way();
    std::future::poll_fn(|cx| match lease.poll(cx, entry, core) {
        Poll::Ready(reason) => Poll::Ready(Err(End::Caller(reason))),
        Poll::Pending => opening.as_mut().poll(cx).map_err(End::Failed),
    })
    .await
}

fn fail(admitted: Admitted, end: End) -> Box<Refused> {
    Box::new(Answered::new(admitted, end).into_refused(end.reason()))
}

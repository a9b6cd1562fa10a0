//! What is open is registered, cut by every kind of revocation at once, and counted; what is open
//! of others is not touched.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use grant::{Grant, GrantStatus, GrantSubject};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use identity::{Credential, CredentialStatus, Group, Identity, IdentityStatus, Origin};
use policy::Change;
use testkit::{SeededEntropy, Upstream};
use token::{ApiKey, KeyLabel};
use tokio::sync::watch;
use traffic::{CutCount, Outcome, Reason, StreamKind};

use crate::kit::{self, Client, Kit, Setup, State, soon};
use crate::secure::plain;

mod terms;

/// What a kind of stream looks like over HTTP/1.1.
struct Kind {
    kind: StreamKind,
    request: fn(&str) -> String,
    /// What the upstream sends at once, and after it was told to go on.
    start: &'static str,
    more: &'static str,
    /// What of the start is the body that the caller gets.
    begun: &'static str,
}

fn get(key: &str, more: &str) -> String {
    format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n{more}\r\n")
}

fn post(key: &str) -> String {
    format!(
        "POST /orders HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\ncontent-length: 99\r\n\r\nabc"
    )
}

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmore";

const EVENTS: Kind = Kind {
    kind: StreamKind::EventStream,
    request: |key| get(key, ""),
    start: "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream;charset=utf-8\r\n\
            transfer-encoding: chunked\r\n\r\n5\r\nevent\r\n",
    more: "4\r\nmore\r\n",
    begun: "5\r\nevent\r\n",
};

const WEBSOCKET: Kind = Kind {
    kind: StreamKind::WebSocket,
    request: |key| get(key, "connection: upgrade\r\nupgrade: websocket\r\n"),
    start: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
            upgrade: websocket\r\n\r\n\x01\x05hello",
    more: "\x01\x04more",
    begun: "\x01\x05hello",
};

const DOWNLOAD: Kind = Kind {
    kind: StreamKind::Body,
    request: |key| get(key, ""),
    start: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegun",
    more: "more",
    begun: "begun",
};

const UPLOAD: Kind =
    Kind { kind: StreamKind::Body, request: post, start: "", more: ANSWER, begun: "" };

const WAIT: Kind = Kind { request: |key| get(key, ""), ..UPLOAD };

/// An upstream that begins, and goes on when told.
async fn upstream(kind: &Kind, go: &watch::Sender<bool>) -> Upstream {
    let (start, more, go) = (kind.start, kind.more, go.clone());
    Upstream::scripted(move |mut conversation| {
        let mut go = go.subscribe();
        async move {
            conversation.head().await?;
            conversation.send(start).await?;
            tokio::select! {
                _ = conversation.rest() => return Ok(()),
                told = go.wait_for(|go| *go) => drop(told),
            }
            conversation.send(more).await?;
            conversation.rest().await.map(drop)
        }
    })
    .await
}

pub fn other_key() -> ApiKey {
    ApiKey::generate(KeyLabel::Demo, &mut SeededEntropy::new(3))
}

pub fn group(members: &[&str]) -> Group {
    Group {
        id: "clerks".parse().unwrap(),
        name: "clerks".to_owned(),
        members: members.iter().map(|member| member.parse().unwrap()).collect(),
        groups: Vec::new(),
        origin: Origin::Console,
        created_at: base::Timestamp::from_secs(0),
    }
}

/// The caller holds by its group; another one holds a grant of its own.
pub fn two_callers(state: &mut State) {
    state.grant.subject = GrantSubject::Group("clerks".parse().unwrap());
    state.more.push(Change::Group(group(&["svc-billing"])));
    let other = Identity { id: "svc-other".parse().unwrap(), ..kit::identity() };
    let key = kit::credential(&other, &kit::pepper(), &other_key());
    let held = kit::grant(&other);
    state.more.extend([
        Change::Credential(Credential { id: "cred-other".parse().unwrap(), ..key }),
        Change::Grant(Grant { id: "g-other".parse().unwrap(), ..held }),
        Change::Identity(Identity { name: "other".to_owned(), ..other }),
    ]);
}

pub type Revocation = (fn(State) -> Change, Reason);

pub const REVOCATIONS: [Revocation; 4] = [
    (|state| Change::Grant(Grant { status: GrantStatus::Revoked, ..state.grant }), Reason::NoGrant),
    (
        |state| {
            let revoked = CredentialStatus::Revoked;
            Change::Credential(Credential { status: revoked, ..state.credential })
        },
        Reason::CredentialRevoked,
    ),
    (
        |state| {
            let suspended = IdentityStatus::Suspended;
            Change::Identity(Identity { status: suspended, ..state.identity })
        },
        Reason::IdentityInactive,
    ),
    (|_| Change::Group(group(&[])), Reason::NoGrant),
];

/// Reads the head, if the kind has one before it goes on, and what of the body comes with it.
async fn begin(kind: &Kind, client: &mut Client, key: &str) {
    client.send((kind.request)(key)).await;
    if !kind.start.is_empty() {
        client.head().await.unwrap();
        assert_eq!(client.bytes(kind.begun.len()).await, kind.begun.as_bytes());
    }
}

/// Opens a stream of each of the two callers, revokes, and looks at what became of them.
async fn revoke(kind: &Kind, (revocation, reason): Revocation) -> (Vec<u8>, u16) {
    let go = watch::Sender::new(false);
    let upstream = upstream(kind, &go).await;
    // On threads of their own, as they are in a real gate.
    let setup = Setup { adjust: Box::new(two_callers), workers: 2, ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let (mut caller, mut other) = (kit.connect().await, kit.connect().await);
    begin(kind, &mut other, other_key().expose()).await;
    kit.open(1).await;
    begin(kind, &mut caller, &kit.key).await;
    kit.open(2).await;
    let open = kit.streams.list(9, &|open| open.identity_id.as_str() == "svc-billing");
    assert_eq!((open.len(), open[0].kind), (1, kind.kind));
    assert_eq!(open[0].credential_id.as_str(), "cred-1");
    assert_eq!(open[0].grant_ids[0].as_str(), "g-1");

    let count = kit.publish(revocation(kit.state())).await;
    assert_eq!(count, CutCount { cut: 1, open: 0 });
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(reason)));
    assert_eq!(record.request_id, open[0].request_id);
    assert_eq!(record.grant_ids.len(), 1, "it was allowed, and by this");
    let rest = caller.rest().await;

    let left = kit.streams.list(9, &|_| true);
    let left: Vec<_> = left.iter().map(|open| open.identity_id.as_str()).collect();
    assert_eq!(left, ["svc-other"], "it is not concerned");
    go.send_replace(true);
    if kind.more == ANSWER {
        assert_eq!(other.response().await.body, b"more");
    } else {
        assert_eq!(other.bytes(kind.more.len()).await, kind.more.as_bytes());
    }
    drop(other);
    kit.record().await;
    kit.no_more_records().await;
    kit.open(0).await;
    (rest, record.status)
}

#[tokio::test]
async fn row_25_an_event_stream_ends_without_a_last_chunk() {
    for revocation in REVOCATIONS {
        assert_eq!(revoke(&EVENTS, revocation).await, (Vec::new(), 200));
    }
}

#[tokio::test]
async fn row_25_a_websocket_ends_with_a_close_frame_that_says_why() {
    let close = b"\x88\x12\x03\xf0permission ended".to_vec();
    for revocation in REVOCATIONS {
        assert_eq!(revoke(&WEBSOCKET, revocation).await, (close.clone(), 101));
    }
}

#[tokio::test]
async fn within_a_frame_a_websocket_just_ends() {
    let half = Kind {
        start: concat!(
            "HTTP/1.1 101 x\r\nconnection: upgrade\r\n",
            "upgrade: websocket\r\n\r\n\x01\x05hel"
        ),
        begun: "\x01\x05hel",
        ..WEBSOCKET
    };
    assert_eq!(revoke(&half, REVOCATIONS[0]).await, (Vec::new(), 101));
}

#[tokio::test]
async fn row_25_a_download_breaks_off() {
    for revocation in REVOCATIONS {
        assert_eq!(revoke(&DOWNLOAD, revocation).await, (Vec::new(), 200));
    }
}

#[tokio::test]
async fn row_25_who_still_sends_or_waits_is_told_why_there_is_no_answer() {
    for kind in [UPLOAD, WAIT] {
        for revocation in REVOCATIONS {
            let (answer, status) = revoke(&kind, revocation).await;
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains(revocation.1.as_str()), "{answer}");
            assert_eq!(status, revocation.1.status());
        }
    }
}

fn request(key: &str) -> Request<Empty<Bytes>> {
    let request = Request::get("http://api/orders/42").header("x-api-key", key);
    request.body(Empty::new()).unwrap()
}

async fn next(body: &mut Incoming) -> Option<Bytes> {
    soon(body.frame()).await.unwrap().ok().map(|frame| frame.into_data().unwrap())
}

#[tokio::test]
async fn row_25_over_http2_one_stream_is_reset_and_the_others_of_its_connection_go_on() {
    for (revocation, reason) in REVOCATIONS {
        let go = watch::Sender::new(false);
        let upstream = upstream(&EVENTS, &go).await;
        let setup = Setup { adjust: Box::new(two_callers), ..Setup::default() };
        let kit = Kit::with(&upstream.url(), setup).await;
        let mut sender = plain(&kit).await;
        let mine = soon(sender.send_request(request(&kit.key))).await.unwrap();
        let other = soon(sender.send_request(request(other_key().expose()))).await.unwrap();
        let (mut mine, mut other) = (mine.into_body(), other.into_body());
        assert_eq!(next(&mut mine).await.unwrap(), "event");
        assert_eq!(next(&mut other).await.unwrap(), "event");
        assert_eq!(kit.publish(revocation(kit.state())).await, CutCount { cut: 1, open: 0 });
        assert_eq!(next(&mut mine).await, None, "no false end");
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(reason)));
        assert_eq!((record.status, record.bytes_out), (200, 5));
        go.send_replace(true);
        assert_eq!(next(&mut other).await.unwrap(), "more");
        drop((other, sender));
        kit.record().await;
        kit.open(0).await;
    }
}

/// The library asks for no more of an answer whose caller does not take what it has.
#[tokio::test]
async fn row_25_over_http2_a_stream_that_nobody_takes_from_is_cut_too() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let upstream = Upstream::scripted(move |mut conversation| {
        let counter = Arc::clone(&counter);
        async move {
            conversation.request().await?;
            conversation.send("HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n").await?;
            while conversation.send([0; 8_192]).await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let response = soon(sender.send_request(request(&kit.key))).await.unwrap();
    // Nothing moves any more, most likely; if something does, the test passes as well.
    let mut before = usize::MAX;
    while sent.load(Ordering::SeqCst) != before {
        before = sent.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let gone = Grant { status: GrantStatus::Revoked, ..kit.state().grant };
    assert_eq!(kit.publish(Change::Grant(gone)).await, CutCount { cut: 1, open: 0 });
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    assert!(response.into_body().collect().await.is_err(), "no false end");
}

//! What is open when its permission ends is cut, and recorded once.

use bytes::Bytes;
use grant::GrantStatus;
use http::Request;
use http_body_util::{BodyExt, Empty};
use identity::{CredentialStatus, IdentityStatus};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, State, soon};
use crate::secure::plain;

/// Sends this once, and then nothing until the gate ends the connection.
async fn streaming(start: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        conversation.request().await?;
        conversation.send(start).await?;
        conversation.rest().await.map(drop)
    })
    .await
}

const EVENTS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent\r\n";

async fn cut(kit: &Kit, status: u16, reason: Reason) {
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(reason)));
    assert_eq!((record.status, record.bytes_out), (status, 5));
    assert_eq!(record.grant_ids.len(), 1, "it was allowed, and by this");
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_permission() {
    type Case = (fn(&mut State), Reason);
    let cases: [Case; 3] = [
        (|state| state.grant.status = GrantStatus::Revoked, Reason::NoGrant),
        (|state| state.credential.status = CredentialStatus::Revoked, Reason::CredentialRevoked),
        (|state| state.identity.status = IdentityStatus::Suspended, Reason::IdentityInactive),
    ];
    for (change, reason) in cases {
        let upstream = streaming(EVENTS).await;
        let kit = Kit::start(&upstream.url()).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        client.head().await.unwrap();
        assert_eq!(client.chunk().await.unwrap(), b"event");
        kit.change(change);
        assert_eq!(client.rest().await, b"", "no false end");
        cut(&kit, 200, reason).await;
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_grant_does() {
    let upstream = streaming(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    let end = base::Clock::now(&kit.clock) + base::Span::from_secs(60);
    kit.change(|state| state.grant.expires_at = Some(end));
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"event");
    kit.clock.set(end);
    assert_eq!(client.rest().await, b"");
    cut(&kit, 200, Reason::NoGrant).await;
}

#[tokio::test]
async fn a_websocket_ends_with_its_permission() {
    let switched = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                    upgrade: websocket\r\n\r\nhello";
    let upstream = streaming(switched).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("connection: upgrade\r\nupgrade: websocket\r\n")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 101"));
    assert_eq!(client.bytes(5).await, b"hello");
    kit.change(|state| state.grant.status = GrantStatus::Revoked);
    assert_eq!(client.rest().await, b"");
    cut(&kit, 101, Reason::NoGrant).await;
}

#[tokio::test]
async fn over_http2_a_stream_ends_with_its_permission() {
    let upstream = streaming(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let request = Request::get("http://api/orders/42").header("x-api-key", &kit.key);
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap());
    let mut body = soon(response).await.unwrap().into_body();
    assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), "event");
    kit.change(|state| state.grant.status = GrantStatus::Revoked);
    assert!(soon(body.frame()).await.unwrap().is_err(), "no false end");
    cut(&kit, 200, Reason::NoGrant).await;
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_is_told_why_it_gets_none() {
    let upstream = streaming("").await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    while upstream.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    kit.change(|state| state.grant.status = GrantStatus::Revoked);
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (403, "no_grant"));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    kit.no_more_records().await;
}

#[tokio::test]
async fn over_http2_a_request_that_waits_is_told_why_it_gets_no_answer() {
    let upstream = streaming("").await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let request = Request::get("http://api/orders/42").header("x-api-key", &kit.key);
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap());
    let response = tokio::spawn(response);
    while upstream.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    kit.change(|state| state.grant.status = GrantStatus::Revoked);
    let response = soon(response).await.unwrap().unwrap();
    assert_eq!(response.status(), 403);
    let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("no_grant"), "{body:?}");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    kit.no_more_records().await;
}

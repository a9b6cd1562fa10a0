//! How requests over HTTP/2 end when something is in their way.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use testkit::Upstream;
use testkit::upstream::OK;
use traffic::Outcome;

use crate::kit::{Kit, Setup, soon};
use crate::secure::plain;

const SHORT: Duration = Duration::from_millis(20);

pub fn request(kit: &Kit, method: Method) -> Request<Empty<Bytes>> {
    let put = method == Method::PUT;
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = "http://api/orders/42".parse().unwrap();
    request.headers_mut().insert("x-api-key", kit.key.parse().unwrap());
    if put {
        request.headers_mut().insert("content-length", "0".parse().unwrap());
    }
    request
}

#[tokio::test]
async fn what_is_sent_again_over_another_connection_is_the_whole_head() {
    for method in [Method::GET, Method::PUT] {
        let upstream = Upstream::scripted(|mut conversation| async move {
            conversation.request().await?;
            conversation.send(OK).await?;
            // The first connection dies with its second request.
            conversation.request().await.map(drop)
        })
        .await;
        let kit = Kit::start(&upstream.url()).await;
        let mut sender = plain(&kit).await;
        for _ in 0..2 {
            let response = soon(sender.send_request(request(&kit, method.clone()))).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{method}");
            soon(response.into_body().collect()).await.unwrap();
            assert_eq!(kit.record().await.outcome, Outcome::Allowed);
        }
        let seen = upstream.seen();
        assert_eq!((seen.len(), upstream.connections()), (3, 2), "{method}");
        assert_eq!(seen[1].head, seen[2].head);
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_with_a_reason_and_a_record() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let mut large = request(&kit, Method::GET);
    for number in 0..40 {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        large.headers_mut().insert(name, "x".repeat(1_000).parse().unwrap());
    }
    let response = soon(sender.send_request(large)).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Refused, 413));
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn a_refusal_of_head_has_no_body() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let mut refused = request(&kit, Method::HEAD);
    refused.headers_mut().remove("x-api-key");
    let response = soon(sender.send_request(refused)).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(soon(response.into_body().collect()).await.unwrap().to_bytes(), "");
    assert_eq!(kit.record().await.status, 401);
}

/// Answers the first connection with more than any caller takes at once, the others as usual.
async fn abundant() -> Upstream {
    Upstream::scripted(|mut conversation| async move {
        if conversation.number > 1 {
            while conversation.request().await?.is_some() {
                conversation.send(OK).await?;
            }
            return Ok(());
        }
        conversation.request().await?;
        conversation.send("HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n").await?;
        // Until the gate, whose caller takes nothing, closes.
        while conversation.send([0; 8_192]).await.is_ok() {}
        Ok(())
    })
    .await
}

fn impatient() -> Setup {
    let mut setup = Setup::default();
    // Longer: a busy machine must not take so long before the first request.
    setup.config.patience.keep_alive = SHORT * 25;
    setup.config.patience.lag = SHORT;
    setup
}

#[tokio::test]
async fn row_19_a_caller_that_takes_nothing_loses_its_connection() {
    let upstream = abundant().await;
    let kit = Kit::with(&upstream.url(), impatient()).await;
    let mut sender = plain(&kit).await;
    let response = soon(sender.send_request(request(&kit, Method::GET))).await.unwrap();
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Cancelled, 200));
    assert!(response.into_body().collect().await.is_err(), "no false end");
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_stream_that_waits_for_its_upstream_outlives_idle_connections() {
    let (go, told) = tokio::sync::oneshot::channel::<()>();
    let told = std::sync::Mutex::new(Some(told));
    let upstream = Upstream::scripted(move |mut conversation| {
        let told = told.lock().unwrap().take();
        async move {
            conversation.request().await?;
            conversation.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").await?;
            told.unwrap().await.unwrap();
            conversation.send("late").await
        }
    })
    .await;
    let mut setup = Setup::default();
    setup.config.patience.keep_alive = SHORT;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = plain(&kit).await;
    let response = soon(sender.send_request(request(&kit, Method::GET))).await.unwrap();
    // Many times what an idle connection is kept for.
    tokio::time::sleep(SHORT * 20).await;
    go.send(()).unwrap();
    let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
    assert_eq!(body, "late");
}

#[tokio::test]
async fn row_19_other_streams_do_not_keep_one_that_is_not_taken_from() {
    let upstream = abundant().await;
    let kit = Kit::with(&upstream.url(), impatient()).await;
    let mut sender = plain(&kit).await;
    let response = soon(sender.send_request(request(&kit, Method::GET))).await.unwrap();
    let busy = async {
        while let Ok(other) = sender.send_request(request(&kit, Method::GET)).await {
            if other.into_body().collect().await.is_err() {
                break;
            }
        }
    };
    soon(busy).await;
    assert!(response.into_body().collect().await.is_err(), "no false end");
}

/// Asks for the head of an answer over HTTP/2.
pub async fn head(kit: &Kit) -> (u16, http::HeaderMap) {
    let mut sender = plain(kit).await;
    let response = soon(sender.send_request(request(kit, Method::HEAD))).await.unwrap();
    let (head, _) = response.into_parts();
    (head.status.as_u16(), head.headers)
}

/// Asks for a path over HTTP/2: the status and the body as far as it came.
pub async fn get(kit: &Kit, path: &str) -> (u16, Vec<u8>) {
    let mut sender = plain(kit).await;
    let mut request = request(kit, Method::GET);
    *request.uri_mut() = format!("http://api{path}").parse().unwrap();
    let response = soon(sender.send_request(request)).await.unwrap();
    let status = response.status().as_u16();
    (status, soon(response.into_body().collect()).await.unwrap().to_bytes().to_vec())
}

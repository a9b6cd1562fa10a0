//! Limits as callers meet them: what is refused and what that says, what counts and what does not,
//! and that places are given back however a request ends.

use base::Span;
use bytes::Bytes;
use catalog::{ApiMode, Impact};
use grant::GrantStatus;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Client, Kit, Response, Setup, State, soon};
use crate::secure::plain;

/// A gate whose API has these limits.
async fn limited(upstream: &Upstream, limits: &[&str]) -> Kit {
    let limits: Vec<traffic::Limit> = limits.iter().map(|text| text.parse().unwrap()).collect();
    let adjust = move |state: &mut State| state.api.limits.clone_from(&limits);
    Kit::with(&upstream.url(), Setup { adjust: Box::new(adjust), ..Setup::default() }).await
}

async fn get(kit: &Kit) -> Response {
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.response().await
}

fn told(response: &Response) -> (Option<&str>, Option<&str>) {
    (response.field("ratelimit-policy"), response.field("ratelimit"))
}

#[tokio::test]
async fn a_refusal_says_which_limit_was_reached_and_when_to_come_again() {
    let upstream = Upstream::start().await;
    let kit = limited(&upstream, &["2/min per identity burst 2"]).await;
    for _ in 0..2 {
        assert_eq!(get(&kit).await.status, 200);
        assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    }
    let response = get(&kit).await;
    assert_eq!((response.status, response.reason().as_str()), (429, "rate_limited"));
    assert_eq!(response.field("retry-after"), Some("30"));
    let policy = "\"per-identity-minute\";q=2;w=60";
    assert_eq!(told(&response), (Some(policy), Some("\"per-identity-minute\";r=0;t=30")));
    let page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(page["type"], "https://portreeve.dev/problems/rate-limited");
    assert_eq!(page["violated-policies"], serde_json::json!(["per-identity-minute"]));
    let detail =
        "The limit `per-identity-minute` of orders, 2/min per identity burst 2, is reached.";
    assert_eq!(page["detail"], detail);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(Reason::RateLimited)));
    assert_eq!(record.grant_ids, [], "nothing was let through");
    assert_eq!(upstream.seen().len(), 2);
    // Who comes back when told passes.
    kit.clock.advance(Span::from_secs(30));
    assert_eq!(get(&kit).await.status, 200);
}

#[tokio::test]
async fn a_quota_that_is_used_up_ends_with_its_day() {
    let upstream = Upstream::start().await;
    let kit = limited(&upstream, &["1/day per grant"]).await;
    assert_eq!(get(&kit).await.status, 200);
    let response = get(&kit).await;
    assert_eq!((response.status, response.reason().as_str()), (429, "quota_exceeded"));
    // The clock of the kit stands at nine in the morning.
    assert_eq!(response.field("retry-after"), Some("54000"));
    let policy = "\"per-grant-day\";q=1;w=86400";
    assert_eq!(told(&response), (Some(policy), Some("\"per-grant-day\";r=0;t=54000")));
    kit.clock.advance(Span::from_secs(54_000));
    assert_eq!(get(&kit).await.status, 200);
}

#[tokio::test]
async fn what_is_refused_by_one_limit_or_for_another_reason_uses_no_other() {
    let upstream = Upstream::start().await;
    let kit = limited(&upstream, &["1/min per source", "5/day per api"]).await;
    assert_eq!(told(&get(&kit).await).1, Some("\"per-source-minute\";r=0;t=60"));
    for _ in 0..9 {
        assert_eq!(get(&kit).await.reason(), "rate_limited");
    }
    for wrong in
        ["GET /none HTTP/1.1\r\nhost: api\r\n\r\n", "GET /orders/42 HTTP/1.1\r\nhost: api\r\n\r\n"]
    {
        let mut client = kit.connect().await;
        client.send(wrong).await;
        assert!(matches!(client.response().await.status, 401 | 404));
    }
    *kit.recorder.ready.lock().unwrap() = Err(portreeve_proxy::RecordError::Full);
    assert_eq!(get(&kit).await.status, 503);
    *kit.recorder.ready.lock().unwrap() = Ok(());
    kit.clock.advance(Span::from_secs(60));
    let mut left = Vec::new();
    for _ in 0..4 {
        left.push(get(&kit).await.status);
        kit.clock.advance(Span::from_secs(60));
    }
    assert_eq!(left, [200; 4], "of five a day one was used");
    assert_eq!(get(&kit).await.reason(), "quota_exceeded");
}

#[tokio::test]
async fn the_limit_that_is_nearest_to_its_end_is_told_in_the_place_of_the_upstreams() {
    let answer = "HTTP/1.1 200 OK\r\nRateLimit: \"theirs\";r=7\r\nratelimit-policy: \"theirs\";q=9\r\n\
                  x-ratelimit-limit: 9\r\ncontent-length: 0\r\n\r\n";
    let upstream = Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(answer).await?;
        }
        Ok(())
    })
    .await;
    let kit = limited(&upstream, &["100/s per identity", "4/day per credential"]).await;
    let response = get(&kit).await;
    assert_eq!(response.status, 200);
    let policy = "\"per-credential-day\";q=4;w=86400";
    assert_eq!(told(&response), (Some(policy), Some("\"per-credential-day\";r=3;t=54000")));
    let fields = response.head.to_lowercase().matches("\r\nratelimit").count();
    assert_eq!(fields, 2, "no field twice: {}", response.head);
    assert_eq!(response.field("x-ratelimit-limit"), Some("9"), "another field");
    // Without limits the upstream's own travel.
    kit.change(|state| state.api.limits.clear());
    assert_eq!(told(&get(&kit).await), (Some("\"theirs\";q=9"), Some("\"theirs\";r=7")));
}

#[tokio::test]
async fn over_http2_the_same_is_told() {
    let answer = "HTTP/1.1 200 OK\r\nratelimit: \"theirs\";r=7\r\ncontent-length: 0\r\n\r\n";
    let upstream = Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(answer).await?;
        }
        Ok(())
    })
    .await;
    let kit = limited(&upstream, &["1/min per identity"]).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let request = || {
        let request = Request::get("http://api/orders/42").header("x-api-key", &kit.key);
        request.body(Empty::new()).unwrap()
    };
    let first = soon(sender.send_request(request())).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let told: Vec<_> = first.headers().get_all("ratelimit").iter().collect();
    assert_eq!(told, ["\"per-identity-minute\";r=0;t=60"]);
    assert_eq!(first.headers()["ratelimit-policy"], "\"per-identity-minute\";q=1;w=60");
    soon(first.into_body().collect()).await.unwrap();
    let second = soon(sender.send_request(request())).await.unwrap();
    assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(second.headers()["retry-after"], "60");
    assert_eq!(second.headers()["ratelimit"], "\"per-identity-minute\";r=0;t=60");
    assert_eq!(second.headers()["ratelimit-policy"], "\"per-identity-minute\";q=1;w=60");
}

#[tokio::test]
async fn a_dear_operation_uses_more_of_what_all_share() {
    let upstream = Upstream::start().await;
    let kit = limited(&upstream, &["10/day per identity"]).await;
    kit.change(|state| {
        state.api.costs.insert("getOrder".parse().unwrap(), 4);
    });
    let left = ["6", "2"];
    for left in left {
        let response = get(&kit).await;
        assert_eq!(
            told(&response).1,
            Some(format!("\"per-identity-day\";r={left};t=54000").as_str())
        );
    }
    assert_eq!(get(&kit).await.reason(), "quota_exceeded", "two are left, and it costs four");
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 0\r\n", "")).await;
    assert_eq!(client.response().await.status, 200, "this one costs one");
}

#[tokio::test]
async fn observed_calls_are_held_against_limits_too() {
    let upstream = Upstream::start().await;
    let kit = limited(&upstream, &["1/day per grant"]).await;
    kit.change(|state| {
        state.api.mode = ApiMode::Observe;
        state.grant.status = GrantStatus::Revoked;
    });
    assert_eq!(get(&kit).await.status, 200);
    assert_eq!(kit.record().await.outcome, Outcome::Observed);
    assert_eq!(get(&kit).await.reason(), "quota_exceeded");
}

/// An upstream that never answers its first connection, and the others as usual.
async fn hanging(start: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        if conversation.number > 1 {
            while conversation.request().await?.is_some() {
                conversation.send(testkit::upstream::OK).await?;
            }
            return Ok(());
        }
        conversation.request().await?;
        conversation.send(start).await?;
        conversation.rest().await.map(drop)
    })
    .await
}

async fn open(kit: &Kit) -> Client {
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    client
}

const EVENTS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent\r\n";

#[tokio::test]
async fn a_place_is_given_back_when_the_caller_leaves() {
    let upstream = hanging(EVENTS).await;
    let kit = limited(&upstream, &["1 concurrent per identity"]).await;
    let stream = open(&kit).await;
    let response = get(&kit).await;
    assert_eq!((response.status, response.reason().as_str()), (429, "concurrency_limited"));
    assert_eq!(response.field("retry-after"), Some("1"));
    let policy = "\"per-identity-concurrent\";q=1;qu=\"concurrent-requests\"";
    assert_eq!(told(&response), (Some(policy), Some("\"per-identity-concurrent\";r=0;t=1")));
    assert_eq!(kit.record().await.reason, Some(Reason::ConcurrencyLimited));
    drop(stream);
    assert_eq!(kit.record().await.outcome, Outcome::Cancelled);
    assert_eq!(get(&kit).await.status, 200);
    assert_eq!(get(&kit).await.status, 200, "and when it is answered");
}

#[tokio::test]
async fn a_place_is_given_back_when_a_stream_is_cut() {
    let upstream = hanging(EVENTS).await;
    let kit = limited(&upstream, &["1 concurrent per identity"]).await;
    let mut stream = open(&kit).await;
    kit.change(|state| state.grant.status = GrantStatus::Revoked);
    stream.rest().await;
    assert_eq!(kit.record().await.reason, Some(Reason::NoGrant));
    kit.change(|state| state.grant.status = GrantStatus::Active);
    assert_eq!(get(&kit).await.status, 200);
}

#[tokio::test]
async fn a_place_is_given_back_when_the_upstream_fails() {
    let upstream =
        hanging("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n").await;
    let kit = limited(&upstream, &["1 concurrent per identity"]).await;
    assert_eq!(get(&kit).await.status, 502);
    assert_eq!(get(&kit).await.status, 200);
}

#[tokio::test]
async fn a_place_is_given_back_when_a_stream_of_http2_is_reset() {
    let upstream = hanging(EVENTS).await;
    let kit = limited(&upstream, &["1 concurrent per identity"]).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let request = || {
        let request = Request::get("http://api/orders/42").header("x-api-key", &kit.key);
        request.body(Empty::new()).unwrap()
    };
    let stream = soon(sender.send_request(request())).await.unwrap();
    assert_eq!(stream.headers()["ratelimit"], "\"per-identity-concurrent\";r=0");
    let refused = soon(sender.send_request(request())).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(kit.record().await.reason, Some(Reason::ConcurrencyLimited));
    drop(stream);
    assert_eq!(kit.record().await.outcome, Outcome::Cancelled);
    let after = soon(sender.send_request(request())).await.unwrap();
    assert_eq!(after.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_overloaded_gate_refuses_low_impact_first_and_says_when_to_come_again() {
    let upstream = hanging(EVENTS).await;
    let mut setup = Setup::default();
    setup.config.limits.in_flight = 1;
    setup.adjust = Box::new(|state: &mut State| {
        for operation in &mut state.api.operations {
            let is_read = operation.id.as_str() == "getOrder";
            operation.impact = if is_read { Impact::Low } else { Impact::High };
        }
    });
    let kit = Kit::with(&upstream.url(), setup).await;
    let stream = open(&kit).await;
    let response = get(&kit).await;
    assert_eq!((response.status, response.reason().as_str()), (503, "overloaded"));
    assert_eq!(response.field("retry-after"), Some("4"));
    assert_eq!(told(&response), (None, None), "it is no limit of the caller's");
    assert_eq!(kit.record().await.reason, Some(Reason::Overloaded));
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 0\r\n", "")).await;
    assert_eq!(client.response().await.status, 200, "high impact has its reserve");
    kit.record().await;
    drop(stream);
    kit.record().await;
    assert_eq!(get(&kit).await.status, 200);
}

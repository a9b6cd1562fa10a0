//! What a caller sees and what the upstream sees, without attack.

use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Setup, soon};

#[tokio::test]
async fn without_a_credential_the_caller_is_told_what_the_api_takes() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send("GET /orders/42 HTTP/1.1\r\nhost: api\r\n\r\n").await;
    let response = client.response().await;
    assert_eq!(response.status, 401);
    assert_eq!(response.field("content-type"), Some("application/problem+json"));
    assert_eq!(response.field("www-authenticate"), Some("Bearer realm=\"orders\""));
    let record = kit.record().await;
    let page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let expected = serde_json::json!({
        "type": "https://portreeve.dev/problems/no-credential",
        "title": "No credential",
        "status": 401,
        "detail": "orders takes a token or a key.",
        "reason": "no_credential",
        "hint": "portreeve key issue demo-client --api orders",
        "request_id": record.request_id.as_str(),
    });
    assert_eq!(page, expected);
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(Reason::NoCredential)));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_permitted_request_arrives_with_the_identity_and_without_the_credential() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("traceparent: 00-1-2-01\r\naccept: */*\r\n")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.body.as_slice()), (200, b"{\"id\":42}".as_slice()));
    let record = kit.record().await;
    assert_eq!(response.field("portreeve-request-id"), Some(record.request_id.as_str()));
    let expected = format!(
        "GET /orders/42 HTTP/1.1\r\nhost: {}\r\ntraceparent: 00-1-2-01\r\naccept: */*\r\n\
         x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: api\r\n\
         portreeve-identity: svc-billing\r\nportreeve-credential: cred-1\r\n\
         portreeve-request-id: {}\r\n\r\n",
        upstream.address(),
        record.request_id,
    );
    assert_eq!(upstream.seen()[0].head, expected);
    assert_eq!((record.outcome, record.reason), (Outcome::Allowed, None));
    assert_eq!(record.grant_ids, ["g-1".parse().unwrap()]);
    assert_eq!(record.operation, Some("getOrder".parse().unwrap()));
    assert_eq!((record.status, record.bytes_out, record.ruleset_version), (200, 9, 1));
}

#[tokio::test]
async fn workers_on_their_own_threads_share_one_port_and_end_together() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), Setup { workers: 2, ..Setup::default() }).await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..16 {
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.status, 200);
        assert!(ids.insert(kit.record().await.request_id.to_string()), "unique across workers");
    }
    // A revocation holds for all of them at once.
    kit.change(|state| state.grant.status = grant::GrantStatus::Revoked);
    for _ in 0..16 {
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.reason(), "no_grant");
    }
    kit.shutdown.cancel();
    assert_eq!(soon(kit.serving).await.unwrap().cut, 0);
    assert!(upstream.connections() <= 2);
}

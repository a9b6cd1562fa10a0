//! Rows 12 to 17 as far as the gate is concerned, and row 23: who is not permitted does not pass,
//! whatever is wrong.

use base::{Span, Timestamp};
use identity::{CredentialStatus, IdentityStatus};
use portreeve_proxy::RecordError;
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Setup, State};

/// The ordinary request, in a world changed by `adjust`, is refused with this reason.
async fn refused(adjust: impl Fn(&mut State) + 'static, status: u16, reason: Reason) {
    let upstream = Upstream::start().await;
    let kit =
        Kit::with(&upstream.url(), Setup { adjust: Box::new(adjust), ..Setup::default() }).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (status, reason.as_str()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(reason)));
    assert_eq!(record.grant_ids, []);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn who_is_not_permitted_does_not_pass() {
    refused(
        |state| state.credential.status = CredentialStatus::Revoked,
        401,
        Reason::CredentialRevoked,
    )
    .await;
    refused(
        |state| state.credential.status = CredentialStatus::Suspended,
        401,
        Reason::CredentialRevoked,
    )
    .await;
    refused(
        |state| state.credential.expires_at = Some(Timestamp::from_secs(1)),
        401,
        Reason::CredentialExpired,
    )
    .await;
    refused(
        |state| state.identity.status = IdentityStatus::Suspended,
        401,
        Reason::IdentityInactive,
    )
    .await;
    refused(|state| state.grant.status = grant::GrantStatus::Revoked, 403, Reason::NoGrant).await;
    refused(|state| state.grant.expires_at = Some(Timestamp::from_secs(1)), 403, Reason::NoGrant)
        .await;
    refused(|state| state.api.operations.clear(), 403, Reason::UnknownOperation).await;
    refused(|state| state.api.path = "/other".to_owned(), 404, Reason::UnknownApi).await;
    refused(|state| state.api.hosts = vec!["other".to_owned()], 404, Reason::UnknownApi).await;
    refused(
        |state| state.api.accept = vec![catalog::Accept::Token],
        401,
        Reason::CredentialNotAccepted,
    )
    .await;
}

#[tokio::test]
async fn row_22_a_grant_of_some_fields_does_not_let_the_whole_response_pass() {
    let upstream = Upstream::start().await;
    let adjust = |state: &mut State| state.grant.fields = Some(vec!["total".to_owned()]);
    let kit =
        Kit::with(&upstream.url(), Setup { adjust: Box::new(adjust), ..Setup::default() }).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(kit.record().await.fields_removed, ["*"], "no document has the name");
}

#[tokio::test]
async fn row_23_a_broken_upstream_setting_refuses() {
    for upstream in ["", "http://", "ftp://127.0.0.1", "http://127.0.0.1:1/../x"] {
        let broken = move |state: &mut State| state.api.upstream = upstream.to_owned();
        refused(broken, 502, Reason::UpstreamUnreachable).await;
    }
}

#[tokio::test]
async fn row_23_a_log_that_is_full_refuses_before_anything_happens() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    *kit.recorder.ready.lock().unwrap() = Err(RecordError::Full);
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (503, "log_unavailable"));
    assert_eq!(kit.record().await.outcome, Outcome::Refused);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn row_17_unknown_and_mistyped_keys_are_told_alike() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut mistyped = kit.key.clone();
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    let mut pages = Vec::new();
    for key in [mistyped.as_str(), "pr_demo_x", "pr_", "x", "eyJhbGciOiJub25lIn0.e30."] {
        let mut client = kit.connect().await;
        let request =
            format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {key}\r\n\r\n");
        client.send(request).await;
        let response = client.response().await;
        let challenge = Some("Bearer realm=\"orders\", error=\"invalid_token\"");
        assert_eq!(
            (response.status, response.field("www-authenticate")),
            (401, challenge),
            "{key}"
        );
        let mut page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        page["request_id"].take();
        pages.push(page);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn row_17_the_credential_is_in_no_refusal_and_no_record() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("").replace("/42", "/42/none?secret=hush")).await;
    let response = client.response().await;
    let record = format!("{:?}", kit.record().await);
    for secret in [kit.key.as_str(), "hush"] {
        assert!(!response.head.contains(secret));
        assert!(!String::from_utf8_lossy(&response.body).contains(secret));
        assert!(!record.contains(secret));
    }
}

#[tokio::test]
async fn other_authorization_schemes_prove_nobody() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    for value in ["Basic YTpi", "Bearer", "Bearer a b", "Bearer a,b", "", "Bearer\ta"] {
        let mut client = kit.connect().await;
        let request =
            format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: {value}\r\n\r\n");
        client.send(request).await;
        assert_eq!(client.response().await.reason(), "invalid_credential", "{value}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_the_next_request_of_an_open_connection() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200);
    kit.change(|state| state.credential.status = CredentialStatus::Revoked);
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (401, "credential_revoked"));
    assert_eq!(kit.record().await.ruleset_version, 1);
    assert_eq!(kit.record().await.ruleset_version, 2);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_expiry_takes_effect_by_the_clock_alone() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    kit.change(|state| {
        state.grant.expires_at = Some(base::Clock::now(&kit.clock) + Span::from_secs(5))
    });
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200);
    kit.clock.advance(Span::from_secs(5));
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.reason(), "no_grant");
}

#[tokio::test]
async fn observe_mode_lets_pass_and_says_what_enforcing_would_do() {
    let upstream = Upstream::start().await;
    let observe = |state: &mut State| {
        state.api.mode = catalog::ApiMode::Observe;
        state.grant.status = grant::GrantStatus::Revoked;
    };
    let kit =
        Kit::with(&upstream.url(), Setup { adjust: Box::new(observe), ..Setup::default() }).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Observed, Some(Reason::NoGrant)));
    assert_eq!(record.grant_ids, []);
}

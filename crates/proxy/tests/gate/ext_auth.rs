//! A gateway in front asks, and forwards itself.

use std::collections::BTreeSet;

use portreeve_proxy::{ExtAuth, GateConfig};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Response, Setup, State, soon};

fn setup(trusted: &str, adjust: impl Fn(&mut State) + 'static) -> Setup {
    let trusted = vec![trusted.parse().unwrap()];
    let ext_auth = Some(ExtAuth { trusted, path: "/-/authorize".to_owned() });
    let config = GateConfig { ext_auth, ..GateConfig::default() };
    Setup { config, adjust: Box::new(adjust), ..Setup::default() }
}

async fn kit() -> (Upstream, Kit) {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), setup("127.0.0.0/8", |_| {})).await;
    (upstream, kit)
}

impl Kit {
    /// One question with these fields, and its answer.
    async fn ask(&self, start: &str, fields: &str) -> Response {
        let mut client = self.connect().await;
        client.send(format!("{start} HTTP/1.1\r\nhost: api\r\n{fields}\r\n")).await;
        client.response().await
    }

    fn bearer(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.key)
    }
}

const ASK: &str = "GET /-/authorize";
const ORIGINAL: &str = "x-original-method: GET\r\nx-original-uri: /orders/42?a=1\r\n";

fn reason(response: &Response) -> String {
    let page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(page["status"], response.status);
    page["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_peer_that_is_not_listed_finds_nothing_there() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), setup("192.0.2.0/24", |_| {})).await;
    for start in [ASK, "GET /-/authorize/orders/42"] {
        let response = kit.ask(start, &kit.bearer()).await;
        assert_eq!((response.status, reason(&response).as_str()), (404, "unknown_api"));
        assert_eq!(kit.record().await.reason, Some(Reason::UnknownApi));
    }
    let response = kit.ask(ASK, &format!("{}{ORIGINAL}", kit.bearer())).await;
    assert_eq!((response.status, reason(&response).as_str()), (400, "forbidden_header"));
}

#[tokio::test]
async fn where_nobody_is_to_ask_nobody_is_answered() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let response = kit.ask(ASK, &kit.bearer()).await;
    assert_eq!((response.status, reason(&response).as_str()), (404, "unknown_api"));
}

#[tokio::test]
async fn without_or_with_a_wrong_credential_the_caller_is_challenged() {
    let (upstream, kit) = kit().await;
    let response = kit.ask(ASK, ORIGINAL).await;
    assert_eq!((response.status, reason(&response).as_str()), (401, "no_credential"));
    assert_eq!(response.field("www-authenticate"), Some("Bearer realm=\"orders\""));
    let wrong = format!("authorization: Bearer {}x\r\n{ORIGINAL}", kit.key);
    let response = kit.ask(ASK, &wrong).await;
    assert_eq!((response.status, reason(&response).as_str()), (401, "invalid_credential"));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn what_no_grant_covers_is_refused_and_what_nobody_knows_looks_no_worse() {
    let (_upstream, kit) = kit().await;
    for (told, expected) in [
        ("x-original-method: DELETE\r\nx-original-uri: /orders/42\r\n", "no_grant"),
        ("x-original-method: GET\r\nx-original-uri: /orders/42/x\r\n", "unknown_operation"),
        ("x-original-method: GET\r\nx-original-uri: /else\r\n", "unknown_api"),
        ("x-original-method: GET\r\nx-original-uri: /orders/../42\r\n", "non_canonical_target"),
        ("x-original-method: GET\r\nx-original-uri: orders\r\n", "non_canonical_target"),
        ("x-original-method: CONNECT\r\nx-original-uri: /orders/42\r\n", "malformed_request"),
        (
            "x-original-method: GET\r\nx-original-uri: http://other/orders/42\r\n",
            "authority_mismatch",
        ),
    ] {
        let response = kit.ask(ASK, &format!("{}{told}", kit.bearer())).await;
        assert_eq!((response.status, reason(&response).as_str()), (403, expected), "{told}");
        let record = kit.record().await;
        assert_eq!((record.outcome, record.status), (Outcome::Refused, 403), "{told}");
    }
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_request_that_is_told_twice_or_by_half_is_refused() {
    let (_upstream, kit) = kit().await;
    let uri = "x-original-uri: /orders/42\r\n";
    let method = "x-original-method: GET\r\n";
    for (told, expected) in [
        (String::new(), "malformed_request"),
        (uri.to_owned(), "malformed_request"),
        (method.to_owned(), "malformed_request"),
        (format!("{method}{uri}{uri}"), "forbidden_header"),
        (format!("{method}{uri}x-original-method: DELETE\r\n"), "forbidden_header"),
        (format!("{method}{uri}x-original-host: a\r\nx-original-host: b\r\n"), "forbidden_header"),
        (format!("{method}{uri}x-forwarded-uri: /orders/1\r\n"), "forbidden_header"),
        (format!("{method}{uri}x-forwarded-method: POST\r\n"), "forbidden_header"),
        (format!("{method}{uri}x_original_uri: /orders/1\r\n"), "forbidden_header"),
        (format!("{method}{uri}x-rewrite-url: /orders/1\r\n"), "forbidden_header"),
        (format!("x-original-method: G ET\r\n{uri}"), "malformed_request"),
    ] {
        let response = kit.ask(ASK, &format!("{}{told}", kit.bearer())).await;
        assert_eq!((response.status, reason(&response).as_str()), (403, expected), "{told}");
        assert_eq!(kit.record().await.outcome, Outcome::Refused);
    }
    let both = format!("{}x-original-uri: /orders/1\r\n", kit.bearer());
    let response = kit.ask("GET /-/authorize/orders/42", &both).await;
    assert_eq!((response.status, reason(&response).as_str()), (403, "forbidden_header"));
}

#[tokio::test]
async fn a_permitted_request_names_its_caller_and_leaves_one_record_of_itself() {
    let (upstream, kit) = kit().await;
    for (start, told) in [
        (ASK, ORIGINAL),
        (
            ASK,
            "x-forwarded-method: GET\r\nx-forwarded-uri: /orders/42\r\nx-forwarded-host: api\r\n",
        ),
        ("GET /-/authorize/orders/42?a=1", ""),
    ] {
        let response = kit.ask(start, &format!("{}{told}user-agent: curl\r\n", kit.bearer())).await;
        assert_eq!(response.status, 200, "{told}");
        assert_eq!(kit.streams.count(), 0, "what is forwarded elsewhere is not open here");
        assert_eq!(response.field("portreeve-identity"), Some("svc-billing"));
        assert_eq!(response.field("portreeve-credential"), Some("cred-1"));
        assert_eq!(response.body, b"");
        let record = kit.record().await;
        assert_eq!(response.field("portreeve-request-id"), Some(record.request_id.as_str()));
        assert_eq!((record.outcome, record.reason, record.status), (Outcome::Allowed, None, 200));
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/orders/42"));
        assert_eq!(record.operation, Some("getOrder".parse().unwrap()));
        assert_eq!(record.grant_ids, ["g-1".parse().unwrap()]);
    }
    kit.no_more_records().await;
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn the_method_that_is_judged_is_the_callers() {
    let (_upstream, kit) = kit().await;
    let put = kit.ask("PUT /-/authorize/orders/42", &kit.bearer()).await;
    assert_eq!(put.status, 200);
    assert_eq!(kit.record().await.operation, Some("putOrder".parse().unwrap()));
    let delete = kit.ask("DELETE /-/authorize/orders/42", &kit.bearer()).await;
    assert_eq!(delete.status, 403);
}

#[tokio::test]
async fn the_host_that_is_judged_is_the_callers() {
    let upstream = Upstream::start().await;
    let setup = setup("127.0.0.0/8", |state| state.api.hosts = vec!["shop.test".to_owned()]);
    let kit = Kit::with(&upstream.url(), setup).await;
    let response = kit.ask(ASK, &format!("{}{ORIGINAL}", kit.bearer())).await;
    assert_eq!((response.status, reason(&response).as_str()), (403, "unknown_api"));
    let told = format!("{}{ORIGINAL}x-original-host: shop.test\r\n", kit.bearer());
    assert_eq!(kit.ask(ASK, &told).await.status, 200);
}

#[tokio::test]
async fn a_revoked_grant_refuses_the_next_question_on_the_same_connection() {
    let (_upstream, kit) = kit().await;
    let mut client = kit.connect().await;
    let question = format!("{ASK} HTTP/1.1\r\nhost: api\r\n{}{ORIGINAL}\r\n", kit.bearer());
    client.send(&question).await;
    assert_eq!(client.response().await.status, 200);
    kit.change(|state| state.grant.status = grant::GrantStatus::Revoked);
    client.send(&question).await;
    let response = client.response().await;
    assert_eq!((response.status, reason(&response).as_str()), (403, "no_grant"));
}

#[tokio::test]
async fn what_the_front_could_not_do_is_not_permitted() {
    for adjust in [
        (|state: &mut State| state.grant.fields = Some(vec!["id".to_owned()])) as fn(&mut State),
        |state| state.grant.terms.ties = vec!["response.tenant = identity.id".parse().unwrap()],
        |state| state.grant.terms.ties = vec!["body.tenant = identity.id".parse().unwrap()],
        |state| state.grant.terms.writable = Some(vec!["note".to_owned()]),
    ] {
        let upstream = Upstream::start().await;
        let kit = Kit::with(&upstream.url(), setup("127.0.0.0/8", adjust)).await;
        let response = kit.ask("PUT /-/authorize/orders/42", &kit.bearer()).await;
        assert_eq!((response.status, reason(&response).as_str()), (500, "policy_error"));
        let page = String::from_utf8(response.body).unwrap();
        assert!(page.contains("through the gate itself"), "{page}");
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(Reason::PolicyError)));
        assert_eq!(record.grant_ids, []);
    }
}

#[tokio::test]
async fn conditions_on_the_path_and_on_fields_are_held_against_the_callers_request() {
    let upstream = Upstream::start().await;
    let setup = setup("127.0.0.0/8", |state| {
        state.grant.terms.ties =
            vec!["path.id = \"42\"".parse().unwrap(), "header.x-tenant = \"t1\"".parse().unwrap()];
    });
    let kit = Kit::with(&upstream.url(), setup).await;
    let tenant = format!("{}x-tenant: t1\r\n", kit.bearer());
    assert_eq!(kit.ask("GET /-/authorize/orders/42", &tenant).await.status, 200);
    assert_eq!(kit.ask("GET /-/authorize/orders/43", &tenant).await.status, 403);
    assert_eq!(kit.ask("GET /-/authorize/orders/42", &kit.bearer()).await.status, 403);
}

#[tokio::test]
async fn an_api_that_only_observes_lets_pass_and_says_so_in_the_record() {
    let upstream = Upstream::start().await;
    let setup = setup("127.0.0.0/8", |state| state.api.mode = catalog::ApiMode::Observe);
    let kit = Kit::with(&upstream.url(), setup).await;
    let response = kit.ask("DELETE /-/authorize/orders/42", &kit.bearer()).await;
    assert_eq!(response.status, 200);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Observed, Some(Reason::NoGrant)));
}

#[tokio::test]
async fn a_permission_that_cannot_be_recorded_is_not_given() {
    let upstream = Upstream::start().await;
    let mut setup = setup("127.0.0.0/8", |_| {});
    setup.config.durable = true;
    let kit = Kit::with(&upstream.url(), setup).await;
    *kit.recorder.durable.lock().unwrap() = Err(portreeve_proxy::RecordError::Failed);
    let response = kit.ask("GET /-/authorize/orders/42", &kit.bearer()).await;
    assert_eq!((response.status, reason(&response).as_str()), (503, "log_unavailable"));
    assert_eq!(response.field("portreeve-identity"), None);
    let forbidden = kit.ask("DELETE /-/authorize/orders/42", &kit.bearer()).await;
    assert_eq!(forbidden.status, 403);
}

#[tokio::test]
async fn many_questions_come_over_one_connection() {
    let (_upstream, kit) = kit().await;
    let mut client = kit.connect().await;
    let mut ids = BTreeSet::new();
    for path in ["/orders/1", "/else", "/orders/../2", "/orders/2"] {
        let question = format!("GET /-/authorize{path} HTTP/1.1\r\nhost: api\r\n");
        client.send(format!("{question}{}content-length: 0\r\n\r\n", kit.bearer())).await;
        let response = soon(client.response()).await;
        assert!(ids.insert(response.field("portreeve-request-id").unwrap().to_owned()));
    }
    assert_eq!(ids.len(), 4);
}

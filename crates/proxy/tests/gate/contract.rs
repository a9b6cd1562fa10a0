//! Messages held against the API's document.

use std::sync::Arc;

use catalog::CheckMode;
use contract::{Contract, Options};
use policy::CheckedContract;
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Response, Setup, State};

pub mod responses;

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    post:
      operationId: createOrder
      parameters:
        - {name: dry, in: query, schema: {type: boolean}}
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/order"}}
          application/json: {schema: {$ref: "#/components/schemas/order"}}
      responses:
        "200": {$ref: "#/components/responses/order"}
  /orders/{id}:
    get:
      operationId: getOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200": {$ref: "#/components/responses/order"}
components:
  schemas:
    order:
      type: object
      required: [sku]
      properties:
        sku: {type: string}
        quantity: {type: integer, minimum: 1}
        approved: {type: boolean, readOnly: true}
        nested: {}
  responses:
    order:
      description: An order
      content:
        text/csv: {}
        application/json:
          schema:
            type: object
            additionalProperties: false
            properties:
              id: {type: integer}
              secret: {type: string, writeOnly: true}
"##;

fn checks(requests: CheckMode, responses: CheckMode) -> Setup {
    with(requests, responses, |_| {})
}

pub fn with(
    requests: CheckMode,
    responses: CheckMode,
    adjust: impl Fn(&mut State) + 'static,
) -> Setup {
    let options = Options { closed: true, strict_query: true };
    let contract = Contract::compile(DOCUMENT, "orders.yaml", options).unwrap();
    let contract = Arc::new(CheckedContract { contract, requests, responses });
    let adjust = move |state: &mut State| {
        state.contract = Some(Arc::clone(&contract));
        adjust(state);
    };
    Setup { adjust: Box::new(adjust), ..Setup::default() }
}

fn requests(mode: CheckMode) -> Setup {
    checks(mode, CheckMode::Off)
}

fn only_responses(mode: CheckMode) -> Setup {
    checks(CheckMode::Off, mode)
}

/// `POST` with a body of this type.
fn post(kit: &Kit, query: &str, media: &str, body: &str) -> String {
    let fields = format!("content-type: {media}\r\ncontent-length: {}\r\n", body.len());
    kit.post(&fields, body).replacen("/orders", &format!("/orders{query}"), 1)
}

fn told(response: &Response) -> Vec<String> {
    let page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let all = page["violations"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Request lines that break the contract, with the rule and the place.
const WRONG: [(&str, &str, &str, &str, &str); 11] = [
    (
        "",
        "application/x-www-form-urlencoded",
        "sku=a&approved=true",
        "read_only_property",
        "body `/approved`",
    ),
    (
        "",
        "application/x-www-form-urlencoded",
        "sku=a&role=admin",
        "unknown_property",
        "body `/role`",
    ),
    ("", "application/json", r#"{"sku":"a","role":"admin"}"#, "unknown_property", "body `/role`"),
    (
        "",
        "application/json",
        r#"{"sku":"a","approved":true}"#,
        "read_only_property",
        "body `/approved`",
    ),
    ("", "application/json", r#"{"sku":"a","quantity":"9"}"#, "wrong_type", "body `/quantity`"),
    ("", "application/json", r#"{"quantity":9}"#, "missing_property", "body"),
    ("", "application/json", "sku=a", "unreadable_body", "body"),
    ("", "application/json; charset=utf-7", r#"{"sku":"a"}"#, "unreadable_body", "body"),
    ("?dry=maybe", "application/json", r#"{"sku":"a"}"#, "wrong_type", "query parameter `dry`"),
    (
        "?debug=1",
        "application/json",
        r#"{"sku":"a"}"#,
        "unknown_parameter",
        "query parameter `debug`",
    ),
    ("", "text/xml", "<sku>a</sku>", "unsupported_media_type", "media type"),
];

#[tokio::test]
async fn a_request_that_breaks_the_contract_is_refused_with_places_and_without_values() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), requests(CheckMode::Enforce)).await;
    for (query, media, body, rule, place) in WRONG {
        let mut client = kit.connect().await;
        client.send(post(&kit, query, media, body)).await;
        let response = client.response().await;
        assert_eq!(
            (response.status, response.reason().as_str()),
            (400, "contract_violation"),
            "{body}"
        );
        let told = told(&response);
        assert!(told[0].starts_with(place), "{told:?}");
        assert!(!told[0].contains("admin") && !told[0].contains("maybe"), "{told:?}");
        let record = kit.record().await;
        assert_eq!(record.outcome, Outcome::Refused);
        assert_eq!(record.reason, Some(Reason::ContractViolation));
        assert_eq!(record.violations[0], format!("{rule}: {}", told[0]));
    }
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn of_many_violations_a_caller_is_told_three() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), requests(CheckMode::Enforce)).await;
    let mut client = kit.connect().await;
    let body = r#"{"sku":"a","b":1,"c":2,"d":3,"e":4}"#;
    client.send(post(&kit, "", "application/json", body)).await;
    assert_eq!(told(&client.response().await).len(), 3);
    assert_eq!(kit.record().await.violations.len(), 4);
}

#[tokio::test]
async fn a_body_with_two_readings_is_refused_wherever_it_is_judged() {
    let deep = format!(r#"{{"sku":"a","nested":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
    let twice = r#"{"sku":"a","role":"user","r\u006fle":"admin"}"#;
    let writable = |state: &mut State| {
        let all = ["sku", "nested", "role"].map(str::to_owned);
        state.grant.terms.writable = Some(all.to_vec());
    };
    let setups: [fn() -> Setup; 2] = [
        || requests(CheckMode::Enforce),
        // Without any contract.
        || Setup { adjust: Box::new(|_| {}), ..Setup::default() },
    ];
    for (index, setup) in setups.into_iter().enumerate() {
        let mut setup = setup();
        if index == 1 {
            setup.adjust = Box::new(writable);
        }
        let upstream = Upstream::start().await;
        let kit = Kit::with(&upstream.url(), setup).await;
        for body in [deep.as_str(), twice] {
            let mut client = kit.connect().await;
            client.send(post(&kit, "", "application/json", body)).await;
            let response = client.response().await;
            let is = (response.status, response.reason());
            assert_eq!(is, (400, "ambiguous_body".to_owned()), "{index} {body}");
            let page: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            assert!(page["hint"].as_str().unwrap().contains("each name once"));
            assert!(told(&response)[0].starts_with("body cannot be read: "));
            let record = kit.record().await;
            assert_eq!(record.reason, Some(Reason::AmbiguousBody));
            assert_eq!(record.violations.len(), 1, "{:?}", record.violations);
        }
        assert_eq!(upstream.seen(), []);
    }
}

#[tokio::test]
async fn a_path_parameter_and_a_body_that_is_missing_are_refused() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), requests(CheckMode::Enforce)).await;
    let mut client = kit.connect().await;
    client.send(kit.get("").replacen("42", "forty", 1)).await;
    assert_eq!(client.response().await.reason(), "contract_violation");
    assert!(kit.record().await.violations[0].starts_with("wrong_type: path parameter `id`"));
    // Nothing of a body came, so the connection goes on.
    client.send(kit.post("", "")).await;
    assert_eq!(client.response().await.reason(), "contract_violation");
    assert!(kit.record().await.violations[0].starts_with("missing_body: "));
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(kit.record().await.violations, [""; 0]);
}

#[tokio::test]
async fn what_observe_finds_passes_unchanged_and_is_recorded() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), requests(CheckMode::Observe)).await;
    let mut client = kit.connect().await;
    for (query, media, body, rule, _) in WRONG {
        client.send(post(&kit, query, media, body)).await;
        assert_eq!(client.response().await.status, 200, "{body}");
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Allowed, None));
        // A charset is not looked at where nothing rests on it.
        if !media.contains("charset") {
            assert!(record.violations[0].starts_with(&format!("{rule}: ")), "{record:?}");
        }
        assert_eq!(upstream.seen().last().unwrap().body, body.as_bytes());
    }
    let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let body = "a\r\n{\"sku\":\"a\"\r\nb\r\n,\"sku\":\"b\"}\r\n0\r\n\r\n";
    client.send(kit.post(chunked, body)).await;
    assert_eq!(client.response().await.status, 200);
    let violations = kit.record().await.violations;
    assert_eq!(violations, ["unreadable_body: body cannot be read: a name occurs twice: /sku"]);
}

#[tokio::test]
async fn a_body_that_is_too_long_to_be_checked_passes_where_checks_observe() {
    let upstream = Upstream::start().await;
    let mut setup = requests(CheckMode::Observe);
    setup.config.limits.judged_body_bytes = 8;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(post(&kit, "", "application/json", r#"{"quantity":9}"#)).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(kit.record().await.violations, [""; 0]);
}

#[tokio::test]
async fn a_request_that_keeps_to_the_contract_passes() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), checks(CheckMode::Enforce, CheckMode::Enforce)).await;
    let mut client = kit.connect().await;
    for round in 0..2 {
        let (media, body) = match round {
            0 => ("application/x-www-form-urlencoded", "sku=a&quantity=2"),
            _ => ("application/json", r#"{"sku":"a","quantity":2}"#),
        };
        client.send(post(&kit, "?dry=true", media, body)).await;
        let response = client.response().await;
        assert_eq!((response.status, response.body.as_slice()), (200, b"{\"id\":42}".as_slice()));
        assert_eq!(upstream.seen().last().unwrap().body, body.as_bytes());
        let record = kit.record().await;
        assert_eq!((record.violations.len(), record.bytes_out), (0, 9));
    }
    assert_eq!(upstream.connections(), 1, "kept after a checked response");
}

#[tokio::test]
async fn a_caller_without_permission_is_told_nothing_of_the_contract() {
    let upstream = Upstream::start().await;
    let revoked = |state: &mut State| state.grant.status = grant::GrantStatus::Revoked;
    let setup = with(CheckMode::Enforce, CheckMode::Enforce, revoked);
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(post(&kit, "", "application/json", r#"{"role":1}"#)).await;
    let response = client.response().await;
    assert_eq!((response.reason().as_str(), told(&response).len()), ("no_grant", 0));
    assert_eq!(kit.record().await.violations, [""; 0]);
}

//! Responses held against the API's document.

use bytes::Bytes;
use catalog::{CheckMode, DataClass, Field};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use testkit::Upstream;
use testkit::upstream::OK;
use traffic::{CallRecord, FieldsSeen, Outcome, Reason};

use super::{checks, only_responses, told, with};
use crate::kit::{Client, Kit, Setup, State, soon};
use crate::packed::{answering as packed, coding, gzip};
use crate::secure::plain;

/// An upstream that always answers so.
async fn answering(answer: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(answer).await?;
        }
        Ok(())
    })
    .await
}

const UNLISTED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                        content-length: 21\r\n\r\n{\"id\":1,\"pin\":\"1234\"}";
const UNLISTED_CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                                transfer-encoding: chunked\r\n\r\n\
                                8\r\n{\"id\":1,\r\nd\r\n\"pin\":\"1234\"}\r\n0\r\n\r\n";

/// Answers that break the contract, with the violation.
const WRONG_ANSWERS: [(&str, &str); 10] = [
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
        "response missing_body: body has to be there",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "response missing_body: body has to be there",
    ),
    (UNLISTED_CHUNKED, "response unknown_property: body `/pin`"),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n\
         {\"secret\":\"x\"}",
        "response write_only_property: body `/secret`",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n\
         {\"id\":1,\"id\":2}",
        "response unreadable_body: body cannot be read: a name occurs twice: /id",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n<x>",
        "response unreadable_body: body cannot be read: this is not one JSON value",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n<x>",
        "response unsupported_media_type: media type",
    ),
    (
        "HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n<x>",
        "response unlisted_status: status 500",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
         content-length: 3\r\n\r\n<x>",
        "response unreadable_body: body has a content coding",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-type: text/csv\r\n\
         content-length: 2\r\n\r\n{}",
        "response unsupported_media_type: media type",
    ),
];

#[tokio::test]
async fn of_a_response_that_breaks_the_contract_no_byte_reaches_the_caller() {
    for (answer, violation) in WRONG_ANSWERS {
        let upstream = answering(answer).await;
        let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
        let mut client = kit.connect().await;
        client.send(kit.get("accept-encoding: gzip, br\r\n")).await;
        let response = client.response().await;
        assert_eq!((response.status, response.reason().as_str()), (502, "response_invalid"));
        assert_eq!(told(&response), [""; 0], "what it is stays inside");
        let text = String::from_utf8(response.body).unwrap();
        assert!(!text.contains("1234") && !text.contains("pin"), "{text}");
        let record = kit.record().await;
        let is = (record.outcome, record.reason, record.status);
        assert_eq!(is, (Outcome::Failed, Some(Reason::ResponseInvalid), 502));
        assert!(record.violations[0].starts_with(violation), "{:?}", record.violations);
        assert_eq!(upstream.seen()[0].fields("accept-encoding"), ["identity"]);
        client.rest().await;
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn the_same_holds_over_http2() {
    for (answer, violation) in WRONG_ANSWERS {
        let upstream = answering(answer).await;
        let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
        let (status, body) = over_http2(&kit, Method::GET, "/orders/42", "").await;
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("response_invalid") && !text.contains("1234"), "{text}");
        let record = kit.record().await;
        assert_eq!(record.reason, Some(Reason::ResponseInvalid));
        assert!(record.violations[0].starts_with(violation), "{:?}", record.violations);
        kit.no_more_records().await;
    }
    let upstream = Upstream::start().await;
    let setup = checks(CheckMode::Enforce, CheckMode::Enforce);
    let kit = Kit::with(&upstream.url(), setup).await;
    let wrong = r#"{"sku":"a","approved":true}"#;
    let (status, body) = over_http2(&kit, Method::POST, "/orders", wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8(body).unwrap().contains("body `/approved`"));
    assert!(kit.record().await.violations[0].starts_with("read_only_property: "));
    assert_eq!(upstream.seen(), []);
    let (status, body) = over_http2(&kit, Method::POST, "/orders", r#"{"sku":"a"}"#).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, b"{\"id\":42}".as_slice()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.bytes_out), (Outcome::Allowed, 9));
}

#[tokio::test]
async fn over_http2_what_observe_finds_passes_and_is_recorded() {
    let upstream = answering(UNLISTED_CHUNKED).await;
    let setup = checks(CheckMode::Observe, CheckMode::Observe);
    let kit = Kit::with(&upstream.url(), setup).await;
    let wrong = r#"{"sku":"a","approved":true}"#;
    let (status, body) = over_http2(&kit, Method::POST, "/orders", wrong).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, br#"{"id":1,"pin":"1234"}"#.as_slice()));
    let violations = kit.record().await.violations;
    assert!(violations[0].starts_with("read_only_property: body `/approved`"), "{violations:?}");
    assert!(violations[1].starts_with("response unknown_property: body `/pin`"), "{violations:?}");
}

async fn over_http2(kit: &Kit, method: Method, path: &str, body: &str) -> (StatusCode, Vec<u8>) {
    over_http2_as(kit, method, path, "application/json", body).await
}

pub async fn over_http2_as(
    kit: &Kit,
    method: Method,
    path: &str,
    media: &str,
    body: &str,
) -> (StatusCode, Vec<u8>) {
    let mut sender = plain(kit).await;
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://api{path}").parse().unwrap();
    request.headers_mut().insert("x-api-key", kit.key.parse().unwrap());
    if !body.is_empty() {
        request.headers_mut().insert("content-type", media.parse().unwrap());
    }
    let response = soon(sender.send_request(request)).await.unwrap();
    let status = response.status();
    let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
    (status, body.to_vec())
}

#[tokio::test]
async fn a_response_that_breaks_the_contract_passes_where_checks_observe() {
    for (answer, violation) in WRONG_ANSWERS {
        let upstream = answering(answer).await;
        let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Observe)).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        let response = client.response().await;
        assert_ne!(response.status, 502);
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Allowed, None));
        assert!(record.violations[0].starts_with(violation), "{:?}", record.violations);
    }
}

fn small(mode: CheckMode) -> Setup {
    let mut setup = only_responses(mode);
    setup.config.limits.checked_response_bytes = 15;
    setup
}

#[tokio::test]
async fn a_response_that_is_too_long_to_be_checked_is_refused_or_passes() {
    for answer in [UNLISTED, UNLISTED_CHUNKED] {
        let upstream = answering(answer).await;
        let kit = Kit::with(&upstream.url(), small(CheckMode::Enforce)).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.reason(), "response_invalid");
        let violations = kit.record().await.violations;
        let expected =
            "response unreadable_body: body is longer than the 15 bytes that are checked";
        assert_eq!(violations, [expected]);

        let kit = Kit::with(&upstream.url(), small(CheckMode::Observe)).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.status, 200);
        assert_eq!(kit.record().await.violations, [""; 0], "not checked");
    }
}

#[tokio::test]
async fn a_response_that_ends_with_its_connection_is_held_until_then() {
    let script = |mut conversation: testkit::upstream::Conversation| async move {
        conversation.request().await?;
        conversation.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n").await?;
        conversation.send("{\"id\":1,").await?;
        conversation.send("\"pin\":2}").await
    };
    let upstream = Upstream::scripted(script).await;
    let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.reason(), "response_invalid");
    assert!(kit.record().await.violations[0].starts_with("response unknown_property"));
}

#[tokio::test]
async fn what_is_held_and_breaks_off_is_no_answer() {
    let script = |mut conversation: testkit::upstream::Conversation| async move {
        conversation.request().await?;
        let start =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
        conversation.send(start).await?;
        conversation.send("{\"id\":").await
    };
    let upstream = Upstream::scripted(script).await;
    let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.reason(), "upstream_invalid");
    assert_eq!(kit.record().await.outcome, Outcome::Failed);
}

#[tokio::test]
async fn what_is_no_json_passes_as_it_comes() {
    let script = |mut conversation: testkit::upstream::Conversation| async move {
        conversation.request().await?;
        conversation.send("HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\n\r\na,b").await?;
        // Until the gate closes: the end never comes.
        conversation.rest().await.map(drop)
    };
    let upstream = Upstream::scripted(script).await;
    let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
    let mut client: Client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(client.chunk().await, Some(b"a,b".to_vec()));
}

#[tokio::test]
async fn heads_and_answers_from_a_cache_have_no_body_to_check() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n"),
    ] {
        let upstream = answering(answer).await;
        let kit = Kit::with(&upstream.url(), only_responses(CheckMode::Enforce)).await;
        let mut client = kit.connect().await;
        client.send(kit.get("").replacen("GET", method, 1)).await;
        assert!(client.head().await.unwrap().starts_with(answer.get(..12).unwrap()));
        assert_eq!(kit.record().await.violations, [""; 0], "{method}");
    }
}

#[tokio::test]
async fn a_durable_gate_records_a_checked_answer_before_it_is_released() {
    for setup in [only_responses(CheckMode::Enforce), only_responses(CheckMode::Observe)] {
        let upstream = Upstream::start().await;
        let mut setup = setup;
        setup.config.durable = true;
        let kit = Kit::with(&upstream.url(), setup).await;
        *kit.recorder.durable.lock().unwrap() = Err(portreeve_proxy::RecordError::Failed);
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.reason(), "log_unavailable");
    }
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_checked_all_the_same() {
    let shown = |state: &mut State| state.grant.fields = Some(vec!["name".to_owned()]);
    for (answer, passes) in [(OK, true), (UNLISTED_CHUNKED, false)] {
        let upstream = answering(answer).await;
        let setup = with(CheckMode::Off, CheckMode::Enforce, shown);
        let kit = Kit::with(&upstream.url(), setup).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        let response = client.response().await;
        let record = kit.record().await;
        let (status, body) = over_http2(&kit, Method::GET, "/orders/42", "").await;
        let second = kit.record().await;
        assert_eq!(status, StatusCode::from_u16(response.status).unwrap());
        if passes {
            assert_eq!((response.status, response.body.as_slice()), (200, b"{}".as_slice()));
            assert_eq!((body.as_slice(), second.bytes_out), (b"{}".as_slice(), 2));
            assert_eq!(record.fields_removed, ["*"], "not of the catalogue");
            assert_eq!((record.bytes_out, record.violations.len()), (2, 0));
        } else {
            assert_eq!(response.reason(), "response_invalid");
            for record in [record, second] {
                assert_eq!(record.reason, Some(Reason::ResponseInvalid));
                assert!(record.violations[0].contains("`/pin`"), "{:?}", record.violations);
            }
        }
    }
}

/// Responses are checked, and what callers receive is looked at: an API with classified properties.
fn checked_and_watched(mode: CheckMode, shows: Option<&'static [&'static str]>) -> Setup {
    let mut setup = with(CheckMode::Off, mode, move |state: &mut State| {
        for operation in &mut state.api.operations {
            let field = |path: &str| Field::new(path, DataClass::Pii);
            operation.fields = ["id", "pin"].into_iter().map(field).collect();
        }
        state.grant.fields = shows.map(|all| all.iter().map(|name| (*name).to_owned()).collect());
    });
    setup.config.watch_one_in = 1;
    setup
}

const LISTED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      content-length: 8\r\n\r\n{\"id\":1}";

/// Over HTTP/1.1 and HTTP/2, with the records.
async fn over_both(kit: &Kit) -> [(u16, CallRecord); 2] {
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let h1 = (client.response().await.status, kit.record().await);
    let (status, _) = over_http2(kit, Method::GET, "/orders/42", "").await;
    [h1, (status.as_u16(), kit.record().await)]
}

#[tokio::test]
async fn what_broke_the_contract_was_not_received() {
    let upstream = answering(UNLISTED).await;
    for shows in [None, Some(["id"].as_slice())] {
        let setup = checked_and_watched(CheckMode::Enforce, shows);
        let kit = Kit::with(&upstream.url(), setup).await;
        for (status, record) in over_both(&kit).await {
            assert_eq!((status, record.reason), (502, Some(Reason::ResponseInvalid)));
            assert_eq!((record.fields_seen, record.violations.len()), (None, 1));
        }
    }
}

#[tokio::test]
async fn of_a_checked_answer_is_seen_what_the_caller_receives() {
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let seen = |all: &[&str]| Some(FieldsSeen { paths: paths(all), other: false, more: false });
    let upstream = answering(LISTED).await;
    let kit = Kit::with(&upstream.url(), checked_and_watched(CheckMode::Enforce, None)).await;
    for (status, record) in over_both(&kit).await {
        assert_eq!((status, record.bytes_out, record.fields_seen), (200, 8, seen(&["id"])));
    }
    let upstream = answering(UNLISTED).await;
    for (shows, received) in [(None, ["id", "pin"].as_slice()), (Some(["id"].as_slice()), &["id"])]
    {
        let setup = checked_and_watched(CheckMode::Observe, shows);
        let kit = Kit::with(&upstream.url(), setup).await;
        for (status, record) in over_both(&kit).await {
            let violation = record.violations.join(", ");
            assert_eq!((status, record.fields_seen), (200, seen(received)));
            assert!(violation.starts_with("response unknown_property: body `/pin`"), "{violation}");
        }
    }
}

#[tokio::test]
async fn what_is_packed_is_not_checked_so_it_goes_nowhere_where_checks_are_enforced() {
    let body = gzip(br#"{"id":1}"#);
    let upstream = packed(&coding("gzip"), body).await;
    for shows in [None, Some(["id"].as_slice())] {
        let setup = checked_and_watched(CheckMode::Enforce, shows);
        let kit = Kit::with(&upstream.url(), setup).await;
        for (status, record) in over_both(&kit).await {
            assert_eq!((status, record.reason), (502, Some(Reason::ResponseInvalid)));
            assert!(record.violations[0].contains("content coding"), "{:?}", record.violations);
        }
        // What is only observed is unpacked for the filter, or passes as it is.
        let setup = checked_and_watched(CheckMode::Observe, shows);
        let kit = Kit::with(&upstream.url(), setup).await;
        for (status, record) in over_both(&kit).await {
            assert_eq!(status, 200);
            assert!(record.violations[0].contains("content coding"), "{:?}", record.violations);
            assert_eq!(record.fields_seen.unwrap().paths, ["id"]);
        }
    }
}

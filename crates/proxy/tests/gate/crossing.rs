//! Upstreams that are spoken to in HTTP/2: what is filtered, checked, unpacked, read before the
//! decision and limited there is so as with any other, over HTTP/1.1 and HTTP/2. Refusals first.

use bytes::Bytes;
use catalog::{CheckMode, DataClass, Field};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use traffic::{CallRecord, Outcome, Reason};

use crate::contract::with as checked;
use crate::h2kit::{
    Conversation, Upstream2, body, call, connect, data, fields, message, ok, start, unary,
};
use crate::kit::{Kit, Setup, State, soon};
use crate::packed::gzip;
use crate::secure::plain;

const ORDER: &str = r#"{"id":42,"customer":{"name":"Ann","card":"4111"},"secret":1}"#;
const SHOWN: &str = r#"{"id":42,"customer":{"name":"Ann"}}"#;

/// An upstream that answers with this type, these further fields and this body, in pieces, and with
/// a trailer that tells of the whole.
async fn answering(media: &'static str, more: &'static [(&str, &str)], body: Vec<u8>) -> Upstream2 {
    Upstream2::scripted(move |mut conversation: Conversation| {
        let body = body.clone();
        async move {
            conversation.body().await?;
            let mut head =
                Response::builder().header("content-type", media).header("etag", "\"x\"");
            for (name, value) in more {
                head = head.header(*name, *value);
            }
            let mut stream = conversation.respond.send_response(head.body(()).unwrap(), false)?;
            for piece in body.chunks(7) {
                stream.send_data(Bytes::copy_from_slice(piece), false)?;
            }
            stream.send_trailers(fields(&[("x-sum", "4111")]))
        }
    })
    .await
}

fn declared(mut setup: Setup) -> Setup {
    let before = setup.adjust;
    setup.adjust = Box::new(move |state: &mut State| {
        state.api.protocol = catalog::Protocol::Http2;
        before(state);
    });
    setup
}

fn adjusted(adjust: impl Fn(&mut State) + 'static) -> Setup {
    declared(Setup { adjust: Box::new(adjust), ..Setup::default() })
}

fn showing() -> Setup {
    adjusted(|state| {
        let shown = ["id", "customer.name"].map(str::to_owned);
        state.grant.fields = Some(shown.to_vec());
    })
}

struct Seen {
    status: u16,
    head: String,
    body: Vec<u8>,
    record: CallRecord,
}

impl Seen {
    fn text(&self) -> String {
        format!("{}\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// The same request over HTTP/1.1 and HTTP/2, trailers and all.
async fn over_both(kit: &Kit, method: Method, target: &str, body: &str) -> [Seen; 2] {
    let mut client = kit.connect().await;
    let length = body.len();
    client
        .send(format!(
            "{method} {target} HTTP/1.1\r\nhost: api\r\nx-api-key: {}\r\nte: trailers\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\
             accept-encoding: gzip\r\nconnection: close, te\r\n\r\n{body}",
            kit.key
        ))
        .await;
    let raw = client.rest().await;
    let text = String::from_utf8_lossy(&raw).into_owned();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body_of_h1) = (head.to_owned(), rest.as_bytes().to_vec());
    let h1 = Seen { status, head, body: body_of_h1, record: kit.record().await };

    let mut sender = plain(kit).await;
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://api{target}").parse().unwrap();
    for (name, value) in
        [("x-api-key", kit.key.as_str()), ("content-type", "application/json"), ("te", "trailers")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    // A reset may overtake the head.
    let (mut status, mut head, mut body) = (200, String::new(), b"broken off".to_vec());
    if let Ok(response) = soon(sender.send_request(request)).await {
        let (parts, rest) = response.into_parts();
        (status, head) = (parts.status.as_u16(), format!("{:?}", parts.headers));
        if let Ok(all) = soon(rest.collect()).await {
            let trailers = format!("{:?}", all.trailers());
            body = [all.to_bytes().to_vec(), trailers.into_bytes()].concat();
        }
    }
    [h1, Seen { status, head, body, record: kit.record().await }]
}

async fn get(kit: &Kit) -> [Seen; 2] {
    over_both(kit, Method::GET, "/orders/42", "").await
}

#[tokio::test]
async fn what_cannot_be_filtered_is_refused() {
    let gz = gzip(ORDER.as_bytes());
    let damaged = gz[..gz.len() - 9].to_vec();
    for (media, more, body) in [
        ("text/html", [].as_slice(), b"<p>4111 Ann</p>".to_vec()),
        ("application/json", &[("content-encoding", "compress")], gz),
        ("application/json", &[("content-encoding", "gzip")], damaged),
        ("application/json", &[("content-encoding", "gzip")], ORDER.into()),
        ("application/grpc", &[], b"\0\0\0\0\x044111".to_vec()),
        ("application/grpc+json", &[], b"\0\0\0\0\x044111".to_vec()),
    ] {
        let upstream = answering(media, more, body).await;
        let kit = Kit::with(&upstream.url(), showing()).await;
        for seen in get(&kit).await {
            let text = seen.text();
            assert!(!text.contains("4111") && !text.contains("Ann"), "{media}: {text}");
            assert_eq!(seen.record.outcome, Outcome::Withheld, "{media}: {text}");
            assert_eq!(seen.record.reason, Some(Reason::ResponseUnreadable), "{media}");
            assert_eq!(seen.record.fields_seen.is_some(), seen.status == 200, "{media}");
        }
    }
}

#[tokio::test]
async fn a_call_of_grpc_whose_answer_would_have_to_be_filtered_is_refused_as_a_call() {
    let upstream = answering("application/grpc", &[], b"\0\0\0\0\x044111".to_vec()).await;
    let kit = Kit::with(&upstream.url(), showing()).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    assert!(answer.is_head_alone && answer.body.is_empty());
    assert_eq!(answer.head.headers["grpc-status"], "13");
    let message = answer.head.headers["grpc-message"].to_str().unwrap();
    assert!(message.starts_with("response_unreadable: "), "{message}");
    let record = kit.record().await;
    assert_eq!(
        (record.outcome, record.reason),
        (Outcome::Withheld, Some(Reason::ResponseUnreadable))
    );
}

#[tokio::test]
async fn what_breaks_the_contract_reaches_nobody() {
    let setup = declared(checked(CheckMode::Off, CheckMode::Enforce, |_| {}));
    let upstream = answering("application/json", &[], br#"{"id":1,"pin":"4111"}"#.to_vec()).await;
    let kit = Kit::with(&upstream.url(), setup).await;
    for seen in get(&kit).await {
        assert_eq!((seen.status, seen.record.reason), (502, Some(Reason::ResponseInvalid)));
        assert!(!seen.text().contains("4111"), "{}", seen.text());
        assert!(seen.record.violations[0].contains("`/pin`"), "{:?}", seen.record.violations);
        assert_eq!(seen.record.fields_seen, None);
    }
    let setup = declared(checked(CheckMode::Off, CheckMode::Observe, |_| {}));
    let kit = Kit::with(&upstream.url(), setup).await;
    for seen in get(&kit).await {
        assert_eq!(seen.status, 200);
        assert!(seen.text().contains("4111"), "{}", seen.text());
        assert!(seen.record.violations[0].contains("`/pin`"), "{:?}", seen.record.violations);
    }
}

#[tokio::test]
async fn a_body_of_another_or_with_two_readings_is_not_forwarded() {
    let upstream = answering("application/json", &[], ORDER.into()).await;
    let tie = |state: &mut State| {
        state.grant.terms.ties.push("body.tenant = \"acme\"".parse().unwrap());
    };
    let kit = Kit::with(&upstream.url(), adjusted(tie)).await;
    for body in [r#"{"tenant":"evil"}"#, r#"{"tenant":"acme","tenant":"evil"}"#, ""] {
        for seen in over_both(&kit, Method::POST, "/orders", body).await {
            assert_eq!(seen.record.outcome, Outcome::Refused, "{body}: {}", seen.text());
        }
    }
    assert_eq!(upstream.heads().len(), 0);
}

#[tokio::test]
async fn what_was_judged_is_what_the_upstream_gets() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let body = conversation.body().await?;
        let head = Response::builder().header("x-length", body.len());
        let mut stream = conversation.respond.send_response(head.body(()).unwrap(), false)?;
        stream.send_data(body.into(), true)
    })
    .await;
    let tie = |state: &mut State| {
        state.grant.terms.ties.push("body.tenant = \"acme\"".parse().unwrap());
    };
    let kit = Kit::with(&upstream.url(), adjusted(tie)).await;
    let long = format!(r#"{{"tenant":"acme","note":"{}"}}"#, "x".repeat(40_000));
    for body in [r#"{"tenant":"acme"}"#, &long] {
        for seen in over_both(&kit, Method::POST, "/orders", body).await {
            assert_eq!(seen.status, 200, "{}", seen.text());
            let length = body.len() as u64;
            assert_eq!((seen.record.bytes_in, seen.record.bytes_out), (length, length));
        }
    }
    for head in upstream.heads() {
        assert!(head.headers.contains_key("content-length"), "{head:?}");
    }
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_left_out_packed_or_not() {
    let gz: &[(&str, &str)] = &[("content-encoding", "gzip"), ("content-md5", "eA==")];
    for (more, body) in [([].as_slice(), ORDER.as_bytes().to_vec()), (gz, gzip(ORDER.as_bytes()))] {
        let upstream = answering("application/json", more, body).await;
        let kit = Kit::with(&upstream.url(), showing()).await;
        for seen in get(&kit).await {
            let text = seen.text();
            assert_eq!(seen.status, 200, "{text}");
            assert!(!text.contains("4111") && !text.contains("secret"), "{text}");
            for about in ["etag", "content-encoding", "content-md5", "x-sum"] {
                assert!(!text.contains(about), "{about}: {text}");
            }
            let removed = &seen.record.fields_removed;
            assert!(removed.iter().any(|path| path == "customer.*"), "{removed:?}");
            assert_eq!(seen.record.bytes_out, SHOWN.len() as u64, "{text}");
        }
        let head = upstream.heads().pop().unwrap();
        assert_eq!(head.headers["accept-encoding"], "identity");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_left_without_its_body() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        conversation.body().await?;
        let head = Response::builder().status(404).header("content-type", "text/plain");
        let mut stream = conversation.respond.send_response(head.body(()).unwrap(), false)?;
        stream.send_data("Ann 4111".into(), true)
    })
    .await;
    let kit = Kit::with(&upstream.url(), showing()).await;
    for seen in get(&kit).await {
        assert_eq!((seen.status, seen.record.bytes_out), (404, 0));
        assert!(!seen.text().contains("4111"), "{}", seen.text());
    }
}

#[tokio::test]
async fn what_callers_receive_is_looked_at_and_limits_are_told() {
    let mut setup = adjusted(|state| {
        state.api.limits = vec!["9/min per identity burst 9".parse().unwrap()];
        for operation in &mut state.api.operations {
            operation.fields = vec![Field::new("id", DataClass::Pii)];
        }
    });
    setup.config.watch_one_in = 1;
    let more = &[("ratelimit", "\"own\";r=1")];
    let upstream = answering("application/json", more, ORDER.into()).await;
    let kit = Kit::with(&upstream.url(), setup).await;
    for seen in get(&kit).await {
        let received = seen
            .record
            .fields_seen
            .clone()
            .unwrap_or_else(|| panic!("{:?} {}", seen.record, seen.text()));
        assert_eq!(
            (received.paths.as_slice(), received.other),
            (["id".to_owned()].as_slice(), true)
        );
        assert!(seen.head.contains("per-identity-minute"), "{}", seen.head);
        assert!(!seen.head.contains("own"), "{}", seen.head);
    }
}

#[tokio::test]
async fn a_durable_gate_records_a_filtered_answer_before_its_end() {
    let upstream = answering("application/json", &[], ORDER.into()).await;
    let mut setup = showing();
    setup.config.durable = true;
    let kit = Kit::with(&upstream.url(), setup).await;
    for seen in get(&kit).await {
        assert_eq!((seen.status, seen.record.bytes_out), (200, SHOWN.len() as u64));
    }
}

#[tokio::test]
async fn a_call_holds_its_place_until_it_is_over() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let mut stream = conversation.accept();
        stream.send_data(message("begun"), false)?;
        // Until the caller, or the gate, has enough.
        while conversation.data().await?.is_some() {}
        stream.send_trailers(ok())
    })
    .await;
    let one = |state: &mut State| {
        state.api.limits = vec!["1 concurrent per identity".parse().unwrap()];
    };
    let kit = Kit::with(&upstream.url(), adjusted(one)).await;
    let mut sender = connect(&kit).await;
    let (response, mut request) = start(&mut sender, call(&kit, &[])).await;
    let mut response = soon(response).await.unwrap();
    assert!(data(response.body_mut()).await.unwrap().is_some());
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    assert_eq!(answer.head.headers["grpc-status"], "8");
    assert_eq!(kit.record().await.reason, Some(Reason::ConcurrencyLimited));
    request.send_data(Bytes::new(), true).unwrap();
    assert_eq!(body(response.body_mut()).await.unwrap(), b"");
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    assert_eq!(answer.trailers["grpc-status"], "0");
}

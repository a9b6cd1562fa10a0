//! Callers over HTTP/1.1, an upstream over HTTP/2.

use bytes::Bytes;
use http::Response;
use policy::Change;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use traffic::{CutCount, Outcome, Reason};

use crate::h2kit::{Conversation, Manner, Upstream2, message};
use crate::kit::{Kit, Setup, State, soon};

fn declared(durable: bool) -> Setup {
    let adjust = |state: &mut State| state.api.protocol = catalog::Protocol::Http2;
    let mut setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    setup.config.durable = durable;
    setup
}

/// Answers by what the path or the body asks for.
async fn answers(mut conversation: Conversation) -> Result<(), h2::Error> {
    let body = conversation.body().await?;
    let trailers = conversation.request.body_mut().trailers().await?;
    let method = conversation.request.method().clone();
    let head = Response::builder().header("x-method", method.as_str());
    match &*body {
        b"empty" => conversation.respond.send_response(head.body(()).unwrap(), true).map(drop),
        b"none" => {
            let head = head.status(204).body(()).unwrap();
            conversation.respond.send_response(head, true).map(drop)
        }
        b"sized" => {
            let head = head.header("content-length", "5").body(()).unwrap();
            let mut stream = conversation.respond.send_response(head, false)?;
            stream.send_data("sized".into(), true)
        }
        _ if method == http::Method::HEAD => {
            let head = head.header("content-length", "7").body(()).unwrap();
            conversation.respond.send_response(head, true).map(drop)
        }
        _ => {
            let mut stream = conversation.respond.send_response(head.body(()).unwrap(), false)?;
            stream.send_data(Bytes::from(body), false)?;
            match trailers {
                Some(trailers) => stream.send_trailers(trailers),
                None => stream.send_data("!".into(), true),
            }
        }
    }
}

#[tokio::test]
async fn row_7_and_8_what_is_the_gates_to_say_comes_from_the_gate_alone() {
    let upstream = Upstream2::scripted(answers).await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    let hop = "connection: portreeve-identity, x-hop\r\nx-hop: 1\r\nkeep-alive: 9\r\n\
               te: gzip, trailers\r\ntrailer: x\r\nproxy-connection: x\r\nupgrade: h2c\r\n";
    let forged = "portreeve_identity: evil\r\nPortreeve.Identity: evil\r\nX_API_Key: k\r\n\
                  x-forwarded-for: 192.0.2.9\r\nx-forwarded-host: evil\r\nx-kept: 1\r\n";
    client.send(kit.get(&format!("{hop}{forged}"))).await;
    assert_eq!(client.response().await.status, 200);
    let head = upstream.heads().pop().unwrap();
    let mut names: Vec<_> = head.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "portreeve-credential",
        "portreeve-identity",
        "portreeve-request-id",
        "te",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-kept",
    ];
    assert_eq!(names, expected);
    assert_eq!(head.headers["te"], "trailers");
    assert_eq!(head.headers["portreeve-identity"], "svc-billing");
    assert_eq!(head.headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(head.headers["x-forwarded-host"], "api");
    assert_eq!(head.headers.get_all("portreeve-identity").iter().count(), 1);
}

#[tokio::test]
async fn what_an_upstream_breaks_off_is_no_whole_answer() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        if conversation.body().await? == b"begin" {
            let mut stream = conversation.accept();
            stream.send_data(message("begun"), false)?;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            stream.send_reset(h2::Reason::INTERNAL_ERROR);
        } else {
            conversation.respond.send_reset(h2::Reason::INTERNAL_ERROR);
        }
        Ok(())
    })
    .await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 1\r\n", "x")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (502, "upstream_invalid"));
    assert_eq!(kit.record().await.outcome, Outcome::Failed);
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 5\r\n", "begin")).await;
    client.head().await.unwrap();
    assert!(!client.rest().await.ends_with(b"0\r\n\r\n"), "no false end");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Failed, 200));
    kit.no_more_records().await;
}

#[tokio::test]
async fn bodies_and_answers_are_framed_for_each_side() {
    for durable in [false, true] {
        let upstream = Upstream2::scripted(answers).await;
        let kit = Kit::with(&upstream.url(), declared(durable)).await;
        let mut client = kit.connect().await;
        let mut ask = async |request: String, head: &str, body: &[u8]| {
            client.send(&request).await;
            let response = client.response().await;
            assert!(response.head.contains(head), "{request}: {}", response.head);
            assert_eq!(response.body, body, "{request}");
            assert_eq!(kit.record().await.outcome, Outcome::Allowed);
        };
        let sized = |text: &str| kit.post(&format!("content-length: {}\r\n", text.len()), text);
        ask(kit.get(""), "transfer-encoding: chunked\r\n", b"!").await;
        ask(sized("hello"), "transfer-encoding: chunked\r\n", b"hello!").await;
        ask(sized("sized"), "content-length: 5\r\n", b"sized").await;
        ask(sized("empty"), "content-length: 0\r\n", b"").await;
        ask(sized("none"), "HTTP/1.1 204 No Content\r\n", b"").await;
        let chunks = "5\r\nhello\r\n1\r\n?\r\n0\r\n\r\n";
        let chunked = kit.post("transfer-encoding: chunked\r\n", chunks);
        ask(chunked, "x-method: POST\r\n", b"hello?!").await;
        assert_eq!(upstream.connections(), 1);
        let last = upstream.heads().pop().unwrap();
        assert!(!last.headers.contains_key("transfer-encoding"));
        assert_eq!(last.headers["portreeve-identity"], "svc-billing");
        kit.no_more_records().await;
        assert_eq!(kit.streams.count(), 0);
    }
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let upstream = Upstream2::scripted(answers).await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    client.send(kit.get("").replace("GET", "HEAD")).await;
    let head = client.head().await.unwrap();
    assert!(head.contains("content-length: 7\r\n"), "{head}");
    client.send("GET /none HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n").await;
    assert!(client.rest().await.starts_with(b"HTTP/1.1 404"));
}

#[tokio::test]
async fn trailers_come_after_the_last_chunk() {
    let upstream = Upstream2::scripted(answers).await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    let chunks = "2\r\nhi\r\n0\r\nx-sum: 7\r\nhost: evil\r\n\r\n";
    client.send(kit.post("transfer-encoding: chunked\r\n", chunks)).await;
    client.head().await.unwrap();
    let expected = b"2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n".as_slice();
    assert_eq!(client.bytes(expected.len()).await, expected);
}

#[tokio::test]
async fn a_large_body_passes_whole_and_an_old_caller_reads_to_the_end() {
    let upstream = Upstream2::scripted(answers).await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let client = kit.connect().await;
    let large = "0123456789".repeat(120_000);
    let head = kit.post(&format!("content-length: {}\r\n", large.len()), "");
    let head = head.replace("HTTP/1.1", "HTTP/1.0");
    // The echo waits for the whole body, and so may the caller.
    let (mut reader, mut writer) = client.stream.into_split();
    let sending = tokio::spawn(async move {
        writer.write_all(head.as_bytes()).await.unwrap();
        writer.write_all(large.as_bytes()).await.unwrap();
        (writer, large)
    });
    let mut answer = Vec::new();
    soon(reader.read_to_end(&mut answer)).await.unwrap();
    let (_writer, large) = sending.await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body.len(), large.len() + 1);
}

#[tokio::test]
async fn a_stream_is_cut_with_its_permission() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let head = Response::builder().header("content-type", "text/event-stream");
        let mut stream = conversation.respond.send_response(head.body(()).unwrap(), false)?;
        stream.send_data("event".into(), false)?;
        std::future::poll_fn(|cx| stream.poll_reset(cx)).await.map(drop)
    })
    .await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"event");
    let open = kit.streams.list(9, &|_| true);
    assert_eq!(open[0].kind, traffic::StreamKind::EventStream);
    let gone = grant::Grant { status: grant::GrantStatus::Revoked, ..kit.state().grant };
    assert_eq!(kit.publish(Change::Grant(gone)).await, CutCount { cut: 1, open: 0 });
    assert_eq!(client.rest().await, b"", "no false end");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    assert_eq!(record.status, 200);
}

#[tokio::test]
async fn a_connection_that_ended_is_replaced_even_for_what_cannot_be_repeated() {
    let manner = Manner { requests: 1, ..Manner::default() };
    let upstream = Upstream2::with(manner, answers).await;
    let kit = Kit::with(&upstream.url(), declared(false)).await;
    let mut client = kit.connect().await;
    for _ in 0..4 {
        client.send(kit.post("content-length: 5\r\n", "sized")).await;
        assert_eq!(client.response().await.body, b"sized");
    }
}

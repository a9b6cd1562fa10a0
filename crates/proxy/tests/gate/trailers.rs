//! Fields after a body: forwarded where they may stand, between the protocols, never into a head.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use testkit::Upstream;
use testkit::upstream::OK;
use traffic::{Outcome, Reason};

use crate::h2kit::{body, call, connect, fields, start};
use crate::kit::{Kit, soon};
use crate::secure::plain;

/// Answers the first request with these bytes, once its body has ended.
async fn answering(answer: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        conversation.head().await?;
        conversation.send(answer).await?;
        conversation.rest().await.map(drop)
    })
    .await
}

#[tokio::test]
async fn trailers_that_are_no_fields_are_refused_on_either_side() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    for lines in ["x\r\n", "x y: z\r\n", " x: y\r\n"] {
        let mut client = kit.connect().await;
        let chunks = format!("3\r\nabc\r\n0\r\n{lines}\r\n");
        client.send(kit.post("transfer-encoding: chunked\r\n", &chunks)).await;
        let response = client.response().await;
        assert_eq!(response.reason(), "malformed_request", "{lines:?}");
        assert_eq!(kit.record().await.outcome, Outcome::Cancelled);
    }
    assert_eq!(upstream.seen(), [], "it never had a whole request");

    let broken =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx y: z\r\n\r\n";
    let upstream = answering(broken).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let rest = client.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "no false end");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Failed, Some(Reason::UpstreamInvalid)));
}

#[tokio::test]
async fn what_may_stand_after_a_body_is_forwarded_there_and_nothing_else() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        let head = conversation.head().await?.unwrap();
        assert!(!head.contains("x-sum"), "{head}");
        let expected = b"3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n".as_slice();
        assert_eq!(conversation.bytes(expected.len()).await?, expected);
        conversation
            .send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ndef\r\n")
            .await?;
        let trailers = "0\r\nX-Sum: 9\r\nContent-Length: 5\r\nPortreeve-Request-Id: x\r\n\r\n";
        conversation.send(trailers).await?;
        conversation.request().await?;
        conversation.send(OK).await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let trailers = "X-Sum: 7\r\nHost: evil\r\nX-API-Key: evil\r\nPortreeve-Identity: evil\r\n";
    let chunks = format!("3\r\nabc\r\n0\r\n{trailers}\r\n");
    client.send(kit.post("transfer-encoding: chunked\r\n", &chunks)).await;
    let head = client.head().await.unwrap();
    assert!(!head.contains("x-sum"), "{head}");
    let expected = b"3\r\ndef\r\n0\r\nx-sum: 9\r\n\r\n".as_slice();
    assert_eq!(client.bytes(expected.len()).await, expected);
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200, "the connections go on");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn where_the_framing_has_no_room_trailers_end() {
    let answer =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n";
    let upstream = answering(answer).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("").replace("HTTP/1.1", "HTTP/1.0")).await;
    client.head().await.unwrap();
    assert_eq!(client.rest().await, b"abc");
}

#[tokio::test]
async fn trailers_pass_from_one_protocol_to_the_other() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.head().await?;
        let expected = b"3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n".as_slice();
        assert_eq!(conversation.bytes(expected.len()).await?, expected);
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\
                      x-sum: 9\r\nset-cookie: a=b\r\n\r\n";
        conversation.send(answer).await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain(&kit).await;
    let pieces: [Result<Frame<Bytes>, std::convert::Infallible>; 2] =
        [Ok(Frame::data("abc".into())), Ok(Frame::trailers(fields(&[("x-sum", "7")])))];
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let request = Request::post("http://api/orders").header("x-api-key", &kit.key);
    let response = soon(sender.send_request(request.body(body).unwrap())).await.unwrap();
    assert!(!response.headers().contains_key("x-sum"), "never merged into the head");
    let collected = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(collected.trailers(), Some(&fields(&[("x-sum", "9")])));
    assert_eq!(collected.to_bytes(), "def");
    assert_eq!(kit.record().await.bytes_in, 3);
}

#[tokio::test]
async fn an_answer_without_trailers_ends_with_its_last_data() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    stream.send_data(Bytes::new(), true).unwrap();
    let mut received = soon(response).await.unwrap().into_body();
    assert_eq!(body(&mut received).await.unwrap(), b"{\"id\":42}");
    assert_eq!(soon(received.trailers()).await.unwrap(), None::<HeaderMap>);
}

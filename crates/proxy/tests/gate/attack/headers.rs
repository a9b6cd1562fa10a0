//! What callers cannot make the upstream believe (rows 7 to 9), and what cannot follow a request
//! (rows 4 and 5).

use testkit::Upstream;
use testkit::upstream::OK;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Setup};

async fn seen_with(more: &str) -> testkit::Seen {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get(more)).await;
    assert_eq!(client.response().await.status, 200, "{more}");
    upstream.seen().remove(0)
}

#[tokio::test]
async fn row_7_no_spelling_of_an_identity_header_arrives() {
    let spellings = [
        "Portreeve-Identity",
        "portreeve_identity",
        "PORTREEVE.IDENTITY",
        "Portreeve--Identity",
        "portreeveidentity",
        "Portreeve-Credential",
        "portreeve_request_id",
        "Portreeve-Anything",
        "X-Api_Key",
        "x.api.key",
        "authorization_",
        "Proxy-Authorization",
    ];
    for spelling in spellings {
        let seen = seen_with(&format!("{spelling}: root\r\n")).await;
        assert!(!seen.head.contains("root"), "{spelling}: {}", seen.head);
        assert_eq!(seen.fields("portreeve-identity"), ["svc-billing"], "{spelling}");
    }
}

#[tokio::test]
async fn row_8_connection_cannot_delete_what_the_gate_says() {
    let nominated = "connection: close, portreeve-identity, x-forwarded-for, x-mine, host\r\n\
                     x-mine: 1\r\nx-other: 2\r\n";
    let seen = seen_with(nominated).await;
    assert_eq!(seen.fields("portreeve-identity"), ["svc-billing"]);
    assert_eq!(seen.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.fields("host").len(), 1);
    assert_eq!(seen.fields("x-mine"), Vec::<&str>::new());
    assert_eq!(seen.fields("x-other"), ["2"]);
    assert_eq!(seen.fields("connection"), Vec::<&str>::new());
}

#[tokio::test]
async fn row_8_fields_of_one_hop_end_at_the_gate() {
    let hop = "keep-alive: 9\r\nte: trailers\r\ntrailer: x\r\nproxy-connection: x\r\n\
               upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\nconnection: upgrade, http2-settings\r\n";
    let seen = seen_with(hop).await;
    let expected = [
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "portreeve-identity",
        "portreeve-credential",
        "portreeve-request-id",
    ];
    assert_eq!(seen.names(), expected);
}

#[tokio::test]
async fn row_9_forwarded_headers_of_a_stranger_are_replaced() {
    let claimed = "x-forwarded-for: 10.9.9.9\r\nforwarded: for=10.9.9.9\r\nx-real-ip: 10.9.9.9\r\n\
                   x-forwarded-proto: https\r\nx-forwarded-host: 10.9.9.9\r\n\
                   x_forwarded_for: 10.9.9.9\r\nx-forwarded-uri: /10.9.9.9\r\n";
    let seen = seen_with(claimed).await;
    assert!(!seen.head.contains("10.9.9.9"), "{}", seen.head);
    assert_eq!(seen.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.fields("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.fields("x-forwarded-host"), ["api"]);
}

#[tokio::test]
async fn row_9_a_trusted_peer_says_who_calls_and_cannot_be_made_to_say_more() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.trusted_peers = vec!["127.0.0.0/8".parse().unwrap()];
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    let one = "x-forwarded-for: 203.0.113.66, 198.51.100.7\r\n";
    let two = "x-forwarded-for: 203.0.113.66, 198.51.100.7\r\nx-forwarded-for: 127.0.0.2\r\n";
    for (number, claimed) in [one, two].into_iter().enumerate() {
        client.send(kit.get(claimed)).await;
        assert_eq!(client.response().await.status, 200);
        assert_eq!(upstream.seen()[number].fields("x-forwarded-for"), ["198.51.100.7"]);
        assert_eq!(kit.record().await.source_ip.to_string(), "198.51.100.7");
    }
}

#[tokio::test]
async fn row_4_bytes_after_a_refused_framing_are_no_request() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let smuggled = kit.get("");
    let framings = "content-length: 0\r\ntransfer-encoding: chunked\r\n";
    client.send(kit.post(framings, &format!("0\r\n\r\n{smuggled}"))).await;
    assert_eq!(client.response().await.status, 400);
    assert_eq!(client.rest().await, b"");
    assert_eq!(kit.record().await.reason, Some(Reason::MalformedRequest));
    kit.no_more_records().await;
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn row_4_bytes_after_a_body_are_the_next_request_and_are_judged() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let hidden = "DELETE /orders/42 HTTP/1.1\r\nhost: api\r\n\r\n";
    client.send(kit.post("content-length: 2\r\n", &format!("{{}}{hidden}"))).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(client.response().await.status, 401);
    let seen = upstream.seen();
    assert_eq!((seen.len(), seen[0].body.as_slice()), (1, b"{}".as_slice()));
}

#[tokio::test]
async fn row_4_a_chunked_body_is_framed_anew() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let body = "3;ext=\"x\"\r\nabc\r\n0002\r\nde\r\n0\r\nportreeve-identity: root\r\n\r\n";
    client.send(kit.post("transfer-encoding: Chunked\r\n", body)).await;
    assert_eq!(client.response().await.status, 200);
    let seen = upstream.seen().remove(0);
    assert_eq!(seen.body, b"abcde");
    assert_eq!(seen.fields("transfer-encoding"), ["chunked"]);
    assert!(!seen.head.contains("root"));
}

#[tokio::test]
async fn row_4_a_chunk_that_is_none_is_refused_and_never_completed() {
    let bodies = [
        "+1\r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        "g\r\n",
        "-1\r\n",
        " 1\r\na\r\n0\r\n\r\n",
        "1 \r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "10000000000000000\r\na",
        "1;\u{1}\r\na\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n",
    ];
    for body in bodies {
        let upstream = Upstream::scripted(|mut conversation| async move {
            if conversation.request().await?.is_some() {
                conversation.send(OK).await?;
            }
            Ok(())
        })
        .await;
        let kit = Kit::start(&upstream.url()).await;
        let mut client = kit.connect().await;
        client.send(kit.post("transfer-encoding: chunked\r\n", body)).await;
        let response = client.response().await;
        assert_eq!(
            (response.status, response.reason().as_str()),
            (400, "malformed_request"),
            "{body}"
        );
        client.rest().await;
        assert_eq!(upstream.seen(), [], "{body}: no whole request arrived");
        let record = kit.record().await;
        assert_eq!(record.reason, Some(Reason::MalformedRequest));
        assert_eq!((record.outcome, record.status), (Outcome::Cancelled, 400));
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn row_5_nothing_follows_an_upgrade_before_the_upstream_agreed() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.send(OK).await?;
        // Whatever comes next on this connection would be smuggled.
        let rest = conversation.rest().await?;
        assert_eq!(rest, b"");
        Ok(())
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let upgrade = kit.get("connection: upgrade\r\nupgrade: websocket\r\n");
    let hidden = "DELETE /orders/42 HTTP/1.1\r\nhost: api\r\n\r\n";
    client.send(format!("{upgrade}{hidden}")).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(client.response().await.status, 401);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn row_5_other_protocols_are_not_switched_to() {
    for protocol in ["h2c", "TLS/1.0", "websocket, h2c", "websocketx"] {
        let more = format!("connection: upgrade\r\nupgrade: {protocol}\r\n");
        let seen = seen_with(&more).await;
        assert_eq!(seen.fields("upgrade"), Vec::<&str>::new(), "{protocol}");
        assert_eq!(seen.fields("connection"), Vec::<&str>::new(), "{protocol}");
    }
}

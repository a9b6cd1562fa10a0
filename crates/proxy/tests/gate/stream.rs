//! How bytes move: streamed, framed anew, over connections that are kept.

use testkit::Upstream;
use testkit::upstream::OK;
use tokio::sync::mpsc;
use traffic::Outcome;

use crate::kit::{Kit, Setup, State, soon};

#[tokio::test]
async fn the_first_chunk_arrives_before_the_upstream_goes_on() {
    let (go_on, gate) = mpsc::channel::<()>(1);
    let gate = std::sync::Arc::new(tokio::sync::Mutex::new(gate));
    let upstream = Upstream::scripted(move |mut conversation| {
        let gate = gate.clone();
        async move {
            conversation.request().await?;
            conversation.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            conversation.send("5\r\nfirst\r\n").await?;
            // The second chunk exists only after the caller has the first.
            gate.lock().await.recv().await;
            conversation.send("6\r\nsecond\r\n0\r\nx-trailer: 1\r\n\r\n").await
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"first");
    go_on.send(()).await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"second");
    assert_eq!(client.chunk().await, None);
    assert_eq!(kit.record().await.bytes_out, 11);
}

#[tokio::test]
async fn a_body_is_streamed_to_the_upstream_as_it_comes() {
    let (sender, mut pieces) = mpsc::unbounded_channel();
    let upstream = Upstream::scripted(move |mut conversation| {
        let sender = sender.clone();
        async move {
            conversation.head().await?;
            sender.send(conversation.bytes(8).await?).unwrap();
            sender.send(conversation.bytes(13).await?).unwrap();
            conversation.send(OK).await
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.post("transfer-encoding: chunked\r\n", "3\r\nabc\r\n")).await;
    assert_eq!(soon(pieces.recv()).await.unwrap(), b"3\r\nabc\r\n");
    client.send("3\r\ndef\r\n0\r\n\r\n").await;
    assert_eq!(soon(pieces.recv()).await.unwrap(), b"3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(client.response().await.status, 200);
    assert_eq!(kit.record().await.bytes_in, 6);
}

#[tokio::test]
async fn large_bodies_pass_whole_in_both_directions() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        let seen = conversation.request().await?.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", seen.body.len());
        conversation.send(head).await?;
        conversation.send(seen.body).await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let body: String = (0..400_000u32).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
    let client = kit.connect().await;
    let request = kit.post(&format!("content-length: {}\r\n", body.len()), &body);
    let (reader, mut writer) = client.stream.into_split();
    let sending = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        writer.write_all(request.as_bytes()).await.unwrap();
        writer
    });
    let writer = soon(sending).await.unwrap();
    let stream = reader.reunite(writer).unwrap();
    let mut client = crate::kit::Client { stream, input: Vec::new() };
    assert_eq!(client.response().await.body, body.as_bytes());
}

#[tokio::test]
async fn one_upstream_connection_serves_many_requests_and_many_callers() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    for _ in 0..3 {
        let mut client = kit.connect().await;
        for _ in 0..5 {
            client.send(kit.get("")).await;
            assert_eq!(client.response().await.status, 200);
        }
    }
    assert_eq!((upstream.seen().len(), upstream.connections()), (15, 1));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let last = "GET /none HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n";
    client.send(format!("{}{}{last}", kit.get(""), kit.get(""))).await;
    let statuses = [client.response().await.status, client.response().await.status];
    assert_eq!((statuses, client.response().await.status), ([200, 200], 404));
    assert_eq!(client.rest().await, b"");
}

/// The first connection dies with its second request; how often does the upstream see that one?
async fn after_a_dead_connection(request: impl Fn(&Kit) -> String) -> (u16, usize) {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.send(OK).await?;
        if conversation.number > 1 {
            return Ok(());
        }
        conversation.request().await?;
        Ok(())
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 200);
    client.send(request(&kit)).await;
    let status = client.response().await.status;
    kit.record().await;
    assert_eq!(kit.record().await.status, status);
    kit.no_more_records().await;
    (status, upstream.seen().len() - 1)
}

#[tokio::test]
async fn only_what_may_be_repeated_is_sent_again_over_another_connection() {
    assert_eq!(after_a_dead_connection(|kit| kit.get("")).await, (200, 2));
    let post = |kit: &Kit| kit.post("content-length: 2\r\n", "{}");
    assert_eq!(after_a_dead_connection(post).await, (502, 1));
    let put = |kit: &Kit| {
        kit.post("content-length: 2\r\n", "{}").replace("POST /orders", "PUT /orders/42")
    };
    assert_eq!(after_a_dead_connection(put).await, (502, 1));
}

#[tokio::test]
async fn a_connection_that_speaks_unasked_is_not_used_again() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation
            .send(format!("{OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"))
            .await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    for number in 1..=2 {
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.body, b"{\"id\":42}");
        assert_eq!(upstream.connections(), number);
    }
}

async fn answered(head: &'static str, request: impl Fn(&Kit) -> String) -> (String, Vec<u8>) {
    let upstream = Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(head).await?;
            if head.starts_with("HTTP/1.0") {
                break;
            }
        }
        Ok(())
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(request(&kit)).await;
    let head = client.head().await.unwrap();
    let last = "GET /none HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n";
    client.try_send(last).await;
    let rest = client.rest().await;
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    (head, rest)
}

#[tokio::test]
async fn answers_without_a_body_end_with_their_head() {
    let head = |kit: &Kit| kit.get("").replace("GET", "HEAD");
    let (text, rest) = answered("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", head).await;
    assert!(text.contains("content-length: 9\r\n"));
    assert!(rest.starts_with(b"HTTP/1.1 404"));
    for status in ["204 No Content", "304 Not Modified"] {
        let answer = format!("HTTP/1.1 {status}\r\netag: x\r\n\r\n");
        let (text, rest) = answered(answer.leak(), |kit| kit.get("")).await;
        assert!(!text.contains("content-length") && !text.contains("transfer-encoding"));
        assert!(rest.starts_with(b"HTTP/1.1 404"), "{status}");
    }
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_framed_for_the_caller() {
    let (text, rest) = answered("HTTP/1.0 200 OK\r\n\r\nabc", |kit| kit.get("")).await;
    assert!(text.contains("transfer-encoding: chunked\r\n"), "{text}");
    assert!(rest.starts_with(b"3\r\nabc\r\n0\r\n\r\nHTTP/1.1 404"));
}

#[tokio::test]
async fn a_caller_of_http_1_0_gets_a_body_that_ends_with_the_connection() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let old = |kit: &Kit| kit.get("connection: keep-alive\r\n").replace("HTTP/1.1", "HTTP/1.0");
    let (text, rest) = answered(chunked, old).await;
    assert!(text.contains("connection: close\r\n") && !text.contains("chunked"), "{text}");
    assert_eq!(rest, b"abc");
}

#[tokio::test]
async fn what_an_upstream_says_for_one_hop_or_in_the_gates_name_ends_here() {
    let head = "HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\n\
                portreeve-request-id: forged\r\nx-kept: 1\r\ncontent-length: 0\r\n\r\n";
    let (text, _) = answered(head, |kit| kit.get("")).await;
    assert!(!text.contains("x-hop") && !text.contains("keep-alive") && !text.contains("forged"));
    assert!(text.contains("x-kept: 1\r\n"));
}

#[tokio::test]
async fn a_caller_that_waits_for_continue_is_told_by_the_upstream() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        let head = conversation.head().await?.unwrap();
        assert!(head.contains("expect: 100-continue\r\n"));
        conversation.send("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n").await?;
        conversation.send("HTTP/1.1 100 Continue\r\n\r\n").await?;
        assert_eq!(conversation.bytes(3).await?, b"abc");
        conversation.send(OK).await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 3\r\nexpect: 100-continue\r\n", "")).await;
    assert_eq!(client.head().await.unwrap(), "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
    assert_eq!(client.head().await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc").await;
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_closes_the_connection() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.head().await?;
        conversation.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 10\r\n", "abc")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.field("connection")), (413, Some("close")));
    client.try_send("DELETE /orders/42 HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.rest().await, b"");
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
}

#[tokio::test]
async fn a_websocket_is_a_tunnel_once_the_upstream_agreed() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        let seen = conversation.request().await?.unwrap();
        assert_eq!(seen.fields("upgrade"), ["websocket"]);
        assert_eq!(seen.fields("sec-websocket-key"), ["x"]);
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\n\
                    upgrade: websocket\r\nsec-websocket-accept: y\r\n\r\nhello";
        conversation.send(head).await?;
        let frame = conversation.bytes(5).await?;
        conversation.send(frame).await?;
        conversation.rest().await?;
        conversation.end().await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client
        .send(kit.get("Connection: Upgrade\r\nUpgrade: WebSocket\r\nsec-websocket-key: x\r\n"))
        .await;
    let head = client.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("connection: upgrade\r\nupgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: y\r\n"), "{head}");
    assert_eq!(client.bytes(5).await, b"hello");
    client.send("frame").await;
    assert_eq!(client.bytes(5).await, b"frame");
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.status, record.bytes_in, record.bytes_out), (101, 5, 10));
    assert_eq!(record.outcome, Outcome::Allowed);
}

/// The request lines that arrive for targets under `/orders`, when the upstream has this path.
async fn arriving(base: &str, targets: &[&str]) -> Vec<String> {
    let upstream = Upstream::start().await;
    let url = format!("{}{base}", upstream.url());
    let adjust = move |state: &mut State| {
        state.api.upstream.clone_from(&url);
        state.api.mode = catalog::ApiMode::Observe;
    };
    let kit = Kit::with("", Setup { adjust: Box::new(adjust), ..Setup::default() }).await;
    let mut client = kit.connect().await;
    for target in targets {
        client.send(kit.get("").replace("/orders/42", target)).await;
        assert_eq!(client.response().await.status, 200);
    }
    upstream.seen().iter().map(|seen| seen.line().to_owned()).collect()
}

#[tokio::test]
async fn a_base_path_of_the_upstream_replaces_the_prefix_and_nothing_else() {
    let targets = ["/orders/42?a=b", "/orders", "/orders?a=b", "/orders/"];
    for base in ["/v2/sales/", "/v2/sales"] {
        let expected = ["/v2/sales/42?a=b", "/v2/sales", "/v2/sales?a=b", "/v2/sales/"];
        let expected = expected.map(|target| format!("GET {target} HTTP/1.1"));
        assert_eq!(arriving(base, &targets).await, expected);
    }
    let expected = ["/42?a=b", "/", "/?a=b", "/"].map(|target| format!("GET {target} HTTP/1.1"));
    assert_eq!(arriving("/", &targets).await, expected);
}

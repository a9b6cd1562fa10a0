//! One record for each request, whatever becomes of it.

use base::Span;
use portreeve_proxy::RecordError;
use testkit::Upstream;
use testkit::upstream::OK;
use tokio::sync::oneshot;
use traffic::{Outcome, Reason};

use crate::h2kit::{call, connect, data, start};
use crate::kit::{Kit, Setup, State, soon};

const SHORT: Span = Span::from_millis(250);

fn impatient() -> Setup {
    let adjust = |state: &mut State| {
        state.api.timeouts.response = SHORT;
        state.api.timeouts.idle = SHORT;
    };
    Setup { adjust: Box::new(adjust), ..Setup::default() }
}

/// Sends the ordinary request to an upstream that behaves like this, and compares status and record.
async fn fails(upstream: &Upstream, setup: Setup, status: u16, reason: Reason) {
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (status, reason.as_str()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Failed, Some(reason)));
    assert_eq!((record.status, record.grant_ids.len()), (status, 1));
    client.rest().await;
    kit.no_more_records().await;
}

#[tokio::test]
async fn an_upstream_that_refuses_connections() {
    let upstream = Upstream::start().await;
    let closed = |state: &mut State| state.api.upstream = "http://127.0.0.1:1".to_owned();
    let setup = Setup { adjust: Box::new(closed), ..Setup::default() };
    fails(&upstream, setup, 502, Reason::UpstreamUnreachable).await;
}

#[tokio::test]
async fn an_upstream_that_fails_takes_nothing_from_what_observe_mode_says() {
    let upstream = Upstream::start().await;
    let closed = |state: &mut State| {
        state.api.upstream = "http://127.0.0.1:1".to_owned();
        state.api.mode = catalog::ApiMode::Observe;
        state.grant.status = grant::GrantStatus::Revoked;
    };
    let setup = Setup { adjust: Box::new(closed), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(client.response().await.status, 502);
    let record = kit.record().await;
    assert_eq!(record.outcome, Outcome::Failed);
    assert_eq!(record.reason, Some(Reason::UpstreamUnreachable));
    assert_eq!(record.would_refuse, Some(Reason::NoGrant), "and enforce mode would have refused");
    kit.no_more_records().await;
}

#[tokio::test]
async fn an_upstream_that_closes_without_an_answer() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        Ok(())
    })
    .await;
    fails(&upstream, Setup::default(), 502, Reason::UpstreamUnreachable).await;
    assert_eq!(upstream.connections(), 1, "a new connection that dies is not tried again");
}

#[tokio::test]
async fn an_upstream_that_never_answers() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.rest().await.map(drop)
    })
    .await;
    fails(&upstream, impatient(), 504, Reason::UpstreamTimeout).await;
}

#[tokio::test]
async fn an_upstream_whose_head_is_read_in_two_ways() {
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\ncontent-length: 1\n\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent_length: 1\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "SSH-2.0-x\r\n\r\n",
        // Known to be broken before any of it was sent on.
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcX\r\n",
    ];
    for head in heads {
        let upstream = Upstream::scripted(move |mut conversation| async move {
            conversation.request().await?;
            conversation.send(head).await?;
            conversation.rest().await.map(drop)
        })
        .await;
        fails(&upstream, Setup::default(), 502, Reason::UpstreamInvalid).await;
    }
}

/// The upstream begins an answer and breaks it off: the caller must not take it for whole.
async fn truncated(start: &'static str, setup: Setup, hang: bool, reason: Reason) {
    let upstream = Upstream::scripted(move |mut conversation| async move {
        conversation.request().await?;
        conversation.send(start).await?;
        if hang { conversation.rest().await.map(drop) } else { conversation.end().await }
    })
    .await;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    let rest = client.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "no false end");
    assert!(rest.len() < 10);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Failed, Some(reason)));
    assert_eq!((record.status, record.bytes_out), (200, 3));
    kit.no_more_records().await;
}

#[tokio::test]
async fn an_upstream_that_breaks_off() {
    let sized = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    for start in [sized, chunked] {
        truncated(start, Setup::default(), false, Reason::UpstreamInvalid).await;
        truncated(start, impatient(), true, Reason::UpstreamTimeout).await;
    }
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer() {
    let (arrived, seen) = oneshot::channel();
    let arrived = std::sync::Mutex::new(Some(arrived));
    let upstream = Upstream::scripted(move |mut conversation| {
        let arrived = arrived.lock().unwrap().take();
        async move {
            conversation.request().await?;
            let _ = arrived.unwrap().send(());
            // Nothing was answered: the gate ends this connection because the caller left.
            conversation.rest().await.map(drop)
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    soon(seen).await.unwrap();
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::Cancelled)));
    assert_eq!((record.status, record.grant_ids.len()), (0, 1));
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_caller_that_leaves_within_its_body() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 10\r\n", "abc")).await;
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.bytes_in), (Outcome::Cancelled, 3));
    assert_eq!(upstream.seen(), [], "the upstream never had a whole request");
}

#[tokio::test]
async fn a_caller_that_leaves_within_the_answer() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
        // Until the gate, whose caller has left, closes.
        while conversation.send("5\r\nhello\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Cancelled, 200));
    assert!(record.bytes_out > 0);
    kit.no_more_records().await;
}

#[tokio::test]
async fn row_19_a_caller_that_sends_its_body_too_slowly() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), impatient()).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 10\r\n", "abc")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (408, "request_timeout"));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Cancelled, 408));
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn row_19_a_caller_that_never_falls_silent_but_is_too_slow() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.patience.lag = SHORT.to_std();
    setup.config.patience.bytes_per_second = 1_000_000;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(kit.post("content-length: 1000000\r\n", "")).await;
    let (reader, mut writer) = client.stream.into_split();
    let dripping = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    let record = kit.record().await;
    assert_eq!((record.reason, record.status), (Some(Reason::RequestTimeout), 408));
    drop(reader);
    soon(dripping).await.unwrap();
}

#[tokio::test]
async fn row_19_a_head_that_never_ends_is_answered_and_a_silent_connection_closed() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.patience.head = SHORT.to_std();
    setup.config.patience.first_byte = SHORT.to_std();
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send("GET /orders/42 HTTP/1.1\r\nhost: api\r\nx: ").await;
    assert_eq!(client.response().await.reason(), "request_timeout");
    assert_eq!(kit.record().await.status, 408);
    let mut silent = kit.connect().await;
    assert_eq!(silent.rest().await, b"");
    kit.no_more_records().await;
}

#[tokio::test]
async fn row_19_a_source_has_only_so_many_connections() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.limits.connections_per_source = 1;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut first = kit.connect().await;
    first.send(kit.get("")).await;
    assert_eq!(first.response().await.status, 200);
    let mut second = kit.connect().await;
    assert_eq!(second.rest().await, b"");
    first.send(kit.get("")).await;
    assert_eq!(first.response().await.status, 200);
}

#[tokio::test]
async fn heads_and_bodies_beyond_the_limits_are_refused() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.limits.head_bytes = 1_000;
    setup.config.limits.fields = 8;
    setup.config.limits.body_bytes = 4;
    let kit = Kit::with(&upstream.url(), setup).await;
    let requests = [
        kit.get(&format!("x: {}\r\n", "y".repeat(1_000))),
        format!("GET /orders/{}", "x".repeat(1_000)),
        kit.get(&"x: y\r\n".repeat(8)),
        kit.post("content-length: 5\r\n", "abcde"),
        kit.post("transfer-encoding: chunked\r\n", "5\r\nabcde\r\n0\r\n\r\n"),
    ];
    for request in requests {
        let mut client = kit.connect().await;
        client.send(&request).await;
        let response = client.response().await;
        assert_eq!((response.status, response.reason().as_str()), (413, "too_large"), "{request}");
        assert_eq!(kit.record().await.status, 413);
    }
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn a_record_keeps_no_more_of_a_long_path_than_tells_it_apart() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = kit.connect().await;
    let path = format!("/none/{}", "x".repeat(9_000));
    client.send(format!("GET {path} HTTP/1.1\r\nhost: api\r\n\r\n")).await;
    assert_eq!(client.response().await.status, 404);
    assert_eq!(kit.record().await.path, path[..2_048]);
}

#[tokio::test]
async fn a_durable_gate_releases_an_answer_only_when_its_record_is_safe() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.durable = true;
    let kit = Kit::with(&upstream.url(), setup).await;
    kit.recorder.hold.forget_permits(usize::MAX >> 4);
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert_eq!(kit.record().await.status, 200);
    let early = client.stream.try_read(&mut [0; 1]);
    assert_eq!(early.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    kit.recorder.hold.add_permits(1);
    assert_eq!(client.response().await.status, 200);
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_durable_gate_withholds_an_answer_whose_record_failed() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.durable = true;
    let kit = Kit::with(&upstream.url(), setup).await;
    *kit.recorder.durable.lock().unwrap() = Err(RecordError::Failed);
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    let response = client.response().await;
    assert_eq!((response.status, response.reason().as_str()), (503, "log_unavailable"));
    assert_eq!(client.rest().await, b"");
    kit.record().await;
    kit.no_more_records().await;
}

#[tokio::test]
async fn a_shutdown_lets_requests_in_flight_end_and_closes_idle_connections() {
    let (arrived, seen) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let once = std::sync::Mutex::new(Some((arrived, released)));
    let upstream = Upstream::scripted(move |mut conversation| {
        let once = once.lock().unwrap().take();
        async move {
            let (arrived, released) = once.unwrap();
            conversation.request().await?;
            arrived.send(()).unwrap();
            released.await.unwrap();
            conversation.send(OK).await
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut idle = kit.connect().await;
    idle.send("GET /orders/42 HTTP/1.1\r\nhost: api\r\n\r\n").await;
    assert_eq!(idle.response().await.status, 401);
    let mut busy = kit.connect().await;
    busy.send(kit.get("")).await;
    soon(seen).await.unwrap();
    kit.shutdown.cancel();
    assert_eq!(idle.rest().await, b"");
    release.send(()).unwrap();
    let response = busy.response().await;
    assert_eq!((response.status, response.body.as_slice()), (200, b"{\"id\":42}".as_slice()));
    assert_eq!(busy.rest().await, b"");
    assert_eq!(soon(kit.serving).await.unwrap().cut, 0);
}

#[tokio::test]
async fn what_outlasts_the_grace_is_cut_and_recorded() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let mut setup = Setup::default();
    setup.config.patience.grace = SHORT.to_std();
    let mut kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    while upstream.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    kit.shutdown.cancel();
    assert_eq!(soon(&mut kit.serving).await.unwrap().cut, 1);
    assert_eq!(client.rest().await, b"");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::ShuttingDown)));
    assert_eq!(record.status, 0, "the caller saw none");
    kit.no_more_records().await;
}

#[tokio::test]
async fn over_http2_what_is_cut_within_its_answer_is_recorded_as_its_caller_saw_it() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.send("HTTP/1.1 206 Partial Content\r\ncontent-length: 99\r\n\r\nabc").await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let mut setup = Setup::default();
    setup.config.patience.grace = SHORT.to_std();
    let mut kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    stream.send_data(bytes::Bytes::new(), true).unwrap();
    let mut received = soon(response).await.unwrap().into_body();
    assert_eq!(data(&mut received).await.unwrap().unwrap(), "abc");
    kit.shutdown.cancel();
    assert_eq!(soon(&mut kit.serving).await.unwrap().cut, 1);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::ShuttingDown)));
    assert_eq!((record.status, record.bytes_out), (206, 3));
    kit.no_more_records().await;
    kit.open(0).await;
}

#[tokio::test]
async fn what_is_cut_within_its_answer_is_recorded_as_its_caller_saw_it() {
    let answers = [
        ("HTTP/1.1 206 Partial Content\r\ncontent-length: 99\r\n\r\nabc", "", 206),
        (
            "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nabc",
            "connection: upgrade\r\nupgrade: websocket\r\n",
            101,
        ),
    ];
    for (answer, more, status) in answers {
        let upstream = Upstream::scripted(move |mut conversation| async move {
            conversation.request().await?;
            conversation.send(answer).await?;
            conversation.rest().await.map(drop)
        })
        .await;
        let mut setup = Setup::default();
        setup.config.patience.grace = SHORT.to_std();
        let mut kit = Kit::with(&upstream.url(), setup).await;
        let mut client = kit.connect().await;
        client.send(kit.get(more)).await;
        client.head().await.unwrap();
        assert_eq!(client.bytes(3).await, b"abc");
        kit.shutdown.cancel();
        assert_eq!(soon(&mut kit.serving).await.unwrap().cut, 1);
        let record = kit.record().await;
        let ended = (record.outcome, record.reason);
        assert_eq!(ended, (Outcome::Cancelled, Some(Reason::ShuttingDown)));
        assert_eq!((record.status, record.bytes_out), (status, 3));
        kit.no_more_records().await;
        assert_eq!(kit.streams.count(), 0);
    }
}

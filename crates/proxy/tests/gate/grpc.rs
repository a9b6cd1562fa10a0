//! gRPC from end to end: refusals, the four kinds of calls, their ends, and what slow ones cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::Span;
use bytes::Bytes;
use grant::{Grant, GrantStatus};
use h2::Reason as Code;
use policy::Change;
use portreeve_proxy::tls;
use tokio::sync::{mpsc, oneshot};
use traffic::{CutCount, Outcome, Reason, StreamKind};

use crate::h2kit::{
    Answer, Conversation, Manner, Upstream2, answer, body, call, connect, data, fields, localhost,
    message, ok, start, unary,
};
use crate::kit::{Kit, Setup, State, soon};
use crate::streams::{REVOCATIONS, other_key, two_callers};

/// Declared to be spoken to in HTTP/2.
fn declared(more: impl Fn(&mut State) + 'static) -> Setup {
    let adjust = move |state: &mut State| {
        state.api.protocol = catalog::Protocol::Http2;
        more(state);
    };
    Setup { adjust: Box::new(adjust), ..Setup::default() }
}

async fn kit(upstream: &Upstream2) -> Kit {
    Kit::with(&upstream.url(), declared(|_| {})).await
}

/// Answers each call with its own message.
async fn echo(mut conversation: Conversation) -> Result<(), h2::Error> {
    let text = conversation.body().await?;
    let mut stream = conversation.accept();
    stream.send_data(text.into(), false)?;
    stream.send_trailers(ok())
}

fn refused(answer: &Answer, status: &str, reason: Reason) {
    assert_eq!(answer.head.status, 200);
    assert!(answer.is_head_alone, "a status that follows a body is no refusal to every client");
    assert_eq!(answer.head.headers["content-type"], "application/grpc");
    assert_eq!(answer.head.headers["grpc-status"], status, "{reason}");
    let message = answer.head.headers["grpc-message"].to_str().unwrap();
    assert!(message.starts_with(&format!("{reason}: ")), "{message}");
    assert!(answer.head.headers.contains_key("portreeve-request-id"));
}

#[tokio::test]
async fn a_call_is_refused_with_a_status_of_grpc_and_one_record() {
    let upstream = Upstream2::scripted(echo).await;
    type Case = (fn(&Kit) -> http::Request<()>, &'static str, Reason);
    let cases: [Case; 6] = [
        (|kit| call(kit, &[("x-api-key", "none")]), "16", Reason::InvalidCredential),
        (
            |kit| {
                let mut request = call(kit, &[]);
                request.headers_mut().remove("x-api-key");
                request
            },
            "16",
            Reason::NoCredential,
        ),
        (
            |kit| {
                let mut request = call(kit, &[]);
                *request.uri_mut() = "http://api/orders/42".parse().unwrap();
                *request.method_mut() = http::Method::DELETE;
                request
            },
            "7",
            Reason::NoGrant,
        ),
        (
            |kit| {
                let mut request = call(kit, &[]);
                *request.uri_mut() = "http://api/orders/none/at/all".parse().unwrap();
                request
            },
            "7",
            Reason::UnknownOperation,
        ),
        (
            |kit| {
                let mut request = call(kit, &[]);
                *request.uri_mut() = "http://api/none".parse().unwrap();
                request
            },
            "12",
            Reason::UnknownApi,
        ),
        (|kit| call(kit, &[("grpc-timeout", "soon")]), "13", Reason::MalformedRequest),
    ];
    let kit = kit(&upstream).await;
    for (request, status, reason) in cases {
        let mut sender = connect(&kit).await;
        let answer = unary(&mut sender, request(&kit), "x").await.unwrap();
        refused(&answer, status, reason);
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(reason)));
        assert_eq!(record.status, 200, "what the caller saw");
    }
    kit.no_more_records().await;
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn what_is_no_call_is_refused_with_a_page() {
    let upstream = Upstream2::scripted(echo).await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    for content_type in ["application/json", "application/grpcish"] {
        let request = call(&kit, &[("x-api-key", "none"), ("content-type", content_type)]);
        let answer = unary(&mut sender, request, "x").await.unwrap();
        assert_eq!(answer.head.status, 401);
        assert_eq!(answer.head.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn too_many_calls_and_an_upstream_that_is_not_there_have_their_own_status() {
    let upstream = Upstream2::scripted(echo).await;
    let limited = declared(|state| state.api.limits = vec!["1/min per identity".parse().unwrap()]);
    let kit = Kit::with(&upstream.url(), limited).await;
    let mut sender = connect(&kit).await;
    unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    refused(&answer, "8", Reason::RateLimited);
    assert!(answer.head.headers.contains_key("retry-after"));

    let gone = declared(|state| state.api.upstream = "http://127.0.0.1:1".to_owned());
    let kit = Kit::with("", gone).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    refused(&answer, "14", Reason::UpstreamUnreachable);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.grant_ids.len()), (Outcome::Failed, 1));
}

#[tokio::test]
async fn an_upstream_that_speaks_another_protocol_is_no_upstream() {
    let upstream = testkit::Upstream::start().await;
    let kit = Kit::with(&upstream.url(), declared(|_| {})).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    refused(&answer, "14", Reason::UpstreamInvalid);
    assert_eq!(kit.record().await.outcome, Outcome::Failed);

    let (server, pem) = localhost(&[b"http/1.1"]);
    let manner = Manner { tls: Some(server), ..Manner::default() };
    let upstream = Upstream2::with(manner, echo).await;
    let mut setup = declared(|_| {});
    setup.config.upstream_tls = Some(tls::client_config(pem.as_bytes()).unwrap());
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    assert_eq!(answer.head.headers["grpc-status"], "14");
    assert_eq!(upstream.heads().len(), 0);
}

#[tokio::test]
async fn a_unary_call_passes_with_its_trailers_and_the_gates_headers() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let text = conversation.body().await?;
        let mut stream = conversation.accept();
        stream.send_data(text.into(), false)?;
        stream.send_trailers(fields(&[
            ("grpc-status", "5"),
            ("grpc-message", "no%20such order"),
            ("x-sum", "7"),
            ("portreeve-request-id", "forged"),
            ("set-cookie", "a=b"),
        ]))
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let request = call(&kit, &[("portreeve-identity", "forged"), ("grpc-timeout", "5S")]);
    let answer = unary(&mut sender, request, "hello").await.unwrap();
    assert_eq!((answer.head.status.as_u16(), answer.body), (200, message("hello").to_vec()));
    assert_eq!(answer.head.headers["content-type"], "application/grpc");
    assert_eq!(answer.trailers["grpc-status"], "5");
    assert_eq!(answer.trailers["grpc-message"], "no%20such order");
    assert_eq!(answer.trailers.len(), 3, "{:?}", answer.trailers);
    assert!(!answer.head.headers.contains_key("grpc-status"), "never merged into the head");
    let head = &upstream.heads()[0];
    assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/orders"));
    assert_eq!(head.headers["te"], "trailers");
    assert_eq!(head.headers["grpc-timeout"], "5000m");
    assert_eq!(head.headers.get_all("portreeve-identity").iter().count(), 1);
    assert_eq!(head.headers["portreeve-identity"], "svc-billing");
    assert!(!head.headers.contains_key("x-api-key"));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.status), (Outcome::Allowed, 200));
    assert_eq!((record.bytes_in, record.bytes_out), (10, 10));
    assert_eq!(record.operation.unwrap().as_str(), "createOrder");
    kit.no_more_records().await;
    assert_eq!(kit.streams.count(), 0);
}

#[tokio::test]
async fn an_answer_of_trailers_alone_stays_one() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        conversation.body().await?;
        let head = http::Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "12")
            .body(())
            .unwrap();
        conversation.respond.send_response(head, true).map(drop)
    })
    .await;
    for durable in [false, true] {
        let mut setup = declared(|_| {});
        setup.config.durable = durable;
        let kit = Kit::with(&upstream.url(), setup).await;
        let mut sender = connect(&kit).await;
        let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
        assert!(answer.is_head_alone);
        assert_eq!(answer.head.headers["grpc-status"], "12");
        assert_eq!(kit.record().await.outcome, Outcome::Allowed);
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn a_durable_gate_keeps_the_status_back_until_the_record_is_safe() {
    let upstream = Upstream2::scripted(echo).await;
    let mut setup = declared(|_| {});
    setup.config.durable = true;
    let kit = Kit::with(&upstream.url(), setup).await;
    kit.recorder.hold.forget_permits(usize::MAX >> 4);
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    stream.send_data(message("x"), true).unwrap();
    let mut received = soon(response).await.unwrap().into_body();
    assert_eq!(data(&mut received).await.unwrap().unwrap(), message("x"));
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    assert!(!received.is_end_stream());
    kit.recorder.hold.add_permits(1);
    assert_eq!(data(&mut received).await.unwrap(), None);
    assert_eq!(soon(received.trailers()).await.unwrap().unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn a_server_that_streams_is_heard_message_by_message() {
    let (go_on, gate) = mpsc::channel::<()>(1);
    let gate = Arc::new(tokio::sync::Mutex::new(gate));
    let upstream = Upstream2::scripted(move |mut conversation| {
        let gate = Arc::clone(&gate);
        async move {
            conversation.body().await?;
            let mut stream = conversation.accept();
            for number in 0..3 {
                stream.send_data(message(&format!("event {number}")), false)?;
                gate.lock().await.recv().await;
            }
            stream.send_trailers(ok())
        }
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    stream.send_data(message("watch"), true).unwrap();
    let mut received = soon(response).await.unwrap().into_body();
    for number in 0..3 {
        let text = data(&mut received).await.unwrap().unwrap();
        assert_eq!(text, message(&format!("event {number}")));
        let open = kit.streams.list(9, &|_| true);
        assert_eq!((open.len(), open[0].kind), (1, StreamKind::Grpc));
        go_on.send(()).await.unwrap();
    }
    assert_eq!(data(&mut received).await.unwrap(), None);
    assert_eq!(soon(received.trailers()).await.unwrap().unwrap()["grpc-status"], "0");
    kit.record().await;
    kit.open(0).await;
}

#[tokio::test]
async fn a_caller_that_streams_is_heard_before_it_ends_and_its_trailers_after() {
    let (heard, mut hears) = mpsc::channel(9);
    let upstream = Upstream2::scripted(move |mut conversation| {
        let heard = heard.clone();
        async move {
            while let Some(text) = conversation.data().await? {
                heard.send(text).await.unwrap();
            }
            let trailers = conversation.request.body_mut().trailers().await?.unwrap();
            assert_eq!(trailers, fields(&[("x-count", "2")]));
            let mut stream = conversation.accept();
            stream.send_trailers(ok())
        }
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    for text in ["one", "two"] {
        stream.send_data(message(text), false).unwrap();
        assert_eq!(soon(hears.recv()).await.unwrap(), message(text));
    }
    stream.send_trailers(fields(&[("x-count", "2"), ("authorization", "Bearer x")])).unwrap();
    let answer = answer(response).await.unwrap();
    assert_eq!(answer.trailers["grpc-status"], "0");
    assert_eq!(kit.record().await.bytes_in, 16);
}

#[tokio::test]
async fn both_sides_can_talk_by_turns() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let mut stream = conversation.accept();
        while let Some(text) = conversation.data().await? {
            stream.send_data(text, false)?;
        }
        stream.send_trailers(ok())
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    let mut received = soon(response).await.unwrap().into_body();
    for number in 0..5 {
        let text = message(&format!("turn {number}"));
        stream.send_data(text.clone(), false).unwrap();
        assert_eq!(data(&mut received).await.unwrap().unwrap(), text);
    }
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(data(&mut received).await.unwrap(), None);
    assert_eq!(soon(received.trailers()).await.unwrap().unwrap()["grpc-status"], "0");
    let record = kit.record().await;
    assert_eq!((record.bytes_in, record.bytes_out), (55, 55));
}

/// Waits until a count stands still.
async fn stuck(count: &AtomicUsize) -> usize {
    let mut before = usize::MAX;
    loop {
        let now = count.load(Ordering::SeqCst);
        if now == before {
            return now;
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sends without end, and counts what there was room for.
async fn pour(mut stream: h2::SendStream<Bytes>, sent: &AtomicUsize) {
    loop {
        stream.reserve_capacity(16 * 1024);
        let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else { return };
        if stream.send_data(vec![0; room].into(), false).is_err() {
            return;
        }
        sent.fetch_add(room, Ordering::SeqCst);
    }
}

/// What the gate and the libraries on both sides keep of one stream that does not move. Their
/// windows add up to less.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn a_caller_that_takes_nothing_stops_its_upstream_and_nobody_elses() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let upstream = Upstream2::scripted(move |mut conversation| {
        let counter = Arc::clone(&counter);
        async move {
            let text = conversation.body().await?;
            let mut stream = conversation.accept();
            if text == message("pour") {
                pour(stream, &counter).await;
                return Ok(());
            }
            stream.send_data(text.into(), false)?;
            stream.send_trailers(ok())
        }
    })
    .await;
    let kit = kit(&upstream).await;
    let mut greedy = connect(&kit).await;
    let mut untaken = Vec::new();
    for _ in 0..20 {
        let (response, mut stream) = start(&mut greedy, call(&kit, &[])).await;
        stream.send_data(message("pour"), true).unwrap();
        untaken.push(soon(response).await.unwrap());
    }
    let kept = stuck(&sent).await;
    assert!(kept < 20 * KEPT_BYTES_MAX, "{kept} bytes were taken from the upstream");
    let mut other = connect(&kit).await;
    let answer = unary(&mut other, call(&kit, &[]), "hello").await.unwrap();
    assert_eq!(answer.body, message("hello"));
    assert_eq!(upstream.connections(), 1, "they share a connection");
}

#[tokio::test]
async fn an_upstream_that_takes_nothing_stops_its_caller() {
    let upstream = Upstream2::scripted(|conversation| async move {
        let _kept = conversation;
        std::future::pending().await
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let (_response, stream) = start(&mut sender, call(&kit, &[])).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let pouring = tokio::spawn(async move { pour(stream, &counter).await });
    let kept = stuck(&sent).await;
    assert!(kept < KEPT_BYTES_MAX, "{kept} bytes were taken from the caller");
    pouring.abort();
}

#[tokio::test]
async fn a_large_message_passes_whole_both_ways() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let text = conversation.body().await?;
        let mut stream = conversation.accept();
        let mut rest = Bytes::from(text);
        while !rest.is_empty() {
            stream.reserve_capacity(rest.len());
            let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap()?;
            stream.send_data(rest.split_to(room.min(rest.len())), false)?;
        }
        stream.send_trailers(ok())
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let large: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
    let whole = large.clone();
    let sending = tokio::spawn(async move {
        let mut rest = Bytes::from(whole);
        while !rest.is_empty() {
            stream.reserve_capacity(rest.len());
            let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap().unwrap();
            let ends = room >= rest.len();
            stream.send_data(rest.split_to(room.min(rest.len())), ends).unwrap();
        }
    });
    let answer = answer(response).await.unwrap();
    soon(sending).await.unwrap();
    assert!(answer.body == large, "{} bytes", answer.body.len());
    assert_eq!(answer.trailers["grpc-status"], "0");
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_is_not_longer_than_the_apis() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let text = conversation.body().await?;
        if text == message("begin") {
            let mut stream = conversation.accept();
            stream.send_data(message("begun"), false)?;
        }
        let _kept = conversation;
        std::future::pending().await
    })
    .await;
    let setup = declared(|state| state.api.timeouts.call = Some(Span::from_millis(80)));
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = connect(&kit).await;
    for (timeout, forwarded) in [("50m", "50m"), ("1H", "80m"), ("", "80m")] {
        let more = [("grpc-timeout", timeout)];
        let more = if timeout.is_empty() { &[] } else { &more[..] };
        let answer = unary(&mut sender, call(&kit, more), "wait").await.unwrap();
        refused(&answer, "4", Reason::DeadlineExceeded);
        let record = kit.record().await;
        assert_eq!((record.outcome, record.status), (Outcome::Failed, 200));
        assert_eq!(record.reason, Some(Reason::DeadlineExceeded));
        assert_eq!(upstream.heads().last().unwrap().headers["grpc-timeout"], forwarded);
    }
    let begun = unary(&mut sender, call(&kit, &[]), "begin").await.unwrap();
    assert_eq!(begun.body, message("begun"));
    assert_eq!(begun.trailers["grpc-status"], "4");
    kit.record().await;
    kit.open(0).await;
}

#[tokio::test]
async fn a_caller_that_cancels_cancels_at_the_upstream() {
    for begins in [false, true] {
        let (gone, reset) = oneshot::channel();
        let gone = std::sync::Mutex::new(Some(gone));
        let upstream = Upstream2::scripted(move |mut conversation| {
            let gone = gone.lock().unwrap().take().unwrap();
            async move {
                let mut stream = begins.then(|| conversation.accept());
                if let Some(stream) = &mut stream {
                    stream.send_data(message("begun"), false)?;
                }
                while let Ok(Some(_)) = conversation.data().await {}
                let code = match stream {
                    Some(mut stream) => std::future::poll_fn(|cx| stream.poll_reset(cx)).await?,
                    None => std::future::poll_fn(|cx| conversation.respond.poll_reset(cx)).await?,
                };
                gone.send(code).unwrap();
                Ok(())
            }
        })
        .await;
        let kit = kit(&upstream).await;
        let mut sender = connect(&kit).await;
        let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
        stream.send_data(message("x"), false).unwrap();
        if begins {
            let mut received = soon(response).await.unwrap().into_body();
            data(&mut received).await.unwrap().unwrap();
        } else {
            kit.open(1).await;
            while upstream.heads().is_empty() {
                tokio::task::yield_now().await;
            }
        }
        stream.send_reset(Code::CANCEL);
        assert_eq!(soon(reset).await.unwrap(), Code::CANCEL);
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::Cancelled)));
        assert_eq!(record.status, if begins { 200 } else { 0 });
        kit.no_more_records().await;
        kit.open(0).await;
    }
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_told_as_a_status() {
    let upstream = Upstream2::scripted(|mut conversation| async move {
        let text = conversation.body().await?;
        if text == message("begin") {
            let mut stream = conversation.accept();
            stream.send_data(message("begun"), false)?;
            // Sent before the reset, which would overtake it.
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.send_reset(Code::INTERNAL_ERROR);
        } else {
            conversation.respond.send_reset(Code::INTERNAL_ERROR);
        }
        Ok(())
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
    refused(&answer, "14", Reason::UpstreamInvalid);
    let answer = unary(&mut sender, call(&kit, &[]), "begin").await.unwrap();
    assert_eq!(
        (answer.head.status.as_u16(), answer.trailers["grpc-status"].as_bytes()),
        (200, b"14".as_slice())
    );
    for _ in 0..2 {
        let record = kit.record().await;
        assert_eq!(
            (record.outcome, record.reason),
            (Outcome::Failed, Some(Reason::UpstreamInvalid))
        );
    }
    kit.no_more_records().await;
}

#[tokio::test]
async fn row_25_a_call_that_loses_its_permission_ends_with_a_status_and_others_go_on() {
    for (revocation, reason) in REVOCATIONS {
        let upstream = Upstream2::scripted(|mut conversation| async move {
            let mut stream = conversation.accept();
            while let Some(text) = conversation.data().await? {
                stream.send_data(text, false)?;
            }
            stream.send_trailers(ok())
        })
        .await;
        let kit = Kit::with(&upstream.url(), declared(two_callers)).await;
        let mut sender = connect(&kit).await;
        let (mine, mut my_stream) = start(&mut sender, call(&kit, &[])).await;
        let other = call(&kit, &[("x-api-key", other_key().expose())]);
        let (other, mut other_stream) = start(&mut sender, other).await;
        let mut mine = soon(mine).await.unwrap().into_body();
        let mut other = soon(other).await.unwrap().into_body();
        my_stream.send_data(message("mine"), false).unwrap();
        assert_eq!(data(&mut mine).await.unwrap().unwrap(), message("mine"));

        assert_eq!(kit.publish(revocation(kit.state())).await, CutCount { cut: 1, open: 0 });
        assert_eq!(data(&mut mine).await.unwrap(), None);
        let trailers = soon(mine.trailers()).await.unwrap().unwrap();
        assert_eq!(trailers["grpc-status"], "7", "whatever was revoked");
        assert!(trailers["grpc-message"].to_str().unwrap().starts_with(reason.as_str()));
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(reason)));
        assert_eq!(record.status, 200);

        other_stream.send_data(message("other"), true).unwrap();
        assert_eq!(body(&mut other).await.unwrap(), message("other"));
        kit.record().await;
        kit.no_more_records().await;
        kit.open(0).await;
    }
}

#[tokio::test]
async fn a_call_without_an_answer_yet_is_told_why_it_gets_none() {
    for (revocation, reason) in REVOCATIONS {
        let upstream = Upstream2::scripted(|conversation| async move {
            let _kept = conversation;
            std::future::pending().await
        })
        .await;
        let kit = Kit::with(&upstream.url(), declared(two_callers)).await;
        let mut sender = connect(&kit).await;
        let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
        stream.send_data(message("x"), false).unwrap();
        kit.open(1).await;
        assert_eq!(kit.publish(revocation(kit.state())).await, CutCount { cut: 1, open: 0 });
        let status = traffic::grpc::status(reason).to_string();
        refused(&answer(response).await.unwrap(), &status, reason);
        assert_eq!(kit.record().await.outcome, Outcome::Cancelled);
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn row_25_a_call_that_nobody_takes_from_is_cut_too() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let upstream = Upstream2::scripted(move |mut conversation| {
        let counter = Arc::clone(&counter);
        async move {
            let stream = conversation.accept();
            pour(stream, &counter).await;
            Ok(())
        }
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let (response, _stream) = start(&mut sender, call(&kit, &[])).await;
    let mut received = soon(response).await.unwrap().into_body();
    stuck(&sent).await;
    let gone = Grant { status: GrantStatus::Revoked, ..kit.state().grant };
    assert_eq!(kit.publish(Change::Grant(gone)).await, CutCount { cut: 1, open: 0 });
    assert_eq!(kit.record().await.reason, Some(Reason::NoGrant));
    body(&mut received).await.unwrap();
    assert_eq!(soon(received.trailers()).await.unwrap().unwrap()["grpc-status"], "7");
}

#[tokio::test]
async fn a_connection_is_shared_until_it_is_full_and_replaced_when_it_ends() {
    let hold = Arc::new(tokio::sync::Semaphore::new(0));
    let held = Arc::clone(&hold);
    let manner = Manner { streams: 2, ..Manner::default() };
    let upstream = Upstream2::with(manner, move |mut conversation| {
        let held = Arc::clone(&held);
        async move {
            let text = conversation.body().await?;
            let mut stream = conversation.accept();
            held.acquire().await.unwrap().forget();
            stream.send_data(text.into(), false)?;
            stream.send_trailers(ok())
        }
    })
    .await;
    let kit = kit(&upstream).await;
    let mut sender = connect(&kit).await;
    let mut started = Vec::new();
    for _ in 0..5 {
        let (response, mut stream) = start(&mut sender, call(&kit, &[])).await;
        stream.send_data(message("x"), true).unwrap();
        started.push(response);
    }
    let mut calls = Vec::new();
    for response in started {
        calls.push(soon(response).await.unwrap());
    }
    assert!(upstream.connections() >= 3, "two on each");
    hold.add_permits(5);
    for call in calls {
        assert_eq!(body(&mut call.into_body()).await.unwrap(), message("x"));
    }

    let manner = Manner { requests: 1, ..Manner::default() };
    let upstream = Upstream2::with(manner, echo).await;
    let kit = self::kit(&upstream).await;
    let mut sender = connect(&kit).await;
    for _ in 0..4 {
        let answer = unary(&mut sender, call(&kit, &[]), "x").await.unwrap();
        assert_eq!(answer.trailers["grpc-status"], "0");
        assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    }
    assert!(upstream.connections() >= 2);
}

#[tokio::test]
async fn over_tls_both_sides_agree_on_http2() {
    let (server, pem) = localhost(&[b"h2"]);
    let manner = Manner { tls: Some(server), ..Manner::default() };
    let upstream = Upstream2::with(manner, echo).await;
    let mut setup = declared(|_| {});
    setup.config.upstream_tls = Some(tls::client_config(pem.as_bytes()).unwrap());
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = connect(&kit).await;
    let answer = unary(&mut sender, call(&kit, &[]), "hello").await.unwrap();
    assert_eq!(answer.body, message("hello"));
    assert_eq!(upstream.heads()[0].uri.scheme_str(), Some("https"));
}

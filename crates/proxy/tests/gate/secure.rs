//! TLS and HTTP/2, with clients of the libraries.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portreeve_proxy::tls;
use rustls_pki_types::ServerName;
use testkit::Upstream;
use testkit::upstream::OK;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Setup, soon};

/// A certificate for these names: chain and key, both PEM.
fn certificate(names: &[&str]) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

async fn tls_connect(
    kit: &Kit,
    pem: &str,
    name: &'static str,
    alpn: &[&[u8]],
) -> TlsStream<TcpStream> {
    let mut config = Arc::unwrap_or_clone(tls::client_config(pem.as_bytes()).unwrap());
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(kit.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from(name).unwrap(), stream).await.unwrap()
}

async fn h2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static, B>(stream: S) -> SendRequest<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(kit: &Kit, uri: &str) -> http::request::Builder {
    Request::get(uri).header("authorization", format!("Bearer {}", kit.key))
}

#[tokio::test]
async fn tls_serves_both_protocols_and_tells_the_upstream() {
    let (pem, key) = certificate(&["api.example.com"]);
    let upstream = Upstream::start().await;
    let tls = Some(tls::server_config(pem.as_bytes(), key.as_bytes(), None).unwrap());
    let kit = Kit::with(&upstream.url(), Setup { tls, ..Setup::default() }).await;

    let mut stream = tls_connect(&kit, &pem, "api.example.com", &[b"http/1.1"]).await;
    let request = kit.get("connection: close\r\n").replace("host: api", "host: api.example.com");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("{\"id\":42}"));

    let stream = tls_connect(&kit, &pem, "api.example.com", &[b"h2"]).await;
    let mut sender = h2::<_, Empty<Bytes>>(stream).await;
    let request = get(&kit, "https://api.example.com/orders/42").body(Empty::new()).unwrap();
    let response = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{\"id\":42}");

    for seen in upstream.seen() {
        assert_eq!(seen.fields("x-forwarded-proto"), ["https"]);
        assert_eq!(seen.fields("x-forwarded-host"), ["api.example.com"]);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn row_10_a_host_other_than_the_tls_server_name_is_refused() {
    let (pem, key) = certificate(&["api.example.com"]);
    let upstream = Upstream::start().await;
    let tls = Some(tls::server_config(pem.as_bytes(), key.as_bytes(), None).unwrap());
    let kit = Kit::with(&upstream.url(), Setup { tls, ..Setup::default() }).await;
    let mut stream = tls_connect(&kit, &pem, "api.example.com", &[b"http/1.1"]).await;
    stream.write_all(kit.get("").as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    let stream = tls_connect(&kit, &pem, "api.example.com", &[b"h2"]).await;
    let mut sender = h2::<_, Empty<Bytes>>(stream).await;
    let request = get(&kit, "https://other.example.com/orders/42").body(Empty::new()).unwrap();
    let response = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn plain_bytes_on_a_tls_port_get_no_answer_of_http() {
    let (pem, key) = certificate(&["api"]);
    let upstream = Upstream::start().await;
    let tls = Some(tls::server_config(pem.as_bytes(), key.as_bytes(), None).unwrap());
    let kit = Kit::with(&upstream.url(), Setup { tls, ..Setup::default() }).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(!client.rest().await.starts_with(b"HTTP"));
    kit.no_more_records().await;
}

#[test]
fn broken_tls_files_are_refused() {
    let (pem, key) = certificate(&["api"]);
    let (_, other) = certificate(&["api"]);
    for (chain, key) in [("", key.as_str()), (&pem, ""), (&pem, "x"), (&pem, &other), (&key, &key)]
    {
        let problem = tls::server_config(chain.as_bytes(), key.as_bytes(), None).unwrap_err();
        assert_eq!(problem.reason, "bad_tls");
    }
    assert!(tls::client_config(b"").is_err());
}

#[tokio::test]
async fn an_upstream_over_tls_must_prove_its_name() {
    let (pem, key) = certificate(&["localhost"]);
    let config = tls::server_config(pem.as_bytes(), key.as_bytes(), None).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4_096];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    });
    let (stranger, _) = certificate(&["localhost"]);
    let trusted = |roots: &str| Some(tls::client_config(roots.as_bytes()).unwrap());
    let cases = [
        ("localhost", trusted(&pem), 200),
        ("127.0.0.1", trusted(&pem), 502),
        ("localhost", trusted(&stranger), 502),
        ("localhost", None, 502),
    ];
    for (host, upstream_tls, status) in cases {
        let url = format!("https://{host}:{port}");
        let mut setup = Setup::default();
        setup.config.upstream_tls = upstream_tls;
        let kit = Kit::with(&url, setup).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        assert_eq!(client.response().await.status, status, "{host}");
    }
}

pub async fn plain<B>(kit: &Kit) -> SendRequest<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    h2(TcpStream::connect(kit.address).await.unwrap()).await
}

#[tokio::test]
async fn over_http2_the_same_attacks_are_refused() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let attacks = [
        ("/orders/../admin", "x-a", "1", 400, "non_canonical_target"),
        ("/orders/%2e%2e/admin", "x-a", "1", 400, "non_canonical_target"),
        ("/orders%2f42", "x-a", "1", 400, "non_canonical_target"),
        ("/orders//42", "x-a", "1", 400, "non_canonical_target"),
        ("/orders/42;x", "x-a", "1", 400, "non_canonical_target"),
        ("/orders/42?_method=DELETE", "x-a", "1", 400, "forbidden_header"),
        ("/orders/42", "x-http-method-override", "PUT", 400, "forbidden_header"),
        ("/orders/42", "authorization", "Bearer x", 400, "forbidden_header"),
        ("/orders/42", "x-api-key", "x", 400, "forbidden_header"),
        ("/orders/42", "content_length", "1", 400, "malformed_request"),
        ("/orders/42", "host", "other", 421, "authority_mismatch"),
        ("/orders/42/none", "x-a", "1", 403, "unknown_operation"),
    ];
    for (path, name, value, status, reason) in attacks {
        let request = get(&kit, &format!("http://api{path}")).header(name, value);
        let response =
            soon(sender.send_request(request.body(Empty::new()).unwrap())).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path} {name}");
        let page = response.into_body().collect().await.unwrap().to_bytes();
        let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
        assert_eq!(page["reason"], reason, "{path} {name}");
        assert_eq!(kit.record().await.reason.unwrap().as_str(), reason);
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn over_http2_the_upstream_gets_one_cookie_and_the_gates_headers() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let request = get(&kit, "http://api/orders/42?a=b")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("portreeve_identity", "root");
    let response = soon(sender.send_request(request.body(Empty::new()).unwrap())).await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["content-length"].as_bytes()),
        (StatusCode::OK, b"9".as_slice())
    );
    let record = kit.record().await;
    assert_eq!(response.headers()["portreeve-request-id"], record.request_id.as_str());
    let seen = upstream.seen().remove(0);
    assert_eq!(seen.line(), "GET /orders/42?a=b HTTP/1.1");
    assert_eq!(seen.fields("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.fields("portreeve-identity"), ["svc-billing"]);
    assert!(!seen.head.contains("root"));
}

#[tokio::test]
async fn over_http2_bodies_are_streamed_and_framed_for_the_upstream() {
    let (sender, mut pieces) = mpsc::unbounded_channel();
    let upstream = Upstream::scripted(move |mut conversation| {
        let sender = sender.clone();
        async move {
            let head = conversation.head().await?.unwrap();
            assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
            sender.send(conversation.bytes(8).await?).unwrap();
            sender.send(conversation.bytes(13).await?).unwrap();
            conversation.send(OK).await
        }
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let (frames, body) = mpsc::unbounded_channel::<Result<Frame<Bytes>, std::io::Error>>();
    let body =
        StreamBody::new(Box::pin(futures_util::stream::unfold(body, |mut body| async move {
            Some((body.recv().await?, body))
        })));
    let mut client = plain(&kit).await;
    let request =
        Request::post("http://api/orders").header("x-api-key", &kit.key).body(body).unwrap();
    let answer = tokio::spawn(client.send_request(request));
    frames.send(Ok(Frame::data("abc".into()))).unwrap();
    assert_eq!(soon(pieces.recv()).await.unwrap(), b"3\r\nabc\r\n");
    frames.send(Ok(Frame::data("def".into()))).unwrap();
    drop(frames);
    assert_eq!(soon(pieces.recv()).await.unwrap(), b"3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(soon(answer).await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(kit.record().await.bytes_in, 6);
}

#[tokio::test]
async fn over_http2_a_reset_stream_is_recorded_once_as_cancelled() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation
            .send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
            .await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let request = get(&kit, "http://api/orders/42").body(Empty::new()).unwrap();
    let mut response = soon(sender.send_request(request)).await.unwrap();
    soon(response.body_mut().frame()).await.unwrap().unwrap();
    drop(response);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::Cancelled)));
    assert_eq!((record.status, record.bytes_out), (200, 1));
    kit.no_more_records().await;
}

#[tokio::test]
async fn over_http2_a_truncated_answer_is_no_whole_one() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        conversation.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let mut sender = plain::<Empty<Bytes>>(&kit).await;
    let request = get(&kit, "http://api/orders/42").body(Empty::new()).unwrap();
    // The reset may come before the head is seen, or after.
    let whole = async { sender.send_request(request).await?.into_body().collect().await };
    assert!(soon(whole).await.is_err());
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Failed, Some(Reason::UpstreamInvalid)));
    kit.no_more_records().await;
}

#[tokio::test]
async fn row_18_a_caller_that_resets_stream_after_stream_loses_its_connection() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    setup.config.limits.resets = 4;
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut stream = TcpStream::connect(kit.address).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // HEADERS (GET, http, /, :authority api) and RST_STREAM(CANCEL), again and again.
    for stream in (1..1_000u32).step_by(2) {
        bytes.extend(b"\0\0\x08\x01\x05");
        bytes.extend(stream.to_be_bytes());
        bytes.extend(b"\x82\x86\x84\x41\x03api");
        bytes.extend(b"\0\0\x04\x03\0");
        bytes.extend(stream.to_be_bytes());
        bytes.extend(8u32.to_be_bytes());
    }
    let _ = stream.write_all(&bytes).await;
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    // GOAWAY with ENHANCE_YOUR_CALM.
    assert!(answer.windows(4).any(|window| window == 11u32.to_be_bytes()), "{answer:?}");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_large_answer_over_http2_arrives_whole() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        let seen = conversation.request().await?.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", seen.body.len());
        conversation.send(head).await?;
        conversation.send(seen.body).await
    })
    .await;
    let kit = Kit::start(&upstream.url()).await;
    let body: Bytes = (0..300_000u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let mut sender = plain::<Full<Bytes>>(&kit).await;
    let request = Request::post("http://api/orders").header("x-api-key", &kit.key);
    let response =
        soon(sender.send_request(request.body(Full::new(body.clone())).unwrap())).await.unwrap();
    assert_eq!(soon(response.into_body().collect()).await.unwrap().to_bytes(), body);
    assert_eq!(upstream.seen()[0].fields("content-length"), ["300000"]);
}

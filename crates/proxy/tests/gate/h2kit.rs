//! Callers and upstreams that speak HTTP/2 frame by frame.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use portreeve_proxy::tls;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::kit::{Kit, soon};

/// One request, from the upstream's side.
pub struct Conversation {
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
}

impl Conversation {
    /// The next piece of the body; `None` = the end.
    pub async fn data(&mut self) -> Result<Option<Bytes>, h2::Error> {
        data(self.request.body_mut()).await
    }

    /// The whole body, up to its end.
    pub async fn body(&mut self) -> Result<Vec<u8>, h2::Error> {
        body(self.request.body_mut()).await
    }

    /// Begins a gRPC answer.
    pub fn accept(&mut self) -> SendStream<Bytes> {
        let head = Response::builder().header("content-type", "application/grpc");
        self.respond.send_response(head.body(()).unwrap(), false).unwrap()
    }
}

/// The next piece of a body, given back to the window at once.
pub async fn data(body: &mut RecvStream) -> Result<Option<Bytes>, h2::Error> {
    let Some(data) = soon(body.data()).await.transpose()? else { return Ok(None) };
    body.flow_control().release_capacity(data.len())?;
    Ok(Some(data))
}

/// The whole body, up to its end.
pub async fn body(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut whole = Vec::new();
    while let Some(piece) = data(body).await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// The status of a call that went well.
pub fn ok() -> HeaderMap {
    fields(&[("grpc-status", "0")])
}

pub fn fields(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, value.parse().unwrap());
    }
    map
}

/// A message as gRPC frames it.
pub fn message(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[0], &length[..], text.as_bytes()].concat().into()
}

/// A running upstream. Ends with the value.
pub struct Upstream2 {
    address: SocketAddr,
    scheme: &'static str,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<http::request::Parts>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Upstream2 {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// How an upstream differs from the ordinary one.
#[derive(Default, Clone)]
pub struct Manner {
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Streams at once; 0 = as many as come.
    pub streams: u32,
    /// End each connection after so many requests; 0 = never.
    pub requests: usize,
}

impl Upstream2 {
    /// Runs `script` for each request.
    pub async fn scripted<S, F>(script: S) -> Self
    where
        S: Fn(Conversation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), h2::Error>> + Send + 'static,
    {
        Self::with(Manner::default(), script).await
    }

    pub async fn with<S, F>(manner: Manner, script: S) -> Self
    where
        S: Fn(Conversation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), h2::Error>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if manner.tls.is_some() { "https" } else { "http" };
        let (connections, heads) = <(Arc<AtomicUsize>, Arc<Mutex<Vec<_>>>)>::default();
        let (count, seen, script) =
            (Arc::clone(&connections), Arc::clone(&heads), Arc::new(script));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (manner, seen, script) = (manner.clone(), Arc::clone(&seen), script.clone());
                tokio::spawn(async move {
                    match manner.tls.clone() {
                        None => serve(stream, &manner, &seen, &*script).await,
                        Some(tls) => {
                            let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else {
                                return;
                            };
                            serve(stream, &manner, &seen, &*script).await;
                        }
                    }
                });
            }
        });
        Self { address, scheme, connections, heads, accepting }
    }

    pub fn url(&self) -> String {
        match self.scheme {
            "https" => format!("https://localhost:{}", self.address.port()),
            _ => format!("http://{}", self.address),
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<http::request::Parts> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve<T, S, F>(
    stream: T,
    manner: &Manner,
    seen: &Mutex<Vec<http::request::Parts>>,
    script: &S,
) where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    S: Fn(Conversation) -> F,
    F: Future<Output = Result<(), h2::Error>> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    if manner.streams > 0 {
        builder.max_concurrent_streams(manner.streams);
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let mut count = 0;
    while let Some(Ok((request, respond))) = connection.accept().await {
        count += 1;
        let (parts, body) = request.into_parts();
        seen.lock().unwrap().push(parts.clone());
        let request = Request::from_parts(parts, body);
        tokio::spawn(script(Conversation { request, respond }));
        if count == manner.requests {
            connection.graceful_shutdown();
        }
    }
}

/// A caller's HTTP/2 connection to the gate.
pub async fn connect(kit: &Kit) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(kit.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A call as gRPC clients send them, with these further fields.
pub fn call(kit: &Kit, more: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::post("http://api/orders").body(()).unwrap();
    *request.headers_mut() = fields(&[
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("x-api-key", &kit.key),
    ]);
    for (name, value) in more {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// Sends a head; what follows it can be sent by the stream.
pub async fn start(
    sender: &mut SendRequest<Bytes>,
    request: Request<()>,
) -> (ResponseFuture, SendStream<Bytes>) {
    std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
    sender.send_request(request, false).unwrap()
}

/// A whole answer.
pub struct Answer {
    pub head: http::response::Parts,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
    /// The head was the end.
    pub is_head_alone: bool,
}

/// Waits for all of an answer.
pub async fn answer(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut stream) = soon(response).await?.into_parts();
    let is_head_alone = stream.is_end_stream();
    let whole = body(&mut stream).await?;
    let trailers = soon(stream.trailers()).await?.unwrap_or_default();
    Ok(Answer { head, body: whole, trailers, is_head_alone })
}

/// Makes a call with one message and waits for its answer.
pub async fn unary(
    sender: &mut SendRequest<Bytes>,
    request: Request<()>,
    text: &str,
) -> Result<Answer, h2::Error> {
    let (response, mut stream) = start(sender, request).await;
    // The gate may have answered and closed the stream already.
    let _ = stream.send_data(message(text), true);
    answer(response).await
}

/// TLS for an upstream on localhost: the server's side and the certificate to trust.
pub fn localhost(alpn: &[&[u8]]) -> (Arc<rustls::ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let config = tls::server_config(pem.as_bytes(), key.as_bytes(), None).unwrap();
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    (Arc::new(config), pem)
}

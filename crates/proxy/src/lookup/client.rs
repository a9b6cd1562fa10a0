//! Asks one source, over HTTP/1.1 and connections that are kept. The wait is bounded by who calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Problem, Secret};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::source::Key;
use crate::upstream::{Upstream, connect};

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Idle connections kept.
const IDLE_MAX: usize = 16;
/// For how long: what is between may forget a connection and tell nobody.
const IDLE_FOR: Duration = Duration::from_secs(15);

type Sender = SendRequest<Full<Bytes>>;

/// Where a source is, and the connections to it.
pub(super) struct Client {
    upstream: Upstream,
    path: String,
    /// Marked as sensitive.
    authorization: Option<HeaderValue>,
    tls: Option<Arc<rustls::ClientConfig>>,
    idle: Mutex<Vec<(Sender, Instant)>>,
}

/// A question (AuthZEN Authorization API 1.0, §6.1).
#[derive(Serialize)]
struct Question<'q> {
    subject: Entity<'q>,
    action: Action<'q>,
    resource: Entity<'q>,
}

#[derive(Serialize)]
struct Entity<'q> {
    #[serde(rename = "type")]
    kind: &'q str,
    id: &'q str,
}

#[derive(Serialize)]
struct Action<'q> {
    name: &'q str,
}

/// An answer; what else it says is not looked at.
#[derive(Deserialize)]
struct Said {
    decision: bool,
}

impl Client {
    pub(super) fn new(
        url: &str,
        token: Option<&Secret<String>>,
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> Result<Self, Problem> {
        let upstream = Upstream::parse(url)?;
        let path = upstream.base_path.clone().filter(|path| !path.is_empty());
        let authorization = token.map(|token| {
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
            bearer.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let authorization = authorization.transpose().map_err(|_| {
            Problem::invalid("bad_token", "the token has characters that no header can carry")
        })?;
        let (path, idle) = (path.unwrap_or_else(|| "/".to_owned()), Mutex::default());
        Ok(Self { upstream, path, authorization, tls, idle })
    }

    /// What the source says, or why nothing.
    pub(super) async fn ask(&self, key: &Key) -> Result<bool, String> {
        let body = question(key)?;
        if let Some(mut sender) = self.take_idle() {
            // A connection may have been closed since; a question can be asked twice.
            if let Ok(response) = sender.send_request(self.request(&body)?).await {
                return self.read(response, sender).await;
            }
        }
        let mut sender = self.connect().await?;
        let sent = sender.send_request(self.request(&body)?).await;
        self.read(sent.map_err(|error| error.to_string())?, sender).await
    }

    async fn connect(&self) -> Result<Sender, String> {
        let socket = connect::open(&self.upstream, self.tls.as_ref()).await;
        let socket = socket.map_err(|error| error.to_string())?;
        let shaken = handshake(TokioIo::new(socket)).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        // Ends with the connection; what goes wrong with it, the sender is told.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn request(&self, body: &Bytes) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(self.path.as_str())
            .header(HOST, self.upstream.authority.to_string())
            .header(USER_AGENT, concat!("portreeve/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request.body(Full::new(body.clone())).map_err(|error| error.to_string())
    }

    /// Only a 200 with a decision in it is an answer. A connection of which the answer was not read
    /// to its end is not used again.
    async fn read(&self, response: Response<Incoming>, sender: Sender) -> Result<bool, String> {
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("the answer was {status}"));
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        self.keep(sender);
        let said: Said = serde_json::from_slice(&body)
            .map_err(|error| format!("the answer is no decision: {error}"))?;
        Ok(said.decision)
    }

    fn take_idle(&self) -> Option<Sender> {
        let mut idle = self.idle();
        let usable = |(sender, since): &(Sender, Instant)| {
            !sender.is_closed() && sender.is_ready() && since.elapsed() < IDLE_FOR
        };
        std::iter::from_fn(|| idle.pop()).find(usable).map(|(sender, _)| sender)
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle();
        idle.retain(|(_, since)| since.elapsed() < IDLE_FOR);
        if !sender.is_closed() && idle.len() < IDLE_MAX {
            idle.push((sender, Instant::now()));
        }
    }

    /// Uses none of the connections again that are kept.
    pub(super) fn forget_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Sender, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn question(key: &Key) -> Result<Bytes, String> {
    let question = Question {
        subject: Entity { kind: "identity", id: key.asker.identity.as_str() },
        action: Action { name: &key.lookup.relation },
        resource: Entity { kind: key.asker.api.as_str(), id: &key.lookup.object },
    };
    let text = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
    Ok(text.into())
}

//! HTTP/2 connections to upstreams, each shared by many requests, and the places on them.
//!
//! A stream that is not read keeps what it was sent, up to its window. The connection's window is
//! that of all its streams together, so that one whose caller takes nothing never holds up the
//! others of its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use traffic::Reason;

use super::Upstream;
use super::connect::{open, unreachable};
use crate::gate::Worker;
use crate::wire::Socket;

/// Requests on one connection at once; for one more, another connection is opened.
const STREAMS_MAX: usize = 100;
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * 100;
/// Bytes of one stream that wait to be sent.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// The longest response head, as HTTP/2 counts.
const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// How often a connection in use is asked whether its upstream is still there, and how long the
/// answer may take.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(10);

/// The connections of one worker, by upstream.
pub(crate) struct Lines {
    idle_for: Duration,
    known: FxHashMap<String, Known>,
}

#[derive(Default)]
struct Known {
    connections: Vec<Connection>,
    /// Held by who opens one, so that many requests at once do not open many.
    opening: Arc<tokio::sync::Mutex<()>>,
}

struct Connection {
    sender: SendRequest<Bytes>,
    state: Arc<State>,
    idle_since: Instant,
}

#[derive(Default)]
struct State {
    streams: AtomicUsize,
    is_over: AtomicBool,
}

/// A place for one request on a connection.
pub(crate) struct Line {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) seat: Seat,
    /// The connection had been used before.
    pub(crate) was_open: bool,
}

/// Taken while a request is on its connection.
pub(crate) struct Seat(Arc<State>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Seat {
    /// Nothing more can be sent over this connection.
    pub(super) fn is_lost(&self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

impl Connection {
    fn take(&self, was_open: bool) -> Option<Line> {
        let room = self.sender.current_max_send_streams().min(STREAMS_MAX);
        let is_over = self.state.is_over.load(Ordering::Acquire);
        if is_over || self.state.streams.load(Ordering::Acquire) >= room {
            return None;
        }
        self.state.streams.fetch_add(1, Ordering::AcqRel);
        let seat = Seat(Arc::clone(&self.state));
        Some(Line { sender: self.sender.clone(), seat, was_open })
    }
}

impl Lines {
    pub(crate) fn new(idle_for: Duration) -> Self {
        Self { idle_for, known: FxHashMap::default() }
    }

    fn take(&self, key: &str) -> Option<Line> {
        self.known.get(key)?.connections.iter().find_map(|connection| connection.take(true))
    }

    fn opening(&mut self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        match self.known.get(key) {
            Some(known) => Arc::clone(&known.opening),
            None => Arc::clone(&self.known.entry(key.to_owned()).or_default().opening),
        }
    }

    fn keep(&mut self, key: &str, connection: Connection) {
        self.known.entry(key.to_owned()).or_default().connections.push(connection);
    }

    /// Forgets connections that are over or were idle for too long; the latter end by that.
    pub(crate) fn sweep(&mut self) {
        let limit = self.idle_for;
        self.known.retain(|_, known| {
            known.connections.retain_mut(|connection| {
                if connection.state.streams.load(Ordering::Acquire) > 0 {
                    connection.idle_since = Instant::now();
                }
                let is_over = connection.state.is_over.load(Ordering::Acquire);
                !is_over && connection.idle_since.elapsed() < limit
            });
            !known.connections.is_empty() || Arc::strong_count(&known.opening) > 1
        });
    }

    /// Takes no more requests; those on their way go on.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

/// A place on a connection to the upstream, which is opened if there is none with room, within
/// `patience`. `fresh` = only one that nobody has used yet.
pub(crate) async fn line(
    worker: &Worker,
    upstream: &Upstream,
    patience: Duration,
    fresh: bool,
) -> Result<Line, Reason> {
    let taken = || worker.lines().take(&upstream.key).filter(|_| !fresh);
    if let Some(line) = taken() {
        return Ok(line);
    }
    let opening = worker.lines().opening(&upstream.key);
    let opened = tokio::time::timeout(patience, async {
        let _turn = opening.lock().await;
        if let Some(line) = taken() {
            return Ok(line);
        }
        let tls = worker.core().upstream_tls_h2();
        let socket = open(upstream, tls).await.map_err(|error| unreachable(upstream, &error))?;
        let connection = handshake(upstream, socket).await?;
        let line = connection.take(false).ok_or(Reason::UpstreamInvalid);
        worker.lines().keep(&upstream.key, connection);
        line
    });
    opened.await.unwrap_or(Err(Reason::UpstreamTimeout))
}

async fn handshake(upstream: &Upstream, socket: Socket) -> Result<Connection, Reason> {
    if !socket.speaks_http2() {
        tracing::warn!(upstream = %upstream.key, "the upstream did not agree to HTTP/2");
        return Err(Reason::UpstreamInvalid);
    }
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_send_buffer_size(SEND_BUFFER_BYTES)
        .enable_push(false);
    let shaken = builder.handshake::<_, Bytes>(socket).await;
    let (sender, mut driver) = shaken.map_err(|error| unreachable(upstream, &error))?;
    let Some(mut pings) = driver.ping_pong() else { return Err(Reason::UpstreamInvalid) };
    // The first thing that comes back are the upstream's settings (RFC 9113 §3.4), which say how
    // many requests it takes at once. What comes back from something else is no answer to a ping.
    let answered = tokio::select! {
        _ = &mut driver => false,
        answer = pings.ping(Ping::opaque()) => answer.is_ok(),
    };
    if !answered {
        tracing::warn!(upstream = %upstream.key, "the upstream does not speak HTTP/2");
        return Err(Reason::UpstreamInvalid);
    }
    let state = Arc::new(State::default());
    let (watched, key) = (Arc::clone(&state), upstream.key.clone());
    tokio::spawn(async move {
        tokio::select! {
            ended = driver => if let Err(error) = ended {
                tracing::debug!(upstream = %key, %error, "a connection broke");
            },
            () = silence(pings, &watched) => {
                tracing::warn!(upstream = %key, "an upstream answers no ping");
            }
        }
        watched.is_over.store(true, Ordering::Release);
    });
    Ok(Connection { sender, state, idle_since: Instant::now() })
}

/// Resolves when a connection in use does not answer any more.
async fn silence(mut pings: PingPong, state: &State) {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        if state.streams.load(Ordering::Acquire) == 0 {
            continue;
        }
        let answer = tokio::time::timeout(PING_PATIENCE, pings.ping(Ping::opaque())).await;
        if !matches!(answer, Ok(Ok(_))) {
            return;
        }
    }
}

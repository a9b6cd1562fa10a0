//! What the gate is told at start. Everything has a safe default.

use std::sync::Arc;
use std::time::Duration;

use base::Span;
use ipnet::IpNet;
use token::ProofRule;
use traffic::Rate;

/// How the gate behaves.
#[derive(Debug, Clone)]
pub struct GateConfig {
    /// Wait until a request's record is safe before the end of its answer is released. The wait is
    /// for the *last bytes*: an answer that fits the output buffer is held back whole, of a longer
    /// one the end. A refusal is held back whole. When the record cannot be made, the caller gets
    /// 503 `log_unavailable`, or a truncated answer when the head is already out.
    pub durable: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_peers: Vec<IpNet>,
    /// Bounds on what callers may use.
    pub limits: Limits,
    /// How long callers may take.
    pub patience: Patience,
    /// Idle upstream connections.
    pub pool: PoolConfig,
    /// TLS towards upstreams with `https://`; without it they are unreachable.
    pub upstream_tls: Option<Arc<rustls::ClientConfig>>,
    /// Who the hint of a 401 suggests to issue a key to.
    pub example_identity: String,
    /// Of so many calls of an operation with classified properties whose answer nobody has to
    /// filter, one answer is looked at to learn which properties were received; 0 = none.
    pub watch_one_in: u16,
    /// How long proofs of possession (DPoP) are good for.
    pub proofs: ProofRule,
    /// Gateways in front that ask and forward themselves. `None` = nobody is answered.
    pub ext_auth: Option<ExtAuth>,
}

/// External authorization: gateways that stay in front ask about each request before they forward
/// it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtAuth {
    /// Their networks. Whoever else asks is answered as if this were not there.
    pub trusted: Vec<IpNet>,
    /// Where they ask, without a slash at the end. With the caller's target behind it, that is the
    /// request; alone, the request is in `X-Original-Method` and `X-Original-URI`.
    pub path: String,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            durable: false,
            trusted_peers: Vec::new(),
            limits: Limits::default(),
            patience: Patience::default(),
            pool: PoolConfig::default(),
            upstream_tls: None,
            example_identity: "<identity>".to_owned(),
            watch_one_in: 16,
            proofs: ProofRule { lifetime: Span::from_secs(60) },
            ext_auth: None,
        }
    }
}

/// Bounds on what callers may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request head.
    pub head_bytes: usize,
    /// Fields of a request head; at most [`traffic::headers::FIELDS_MAX`].
    pub fields: usize,
    /// Bytes of a request body.
    pub body_bytes: u64,
    /// Bytes of a request body that is read before the decision, where a condition, a limit on
    /// properties or a check against the API's document looks at it. A longer one is refused.
    pub judged_body_bytes: usize,
    /// Bytes of a response body that is checked against the API's document. A longer one is refused
    /// where checks are enforced, and not checked where they observe.
    pub checked_response_bytes: usize,
    /// Open connections.
    pub connections: usize,
    /// Open connections of one source address.
    pub connections_per_source: usize,
    /// Signature verifications that one source address can cause. Verified tokens are cached, so
    /// only new and forged ones count.
    pub verifications_per_source: Rate,
    /// Concurrent streams of one HTTP/2 connection.
    pub streams: u32,
    /// Streams of one HTTP/2 connection that may be reset before they are answered; one more ends
    /// the connection.
    pub resets: usize,
    /// Verified tokens kept.
    pub cached_tokens: usize,
    /// Used proofs of possession kept; beyond, requests with proofs are refused until some are over.
    pub used_proofs: usize,
    /// Requests in flight; before there are so many, those that matter least are refused.
    pub in_flight: u64,
    /// How late the gate may get to what is due before it refuses those that matter least.
    pub delay: Span,
    /// Keys of limits kept (identities, sources, …); what comes beyond is counted together.
    pub limited_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 32 * 1024,
            fields: 100,
            body_bytes: 1024 * 1024 * 1024,
            judged_body_bytes: 1024 * 1024,
            checked_response_bytes: 1024 * 1024,
            connections: 16_384,
            connections_per_source: 1_024,
            verifications_per_source: Rate::new(50, 200),
            streams: 128,
            resets: 32,
            cached_tokens: 65_536,
            used_proofs: 1_048_576,
            in_flight: 16_384,
            delay: Span::from_secs(1),
            limited_keys: 262_144,
        }
    }
}

/// How long callers may take.
#[derive(Debug, Clone)]
pub struct Patience {
    /// From the opening of a connection to the first byte of a request, TLS handshake included.
    pub first_byte: Duration,
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Between two requests on a connection.
    pub keep_alive: Duration,
    /// Without a byte in either direction after a switch to WebSocket.
    pub tunnel: Duration,
    /// Bytes per second that a caller must at least send or take on average, while the gate waits
    /// for it.
    pub bytes_per_second: u32,
    /// How long a caller may lag behind that rate.
    pub lag: Duration,
    /// How long requests in flight may take to end after a shutdown began.
    pub grace: Duration,
    /// How long an unread body is drained after a refusal, so that the refusal is seen.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            tunnel: Duration::from_secs(600),
            bytes_per_second: 64,
            lag: Duration::from_secs(30),
            grace: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}

/// Idle upstream connections, per worker.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// Kept for each upstream.
    pub idle_per_upstream: usize,
    /// How long each is kept.
    pub idle_for: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { idle_per_upstream: 64, idle_for: Duration::from_secs(30) }
    }
}

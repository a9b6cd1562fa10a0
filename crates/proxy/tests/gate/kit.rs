//! A gate with one API, one caller and a scripted upstream.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use base::{RequestId, Span, Timestamp};
use catalog::{Api, Impact, Method, Operation};
use grant::Grant;
use identity::{Credential, CredentialClass, CredentialStatus, Environment, Identity};
use policy::{Change, CheckedContract, Ruleset, Touch};
use portreeve_proxy::lookup::SourceConfig;
use portreeve_proxy::{
    Authenticators, Drained, Gate, GateConfig, Listeners, Lookups, RecordError, Recorder,
    Recording, Streams, Workers,
};
use testkit::{FakeClock, SeededEntropy, sample};
use token::{ApiKey, KeyLabel, Pepper};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use traffic::{CallRecord, CutCount, RolloutMark};

/// Longest wait for anything that must happen. Only a failing test waits so long.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Collects records, or refuses them.
pub struct Records {
    sender: mpsc::UnboundedSender<CallRecord>,
    pub ready: Mutex<Result<(), RecordError>>,
    pub durable: Mutex<Result<(), RecordError>>,
    /// Durable records wait here until the test lets them through.
    pub hold: tokio::sync::Semaphore,
}

impl Recorder for Records {
    fn ready(&self) -> Result<(), RecordError> {
        *self.ready.lock().unwrap()
    }

    fn record(&self, record: CallRecord) {
        let _ = self.sender.send(record);
    }

    fn record_durable(&self, record: CallRecord) -> Recording<'_> {
        let _ = self.sender.send(record);
        Box::pin(async {
            self.hold.acquire().await.unwrap().forget();
            *self.durable.lock().unwrap()
        })
    }
}

/// A running gate.
pub struct Kit {
    pub address: SocketAddr,
    pub key: String,
    pub clock: FakeClock,
    pub ruleset: Arc<ArcSwap<Ruleset>>,
    pub authenticators: Arc<Authenticators>,
    pub recorder: Arc<Records>,
    pub streams: Arc<Streams>,
    pub lookups: Arc<Lookups>,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<Drained>,
    records: tokio::sync::Mutex<mpsc::UnboundedReceiver<CallRecord>>,
    /// What publications said of open requests that a rollout turns.
    noted: Mutex<Vec<(RequestId, RolloutMark)>>,
    state: State,
}

/// What the ruleset is built from.
#[derive(Clone)]
pub struct State {
    pub api: Api,
    pub identity: Identity,
    pub credential: Credential,
    pub more_credentials: Vec<Credential>,
    pub grant: Grant,
    pub contract: Option<Arc<CheckedContract>>,
    /// Whatever else a test needs.
    pub more: Vec<Change>,
    /// Relations that sources answer for.
    pub looked_up: BTreeSet<String>,
}

impl State {
    pub fn ruleset(&self, version: u64) -> Ruleset {
        let mut changes = vec![
            Change::Api(self.api.clone()),
            Change::Identity(self.identity.clone()),
            Change::Credential(self.credential.clone()),
            Change::Grant(self.grant.clone()),
        ];
        changes.push(Change::Contract(self.api.id.clone(), self.contract.clone()));
        changes.extend(self.more_credentials.iter().cloned().map(Change::Credential));
        changes.extend(self.more.iter().cloned());
        Ruleset::build(version, changes).unwrap().looking_up(self.looked_up.clone())
    }
}

/// How a kit differs from the ordinary one.
pub struct Setup {
    pub config: GateConfig,
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub issuers: Vec<token::Issuer>,
    pub sources: Vec<SourceConfig>,
    pub adjust: Box<dyn Fn(&mut State)>,
    /// Serve on so many threads of their own; 0 = on the test's runtime.
    pub workers: usize,
}

impl Default for Setup {
    fn default() -> Self {
        let config =
            GateConfig { example_identity: "demo-client".to_owned(), ..Default::default() };
        let (issuers, sources) = (Vec::new(), Vec::new());
        Self { config, tls: None, issuers, sources, adjust: Box::new(|_| {}), workers: 0 }
    }
}

pub const NOW: Timestamp = Timestamp::from_secs(1_772_442_000);

fn api(upstream: &str) -> Api {
    let operation = |id: &str, method, path: &str| Operation {
        impact: Impact::Medium,
        ..sample::operation(id, method, path)
    };
    let operations = vec![
        operation("createOrder", Method::Post, "/orders"),
        operation("deleteOrder", Method::Delete, "/orders/{id}"),
        operation("getOrder", Method::Get, "/orders/{id}"),
        operation("putOrder", Method::Put, "/orders/{id}"),
    ];
    Api { upstream: upstream.to_owned(), ..sample::api("orders", operations) }
}

pub fn credential(identity: &Identity, pepper: &Pepper, key: &ApiKey) -> Credential {
    Credential {
        id: "cred-1".parse().unwrap(),
        identity: identity.id.clone(),
        class: CredentialClass::ApiKey,
        label: key.label(),
        lookup: key.lookup(pepper),
        environment: Environment::Production,
        created_at: NOW,
        expires_at: None,
        rotates: None,
        status: CredentialStatus::Active,
        revoked_at: None,
        created_by: "robin".to_owned(),
        last_used_before: None,
    }
}

pub fn identity() -> Identity {
    Identity { name: "billing".to_owned(), ..sample::identity("svc-billing") }
}

/// Everything but `deleteOrder`.
pub fn grant(identity: &Identity) -> Grant {
    let operations = ["createOrder", "getOrder", "putOrder"];
    sample::grant("g-1", identity.id.as_str(), "orders", &operations)
}

pub fn pepper() -> Pepper {
    Pepper::new(&[7; 32]).unwrap()
}

fn state(upstream: &str, pepper: &Pepper, key: &ApiKey) -> State {
    let api = api(upstream);
    let identity = identity();
    let credential = credential(&identity, pepper, key);
    let grant = grant(&identity);
    State {
        api,
        identity,
        credential,
        more_credentials: Vec::new(),
        grant,
        contract: None,
        more: Vec::new(),
        looked_up: BTreeSet::new(),
    }
}

impl Kit {
    pub async fn start(upstream: &str) -> Self {
        Self::with(upstream, Setup::default()).await
    }

    pub async fn with(upstream: &str, setup: Setup) -> Self {
        let pepper = pepper();
        let key = ApiKey::generate(KeyLabel::Demo, &mut SeededEntropy::new(1));
        let mut state = state(upstream, &pepper, &key);
        (setup.adjust)(&mut state);
        let relations = setup.sources.iter().flat_map(|source| source.relations.iter().cloned());
        state.looked_up = relations.collect();
        let clock = FakeClock::at(NOW + Span::from_days(1));
        let ruleset = Arc::new(ArcSwap::from_pointee(state.ruleset(1)));
        let authenticators = Arc::new(Authenticators::new(pepper, setup.issuers));
        let (sender, records) = mpsc::unbounded_channel();
        let recorder = Arc::new(Records {
            sender,
            ready: Mutex::new(Ok(())),
            durable: Mutex::new(Ok(())),
            hold: tokio::sync::Semaphore::new(1_000_000),
        });
        let mut gate = Gate::new(
            setup.config,
            Arc::clone(&ruleset),
            Arc::clone(&authenticators),
            Arc::clone(&recorder) as Arc<dyn Recorder>,
            Arc::new(clock.clone()),
            Box::new(SeededEntropy::new(2)),
        );
        if let Some(tls) = setup.tls {
            gate = gate.with_tls(tls);
        }
        let streams = Arc::clone(gate.streams());
        let lookups = Arc::clone(gate.lookups());
        lookups.install(lookups.prepare(setup.sources).unwrap());
        let shutdown = CancellationToken::new();
        let (address, serving) = serve(gate, setup.workers, shutdown.clone()).await;
        Self {
            address,
            key: key.expose().to_owned(),
            clock,
            ruleset,
            authenticators,
            recorder,
            streams,
            lookups,
            shutdown,
            serving,
            records: tokio::sync::Mutex::new(records),
            noted: Mutex::default(),
            state,
        }
    }

    /// Publishes the next ruleset.
    pub fn change(&self, adjust: impl FnOnce(&mut State)) {
        let mut state = self.state.clone();
        adjust(&mut state);
        let version = self.ruleset.load().version() + 1;
        self.ruleset.store(Arc::new(state.ruleset(version)));
    }

    /// Publishes a change as the application does: the next ruleset first, then what is open is
    /// judged by it. Says how many were cut.
    pub async fn publish(&self, change: Change) -> CutCount {
        let before = self.ruleset.load_full();
        let version = before.version() + 1;
        let next = Arc::new(before.apply(version, [change.clone()]).unwrap());
        self.ruleset.store(Arc::clone(&next));
        let now = base::Clock::now(&self.clock);
        let touched: Vec<_> =
            Touch::of(&change).map(|touch| (version, touch)).into_iter().collect();
        let mut noted = |open: &traffic::OpenStream, mark: &RolloutMark| {
            self.noted.lock().unwrap().push((open.request_id.clone(), mark.clone()));
        };
        let cut = self.streams.judge(&next, &touched, now, &mut noted);
        let counts = cut.settle(PATIENCE).await;
        counts.get(&version).copied().unwrap_or_default()
    }

    /// What publications said since the last time that this was asked.
    pub fn noted(&self) -> Vec<(RequestId, RolloutMark)> {
        std::mem::take(&mut self.noted.lock().unwrap())
    }

    /// Waits until so many requests are open.
    pub async fn open(&self, count: usize) {
        let all = async {
            while self.streams.count() != count {
                tokio::task::yield_now().await;
            }
        };
        soon(all).await;
    }

    /// What the ruleset of this kit was built from at its start.
    pub fn state(&self) -> State {
        self.state.clone()
    }

    /// The next record.
    pub async fn record(&self) -> CallRecord {
        let mut records = self.records.lock().await;
        soon(records.recv()).await.expect("a record")
    }

    /// Fails if there is another record. Ask only after everything that could make one is over.
    pub async fn no_more_records(&self) {
        assert_eq!(self.records.lock().await.try_recv().ok(), None);
    }

    pub async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), input: Vec::new() }
    }

    /// `GET /orders/42` with the key, and these further lines (each with CR LF).
    pub fn get(&self, more: &str) -> String {
        let key = &self.key;
        format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {key}\r\n{more}\r\n")
    }

    /// `POST /orders` with the key, these further lines, and a body.
    pub fn post(&self, more: &str, body: &str) -> String {
        let key = &self.key;
        format!("POST /orders HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n{more}\r\n{body}")
    }
}

async fn serve(
    gate: Gate,
    workers: usize,
    stop: CancellationToken,
) -> (SocketAddr, JoinHandle<Drained>) {
    if workers == 0 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        return (address, tokio::spawn(async move { gate.serve(listener, stop).await }));
    }
    let listeners = Listeners::bind("127.0.0.1:0".parse().unwrap(), workers).unwrap();
    let address = listeners.address();
    let workers = Workers::start(&Arc::new(gate), listeners, &stop).unwrap();
    (address, tokio::spawn(async move { workers.join().await.unwrap() }))
}

/// Waits, within patience, for what must happen.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes too long")
}

/// A response as it arrived.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut fields = lines.filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn reason(&self) -> String {
        let page: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        page["reason"].as_str().unwrap_or_default().to_owned()
    }
}

/// A caller that sends what it likes.
pub struct Client {
    pub stream: TcpStream,
    pub input: Vec<u8>,
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends, whether or not the gate still listens.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Reads a head and a body of known length or of chunks.
    pub async fn response(&mut self) -> Response {
        let head = self.head().await.expect("a response");
        let status = head[9..12].parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        if let Some(length) = response.field("content-length") {
            response.body = self.bytes(length.parse().unwrap()).await;
        } else if response.field("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                response.body.extend(chunk);
            }
        }
        response
    }

    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.input.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.input.drain(..at + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if soon(self.fill()).await == 0 {
                return None;
            }
        }
    }

    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.input.len() < count {
            assert_ne!(soon(self.fill()).await, 0, "closed too early");
        }
        self.input.drain(..count).collect()
    }

    /// The next chunk; `None` = the last one.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let at = loop {
            if let Some(at) = self.input.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            assert_ne!(soon(self.fill()).await, 0, "closed within a chunk");
        };
        let size: Vec<u8> = self.input.drain(..at + 2).take(at).collect();
        let size = usize::from_str_radix(str::from_utf8(&size).unwrap(), 16).unwrap();
        let chunk = self.bytes(size).await;
        self.bytes(2).await;
        (size > 0).then_some(chunk)
    }

    /// Everything until the gate closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        while soon(self.fill()).await > 0 {}
        std::mem::take(&mut self.input)
    }

    async fn fill(&mut self) -> usize {
        self.stream.read_buf(&mut self.input).await.unwrap_or(0)
    }
}

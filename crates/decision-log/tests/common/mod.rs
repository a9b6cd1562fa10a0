//! A clock that stands still until told, records of a plausible mix, and a directory that goes
//! away with its test.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::{Clock, Entropy, GrantId, RequestId, Span, Timestamp};
use portreeve_decision_log::{DecisionLog, LogError, Options};
use traffic::{CallRecord, Outcome, Reason};

pub const START: Timestamp = Timestamp::from_secs(1_772_000_000);

#[derive(Debug, Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    pub fn at(moment: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(moment.as_micros())))
    }

    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes of SplitMix64: enough to look random to a packer.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.number().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

/// The `n`th record of a company with 1,000 credentials, 5 APIs of 8 operations, one refusal in
/// twelve, and objects that are rarely the same.
pub fn record(random: &mut Seeded, at: Timestamp) -> CallRecord {
    let (credential, api, operation) = (random.below(1_000), random.below(5), random.below(8));
    let identity = credential / 3;
    let refused = random.below(12) == 0;
    let path = format!("/api{api}/orders/{}/lines", random.below(200_000));
    let agent = ["curl/8.14.1", "python-requests/2.32", "okhttp/4.12.0"][random.below(3) as usize];
    let [a, b, c, _] = identity.to_le_bytes()[..4].try_into().unwrap();
    CallRecord {
        request_id: RequestId::generate(at, random),
        at,
        duration_us: 700 + random.below(40_000),
        identity_id: Some(format!("svc-{identity}").parse().unwrap()),
        credential_id: Some(format!("cred_{credential:026}").parse().unwrap()),
        api_id: Some(format!("api{api}").parse().unwrap()),
        operation: Some(format!("operation{operation}").parse().unwrap()),
        method: "GET".to_owned(),
        path,
        source_ip: [10, a, b, c].into(),
        user_agent: Some(agent.to_owned()),
        outcome: if refused { Outcome::Refused } else { Outcome::Allowed },
        reason: refused.then_some(Reason::NoGrant),
        status: if refused { 403 } else { 200 },
        grant_ids: match refused {
            true => Vec::new(),
            false => vec![GrantId::parse(&format!("g_{:026}", identity * 5 + api)).unwrap()],
        },
        would_refuse: None,
        binding: None,
        rollout: None,
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 200 + random.below(4_000),
        ruleset_version: 7 + random.below(2),
    }
}

/// `count` records, a millisecond apart.
pub fn records(count: usize) -> Vec<CallRecord> {
    let mut random = Seeded(42);
    let moment = |n: usize| START + Span::from_millis(i64::try_from(n).unwrap());
    (0..count).map(|n| record(&mut random, moment(n))).collect()
}

/// A directory of its own, removed with the value.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("{name}-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The segment files, oldest first.
    pub fn segments(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(&self.0).unwrap().map(|file| file.unwrap().path());
        let mut segments: Vec<_> =
            files.filter(|f| f.extension() == Some("seg".as_ref())).collect();
        segments.sort();
        segments
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Options that leave nothing to timing: records gather until somebody asks for them to be on
/// disk, so that a batch is what was appended before a `flush`.
pub fn options() -> Options {
    Options { durable: true, gather: Span::from_secs(600), ..Options::default() }
}

pub fn open(directory: &Directory, options: Options) -> DecisionLog {
    open_at(directory, options, SetClock::at(START)).unwrap()
}

pub fn open_at(
    directory: &Directory,
    options: Options,
    clock: Arc<SetClock>,
) -> Result<DecisionLog, LogError> {
    DecisionLog::open(directory.path(), options, clock)
}

/// Waits for a future without a runtime: the log's futures are woken by its own thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Writes the records in batches of `batch` and seals the segment.
pub fn write_sealed(log: &DecisionLog, records: &[CallRecord], batch: usize) {
    for batch in records.chunks(batch) {
        batch.iter().for_each(|record| log.append(record.clone()).unwrap());
        wait(log.flush()).unwrap();
    }
    wait(log.seal()).unwrap();
}

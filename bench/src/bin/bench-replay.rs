//! `bench-replay`: a million recorded calls judged again, on one thread: by the engine alone, by
//! what a review asks, and with the reading and decoding of the decision log. Prints one JSON object
//! per question; the last one is of the log.
//!
//! Callers, operations and credentials are skewed as calls are: a fifth of the callers makes most of
//! them, and each uses a few operations of what it may. Every tenth grant is held by a group, every
//! twentieth has terms that look at the single call, so that its answer is not remembered.
//!
//! Time is processor time of the one thread that works: what others do on the machine is not in it.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Entropy, GrantId, IdentityId, RequestId, Span, Timestamp};
use decision_log::{DecisionLog, Options, Order};
use grant::{Bound, Grant, GrantStatus, GrantSubject};
use identity::{Group, Origin};
use policy::{Change, Judge, Rejudge, Ruleset, Trial};
use portreeve_bench::company::{self, BEGINNING, Failure};
use traffic::{CallRecord, Outcome};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IDENTITIES: usize = 10_000;
const GRANTS_EACH: usize = 10;
const CALLS: usize = 1_000_000;
/// How often each question is asked, in turn.
const ROUNDS: usize = 7;
/// Records held at a time: made, then judged, and only the judging is timed. Few enough to stay near
/// the processor, as those do that come out of a log one by one.
const CHUNK: usize = 500;
/// Records that wait for the log.
const QUEUE: usize = 50_000;
/// Grants that the tried change takes away.
const REVOKED: usize = 100;
/// Members of a group.
const MEMBERS: usize = 10;
/// Grants of an identity that are used.
const USED: usize = 3;

fn main() -> Result<(), Failure> {
    let before = Arc::new(Ruleset::build(1, world()?).map_err(|problem| problem.to_string())?);
    let edits = change()?;
    let after = before.apply(2, edits.clone()).map_err(|problem| problem.to_string())?;
    let after = Arc::new(after);
    let now = BEGINNING + Span::from_days(100);

    let mut questions = [
        Question::new("records against a change"),
        Question::new("before and after a change"),
        Question::new("each call without its grant"),
    ];
    for _ in 0..ROUNDS {
        let [against, both, without] = &mut questions;
        against.outlook(Rejudge::new(None, Arc::clone(&after), now))?;
        both.outlook(Rejudge::new(Some(Arc::clone(&before)), Arc::clone(&after), now))?;
        without.losses(Judge::new(Arc::clone(&before), now).enforced())?;
    }
    questions.iter().for_each(Question::print);

    rebuild(&before, &edits)?;
    from_log(&before, &after, now)
}

/// A question about every call, and what each round of it came to.
struct Question {
    about: &'static str,
    judged: u64,
    differing: usize,
    /// Calls per second.
    rates: Vec<f64>,
}

impl Question {
    fn new(about: &'static str) -> Self {
        Self { about, judged: 0, differing: 0, rates: Vec::new() }
    }

    fn outlook(&mut self, mut rejudge: Rejudge) -> Result<(), Failure> {
        let took = timed(|record| rejudge.take(record))?;
        let outlook = rejudge.finish();
        self.add(took, outlook.judged, outlook.newly_refused.len());
        Ok(())
    }

    fn losses(&mut self, mut judge: Judge) -> Result<(), Failure> {
        let (mut asked, mut lost) = (0, 0);
        let took = timed(|record| {
            for grant in &record.grant_ids {
                asked += 1;
                let without = judge.judge(record, Some(grant));
                lost += usize::from(!matches!(without, Some(policy::Rejudged::Allowed)));
            }
        })?;
        self.add(took, asked, lost);
        Ok(())
    }

    fn add(&mut self, took: Duration, judged: u64, differing: usize) {
        (self.judged, self.differing) = (judged, differing);
        self.rates.push(judged as f64 / took.as_secs_f64());
    }

    /// Medians and quartiles: the machine is shared, and its speed changes.
    fn print(&self) {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        let at = |q: f64| rates[((rates.len() - 1) as f64 * q).round() as usize].round() as u64;
        let line = serde_json::json!({
            "question": self.about, "grants": IDENTITIES * GRANTS_EACH, "calls": self.judged,
            "calls_per_s": at(0.5), "q1": at(0.25), "q3": at(0.75), "best": at(1.0),
            "n": rates.len(), "differing": self.differing,
        });
        println!("{line}");
    }
}

/// What an open rollout adds to each change of the state.
fn rebuild(present: &Arc<Ruleset>, edits: &[Change]) -> Result<(), Failure> {
    let trial = Trial {
        id: "ro_bench".parse()?,
        share: 10,
        bound: Bound::default(),
        edits: edits.iter().cloned().collect(),
    };
    let with = present.apply(2, [Change::Rollout(Some(trial))]).map_err(|p| p.to_string())?;
    let rounds = 200;
    let mut took = [Duration::ZERO; 2];
    for (side, ruleset) in [present.as_ref(), &with].into_iter().enumerate() {
        let began = cpu()?;
        for round in 0..rounds {
            let change = Change::Identity(company::identity(round)?);
            drop(ruleset.apply(3, [change]).map_err(|problem| problem.to_string())?);
        }
        took[side] = (cpu()? - began) / rounds as u32;
    }
    let line = serde_json::json!({
        "question": "one change of the state, with a rollout of 100 objects open",
        "without_us": took[0].as_micros() as u64, "with_us": took[1].as_micros() as u64,
    });
    println!("{line}");
    Ok(())
}

/// Processor time of this thread so far.
fn cpu() -> Result<Duration, Failure> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

fn print(question: &str, took: Duration, judged: u64, differing: usize) {
    let rate = judged as f64 / took.as_secs_f64();
    let line = serde_json::json!({
        "question": question, "grants": IDENTITIES * GRANTS_EACH, "calls": judged,
        "calls_per_s": rate.round() as u64, "cpu_s": (took.as_secs_f64() * 1e3).round() / 1e3,
        "differing": differing,
    });
    println!("{line}");
}

/// Time in `judge` over all calls.
fn timed(mut judge: impl FnMut(&CallRecord)) -> Result<Duration, Failure> {
    let mut took = Duration::ZERO;
    for first in (0..CALLS).step_by(CHUNK) {
        let records: Result<Vec<_>, Failure> = (first..first + CHUNK).map(call).collect();
        let records = records?;
        let began = cpu()?;
        records.iter().for_each(&mut judge);
        took += cpu()? - began;
    }
    Ok(took)
}

/// The same with what it takes to read the calls.
fn from_log(before: &Arc<Ruleset>, after: &Arc<Ruleset>, now: Timestamp) -> Result<(), Failure> {
    let folder =
        std::env::temp_dir().join(format!("portreeve-bench-replay-{}", std::process::id()));
    let options = Options { durable: false, queue_max: QUEUE * 2, ..Options::default() };
    let log = DecisionLog::open(&folder, options, Arc::new(Beginning))?;
    let wait = tokio::runtime::Builder::new_current_thread().build()?;
    for first in (0..CALLS).step_by(QUEUE) {
        for number in first..first + QUEUE {
            log.append(call(number)?)?;
        }
        wait.block_on(log.flush())?;
    }
    wait.block_on(log.seal())?;
    for (question, before) in [
        ("read only", None),
        ("read, against a change", Some(None)),
        ("read, before and after a change", Some(Some(Arc::clone(before)))),
    ] {
        let mut rejudge = before.map(|before| Rejudge::new(before, Arc::clone(after), now));
        let mut read = 0;
        let began = cpu()?;
        log.scan(Timestamp::MIN, Timestamp::MAX, Order::OldestFirst, &mut |_, record| {
            read += 1;
            if let Some(rejudge) = &mut rejudge {
                rejudge.take(record);
            }
            ControlFlow::Continue(())
        })?;
        let took = cpu()? - began;
        let differing = rejudge.map_or(0, |rejudge| rejudge.finish().newly_refused.len());
        print(question, took, read, differing);
    }
    drop(log);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

struct Beginning;

impl Clock for Beginning {
    fn now(&self) -> Timestamp {
        BEGINNING
    }
}

/// APIs, identities in groups of ten, and their grants.
fn world() -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for number in 0..company::APIS {
        changes.push(Change::Api(company::api(number, "http://127.0.0.1:1")?));
    }
    for first in (0..IDENTITIES).step_by(MEMBERS) {
        let members: Result<Vec<IdentityId>, Failure> =
            (first..first + MEMBERS).map(company::identity_id).collect();
        changes.push(Change::Group(Group {
            id: format!("team-{}", first / MEMBERS).parse()?,
            name: format!("team {}", first / MEMBERS),
            members: members?,
            groups: Vec::new(),
            origin: Origin::Import,
            created_at: BEGINNING,
        }));
    }
    for identity in 0..IDENTITIES {
        changes.push(Change::Identity(company::identity(identity)?));
        for number in 0..GRANTS_EACH {
            changes.push(Change::Grant(held(identity, number)?));
        }
    }
    Ok(changes)
}

fn held(identity: usize, number: usize) -> Result<Grant, Failure> {
    let mut grant = company::grant(identity, number)?;
    let turn = identity * GRANTS_EACH + number;
    if (turn + identity) % 10 == 9 {
        grant.subject = GrantSubject::Group(format!("team-{}", identity / MEMBERS).parse()?);
    }
    if (identity * 31 + number * 7) % 20 == 3 {
        grant.terms.networks.push("10.0.0.0/8".parse()?);
        grant.terms.ties.push("path.id = \"42\"".parse()?);
    }
    Ok(grant)
}

/// Takes grants away, of callers all over the company.
fn change() -> Result<Vec<Change>, Failure> {
    let step = IDENTITIES / REVOKED;
    let revoke = |n: usize| {
        let grant = held(n * step, n % USED)?;
        Ok(Change::Grant(Grant { status: GrantStatus::Revoked, ..grant }))
    };
    (0..REVOKED).map(revoke).collect()
}

/// Call number `number`; always the same.
fn call(number: usize) -> Result<CallRecord, Failure> {
    let mut random = Random(number as u64);
    // Four of five calls come from a fifth of the callers.
    let of = if random.below(5) == 0 { IDENTITIES } else { IDENTITIES / 5 };
    let identity = random.below(of);
    let grant = random.below(USED);
    let (api, operations) = company::covers(identity, grant);
    let operation = operations[random.below(2)];
    let at = BEGINNING + Span::from_micros(number as i64 * 7_000_000);
    let id: GrantId = company::grant_id(identity, grant)?;
    Ok(CallRecord {
        request_id: RequestId::generate(at, &mut random),
        at,
        duration_us: 800 + random.below(2_000) as u64,
        identity_id: Some(company::identity_id(identity)?),
        credential_id: Some(format!("key-{identity}").parse()?),
        api_id: Some(format!("api-{api}").parse()?),
        operation: Some(format!("read-{operation}").parse()?),
        method: "GET".to_owned(),
        path: company::path(api, operation),
        source_ip: IpAddr::from([10, 0, 0, random.below(200) as u8]),
        user_agent: Some("service/1.4".to_owned()),
        outcome: Outcome::Allowed,
        reason: None,
        would_refuse: None,
        status: 200,
        grant_ids: vec![id],
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 512,
        ruleset_version: 1,
        binding: None,
        rollout: None,
    })
}

/// The same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

impl Entropy for Random {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

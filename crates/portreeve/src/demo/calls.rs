//! Ninety days of calls, the same for the same seed: each operation's calls are spread evenly over
//! the days, a little off the beat.

use std::net::IpAddr;

use base::{Entropy, Problem, RequestId, Span, Timestamp};
use catalog::Operation;
use policy::Ruleset;
use traffic::{CallRecord, Outcome, Reason};

use super::company::{CALLERS, Caller, REFUSED};
use super::world::Holdings;

/// The window of the records.
pub(super) const WINDOW: Span = Span::from_days(90);

/// A generator that gives the same numbers for the same seed (SplitMix64).
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            part.iter_mut().zip(next).for_each(|(to, from)| *to = from);
        }
    }
}

/// Who calls what how often, and what becomes of it.
struct Stream<'a> {
    caller: &'a Caller,
    api: &'a str,
    operation: &'a str,
    calls: u32,
    reason: Option<Reason>,
}

/// Every call of the window before `now`, in order of time.
pub(super) fn generate(
    holdings: &Holdings,
    ruleset: &Ruleset,
    now: Timestamp,
    seed: u64,
) -> Result<Vec<CallRecord>, Problem> {
    let mut seeded = Seeded(seed);
    let mut records = Vec::new();
    for stream in streams() {
        for number in 0..stream.calls {
            let at = moment(&stream, number, now, &mut seeded);
            records.push(record(&stream, at, holdings, ruleset, &mut seeded)?);
        }
    }
    records.sort_by_key(|record| record.at);
    Ok(records)
}

fn streams() -> impl Iterator<Item = Stream<'static>> {
    let used = CALLERS.iter().flat_map(|caller| {
        caller.grants.iter().flat_map(move |holding| {
            holding.operations.iter().map(move |(operation, calls)| Stream {
                caller,
                api: holding.api,
                operation,
                calls: *calls,
                reason: None,
            })
        })
    });
    let refused = REFUSED.iter().flat_map(|(id, api, operation, calls)| {
        CALLERS.iter().filter(move |caller| caller.id == *id).map(move |caller| Stream {
            caller,
            api,
            operation,
            calls: *calls,
            reason: Some(Reason::NoGrant),
        })
    });
    used.chain(refused)
}

fn moment(stream: &Stream<'_>, number: u32, now: Timestamp, seeded: &mut Seeded) -> Timestamp {
    let beat = WINDOW.as_micros() / i64::from(stream.calls.max(1));
    let off = seeded.below(beat.unsigned_abs() * 3 / 4);
    let off = i64::try_from(off).unwrap_or(0);
    now - WINDOW + Span::from_micros(beat * i64::from(number) + off)
}

fn record(
    stream: &Stream<'_>,
    at: Timestamp,
    holdings: &Holdings,
    ruleset: &Ruleset,
    seeded: &mut Seeded,
) -> Result<CallRecord, Problem> {
    let operation = find(stream, ruleset)?;
    let path = operation.path.replace("{id}", &(seeded.below(900) + 100).to_string());
    let held = holdings.of(stream.caller.id, stream.api);
    Ok(CallRecord {
        request_id: RequestId::generate(at, seeded),
        at,
        duration_us: 900 + seeded.below(4_000),
        identity_id: Some(stream.caller.id.parse().map_err(internal)?),
        credential_id: holdings.credential(stream.caller.id).cloned(),
        api_id: Some(stream.api.parse().map_err(internal)?),
        operation: Some(operation.id.clone()),
        method: operation.method.to_string(),
        path,
        source_ip: IpAddr::from(stream.caller.source),
        user_agent: Some(format!("{}/2.4", stream.caller.id)),
        outcome: if stream.reason.is_some() { Outcome::Refused } else { Outcome::Allowed },
        reason: stream.reason,
        status: stream.reason.map_or(200, Reason::status),
        grant_ids: held.filter(|_| stream.reason.is_none()).into_iter().cloned().collect(),
        would_refuse: None,
        binding: None,
        rollout: None,
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 80 + seeded.below(2_000),
        ruleset_version: ruleset.version(),
    })
}

fn find<'r>(stream: &Stream<'_>, ruleset: &'r Ruleset) -> Result<&'r Operation, Problem> {
    let api = stream.api.parse().map_err(internal)?;
    let operations = ruleset.api(&api).map(|api| api.operations.iter());
    let mut operations = operations.into_iter().flatten();
    operations
        .find(|operation| operation.id.as_str() == stream.operation)
        .ok_or_else(|| Problem::internal(format!("the demo has no operation {}", stream.operation)))
}

fn internal(error: base::id::BadId) -> Problem {
    Problem::internal(error.to_string())
}

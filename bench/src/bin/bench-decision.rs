//! `bench-decision`: what one decision costs at growing numbers of grants, without any I/O, and what
//! it costs with three guardrails that are for the request; and what it costs a caller that has
//! each of its objects by a grant. Prints one JSON object per case; the last is the most grants
//! without guardrails, and how much more it costs than the fewest.
//!
//! All sizes are measured in turn, round after round: the speed of a shared machine changes from one
//! second to the next, and would be taken for growth. Figures are medians over the rounds.
//!
//! Single decisions are shorter than reading the clock, so hundreds are timed together: the
//! quantiles are over batches. Callers, APIs and operations change from one to the next, so the
//! index is not only read where it is warm.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use base::{CredentialId, Entropy, Timestamp};
use identity::{Credential, CredentialClass, CredentialStatus, Environment};
use policy::{Change, Facts, Guard, Ruleset};
use portreeve_bench::company::{self, BEGINNING, Failure};
use portreeve_bench::objects;
use token::{ApiKey, KeyLabel, Pepper, Verified};

/// As in the product: where a million grants lie is what reading them costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GRANTS_EACH: usize = 10;
const SIZES: &[usize] = &[10, 1_000, 100_000, 1_000_000];
const CALLERS: usize = 1_000;
const ROUNDS: usize = 21;
const BATCHES: usize = 200;
const BATCH: usize = 200;

/// Guardrails that are for every request here, are looked at whole, and forbid none.
const GUARDRAILS: &str = r#"
@id("from-inside")
forbid(principal, action, resource)
unless { context has source && context.source.isInRange(ip("10.0.0.0/8")) };

@id("of-one-environment")
forbid(principal, action in Action::"impact/medium", resource)
when { principal.environment != resource.environment };

@id("by-known-proofs")
forbid(principal, action, resource)
unless { ["api_key", "issuer_subject"].contains(context.credential_class)
    && !(principal.kind == "person" && context.strength == "shared_secret") };
"#;

fn main() -> Result<(), Failure> {
    let mut cases = Vec::new();
    for &grants in SIZES {
        let (ruleset, callers) = world(grants / GRANTS_EACH)?;
        let callers = Arc::new(callers);
        let guarded = guarded(&ruleset)?;
        cases.push(Case::new(grants, 3, guarded, Arc::clone(&callers)));
        cases.push(Case::new(grants, 0, ruleset, callers));
    }
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let batches = measure(&case.ruleset, &case.callers)?;
            case.rounds.push([0.5, 0.99].map(|q| quantile(&batches, q)));
        }
    }
    objects::measure(ROUNDS)?;
    let bare = |case: &&Case| case.guardrails == 0;
    let fewest = cases.iter().find(bare).map(|case| case.rounds.clone()).unwrap_or_default();
    cases.iter().for_each(|case| case.print(&fewest));
    Ok(())
}

/// A ruleset that is asked, and what each round came to.
struct Case {
    grants: usize,
    guardrails: usize,
    ruleset: Ruleset,
    callers: Arc<Vec<Caller>>,
    /// The median and the 99th percentile, in microseconds.
    rounds: Vec<[f64; 2]>,
}

impl Case {
    fn new(grants: usize, guardrails: usize, ruleset: Ruleset, callers: Arc<Vec<Caller>>) -> Self {
        Self { grants, guardrails, ruleset, callers, rounds: Vec::new() }
    }

    /// Growth is taken from round to round: of what was measured right after each other.
    fn print(&self, fewest: &[[f64; 2]]) {
        let column = |of: fn(&[f64; 2]) -> f64| self.rounds.iter().map(of).collect::<Vec<_>>();
        let (p50, p99) = (column(|round| round[0]), column(|round| round[1]));
        let mut line = serde_json::json!({
            "grants": self.grants, "guardrails": self.guardrails,
            "p50_us": round(quantile(&p50, 0.5)), "p50_q1": round(quantile(&p50, 0.25)),
            "p50_q3": round(quantile(&p50, 0.75)), "p50_best": round(quantile(&p50, 0.0)),
            "p99_us": round(quantile(&p99, 0.5)), "n": self.rounds.len(),
        });
        if self.guardrails == 0 {
            let grown: Vec<f64> =
                self.rounds.iter().zip(fewest).map(|(here, there)| here[0] / there[0]).collect();
            line["growth"] = round(quantile(&grown, 0.5)).into();
        }
        println!("{line}");
    }
}

fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * q) as usize]
}

/// The same ruleset with guardrails.
fn guarded(ruleset: &Ruleset) -> Result<Ruleset, Failure> {
    let set = grant::Guardrails {
        version: 1,
        files: BTreeMap::from([("bench.cedar".to_owned(), GUARDRAILS.to_owned())]),
        updated_at: BEGINNING,
        updated_by: "bench".to_owned(),
    };
    let compiled = guardrail::Guardrails::compile(&set);
    if let Some(fault) = compiled.fault() {
        return Err(fault.to_owned().into());
    }
    let next = ruleset.apply(2, [Change::Guard(Some(Arc::new(compiled)))]);
    Ok(next.map_err(|problem| problem.to_string())?)
}

/// A caller that has proved who it is, and the number of its identity.
struct Caller {
    verified: Verified,
    identity: usize,
}

/// The ruleset of a company, and callers spread over it.
fn world(identities: usize) -> Result<(Ruleset, Vec<Caller>), Failure> {
    let mut changes = Vec::new();
    for number in 0..company::APIS {
        changes.push(Change::Api(company::api(number, "http://127.0.0.1:1")?));
    }
    for identity in 0..identities {
        changes.push(Change::Identity(company::identity(identity)?));
        for number in 0..GRANTS_EACH {
            changes.push(Change::Grant(company::grant(identity, number)?));
        }
    }
    let pepper = Pepper::new(&[7; 32]).map_err(|problem| problem.to_string())?;
    let mut keys = Vec::new();
    let step = identities.div_ceil(CALLERS).max(1);
    for identity in (0..identities).step_by(step) {
        let key = ApiKey::generate(KeyLabel::Test, &mut Counter(identity as u64));
        changes.push(Change::Credential(credential(identity, &key, &pepper)?));
        keys.push((identity, key));
    }
    let ruleset = Ruleset::build(1, changes).map_err(|problem| problem.to_string())?;
    let verify = |(identity, key): (usize, ApiKey)| {
        let verified = token::verify_key(key.expose(), &pepper, &ruleset, BEGINNING);
        verified.map(|verified| Caller { verified, identity }).map_err(|r| r.to_string().into())
    };
    let callers: Result<Vec<Caller>, Failure> = keys.into_iter().map(verify).collect();
    let callers = callers?;
    Ok((ruleset, callers))
}

fn credential(identity: usize, key: &ApiKey, pepper: &Pepper) -> Result<Credential, Failure> {
    Ok(Credential {
        id: CredentialId::parse(&format!("key-{identity}"))?,
        identity: company::identity_id(identity)?,
        class: CredentialClass::ApiKey,
        label: key.label(),
        lookup: key.lookup(pepper),
        environment: Environment::Production,
        created_at: BEGINNING,
        expires_at: None,
        rotates: None,
        status: CredentialStatus::Active,
        revoked_at: None,
        created_by: "bench".to_owned(),
        last_used_before: None,
    })
}

/// Microseconds per decision, the operation looked up by its path, batch by batch. Every decision
/// must permit.
fn measure(ruleset: &Ruleset, callers: &[Caller]) -> Result<Vec<f64>, Failure> {
    let mut requests = Vec::new();
    for (n, caller) in callers.iter().enumerate() {
        let (api, operations) = company::covers(caller.identity, n % GRANTS_EACH);
        requests.push((caller, company::path(api, operations[n % operations.len()])));
    }
    let mut batches = Vec::with_capacity(BATCHES);
    let mut next = requests.iter().cycle();
    for _ in 0..BATCHES {
        let mut permitted = 0;
        let began = Instant::now();
        for (caller, path) in next.by_ref().take(BATCH) {
            permitted += usize::from(decide(ruleset, caller, path, BEGINNING));
        }
        let took = began.elapsed();
        if permitted != BATCH {
            return Err(format!("only {permitted} of {BATCH} were permitted").into());
        }
        batches.push(took.as_secs_f64() * 1e6 / BATCH as f64);
    }
    Ok(batches)
}

fn decide(ruleset: &Ruleset, caller: &Caller, path: &str, now: Timestamp) -> bool {
    let located = ruleset.locate("GET", None, black_box(path));
    let Some(api) = located.api else { return false };
    let facts = Facts { source: Some([10, 0, 0, 7].into()), ..Facts::unknown() };
    ruleset.decide(black_box(&caller.verified), api, located.operation, facts, now).is_ok()
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Distinct keys without a generator: nothing here is a secret.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
    }
}

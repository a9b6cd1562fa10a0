//! Decisions on a caller that has very many grants on one API, each on one object.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::time::Instant;

use base::{IdentityId, Span};
use catalog::Method;
use grant::{Grant, OperationSet, Place, Terms, Tie};
use identity::CredentialClass;
use policy::{Caller, Change, Facts, Reading, Request, Ruleset, Writes};

use crate::company::{self, BEGINNING, Failure};

const SIZES: &[usize] = &[10, 1_000, 100_000];
const BATCH: usize = 2_000;
const CHANGES: usize = 20;

/// A request for one object.
struct Asks(String);

impl Request for Asks {
    fn read(&self, place: &Place) -> Reading<'_> {
        match place {
            Place::Path(name) if name == "id" => Reading::one(self.0.as_str()),
            _ => Reading::absent(),
        }
    }

    fn writes(&self, _: &[String]) -> Writes {
        Writes::Within
    }
}

struct Case {
    grants: usize,
    ruleset: Ruleset,
    /// Medians of rounds: microseconds of a decision, and of a change of one grant.
    rounds: Vec<[f64; 2]>,
}

/// Measures and prints, all sizes in turn.
///
/// # Errors
/// A decision came out wrong.
pub fn measure(rounds: usize) -> Result<(), Failure> {
    let mut cases = Vec::new();
    for &grants in SIZES {
        cases.push(Case { grants, ruleset: world(grants)?, rounds: Vec::new() });
    }
    for _ in 0..rounds {
        for case in &mut cases {
            let took = [decisions(case)?, changes(case)?];
            case.rounds.push(took);
        }
    }
    let fewest = cases.first().map(|case| median(case, 0)).unwrap_or(f64::NAN);
    for case in &cases {
        let (decision, change) = (median(case, 0), median(case, 1));
        let three = |value: f64| (value * 1000.0).round() / 1000.0;
        println!(
            "{}",
            serde_json::json!({
                "objects_of_one": case.grants, "decision_us": three(decision),
                "growth": three(decision / fewest), "change_us": three(change), "n": rounds,
            })
        );
    }
    Ok(())
}

fn median(case: &Case, column: usize) -> f64 {
    let mut all: Vec<f64> = case.rounds.iter().map(|round| round[column]).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn world(grants: usize) -> Result<Ruleset, Failure> {
    let mut api = company::api(0, "http://127.0.0.1:1")?;
    let mut operation = api.operations.first().cloned().ok_or("an API without operations")?;
    operation.id = "getObject".parse()?;
    operation.method = Method::Get;
    operation.path = format!("{}/objects/{{id}}", api.path);
    api.operations = vec![operation];
    let mut changes = vec![Change::Api(api), Change::Identity(company::identity(0)?)];
    for number in 0..grants {
        changes.push(Change::Grant(grant(number)?));
    }
    Ok(Ruleset::build(1, changes).map_err(|problem| problem.to_string())?)
}

fn grant(number: usize) -> Result<Grant, Failure> {
    let tie: Tie = format!("path.id = \"{number}\"").parse()?;
    Ok(Grant {
        id: format!("g_object{number}").parse()?,
        api: company::api(0, "http://127.0.0.1:1")?.id,
        operations: OperationSet::Only([("getObject").parse()?].into()),
        terms: Terms { ties: vec![tie], ..Terms::default() },
        ..company::grant(0, 0)?
    })
}

/// Microseconds of a decision. Every second one is for an object of somebody else.
fn decisions(case: &Case) -> Result<f64, Failure> {
    let id: IdentityId = company::identity_id(0)?;
    let who = Caller::supposed(&id, CredentialClass::ApiKey);
    let step = (case.grants / 97).max(1);
    let asks = |n: usize| {
        let own = n * step % case.grants;
        Asks(if n.is_multiple_of(2) { own } else { own + case.grants }.to_string())
    };
    let requests: Vec<Asks> = (0..BATCH).map(asks).collect();
    let path = format!("{}/objects/x", company::api(0, "http://127.0.0.1:1")?.path);
    let began = Instant::now();
    let mut allowed = 0;
    for request in &requests {
        let located = case.ruleset.locate("GET", None, black_box(&path));
        let api = located.api.ok_or("no such API")?;
        let facts = Facts::of(None, 0, request);
        let judged = case.ruleset.suppose(who, api, located.operation, facts, BEGINNING);
        allowed += usize::from(judged.is_ok());
    }
    let took = began.elapsed();
    if allowed != BATCH / 2 {
        return Err(format!("{allowed} of {BATCH} were allowed").into());
    }
    Ok(took.as_secs_f64() * 1e6 / BATCH as f64)
}

/// Microseconds of one change, with the ruleset before it still in use.
fn changes(case: &Case) -> Result<f64, Failure> {
    let mut took = 0.0;
    for number in 0..CHANGES {
        let mut changed = grant(number * 7 % case.grants)?;
        changed.expires_at = Some(BEGINNING + Span::from_days(1));
        let began = Instant::now();
        let next = case.ruleset.apply(2, [Change::Grant(changed)]);
        took += began.elapsed().as_secs_f64() * 1e6;
        black_box(next.map_err(|problem| problem.to_string())?);
    }
    Ok(took / CHANGES as f64)
}

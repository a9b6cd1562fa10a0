//! Guardrails of the policy set: its files in Cedar, checked against the catalogue whenever either
//! of them changes, and compiled for the gate.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Problem;
use catalog::Api;
use grant::Guardrails;
use policy::{Guard, Ruleset};
use store::{Object, Tx};

/// What the name of a file of guardrails ends with.
pub(super) const SUFFIX: &str = ".cedar";
/// How many problems are told at once.
const PROBLEMS_TOLD_MAX: usize = 5;

/// The files of a policy set that are guardrails.
pub(super) fn of(set: &Guardrails) -> Guardrails {
    let files = set.files.iter().filter(|(name, _)| name.ends_with(SUFFIX));
    Guardrails {
        files: files.map(|(name, text)| (name.clone(), text.clone())).collect(),
        ..set.clone()
    }
}

/// What the gate judges by; `None` = there are no guardrails.
pub(crate) fn compiled(set: &Guardrails) -> Option<Arc<dyn Guard>> {
    let set = of(set);
    if set.files.is_empty() {
        return None;
    }
    let compiled = guardrail::Guardrails::compile(&set);
    if let Some(fault) = compiled.fault() {
        tracing::error!(%fault, "guardrails cannot be compiled: every request is refused");
    }
    Some(Arc::new(compiled))
}

/// Whether the guardrails and the catalogue fit each other, asked when a transaction changed either:
/// a guardrail about an operation that is gone would no longer forbid anything, and nobody would
/// know.
pub(crate) async fn fit(tx: &mut Tx, after: &Ruleset) -> Result<(), Problem> {
    let changed = |object: &Object| match object {
        Object::Api(_) | Object::ApiRemoved(_) => (true, false),
        Object::Guardrails(_) => (false, true),
        _ => (false, false),
    };
    let changes = tx.changes().iter().filter_map(|change| change.object.as_ref()).map(changed);
    let (apis, rails) = changes.fold((false, false), |all, one| (all.0 || one.0, all.1 || one.1));
    if !apis && !rails {
        return Ok(());
    }
    let Some(set) = tx.guardrails().await? else { return Ok(()) };
    check(&set, after).map_err(|problem| match rails {
        true => problem,
        false => Problem::conflict(problem.reason, problem.detail)
            .at(problem.place.unwrap_or_default())
            .hint("the change of the API breaks a guardrail: publish one that fits first"),
    })
}

fn check(set: &Guardrails, after: &Ruleset) -> Result<(), Problem> {
    let set = of(set);
    if set.files.is_empty() {
        return Ok(());
    }
    let apis: Vec<Api> = after.apis().map(|api| Api::clone(api)).collect();
    guardrail::Guardrails::check(&set, &apis).map_err(told)?;
    ask_no_source(&set, after.looked_up())
}

/// Whether no guardrail looks at a relation that is looked up: guardrails are judged without asking
/// anybody.
pub(crate) fn ask_no_source(set: &Guardrails, looked_up: &BTreeSet<String>) -> Result<(), Problem> {
    guardrail::Guardrails::ask_no_source(&of(set), looked_up).map_err(told)
}

/// Several problems as one: the first as it is, the others behind it.
fn told(problems: Vec<Problem>) -> Problem {
    let others = problems.len().saturating_sub(1);
    let mut problems = problems.into_iter();
    let Some(mut first) = problems.next() else {
        return Problem::internal("guardrails were refused without a problem");
    };
    for other in problems.take(PROBLEMS_TOLD_MAX - 1) {
        let place = other.place.map(|place| format!("{place}: ")).unwrap_or_default();
        first.detail.push_str(&format!("; {place}{}", other.detail));
    }
    let untold = (others + 1).saturating_sub(PROBLEMS_TOLD_MAX);
    if untold > 0 {
        first.detail.push_str(&format!("; and {untold} more"));
    }
    first
}

//! Guardrails of the policy set: its files in Cedar, checked against the catalogue whenever either
//! of them changes, and compiled for the gate.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Problem;
use catalog::Api;
use grant::Guardrails;
use guardrail::NamedKind;
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
    Some(Arc::new(guardrail::Guardrails::compile(&set)))
}

/// Says in the log that guardrails which come into force refuse everything. What is only tried is told
/// to whoever tries it.
pub(crate) fn tell_fault(before: Option<&Ruleset>, after: &Ruleset) {
    let Some(guard) = after.guard() else { return };
    let is_known = before.and_then(Ruleset::guard).is_some_and(|known| Arc::ptr_eq(known, guard));
    if let Some(fault) = guard.fault().filter(|_| !is_known) {
        tracing::error!(%fault, "guardrails cannot be compiled: every request is refused");
    }
}

/// Whether what the changed files name is there. Not asked again later: that a group is dissolved
/// must not keep anybody from changing anything else.
pub(super) async fn name_what_is_there(
    tx: &mut Tx,
    before: Option<&Guardrails>,
    after: &Guardrails,
) -> Result<(), Problem> {
    let mut changed = of(after);
    changed.files.retain(|name, text| before.and_then(|set| set.files.get(name)) != Some(text));
    let mut problems = guardrail::Guardrails::impossible(&changed);
    for named in guardrail::Guardrails::named(&changed) {
        let is_there = match named.kind {
            NamedKind::Api => tx.api(&named.id).await?.is_some(),
            NamedKind::Group => tx.group(&named.id).await?.is_some(),
            NamedKind::Identity => tx.identity(&named.id).await?.is_some(),
        };
        if is_there {
            continue;
        }
        let known: Vec<String> = match named.kind {
            NamedKind::Api => tx.apis().await?.iter().map(|api| api.id.to_string()).collect(),
            NamedKind::Group => tx.groups().await?.iter().map(|one| one.id.to_string()).collect(),
            // As many as there are; whoever names one by hand knows its id.
            NamedKind::Identity => Vec::new(),
        };
        problems.push(named.unknown(known.iter().map(String::as_str)));
    }
    problems.sort_by(|one, other| one.place.cmp(&other.place));
    if problems.is_empty() { Ok(()) } else { Err(told(problems)) }
}

/// Whether no guardrail is about an API that is taken away: it would forbid nothing, also when another
/// of that name comes.
fn keep_named(set: &Guardrails, gone: &BTreeSet<String>) -> Result<(), Problem> {
    let named = guardrail::Guardrails::named(&of(set)).into_iter();
    let mut named = named.filter(|one| one.kind == NamedKind::Api && gone.contains(&one.id));
    named.next().map_or(Ok(()), |one| Err(one.unknown([])))
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
    let gone = tx.changes().iter().filter_map(|change| match &change.object {
        Some(Object::ApiRemoved(id)) => Some(id.to_string()),
        _ => None,
    });
    let gone: BTreeSet<String> = gone.collect();
    let Some(set) = tx.guardrails().await? else { return Ok(()) };
    check(&set, after).and_then(|()| keep_named(&set, &gone)).map_err(|problem| match rails {
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

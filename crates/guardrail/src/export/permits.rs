//! One grant as a policy.

use std::fmt::Write as _;

use base::ApiId;
use grant::{Grant, GrantSubject, OperationSet, Place, WithdrawalStage};

use super::State;
use super::conditions::conditions;
use crate::names::{self, quoted};
use crate::rails::MARK;
use crate::uses::Uses;

/// The actions of the catalogue that a set of operations covers.
pub(super) fn covered(state: &State<'_>, api: &ApiId, set: &OperationSet) -> Vec<String> {
    let Some(known) = state.apis.iter().find(|known| known.id == *api) else { return Vec::new() };
    match set {
        OperationSet::All(_) => vec![names::known(api.as_str())],
        OperationSet::Only(ids) => {
            let is_known = |id: &&base::OperationId| {
                known.operations.iter().any(|operation| operation.id == **id)
            };
            let named = ids.iter().filter(is_known);
            named.map(|id| names::operation(api.as_str(), id.as_str())).collect()
        }
    }
}

/// Writes the policy, and notes what it looks at.
pub(super) fn permit(out: &mut String, state: &State<'_>, grant: &Grant, uses: &mut Uses) {
    annotate(out, grant);
    let principal = match &grant.subject {
        GrantSubject::Identity(id) => format!("== Identity::{}", quoted(id.as_str())),
        GrantSubject::Group(id) => format!("in Group::{}", quoted(id.as_str())),
    };
    let mut actions = covered(state, &grant.api, &grant.operations);
    let live = state.roles.iter().filter(|role| !role.removed && role.api == grant.api);
    let held = live.filter(|role| grant.roles.contains(&role.id));
    actions.extend(held.map(|role| names::role(role.id.as_str())));
    actions.sort();
    actions.dedup();
    let mut clauses = conditions(grant, uses);
    let action = if actions.is_empty() {
        // Nothing of it is in the catalogue, and `in []` is no scope.
        clauses.insert(0, "false".to_owned());
        String::new()
    } else {
        let actions: Vec<String> =
            actions.iter().map(|name| format!("Action::{}", quoted(name))).collect();
        format!(" in [{}]", actions.join(", "))
    };
    let _ = write!(
        out,
        "permit(\n  principal {principal},\n  action{action},\n  resource == Api::{}\n)",
        quoted(grant.api.as_str())
    );
    for clause in clauses {
        let _ = write!(out, "\nwhen {{ {clause} }}");
    }
    out.push_str(";\n\n");
}

fn annotate(out: &mut String, grant: &Grant) {
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "@{name}({})", quoted(value));
    };
    line(MARK, &format!("grant:{}", grant.id));
    line("id", grant.id.as_str());
    line("status", grant.status.as_str());
    if let Some(fields) = &grant.fields {
        line("fields", &serde_json::Value::from(fields.clone()).to_string());
    }
    let ties = grant.terms.ties.iter();
    let shown = ties.filter(|tie| matches!(tie.place, Place::Response(_)));
    let shown: Vec<String> = shown.map(ToString::to_string).collect();
    if !shown.is_empty() {
        line("response", &serde_json::Value::from(shown).to_string());
    }
    let stage = grant.terms.withdrawal.as_ref().map(|taken| taken.stage);
    if stage == Some(WithdrawalStage::LogOnly) {
        line("withdrawal", "log_only");
    }
}

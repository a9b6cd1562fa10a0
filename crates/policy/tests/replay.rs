//! What a change to grants would have refused.

mod common;

use base::Timestamp;
use common::*;
use grant::OperationSet;
use portreeve_policy::{Change, GrantChange, Replay, Ruleset, replay};
use traffic::{CallRecord, Outcome};

fn record(who: &str, operation: &str, grants: &[&str], at: Timestamp) -> CallRecord {
    CallRecord {
        request_id: "r_1".parse().unwrap(),
        at,
        duration_us: 1,
        identity_id: Some(who.parse().unwrap()),
        credential_id: None,
        api_id: Some("orders".parse().unwrap()),
        operation: Some(operation.parse().unwrap()),
        method: "GET".to_owned(),
        path: format!("/orders/{operation}"),
        source_ip: [127, 0, 0, 1].into(),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        status: 200,
        grant_ids: grants.iter().map(|id| id.parse().unwrap()).collect(),
        would_refuse: None,
        binding: None,
        rollout: None,
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
    }
}

fn change(id: &str, remaining: &[&str]) -> GrantChange {
    GrantChange {
        grant: id.parse().unwrap(),
        remaining: grant(id, "x", "orders", remaining).operations,
    }
}

fn run(ruleset: &Ruleset, changes: &[GrantChange], records: &[CallRecord]) -> Replay {
    replay(ruleset, changes, records, NOW)
}

#[test]
fn a_removal_loses_the_calls_that_nothing_else_covers() {
    let records = [
        record("billing", "get", &["g_billing"], at(-30)),
        record("billing", "list", &["g_billing"], at(-10)),
        record("billing", "get", &["g_billing"], at(-20)),
        record("clerk", "get", &["g_clerks"], at(-5)),
    ];
    let lost = run(&ruleset(), &[change("g_billing", &[])], &records);
    assert_eq!((lost.examined, lost.refused, lost.last_at), (3, 3, Some(at(-10))));
    let callers: Vec<_> = lost
        .callers
        .iter()
        .map(|loss| (loss.identity.as_str(), loss.calls, loss.last_at))
        .collect();
    assert_eq!(callers, [("billing", 3, at(-10))]);
}

#[test]
fn narrowing_loses_only_the_operations_that_go() {
    let records = [
        record("billing", "get", &["g_billing"], at(-2)),
        record("billing", "list", &["g_billing"], at(-1)),
    ];
    let lost = run(&ruleset(), &[change("g_billing", &["list"])], &records);
    assert_eq!((lost.examined, lost.refused, lost.last_at), (2, 1, Some(at(-2))));
    let unused = run(&ruleset(), &[change("g_billing", &["get", "list"])], &records);
    assert_eq!((unused.refused, unused.callers.len(), unused.last_at), (0, 0, None));
}

#[test]
fn another_grant_in_force_saves_a_call_and_one_that_ended_does_not() {
    let records = [record("billing", "get", &["g_billing", "g_second"], at(-1))];
    let removal = [change("g_billing", &[])];
    // The record names a second grant, which the ruleset does not have any more.
    assert_eq!(run(&ruleset(), &removal, &records).refused, 1);
    let second = grant("g_second", "billing", "orders", &["get"]);
    let with_second = ruleset().apply(2, [Change::Grant(second.clone())]).unwrap();
    assert_eq!(run(&with_second, &removal, &records).refused, 0);
    let ended = grant::Grant { expires_at: Some(NOW), ..second };
    let with_ended = ruleset().apply(2, [Change::Grant(ended)]).unwrap();
    assert_eq!(run(&with_ended, &removal, &records).refused, 1);
}

#[test]
fn two_grants_removed_together_do_not_save_each_other() {
    let second = grant("g_second", "billing", "orders", &["get"]);
    let ruleset = ruleset().apply(2, [Change::Grant(second)]).unwrap();
    let records = [record("billing", "get", &["g_billing", "g_second"], at(-1))];
    let both = [change("g_billing", &[]), change("g_second", &[])];
    assert_eq!(run(&ruleset, &both[..1], &records).refused, 0);
    assert_eq!(run(&ruleset, &both, &records).refused, 1);
}

#[test]
fn a_group_that_covers_the_call_saves_it() {
    let ruleset =
        ruleset().apply(2, [Change::Group(group("clerks", &["billing", "clerk"]))]).unwrap();
    let records = [record("billing", "get", &["g_billing"], at(-1))];
    assert_eq!(run(&ruleset, &[change("g_billing", &[])], &records).refused, 0);
}

#[test]
fn refused_calls_and_calls_under_other_grants_are_not_looked_at() {
    let mut refused = record("billing", "get", &["g_billing"], at(-1));
    refused.outcome = Outcome::Refused;
    let other = record("clerk", "get", &["g_clerks"], at(-1));
    let none = run(&ruleset(), &[change("g_billing", &[])], &[refused, other]);
    assert_eq!(none, Replay::default());
    let all = GrantChange { grant: "g_billing".parse().unwrap(), remaining: OperationSet::ALL };
    let kept = run(&ruleset(), &[all], &[record("billing", "cancel", &["g_billing"], at(-1))]);
    assert_eq!((kept.examined, kept.refused), (1, 0));
}

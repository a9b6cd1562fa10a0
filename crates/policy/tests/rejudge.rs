//! Recorded calls under a changed ruleset: what turns, what stays, and what nobody can know.

mod common;

use std::sync::Arc;

use base::Timestamp;
use common::*;
use grant::{Grant, GrantStatus, Terms};
use portreeve_policy::{Change, Outlook, Rejudge};
use traffic::{CallRecord, Outcome, Reason};

fn record(identity: &str, operation: &str, at_second: i64) -> CallRecord {
    CallRecord {
        request_id: format!("r_{identity}_{operation}_{at_second}").parse().unwrap(),
        at: at(at_second),
        duration_us: 1,
        identity_id: Some(identity.parse().unwrap()),
        credential_id: Some(format!("key-of-{identity}").parse().unwrap()),
        api_id: Some("orders".parse().unwrap()),
        operation: Some(operation.parse().unwrap()),
        method: "GET".to_owned(),
        path: format!("/orders/{operation}"),
        source_ip: [10, 0, 0, 1].into(),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        would_refuse: None,
        status: 200,
        grant_ids: Vec::new(),
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
    }
}

fn refused(reason: Reason, record: CallRecord) -> CallRecord {
    CallRecord { outcome: Outcome::Refused, reason: Some(reason), status: 403, ..record }
}

fn outlook(changes: Vec<Change>, records: &[CallRecord]) -> Outlook {
    let before = Arc::new(ruleset());
    let after = Arc::new(before.apply(2, changes).unwrap());
    let mut rejudge = Rejudge::new(Some(before), after, NOW);
    records.iter().for_each(|record| rejudge.take(record));
    rejudge.finish()
}

fn revoked() -> Change {
    let good = grant("g_billing", "billing", "orders", &["get", "list"]);
    Change::Grant(Grant { status: GrantStatus::Revoked, ..good })
}

fn limited(terms: Terms) -> Change {
    Change::Grant(Grant { terms, ..grant("g_billing", "billing", "orders", &["get", "list"]) })
}

#[test]
fn what_a_removal_refuses_is_counted_by_caller_and_operation() {
    let records =
        [record("billing", "get", -3), record("billing", "get", -2), record("clerk", "get", -1)];
    let found = outlook(vec![revoked()], &records);
    assert_eq!((found.judged, found.unknown), (3, 0));
    assert!(found.newly_allowed.is_empty());
    let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.identity.as_str(), shift.calls, shift.last_at), ("billing", 2, at(-2)));
    assert_eq!(shift.reason, Some(Reason::NoGrant));
}

#[test]
fn what_a_new_grant_allows_is_told_with_why_it_was_refused() {
    let given = Change::Grant(grant("g_new", "stranger", "orders", &["get"]));
    let records = [
        refused(Reason::NoGrant, record("stranger", "get", -1)),
        // Not a matter of permission: no grant would have helped.
        refused(Reason::RateLimited, record("stranger", "get", -1)),
        refused(Reason::CredentialExpired, record("stranger", "get", -1)),
    ];
    let found = outlook(vec![given], &records);
    assert_eq!(found.judged, 1);
    let [shift] = found.newly_allowed.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.identity.as_str(), shift.reason), ("stranger", Some(Reason::NoGrant)));
    assert!(found.newly_refused.is_empty());
}

#[test]
fn what_the_present_ruleset_refuses_already_is_not_the_changes_doing() {
    let before = Arc::new(ruleset().apply(2, [revoked()]).unwrap());
    let mut rejudge = Rejudge::new(Some(Arc::clone(&before)), Arc::clone(&before), NOW);
    let call = record("billing", "get", -1);
    rejudge.take(&call);
    assert!(rejudge.finish().newly_refused.is_empty());
    // Against the records it is what has changed since.
    let mut rejudge = Rejudge::new(None, before, NOW);
    rejudge.take(&call);
    assert_eq!(rejudge.finish().newly_refused.len(), 1);
}

#[test]
fn hours_are_those_of_the_call() {
    // NOW is a Monday at 14:13 UTC; a day before was a Sunday.
    let office = Terms { hours: vec!["mon-fri 00:00-24:00".parse().unwrap()], ..Terms::default() };
    let records = [record("billing", "get", -1), record("billing", "get", -86_400)];
    let found = outlook(vec![limited(office)], &records);
    let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.calls, shift.last_at), (1, at(-86_400)));
}

#[test]
fn what_no_record_keeps_is_not_guessed() {
    let tied = |tie: &str| Terms { ties: vec![tie.parse().unwrap()], ..Terms::default() };
    let records = [record("billing", "get", -1)];
    for tie in ["query.t = identity.id", "header.t = identity.id", "body.t = identity.id"] {
        let found = outlook(vec![limited(tied(tie))], &records);
        assert_eq!((found.judged, found.unknown), (1, 1), "{tie}");
        assert!(found.newly_refused.is_empty());
    }
    // A path is kept.
    let found = outlook(vec![limited(tied("path.t = identity.id"))], &records);
    assert_eq!((found.unknown, found.newly_refused.len()), (0, 1));
}

#[test]
fn a_source_and_an_end_count_as_they_are_now() {
    let from = |net: &str| Terms { networks: vec![net.parse().unwrap()], ..Terms::default() };
    let records = [record("billing", "get", -1)];
    assert_eq!(outlook(vec![limited(from("10.0.0.0/8"))], &records).newly_refused.len(), 0);
    assert_eq!(outlook(vec![limited(from("192.168.0.0/16"))], &records).newly_refused.len(), 1);
    let ended: Timestamp = at(-1);
    let good = grant("g_billing", "billing", "orders", &["get", "list"]);
    let change = Change::Grant(Grant { expires_at: Some(ended), ..good });
    assert_eq!(outlook(vec![change], &records).newly_refused.len(), 1);
}

use grant::OperationSet;
use policy::{Change, GrantChange, Ruleset};
use proptest::prelude::*;
use traffic::Outcome;

use super::*;
use crate::inventory::InventoryParts;
use crate::sample::{days_ago, grant, id, operations, parts, seal};

fn record(grants: &[&str], operation: &str, days: i64, outcome: Outcome) -> CallRecord {
    CallRecord {
        request_id: id("r1"),
        at: days_ago(days),
        duration_us: 1,
        identity_id: Some(id("svc")),
        credential_id: Some(id("key")),
        api_id: Some(id("orders")),
        operation: Some(id(operation)),
        method: "GET".to_owned(),
        path: "/orders/x".to_owned(),
        source_ip: [127, 0, 0, 1].into(),
        user_agent: None,
        outcome,
        reason: None,
        status: 200,
        grant_ids: grants.iter().map(|grant| id(grant)).collect(),
        would_refuse: None,
        binding: None,
        rollout: None,
        fields_removed: vec![],
        violations: vec![],
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
    }
}

fn with_grants(grants: &[(&str, &[&str])]) -> InventoryParts {
    let mut parts = parts();
    parts.grants = grants.iter().map(|(name, ops)| grant(name, "svc", ops)).collect();
    parts
}

fn replayed(parts: InventoryParts, records: &[CallRecord]) -> Consequences {
    let ruleset = Arc::new(Ruleset::build(1, state(&parts)).unwrap());
    let inventory = seal(parts);
    let grants = [(id("g1"), Some(operations(&["get"])))];
    let mut replay = Replay::new(&inventory, ruleset, grants);
    records.iter().for_each(|record| replay.add(record));
    replay.finish().remove(&id::<GrantId>("g1")).unwrap()
}

#[test]
fn refused_and_old_calls_are_not_replayed() {
    let records = [
        record(&["g1"], "get", 2, Outcome::Refused),
        record(&["g1"], "get", 91, Outcome::Allowed),
        record(&["g9"], "get", 2, Outcome::Allowed),
    ];
    let consequences = replayed(with_grants(&[("g1", &["get", "list"])]), &records);
    assert_eq!(consequences.removed, Consequence::default());
    assert_eq!(consequences.removed.summary(), "no recorded call used it");
}

#[test]
fn narrowing_keeps_what_is_left_and_removing_keeps_nothing() {
    let records = [
        record(&["g1"], "get", 3, Outcome::Allowed),
        record(&["g1"], "list", 2, Outcome::Failed),
        record(&["g1"], "list", 1, Outcome::Allowed),
    ];
    let consequences = replayed(with_grants(&[("g1", &["get", "list"])]), &records);
    let narrowed = consequences.narrowed.unwrap();
    assert_eq!((narrowed.calls, narrowed.refused, narrowed.callers), (3, 2, 1));
    assert_eq!(narrowed.last_at, Some(days_ago(1)));
    assert_eq!(narrowed.summary(), "2 of 3 recorded calls from 1 caller refused");
    assert_eq!((consequences.removed.calls, consequences.removed.refused), (3, 3));
}

#[test]
fn another_live_grant_keeps_the_call() {
    let records = [record(&["g1"], "list", 1, Outcome::Allowed)];
    let both: &[(&str, &[&str])] = &[("g1", &["get", "list"]), ("g2", &["list"])];
    assert_eq!(replayed(with_grants(both), &records).removed.refused, 0);
    let mut expired = with_grants(both);
    expired.grants[1].expires_at = Some(days_ago(0));
    assert_eq!(replayed(expired, &records).removed.refused, 1);
}

#[test]
fn a_grant_without_calls_is_in_the_answer() {
    let consequences = replayed(with_grants(&[("g1", &["get"])]), &[]);
    assert_eq!(consequences.removed, Consequence::default());
    assert_eq!(consequences.narrowed, Some(Consequence::default()));
}

#[test]
fn another_grant_keeps_the_call_only_under_its_terms() {
    let records = [record(&["g1"], "list", 1, Outcome::Allowed)];
    let both: &[(&str, &[&str])] = &[("g1", &["get", "list"]), ("g2", &["list"])];
    let elsewhere = |network: &str| {
        let mut parts = with_grants(both);
        parts.grants[1].terms.networks.push(network.parse().unwrap());
        replayed(parts, &records).removed
    };
    assert_eq!(elsewhere("192.0.2.0/24").refused, 1, "from other networks only");
    let mut writes = with_grants(both);
    writes.grants[1].terms.ties.push("body.tenant = identity.id".parse().unwrap());
    let unknown = replayed(writes, &records).removed;
    assert_eq!((unknown.refused, unknown.unknown), (0, 1), "no record keeps a body");
    assert_eq!(unknown.summary(), "0 of 1 recorded calls refused, of 1 nobody can tell");
}

#[test]
fn what_only_observe_mode_lets_pass_is_lost_access() {
    let records = [record(&["g1"], "list", 1, Outcome::Allowed)];
    let mut parts = with_grants(&[("g1", &["get", "list"])]);
    parts.apis.iter_mut().for_each(|api| api.mode = catalog::ApiMode::Observe);
    assert_eq!(replayed(parts, &records).removed.refused, 1);
}

const OPERATIONS: [&str; 4] = ["get", "list", "purge", "refund"];

fn some_operations() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(OPERATIONS.to_vec(), 1..=4)
}

proptest! {
    /// The same question, asked of the decision engine: what would the gate have refused?
    #[test]
    fn agrees_with_the_decision_engine(
        granted in proptest::collection::vec(some_operations(), 1..4),
        left in some_operations(),
        called in proptest::collection::vec(0usize..4, 0..12),
    ) {
        let mut parts = parts();
        parts.grants = granted
            .iter()
            .enumerate()
            .map(|(n, ops)| grant(&format!("g{}", n + 1), "svc", ops))
            .collect();
        let records: Vec<_> = called
            .iter()
            .map(|op| {
                let operation = OPERATIONS[*op];
                let covering: Vec<_> = parts
                    .grants
                    .iter()
                    .filter(|grant| grant.operations.contains(&id(operation)))
                    .map(|grant| grant.id.to_string())
                    .collect();
                let covering: Vec<_> = covering.iter().map(String::as_str).collect();
                let outcome =
                    if covering.is_empty() { Outcome::Refused } else { Outcome::Allowed };
                record(&covering, operation, 1, outcome)
            })
            .collect();
        let ruleset = Ruleset::build(1, state(&parts)).unwrap();
        let left = operations(&left);
        let inventory = seal(parts);
        let grants = [(id("g1"), Some(left.clone()))];
        let mut replay = Replay::new(&inventory, Arc::new(ruleset.clone()), grants);
        records.iter().for_each(|record| replay.add(record));
        let ours = replay.finish().remove(&id::<GrantId>("g1")).unwrap();
        let engine = |remaining| {
            let changes = [GrantChange { grant: id("g1"), remaining: OperationSet::Only(remaining) }];
            policy::replay(&ruleset, &changes, &records, days_ago(0)).refused
        };
        prop_assert_eq!(ours.removed.refused, engine(BTreeSet::new()));
        prop_assert_eq!(ours.narrowed.unwrap().refused, engine(left));
    }
}

fn state(parts: &InventoryParts) -> Vec<Change> {
    let keyed =
        |api: &catalog::Api| catalog::Api { accept: vec![catalog::Accept::Key], ..api.clone() };
    let apis = parts.apis.iter().map(keyed).map(Change::Api);
    let identities = parts.identities.iter().cloned().map(Change::Identity);
    let groups = parts.groups.iter().cloned().map(Change::Group);
    let grants = parts.grants.iter().cloned().map(Change::Grant);
    apis.chain(identities).chain(groups).chain(grants).collect()
}

use std::net::{IpAddr, Ipv4Addr};

use base::RequestId;

use super::*;
use crate::{FieldsSeen, Outcome};

fn record(at: i64, grants: &[&str], seen: Option<FieldsSeen>) -> CallRecord {
    CallRecord {
        binding: None,
        rollout: None,
        guardrails: Vec::new(),
        request_id: RequestId::parse("r_1").unwrap(),
        at: Timestamp::from_secs(at),
        duration_us: 0,
        identity_id: Some("svc".parse().unwrap()),
        credential_id: None,
        api_id: Some("orders".parse().unwrap()),
        operation: Some("getOrder".parse().unwrap()),
        method: "GET".to_owned(),
        path: "/orders/1".to_owned(),
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        would_refuse: None,
        status: 200,
        grant_ids: grants.iter().map(|id| id.parse().unwrap()).collect(),
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: seen,
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
    }
}

fn seen(paths: impl IntoIterator<Item = String>, other: bool) -> Option<FieldsSeen> {
    Some(FieldsSeen { paths: paths.into_iter().collect(), other, more: false })
}

#[test]
fn what_was_not_looked_at_says_nothing() {
    let mut fold = ReceivedFold::default();
    fold.add(&record(1, &["g1"], None));
    fold.add(&CallRecord { operation: None, ..record(1, &["g1"], seen(["id".to_owned()], false)) });
    fold.add(&CallRecord { identity_id: None, ..record(1, &[], seen(["id".to_owned()], false)) });
    assert_eq!(fold.take(), []);
}

#[test]
fn paths_under_one_key_are_bounded_whatever_records_say() {
    let mut fold = ReceivedFold::default();
    for round in 0..100 {
        let paths = (0..64).map(|number| format!("p{}", round * 64 + number));
        fold.add(&record(round, &["g1"], seen(paths, true)));
    }
    let received = fold.take();
    assert!(received.len() <= PATHS_MAX, "{}", received.len());
    let at = |path: &str| received.iter().find(|one| one.path == path).unwrap().last_at;
    assert_eq!((at(MORE), at(OTHER)), (Timestamp::from_secs(99), Timestamp::from_secs(99)));
}

#[test]
fn each_grant_of_a_call_has_its_fields_with_the_last_time() {
    let mut fold = ReceivedFold::default();
    let both = |path: &str| seen([path.to_owned()], false);
    fold.add(&record(5, &["g1", "g2"], both("id")));
    fold.add(&record(3, &["g2"], both("id")));
    fold.add(&record(4, &[], both("total")));
    let received: Vec<_> = fold
        .take()
        .into_iter()
        .map(|one| (one.key.grant_id.map(|id| id.to_string()), one.path, one.last_at.as_secs()))
        .collect();
    let row = |grant: Option<&str>, path: &str, at| (grant.map(str::to_owned), path.to_owned(), at);
    let expected = [row(None, "total", 4), row(Some("g1"), "id", 5), row(Some("g2"), "id", 5)];
    assert_eq!(received, expected);
    assert_eq!(fold.take(), []);
}

use base::Span;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn facts() -> UsageFacts {
    UsageFacts::empty(Window::ending(at("2026-10-01"), 90, 1_000))
}

fn cell(grant: Option<&str>, operation: &str, when: Timestamp, calls: u64) -> (UsageKey, Usage) {
    let key = UsageKey {
        grant_id: grant.map(|id| id.parse().unwrap()),
        identity_id: "svc".parse().unwrap(),
        credential_id: "cred".parse().unwrap(),
        api_id: "orders".parse().unwrap(),
        operation: Some(operation.parse().unwrap()),
        day: when.day(),
    };
    (key, Usage { calls, succeeded: calls, first_at: when, last_at: when })
}

fn add(facts: &mut UsageFacts, grant: Option<&str>, operation: &str, when: &str, calls: u64) {
    let (key, usage) = cell(grant, operation, at(when), calls);
    facts.add(&key, &usage);
}

#[test]
fn use_outside_of_the_window_is_no_use_in_it() {
    let mut facts = facts();
    add(&mut facts, Some("g1"), "read", "2026-07-02T23:59:59Z", 5);
    add(&mut facts, Some("g1"), "read", "2026-10-01T00:00:00Z", 5);
    assert_eq!(facts.grant(&"g1".parse().unwrap()), None);
    assert_eq!(facts.identity(&"svc".parse().unwrap()), None);
    let credential = facts.credential(&"cred".parse().unwrap()).unwrap();
    assert_eq!((credential.calls, credential.last_at), (0, None));
    assert_eq!(credential.last_before, Some(at("2026-07-02T23:59:59Z")));
}

#[test]
fn a_call_that_two_grants_allowed_counts_once_for_the_caller() {
    let mut facts = facts();
    add(&mut facts, Some("g1"), "read", "2026-09-01T08:00:00Z", 10);
    add(&mut facts, Some("g2"), "read", "2026-09-01T08:00:00Z", 10);
    add(&mut facts, Some("g1"), "write", "2026-09-01T08:00:00Z", 3);
    add(&mut facts, None, "read", "2026-09-02T08:00:00Z", 1);
    let identity = facts.identity(&"svc".parse().unwrap()).unwrap();
    assert_eq!((identity.calls, identity.active_days()), (14, 2));
    assert_eq!(facts.credential(&"cred".parse().unwrap()).unwrap().calls, 14);
    assert_eq!(facts.grant(&"g1".parse().unwrap()).unwrap().calls, 13);
    assert_eq!(facts.grant(&"g2".parse().unwrap()).unwrap().calls, 10);
}

#[test]
fn the_order_of_cells_does_not_matter() {
    let cells: Vec<_> = (0..60)
        .map(|n: u32| {
            let when = at("2026-07-10") + Span::from_days(i64::from(n));
            let grant = format!("g{}", n % 3);
            cell(
                Some(&grant),
                if n.is_multiple_of(2) { "read" } else { "write" },
                when,
                u64::from(n % 7),
            )
        })
        .collect();
    let (mut forward, mut backward) = (facts(), facts());
    cells.iter().for_each(|(key, usage)| forward.add(key, usage));
    cells.iter().rev().for_each(|(key, usage)| backward.add(key, usage));
    assert_eq!(forward.sorted_grants(), backward.sorted_grants());
    assert_eq!(forward.sorted_identities(), backward.sorted_identities());
    assert_eq!(forward.identity(&"svc".parse().unwrap()).unwrap().active_days(), 60);
}

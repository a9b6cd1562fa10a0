use grant::GrantStatus;
use identity::IdentityStatus;

use super::*;
use crate::sample::{days_ago, grant, group, id, parts, seal, today, used};

#[test]
fn two_rows_with_one_id_are_refused() {
    let mut twice = parts();
    twice.grants.push(grant("g1", "ann", &["get"]));
    assert!(matches!(Inventory::seal(twice), Err(Unsealable::DuplicateId(id)) if id == "g1"));
}

#[test]
fn the_digest_covers_everything_and_no_order() {
    let sealed = seal(parts()).digest();
    let mut turned = parts();
    turned.identities.reverse();
    assert_eq!(seal(turned).digest(), sealed);

    type Change = fn(&mut InventoryParts);
    let changes: [(&str, Change); 8] = [
        ("version", |parts| parts.ruleset_version += 1),
        ("identity", |parts| parts.identities[3].purpose = Some("x".to_owned())),
        ("group", |parts| parts.groups[0].members.truncate(1)),
        ("credential", |parts| parts.credentials[0].expires_at = Some(today())),
        ("api", |parts| parts.apis[0].operations.truncate(3)),
        ("grant", |parts| parts.grants[0].version += 1),
        ("usage", |parts| used(parts, "g1", "get", days_ago(1), 1)),
        ("coverage", |parts| {
            parts.usage = UsageFacts::empty(Window::ending(today(), 90, 999));
        }),
    ];
    for (what, change) in changes {
        let mut changed = parts();
        change(&mut changed);
        assert_ne!(seal(changed).digest(), sealed, "{what}");
    }
}

#[test]
fn a_grant_of_an_inactive_subject_is_not_live() {
    let mut parts = parts();
    parts.grants.push(grant("g2", "group:ops", &["get"]));
    parts.grants.push(grant("g3", "group:nobody", &["get"]));
    parts.groups.push(group("nobody", &[]));
    let mut revoked = grant("g4", "svc", &["get"]);
    revoked.status = GrantStatus::Revoked;
    parts.grants.push(revoked);
    parts.identities[3].status = IdentityStatus::Suspended;
    let inventory = seal(parts);
    let live: Vec<_> = inventory
        .grants()
        .iter()
        .filter(|grant| inventory.is_grant_live(grant))
        .map(|grant| grant.id.as_str())
        .collect();
    assert_eq!(live, ["g2"]);
}

#[test]
fn risk_is_what_the_grant_reaches() {
    let inventory = seal(parts());
    let cases: [(&[&str], bool); 5] = [
        (&["get", "list"], false),
        (&["refund"], true),
        (&["purge"], true),
        (&["*"], true),
        (&["gone"], false),
    ];
    for (operations, high) in cases {
        assert_eq!(inventory.is_high_risk(&grant("g", "svc", operations)), high, "{operations:?}");
    }
}

#[test]
fn an_exception_on_an_identity_covers_what_it_holds_until_it_lapses() {
    let excepted = |until: i64, rule| {
        let mut parts = parts();
        parts.exceptions.push(Exception {
            rule: Rule::UnusedGrant,
            subject: FindingSubject::Identity(id("svc")),
            approved_at: days_ago(10),
            expires_at: days_ago(until),
        });
        seal(parts).is_excepted(rule, &FindingSubject::Grant(id("g1")))
    };
    assert!(excepted(-1, Rule::UnusedGrant));
    assert!(!excepted(-1, Rule::OverPrivileged));
    assert!(!excepted(0, Rule::UnusedGrant), "the end itself is outside");
}

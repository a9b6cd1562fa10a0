use ::identity::{IdentityKind, IdentityStatus, Seasonality};
use base::Span;

use super::*;
use crate::inventory::{Exception, InventoryParts};
use crate::sample::{credential, days_ago, grant, group, id, identity, parts, seal, today, used};
use crate::{FindingSubject, UsageFacts, Window};

fn found(parts: InventoryParts) -> Vec<(Rule, String)> {
    let detection = detect(&seal(parts), &Rules::default());
    detection.findings.iter().map(|f| (f.rule, f.subject.id().to_owned())).collect()
}

/// The sample with its key and its grant in use: nothing to find.
fn quiet() -> InventoryParts {
    let mut parts = parts();
    used(&mut parts, "g1", "get", days_ago(1), 5);
    parts
}

type Change = fn(&mut InventoryParts);

#[test]
fn what_is_used_and_owned_is_no_finding() {
    assert_eq!(found(quiet()), vec![]);
}

#[test]
fn one_condition_less_is_no_finding() {
    // Each row makes one thing different from a case that is found below.
    let cases: [(&str, Change); 9] = [
        ("unused grant, too young", |p| {
            p.grants.push(grant("g2", "svc", &["get"]));
            p.grants[1].created_at = days_ago(90) + Span::from_secs(1);
        }),
        ("unused grant, expired", |p| {
            p.grants.push(grant("g2", "svc", &["get"]));
            p.grants[1].expires_at = Some(today());
        }),
        ("unused grant, long season", |p| {
            p.identities[3].seasonality = Seasonality::Quarterly;
            p.grants.push(grant("g2", "svc", &["get"]));
        }),
        ("unused grant, excepted", |p| {
            p.grants.push(grant("g2", "svc", &["get"]));
            p.exceptions.push(Exception {
                rule: Rule::UnusedGrant,
                subject: FindingSubject::Grant(id("g2")),
                approved_at: days_ago(1),
                expires_at: days_ago(-1),
            });
        }),
        ("dormant, but its season is longer", |p| {
            p.identities[3].seasonality = Seasonality::Annual;
            p.credentials.push(credential("old", "svc"));
            p.credentials[1].last_used_before = Some(days_ago(379));
        }),
        ("never used, but its season is longer", |p| {
            p.identities[3].seasonality = Seasonality::Annual;
            p.credentials.push(credential("new", "svc"));
        }),
        ("never used, but revoked", |p| {
            p.credentials.push(credential("new", "svc"));
            p.credentials[1].status = ::identity::CredentialStatus::Revoked;
        }),
        ("no owner, but suspended", |p| {
            p.identities.push(identity("bot", IdentityKind::AiAgent, None));
            p.identities[4].status = IdentityStatus::Suspended;
        }),
        ("no owner, but a person who left is named", |p| {
            p.identities[0].status = IdentityStatus::Disabled;
        }),
    ];
    for (what, change) in cases {
        let mut parts = quiet();
        change(&mut parts);
        assert_eq!(found(parts), vec![], "{what}");
    }
}

#[test]
fn each_rule_finds_its_case() {
    let cases: [(Rule, &str, Change); 6] = [
        (Rule::UnusedGrant, "g2", |p| p.grants.push(grant("g2", "svc", &["get"]))),
        (Rule::UnusedGrant, "g2", |p| p.grants.push(grant("g2", "group:ops", &["get"]))),
        (Rule::DormantCredential, "old", |p| {
            p.credentials.push(credential("old", "svc"));
            p.credentials[1].last_used_before = Some(days_ago(90));
        }),
        (Rule::NeverUsedCredential, "new", |p| p.credentials.push(credential("new", "svc"))),
        (Rule::Ownerless, "bot", |p| {
            p.identities.push(identity("bot", IdentityKind::AiAgent, None));
        }),
        (Rule::Ownerless, "bot", |p| {
            p.groups.push(group("left", &["dan"]));
            p.identities.push(identity("dan", IdentityKind::Person, None));
            p.identities[4].status = IdentityStatus::Disabled;
            p.identities.push(identity("bot", IdentityKind::AiAgent, Some("group:left")));
        }),
    ];
    for (rule, subject, change) in cases {
        let mut parts = quiet();
        change(&mut parts);
        assert_eq!(found(parts), vec![(rule, subject.to_owned())], "{rule}");
    }
}

/// `svc` may use twelve operations and uses two, often enough to be judged.
fn excessive(granted: usize, calls: u64, days: i64) -> InventoryParts {
    let mut parts = parts();
    let names: Vec<_> = (0..granted).map(|n| format!("op{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    parts.grants = vec![grant("g1", "svc", &names)];
    for day in 0..days {
        used(
            &mut parts,
            "g1",
            if day % 2 == 0 { "op00" } else { "op01" },
            days_ago(day + 1),
            calls,
        );
    }
    parts
}

#[test]
fn over_privileged_needs_much_access_regular_work_and_little_use() {
    let over = vec![(Rule::OverPrivileged, "svc".to_owned())];
    assert_eq!(found(excessive(12, 5, 20)), over);
    let cases = [
        ("a fifth is used", excessive(10, 5, 20)),
        ("fewer than ten operations", excessive(9, 5, 20)),
        ("fewer than 100 calls", excessive(12, 4, 20)),
        ("fewer than 20 days", excessive(12, 50, 19)),
    ];
    for (what, parts) in cases {
        assert_eq!(found(parts), vec![], "{what}");
    }
}

#[test]
fn thin_records_withhold_every_verdict_on_disuse_and_no_other() {
    let mut parts = parts();
    parts.usage = UsageFacts::empty(Window::ending(today(), 90, 949));
    parts.identities.push(identity("bot", IdentityKind::AiAgent, None));
    let detection = detect(&seal(parts), &Rules::default());
    let rules: Vec<_> = detection.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [Rule::Ownerless]);
    assert_eq!(detection.judged.into_iter().collect::<Vec<_>>(), [Rule::Ownerless]);
}

#[test]
fn the_id_of_a_finding_is_that_of_its_rule_and_subject() {
    let mut one = quiet();
    one.grants.push(grant("g2", "svc", &["get"]));
    let mut later = quiet();
    later.grants.push(grant("g2", "svc", &["list"]));
    let id_of = |parts| detect(&seal(parts), &Rules::default()).findings[0].id();
    assert_eq!(id_of(one), id_of(later));
}

#[test]
fn severity_follows_what_could_be_done_with_it() {
    let severity = |operations: &[&str]| {
        let mut parts = quiet();
        parts.grants.push(grant("g2", "svc", operations));
        detect(&seal(parts), &Rules::default()).findings[0].severity
    };
    assert_eq!(severity(&["get"]), crate::Severity::Medium);
    assert_eq!(severity(&["refund"]), crate::Severity::High);
}

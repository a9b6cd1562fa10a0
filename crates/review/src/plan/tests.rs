use ::identity::{IdentityKind, IdentityStatus, Seasonality};
use base::Digest;

use super::*;
use crate::inventory::InventoryParts;
use crate::recommendation::ReasonCode;
use crate::sample::{
    active, days_ago, definition, grant, id, identity, operations, parts, seal, today, used,
};
use crate::{UsageFacts, Window, detect};

fn failure(parts: InventoryParts) -> LaunchFailure {
    let inventory = seal(parts);
    let campaign = id("machines");
    plan(&campaign, &definition(), &inventory, &[], &Rules::default()).unwrap_err()
}

fn only(parts: InventoryParts) -> ReviewItem {
    let mut items = active(parts).1;
    assert_eq!(items.len(), 1);
    items.remove(0).sealed
}

#[test]
fn a_scope_without_live_grants_does_not_launch() {
    let mut parts = parts();
    parts.grants[0].expires_at = Some(today());
    assert_eq!(failure(parts), LaunchFailure::EmptyScope);
}

#[test]
fn every_grant_without_a_reviewer_is_named() {
    let mut parts = parts();
    parts.grants.push(grant("g2", "group:ops", &["get"]));
    parts.grants.push(grant("g3", "group:ops", &["list"]));
    let reasons = failure(parts).reasons();
    let expected = "has no independent reviewer; tried owner: nobody, \
                    api owner: bob (own_access), fallback: cid (own_access)";
    assert_eq!(reasons, [format!("g2 {expected}"), format!("g3 {expected}")]);
}

#[test]
fn the_scope_selects_by_all_its_conditions() {
    use crate::definition::Scope;
    let mut parts = parts();
    parts.identities.push(identity("bot", IdentityKind::AiAgent, Some("ann")));
    parts.identities[4].environment = ::identity::Environment::Test;
    parts.grants.push(grant("g2", "bot", &["get"]));
    parts.grants.push(grant("g3", "group:ops", &["get"]));
    let inventory = seal(parts);
    let covered = |scope: Scope| -> Vec<String> {
        let grants = inventory.grants().iter().filter(|grant| scope.covers(grant, &inventory));
        grants.map(|grant| grant.id.to_string()).collect()
    };
    let all = Scope::default();
    assert_eq!(covered(all.clone()), ["g1", "g2", "g3"]);
    let agents = Scope { kinds: vec![IdentityKind::AiAgent], ..all.clone() };
    assert_eq!(covered(agents.clone()), ["g2"]);
    let production =
        Scope { environments: vec![::identity::Environment::Production], ..all.clone() };
    assert_eq!(covered(production.clone()), ["g1"]);
    assert!(covered(Scope { environments: production.environments, ..agents }).is_empty());
    assert!(covered(Scope { apis: vec![id("other")], ..all.clone() }).is_empty());
    assert!(covered(Scope { impacts: vec![catalog::Impact::Low], ..all }).is_empty());
}

#[test]
fn recommendations_follow_use_and_stay_silent_without_evidence() {
    use VerdictKind::{Keep, Narrow, Remove};
    type Change = fn(&mut InventoryParts);
    let cases: [(&str, Change, Option<VerdictKind>, ReasonCode); 7] = [
        (
            "all used",
            |p| {
                used(p, "g1", "get", days_ago(1), 1);
                used(p, "g1", "list", days_ago(89), 1);
            },
            Some(Keep),
            ReasonCode::FullyUsed,
        ),
        (
            "half used",
            |p| used(p, "g1", "get", days_ago(1), 1),
            Some(Narrow),
            ReasonCode::PartlyUnused,
        ),
        ("not used", |_| {}, Some(Remove), ReasonCode::Unused),
        ("young", |p| p.grants[0].created_at = days_ago(89), None, ReasonCode::TooYoung),
        (
            "seasonal",
            |p| p.identities[3].seasonality = Seasonality::Annual,
            None,
            ReasonCode::LongSeason,
        ),
        (
            "thin",
            |p| p.usage = UsageFacts::empty(Window::ending(today(), 90, 900)),
            None,
            ReasonCode::InsufficientData,
        ),
        (
            "excepted",
            |p| {
                p.exceptions.push(crate::Exception {
                    rule: crate::Rule::UnusedGrant,
                    subject: FindingSubject::Grant(id("g1")),
                    approved_at: days_ago(1),
                    expires_at: days_ago(-1),
                })
            },
            None,
            ReasonCode::Excepted,
        ),
    ];
    for (what, change, verdict, reason) in cases {
        let mut parts = parts();
        change(&mut parts);
        let recommendation = only(parts).recommendation;
        assert_eq!(recommendation.verdict, verdict, "{what}");
        assert_eq!(recommendation.reasons[0].code, reason, "{what}");
        assert_eq!(recommendation.narrower.is_some(), verdict == Some(Narrow), "{what}");
    }
}

#[test]
fn only_owned_low_risk_keeps_are_quiet() {
    let full = |operations: &[&str]| {
        let mut parts = parts();
        parts.grants = vec![grant("g1", "svc", operations)];
        for operation in operations {
            used(&mut parts, "g1", operation, days_ago(1), 1);
        }
        parts
    };
    assert_eq!(only(full(&["get"])).attention, Attention::Quiet);
    let risky = only(full(&["refund"]));
    assert_eq!((risky.attention, risky.risk), (Attention::NeedsALook, Risk::High));
    let mut unowned = full(&["get"]);
    unowned.identities[0].status = IdentityStatus::Disabled;
    let unowned = only(unowned);
    assert_eq!(unowned.attention, Attention::NeedsALook);
    assert!(unowned.recommendation.reasons.iter().any(|r| r.code == ReasonCode::Ownerless));
    assert_eq!(only(parts()).attention, Attention::NeedsALook, "removal is recommended");
}

#[test]
fn an_item_freezes_what_the_reviewer_sees() {
    let mut parts = parts();
    used(&mut parts, "g1", "get", days_ago(1), 4);
    let findings = {
        let mut other = crate::sample::parts();
        used(&mut other, "g1", "get", days_ago(1), 4);
        other.identities[3].owner = None;
        detect(&seal(other), &Rules::default()).findings
    };
    let inventory = seal(parts);
    let draft =
        plan(&id("machines"), &definition(), &inventory, &findings, &Rules::default()).unwrap();
    let consequences = draft.replay().finish();
    let population = draft.seal(consequences).unwrap();
    let item = &population.items[0];
    assert_eq!(item.id.as_str(), "machines-001");
    assert_eq!(item.grant, grant("g1", "svc", &["get", "list"]));
    assert_eq!(item.usage.calls, 4);
    assert_eq!(item.usage.weeks[12], 4);
    assert_eq!(item.usage.operations_used, [id("get")]);
    assert_eq!(item.operations[0].title, "Do get");
    assert_eq!(item.findings[0].rule, crate::Rule::Ownerless);
    assert_eq!(item.recommendation.narrower, Some(operations(&["get"])));
    assert_eq!(population.seal.inventory, inventory.digest());
    assert_eq!(population.seal.items, 1);
}

#[test]
fn an_item_lists_the_fields_that_were_received_and_no_more_than_a_reader_reads() {
    let fields = |paths: usize, under: &str| {
        let mut parts = parts();
        used(&mut parts, "g1", "get", days_ago(1), 4);
        for number in 0..paths {
            let path = format!("p{number:04}");
            parts.usage.note_received(&id(under), id("get"), path.clone(), days_ago(2));
            parts.usage.note_received(&id(under), id("get"), path, days_ago(3));
        }
        only(parts).usage.fields_seen
    };
    assert_eq!(fields(0, "g1"), []);
    assert_eq!(fields(3, "g9"), [], "of a grant that was not used");
    let few = fields(2, "g1");
    assert_eq!((few[1].path.as_str(), few[1].last_at, few.len()), ("p0001", days_ago(2), 2));
    let many = fields(1_000, "g1");
    assert_eq!((many.len(), many[255].path.as_str()), (256, "[more]"));
}

#[test]
fn the_seal_breaks_with_any_item() {
    let mut parts = parts();
    parts.grants.push(grant("g2", "svc", &["get"]));
    let (campaign, items) = active(parts);
    let sealed: Vec<_> = items.into_iter().map(|item| item.sealed).collect();
    let digest = |items: &[ReviewItem]| population_digest(items).unwrap();
    let seal: Digest = campaign.seal.unwrap().digest;
    assert_eq!(digest(&sealed), seal);
    assert_eq!(canonical::digest(&sealed).unwrap(), seal, "what a verifier computes");
    let mut turned = sealed.clone();
    turned.reverse();
    assert_eq!(digest(&turned), seal, "the order of reading does not matter");
    assert_ne!(digest(&sealed[..1]), seal);
    let mut changed = sealed;
    changed[1].assignment.reviewer = id("bob");
    assert_ne!(digest(&changed), seal);
}

#[test]
fn reasons_name_what_is_unused_and_what_is_dangerous() {
    let mut parts = parts();
    parts.grants[0] = grant("g1", "svc", &["get", "list", "purge", "refund"]);
    for operation in ["get", "list", "refund"] {
        used(&mut parts, "g1", operation, days_ago(3), 30);
    }
    let item = only(parts);
    let reasons: Vec<_> = item.recommendation.reasons.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(
        reasons,
        ["Do purge — never called in 90 days", "it reaches administration: Do purge and Do refund"]
    );
    let dangerous: Vec<_> =
        item.operations.iter().filter(|op| op.dangerous).map(|op| op.id.as_str()).collect();
    assert_eq!(dangerous, ["purge", "refund"]);
}

#[test]
fn a_purpose_is_sealed_and_what_has_none_is_sealed_as_before() {
    let mut parts = parts();
    parts.identities[3].purpose = Some("Exports invoices".to_owned());
    let item = only(parts);
    assert_eq!(item.subject.purpose.as_deref(), Some("Exports invoices"));
    let mut plain = item;
    plain.subject.purpose = None;
    let sealed = serde_json::to_value(&plain).unwrap();
    assert!(sealed["subject"].get("purpose").is_none());
    assert!(sealed["operations"][0].get("dangerous").is_none());
    assert_eq!(serde_json::from_value::<ReviewItem>(sealed).unwrap(), plain);
}

use identity::{IdentityKind, IdentityStatus};

use super::*;
use crate::inventory::InventoryParts;
use crate::sample::{definition, grant, group, id, identity, parts, seal};

type Change = fn(&mut InventoryParts);

/// Who reviews a grant of `svc`'s orders (or of another subject) after a change of the sample.
fn reviewer(subject: &str, change: Change) -> Result<(String, ReviewerRule), Vec<Passed>> {
    let mut parts = parts();
    change(&mut parts);
    let assignment = assign(&grant("g", subject, &["get"]), &definition(), &seal(parts));
    assignment
        .map(|a| (a.reviewer.to_string(), a.rule))
        .map_err(|passed| passed.into_iter().map(|over| over.why).collect())
}

#[test]
fn the_first_rule_with_an_independent_active_person_decides() {
    let cases: [(&str, &str, Change, &str, ReviewerRule); 8] = [
        ("owner", "svc", |_| {}, "ann", ReviewerRule::Owner),
        (
            "owner left",
            "svc",
            |p| {
                p.identities[0].status = IdentityStatus::Disabled;
            },
            "bob",
            ReviewerRule::ApiOwner,
        ),
        ("no owner", "svc", |p| p.identities[3].owner = None, "bob", ReviewerRule::ApiOwner),
        (
            "owner is a machine",
            "svc",
            |p| {
                p.identities.push(identity("bot", IdentityKind::AiAgent, Some("ann")));
                p.identities[3].owner = Some(id("bot"));
            },
            "bob",
            ReviewerRule::ApiOwner,
        ),
        (
            "owner is the subject itself",
            "svc",
            |p| {
                p.identities[3].owner = Some(id("svc"));
            },
            "bob",
            ReviewerRule::ApiOwner,
        ),
        (
            "a person's manager",
            "cid",
            |p| {
                p.identities[2].manager = Some(id("ann"));
            },
            "ann",
            ReviewerRule::Owner,
        ),
        ("API owner holds the access", "bob", |_| {}, "cid", ReviewerRule::Fallback),
        (
            "the API owner is in the group",
            "group:ops",
            |p| {
                p.groups[0].members.truncate(1);
            },
            "cid",
            ReviewerRule::Fallback,
        ),
    ];
    for (what, subject, change, expected, rule) in cases {
        assert_eq!(reviewer(subject, change), Ok((expected.to_owned(), rule)), "{what}");
    }
}

#[test]
fn without_anybody_the_reasons_are_complete() {
    // Both members of the group own the API or are the fallback.
    let reasons = reviewer("group:ops", |_| {}).unwrap_err();
    assert_eq!(reasons, [Passed::Nobody, Passed::OwnAccess, Passed::OwnAccess]);
    let reasons = reviewer("cid", |p| {
        p.apis[0].owner = Some("group:gone".to_owned());
    });
    assert_eq!(reasons.unwrap_err(), [Passed::Nobody, Passed::Inactive, Passed::OwnAccess]);
}

#[test]
fn a_group_gives_all_access_of_a_subject_to_one_active_member() {
    let mut parts = parts();
    for name in ["dan", "eve", "fay"] {
        parts.identities.push(identity(name, IdentityKind::Person, None));
    }
    parts.identities[5].status = IdentityStatus::Suspended;
    parts.groups.push(group("owners", &["dan", "eve", "fay"]));
    parts.identities[3].owner = Some(id("group:owners"));
    let machines: Vec<_> = (0..40).map(|n| format!("m{n}")).collect();
    for name in &machines {
        parts.identities.push(identity(name, IdentityKind::Workload, Some("group:owners")));
    }
    let inventory = seal(parts);
    let of = |subject: &str, name: &str| {
        assign(&grant(name, subject, &["get"]), &definition(), &inventory).unwrap().reviewer
    };
    for machine in &machines {
        assert_eq!(of(machine, "g1"), of(machine, "g2"));
        assert_ne!(of(machine, "g1").as_str(), "eve", "inactive members do not review");
    }
    let dans = machines.iter().filter(|machine| of(machine, "g").as_str() == "dan").count();
    assert!((5..=35).contains(&dans), "{dans} of 40 came to one of two");
}

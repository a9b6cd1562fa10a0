//! Many grants on single objects: found by what the path says, and decided as if they were looked
//! through one by one.

mod common;

use std::collections::BTreeMap;

use base::Timestamp;
use common::*;
use grant::{Grant, GrantStatus, OperationSet, Place, Terms};
use identity::CredentialClass;
use portreeve_policy::{Caller, Change, Facts, Reading, Request, Ruleset, Shows, Writes};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use traffic::Reason;

#[derive(Debug, Clone, Default)]
struct Asks(BTreeMap<String, Vec<&'static str>>);

impl Request for Asks {
    fn read(&self, place: &Place) -> Reading<'_> {
        match self.0.get(&place.to_string()) {
            Some(values) if values.contains(&"?") => Reading::Unreadable,
            Some(values) => Reading::Values(values.iter().map(|v| (*v).into()).collect()),
            None => Reading::absent(),
        }
    }

    fn writes(&self, _: &[String]) -> Writes {
        Writes::Within
    }
}

fn object(id: &'static str) -> Asks {
    Asks(BTreeMap::from([("path.id".to_owned(), vec![id])]))
}

fn tied(id: &str, ties: &[&str]) -> Grant {
    let ties = ties.iter().map(|tie| tie.parse().unwrap()).collect();
    let terms = Terms { ties, ..Terms::default() };
    Grant { terms, ..grant(id, "billing", "orders", &["get"]) }
}

type Answer = Result<(Vec<String>, Shows), Reason>;

fn ask(ruleset: &Ruleset, operation: &str, request: &Asks, now: Timestamp) -> Answer {
    let located = ruleset.locate("GET", None, &format!("/orders/{operation}"));
    let id = "billing".parse().unwrap();
    let who = Caller::supposed(&id, CredentialClass::ApiKey);
    let facts = Facts::of(None, 0, request);
    let supposed = ruleset.suppose(who, located.api.unwrap(), located.operation, facts, now);
    let supposed = supposed.map_err(|refusal| refusal.reason)?;
    let grants = supposed.grants().unwrap().iter().map(ToString::to_string).collect();
    Ok((grants, supposed.shows().unwrap().clone()))
}

fn names(answer: Answer) -> Result<Vec<String>, Reason> {
    answer.map(|(grants, _)| grants)
}

/// Two hundred grants of billing, each on one order.
fn many() -> Ruleset {
    let grants = (0..200).map(|n| tied(&format!("g_{n:03}"), &[&format!("path.id = \"{n}\"")]));
    ruleset().apply(2, grants.map(Change::Grant)).unwrap().without_the_plain_one()
}

trait Without {
    fn without_the_plain_one(self) -> Ruleset;
}

impl Without for Ruleset {
    fn without_the_plain_one(self) -> Ruleset {
        let revoked = Grant {
            status: GrantStatus::Revoked,
            ..grant("g_billing", "billing", "orders", &["get", "list"])
        };
        self.apply(3, [Change::Grant(revoked)]).unwrap()
    }
}

#[test]
fn an_object_of_which_no_grant_speaks_is_refused_for_that() {
    let ruleset = many();
    for request in [object("200"), object("?"), Asks::default()] {
        let asked = ask(&ruleset, "get", &request, NOW);
        assert_eq!(asked, Err(Reason::ObjectNotAllowed), "{request:?}");
    }
    let two = Asks(BTreeMap::from([("path.id".to_owned(), vec!["7", "8"])]));
    assert_eq!(ask(&ruleset, "get", &two, NOW), Err(Reason::ObjectNotAllowed));
    assert_eq!(ask(&ruleset, "list", &object("7"), NOW), Err(Reason::NoGrant));
    assert_eq!(names(ask(&ruleset, "get", &object("7"), NOW)), Ok(vec!["g_007".to_owned()]));
}

#[test]
fn what_becomes_of_one_of_many_grants_is_decided_by_at_once() {
    let ruleset = many();
    let revoked = Grant { status: GrantStatus::Revoked, ..tied("g_007", &["path.id = \"7\""]) };
    let ruleset = ruleset.apply(4, [Change::Grant(revoked)]).unwrap();
    assert_eq!(ask(&ruleset, "get", &object("7"), NOW), Err(Reason::ObjectNotAllowed));
    let moved = tied("g_008", &["path.id = \"7\" | \"9\""]);
    let ruleset = ruleset.apply(5, [Change::Grant(moved)]).unwrap();
    assert_eq!(ask(&ruleset, "get", &object("8"), NOW), Err(Reason::ObjectNotAllowed));
    assert_eq!(names(ask(&ruleset, "get", &object("7"), NOW)), Ok(vec!["g_008".to_owned()]));
    let both = Ok(vec!["g_008".to_owned(), "g_009".to_owned()]);
    assert_eq!(names(ask(&ruleset, "get", &object("9"), NOW)), both);
    // One that is no longer on single objects.
    let ruleset = ruleset.apply(6, [Change::Grant(tied("g_009", &[]))]).unwrap();
    assert_eq!(names(ask(&ruleset, "get", &object("x"), NOW)), Ok(vec!["g_009".to_owned()]));
    // All are known to explanations and probes, whatever the object.
    let (id, api) = ("billing".parse().unwrap(), "orders".parse().unwrap());
    let probed = ruleset.probe(&id, &api, &"get".parse().unwrap(), NOW).unwrap();
    assert_eq!(probed.len(), 199);
    let gone = (0..200).map(|n| Grant {
        status: GrantStatus::Revoked,
        ..tied(&format!("g_{n:03}"), &["path.id = \"1\""])
    });
    let ruleset = ruleset.apply(7, gone.map(Change::Grant)).unwrap();
    assert_eq!(ask(&ruleset, "get", &object("7"), NOW), Err(Reason::NoGrant));
}

const TIES: [&str; 9] = [
    "path.id = \"1\"",
    "path.id = \"2\"",
    "path.id = \"1\" | \"3\"",
    "path.id = \"1\" | identity.id",
    "path.line = \"1\"",
    "path.line = \"2\" | \"1\"",
    "query.tenant = \"1\"",
    "path.id = claim.sub",
    "response.tenant = \"1\"",
];

prop_compose! {
    fn grants()(
        specs in prop::collection::vec(
            (
                0..150usize,
                subsequence(TIES.to_vec(), 0..3),
                subsequence(vec!["get", "list", "cancel"], 1..3),
                prop::bool::weighted(0.9),
                prop::option::weighted(0.2, -5i64..5),
            ),
            100..300,
        ),
    ) -> Vec<Grant> {
        specs.into_iter().map(|(number, ties, operations, active, ends)| Grant {
            operations: OperationSet::Only(operations.iter().map(|id| id.parse().unwrap()).collect()),
            status: if active { GrantStatus::Active } else { GrantStatus::Suspended },
            expires_at: ends.map(at),
            ..tied(&format!("g_{number:03}"), &ties)
        }).collect()
    }
}

prop_compose! {
    fn request()(
        values in prop::collection::vec(
            (
                select(vec!["path.id", "path.line", "query.tenant"]),
                prop::collection::vec(select(vec!["1", "2", "3", "billing", "?"]), 0..3),
            ),
            0..4,
        ),
    ) -> Asks {
        Asks(values.into_iter().map(|(place, values)| (place.to_owned(), values)).collect())
    }
}

proptest! {
    /// In the second world each grant is held by a group of its own: nothing is found by its object.
    #[test]
    fn many_grants_decide_as_if_each_were_looked_at(
        grants in grants(),
        requests in prop::collection::vec((select(vec!["get", "list", "cancel"]), request()), 30),
        seconds in -6i64..6,
    ) {
        let mut together = ruleset().without_the_plain_one();
        let mut apart = ruleset().without_the_plain_one();
        for (version, grant) in (4..).zip(grants) {
            let holder = format!("holder-{}", grant.id);
            let by_group = Grant { subject: format!("group:{holder}").parse().unwrap(), ..grant.clone() };
            let group = Change::Group(group(&holder, &["billing"]));
            together = together.apply(version, [Change::Grant(grant)]).unwrap();
            apart = apart.apply(version, [group, Change::Grant(by_group)]).unwrap();
        }
        for (operation, request) in requests {
            let both = [&together, &apart].map(|ruleset| ask(ruleset, operation, &request, at(seconds)));
            prop_assert_eq!(both[0].is_ok(), both[1].is_ok(), "{} {:?}", operation, request);
            if let [Ok(together), Ok(apart)] = both {
                prop_assert_eq!(together, apart);
            }
        }
    }
}

//! What grants ask beside the operation: refusals first.

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;

use base::Timestamp;
use common::*;
use grant::{Grant, OperationSet, Place, Relation, Role, Terms, Withdrawal, WithdrawalStage};
use identity::{CredentialClass, Environment, Identity, Origin};
use portreeve_policy::{
    Caller, Change, Considered, Decided, Facts, Part, Reading, Request, Ruleset, Shows, Standing,
    Writes,
};
use traffic::Reason;

/// A request whose values are these, by place.
#[derive(Debug, Default)]
struct Asks {
    values: BTreeMap<String, Vec<&'static str>>,
    body: Option<Vec<&'static str>>,
    later: bool,
}

impl Asks {
    fn with(mut self, place: &str, values: &[&'static str]) -> Self {
        self.values.insert(place.to_owned(), values.to_vec());
        self
    }
}

impl Request for Asks {
    fn read(&self, place: &Place) -> Reading<'_> {
        if matches!(place, Place::Body(_)) && self.later {
            return Reading::Later;
        }
        match self.values.get(&place.to_string()) {
            Some(values) if values.contains(&"?") => Reading::Unreadable,
            Some(values) => Reading::Values(values.iter().map(|v| (*v).into()).collect()),
            None => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        let Some(names) = &self.body else {
            return if self.later { Writes::Later } else { Writes::Within };
        };
        let outside = names.iter().filter(|name| !allowed.iter().any(|ok| ok == *name));
        let outside: Vec<_> = outside.map(|name| (*name).to_owned()).collect();
        if outside.is_empty() { Writes::Within } else { Writes::Outside(outside) }
    }
}

fn terms(change: impl FnOnce(&mut Terms)) -> Ruleset {
    let mut terms = Terms::default();
    change(&mut terms);
    let limited = Grant { terms, ..grant("g_billing", "billing", "orders", &["get"]) };
    ruleset().apply(2, [Change::Grant(limited)]).unwrap()
}

fn tied(tie: &str) -> Ruleset {
    terms(|terms| terms.ties.push(tie.parse().unwrap()))
}

fn decide(ruleset: &Ruleset, facts: Facts<'_>, now: Timestamp) -> Result<Decided, Reason> {
    let who = caller(ruleset, "billing").unwrap();
    let located = ruleset.locate("GET", None, "/orders/get");
    let decided = ruleset.decide(&who, located.api.unwrap(), located.operation, facts, now);
    decided.map_err(|refusal| refusal.reason)
}

fn asks(ruleset: &Ruleset, request: &Asks) -> Result<Decided, Reason> {
    decide(ruleset, Facts::of(None, 0, request), NOW)
}

fn is_allowed(decided: &Result<Decided, Reason>) -> bool {
    matches!(decided, Ok(Decided::Permit(_)))
}

fn standing(ruleset: &Ruleset, facts: Facts<'_>) -> Standing {
    let id = "billing".parse().unwrap();
    let who = Caller::supposed(&id, CredentialClass::ApiKey);
    let (api, operation) = ("orders".parse().unwrap(), "get".parse().unwrap());
    let considered = ruleset.explain_request(who, &api, Some(&operation), facts, NOW);
    considered.iter().find(|one: &&Considered| one.grant.as_str() == "g_billing").unwrap().standing
}

#[test]
fn a_caller_of_another_environment_is_refused() {
    let ruleset = terms(|terms| terms.environments = vec![Environment::Staging]);
    assert_eq!(asks(&ruleset, &Asks::default()), Err(Reason::TermsNotMet));
    assert_eq!(standing(&ruleset, Facts::unknown()), Standing::OtherEnvironment);
    let moved = Identity { environment: Environment::Staging, ..identity("billing") };
    let ruleset = ruleset.apply(3, [Change::Identity(moved)]).unwrap();
    assert!(is_allowed(&asks(&ruleset, &Asks::default())));
}

#[test]
fn outside_its_hours_a_grant_does_not_allow() {
    // 1,790,000,000 is Monday, 2026-09-21, 14:13:20 UTC.
    let at_hours = |hours: &str| {
        let ruleset = terms(|terms| terms.hours.push(hours.parse().unwrap()));
        asks(&ruleset, &Asks::default())
    };
    assert_eq!(at_hours("tue-sun 00:00-24:00"), Err(Reason::TermsNotMet));
    assert_eq!(at_hours("mon 14:14-24:00"), Err(Reason::TermsNotMet));
    assert!(is_allowed(&at_hours("mon 14:13-14:14")));
    assert!(is_allowed(&at_hours("mon 16:00-17:00 +02:00")));
}

#[test]
fn from_another_network_and_from_nowhere_is_refused() {
    let ruleset = terms(|terms| terms.networks.push("10.1.0.0/16".parse().unwrap()));
    let from = |source: Option<&str>| {
        let source: Option<IpAddr> = source.map(|text| text.parse().unwrap());
        decide(&ruleset, Facts { source, ..Facts::unknown() }, NOW)
    };
    assert_eq!(from(None), Err(Reason::TermsNotMet));
    assert_eq!(from(Some("10.2.0.1")), Err(Reason::TermsNotMet));
    assert_eq!(from(Some("fe80::1")), Err(Reason::TermsNotMet));
    assert!(is_allowed(&from(Some("10.1.2.3"))));
    assert!(is_allowed(&from(Some("::ffff:10.1.2.3"))), "mapped is the same address");
}

#[test]
fn a_weaker_or_unbound_proof_is_refused() {
    use identity::{Binding, Strength};
    let by_class = terms(|terms| terms.credentials = vec![CredentialClass::IssuerSubject]);
    assert_eq!(asks(&by_class, &Asks::default()), Err(Reason::TermsNotMet));
    let strong = terms(|terms| terms.strength = Some(Strength::SignedToken));
    assert_eq!(asks(&strong, &Asks::default()), Err(Reason::ProofTooWeak));
    let bound = terms(|terms| terms.bindings = vec![Binding::Dpop]);
    assert_eq!(asks(&bound, &Asks::default()), Err(Reason::ProofTooWeak));
    let id = "billing".parse().unwrap();
    let suppose = |ruleset: &Ruleset, class, binding| {
        let entry = ruleset.entry(&"orders".parse().unwrap()).unwrap();
        let who = Caller::supposed(&id, class).bound(binding);
        let operation = entry.operation("GET", "/orders/get");
        ruleset.suppose(who, entry, operation, Facts::unknown(), NOW).is_ok()
    };
    assert!(!suppose(&bound, CredentialClass::ApiKey, Some(Binding::Mtls)));
    assert!(suppose(&bound, CredentialClass::ApiKey, Some(Binding::Dpop)));
    assert!(suppose(&strong, CredentialClass::IssuerSubject, None));
    assert!(suppose(&strong, CredentialClass::ApiKey, Some(Binding::Mtls)));
}

#[test]
fn what_no_review_keeps_in_time_ends() {
    let ruleset = terms(|terms| terms.certified_until = Some(at(10)));
    assert!(is_allowed(&decide(&ruleset, Facts::unknown(), at(9))));
    assert_eq!(decide(&ruleset, Facts::unknown(), at(10)), Err(Reason::NoGrant));
    let past = terms(|terms| terms.certified_until = Some(at(-1)));
    assert_eq!(standing(&past, Facts::unknown()), Standing::Uncertified);
}

#[test]
fn a_withdrawal_goes_from_the_log_to_all_by_the_same_draw() {
    let withdrawn = |stage| {
        let withdrawal = Withdrawal { stage, since: NOW, by: "robin".to_owned() };
        terms(|terms| terms.withdrawal = Some(withdrawal))
    };
    let draw = |ruleset: &Ruleset, draw| decide(ruleset, Facts { draw, ..Facts::unknown() }, NOW);
    let logged = withdrawn(WithdrawalStage::LogOnly);
    let Ok(Decided::Permit(permit)) = draw(&logged, 0) else { panic!("refused") };
    assert_eq!((permit.would_refuse(), permit.observed()), (Some(Reason::NoGrant), None));
    let tenth = withdrawn(WithdrawalStage::Share(1_000));
    assert_eq!(draw(&tenth, 999), Err(Reason::NoGrant));
    assert!(is_allowed(&draw(&tenth, 1_000)));
    let all = withdrawn(WithdrawalStage::Share(Withdrawal::SHARE_ALL));
    assert_eq!(draw(&all, 9_999), Err(Reason::NoGrant));
    // Another grant for the same still allows, and then nothing would be refused.
    let other = grant("g_other", "billing", "orders", &["get"]);
    let both = logged.apply(3, [Change::Grant(other)]).unwrap();
    let Ok(Decided::Permit(permit)) = draw(&both, 0) else { panic!("refused") };
    assert_eq!(permit.would_refuse(), None);
}

#[test]
fn an_object_that_is_not_the_callers_is_refused() {
    let mut mine = identity("billing");
    mine.attributes.insert("tenant".to_owned(), vec!["acme".to_owned(), "emca".to_owned()]);
    let ruleset = tied("path.tenant = identity.tenant").apply(3, [Change::Identity(mine)]).unwrap();
    let refused = Err(Reason::ObjectNotAllowed);
    assert_eq!(asks(&ruleset, &Asks::default()), refused, "missing");
    assert_eq!(asks(&ruleset, &Asks::default().with("path.tenant", &["evil"])), refused);
    assert_eq!(asks(&ruleset, &Asks::default().with("path.tenant", &["acme", "evil"])), refused);
    assert_eq!(asks(&ruleset, &Asks::default().with("path.tenant", &["?"])), refused);
    assert_eq!(asks(&ruleset, &Asks::default().with("path.tenant", &["Acme"])), refused);
    let good = Asks::default().with("path.tenant", &["acme", "emca"]);
    let Ok(Decided::Permit(permit)) = asks(&ruleset, &good) else { panic!("refused") };
    let place = Place::Path("tenant".to_owned());
    assert_eq!(permit.read(), [(place, vec!["acme".to_owned(), "emca".to_owned()])]);
    // An identity without the attribute owns nothing, not everything.
    let nobody = ruleset.apply(4, [Change::Identity(identity("billing"))]).unwrap();
    assert_eq!(asks(&nobody, &good), Err(Reason::ObjectNotAllowed));
}

#[test]
fn all_ties_hold_and_one_of_the_sources_is_enough() {
    let ruleset = terms(|terms| {
        terms.ties.push("query.region = \"eu\" | \"us\"".parse().unwrap());
        terms.ties.push("header.x-caller = identity.id".parse().unwrap());
    });
    let request = |region: &'static str, caller: &'static str| {
        Asks::default().with("query.region", &[region]).with("header.x-caller", &[caller])
    };
    assert!(is_allowed(&asks(&ruleset, &request("us", "billing"))));
    assert_eq!(asks(&ruleset, &request("cn", "billing")), Err(Reason::ObjectNotAllowed));
    assert_eq!(asks(&ruleset, &request("eu", "clerk")), Err(Reason::ObjectNotAllowed));
}

#[test]
fn an_object_without_a_relation_is_refused() {
    let related = |subject: &str, objects: &[&str]| {
        Change::Relation(Relation {
            subject: subject.parse().unwrap(),
            name: "owner".to_owned(),
            objects: objects.iter().map(|object| (*object).to_owned()).collect(),
            updated_at: NOW,
        })
    };
    let ruleset = tied("path.id = related.owner");
    let of = |id: &'static str| Asks::default().with("path.id", &[id]);
    assert_eq!(asks(&ruleset, &of("42")), Err(Reason::ObjectNotAllowed));
    let ruleset =
        ruleset.apply(3, [related("billing", &["42"]), related("clerk", &["43"])]).unwrap();
    assert!(is_allowed(&asks(&ruleset, &of("42"))));
    assert_eq!(asks(&ruleset, &of("43")), Err(Reason::ObjectNotAllowed));
    // By a group, also by one around it.
    let nested = identity::Group { groups: vec!["inner".parse().unwrap()], ..group("outer", &[]) };
    let ruleset = ruleset
        .apply(
            4,
            [
                Change::Group(group("inner", &["billing"])),
                Change::Group(nested),
                related("group:outer", &["44"]),
            ],
        )
        .unwrap();
    assert!(is_allowed(&asks(&ruleset, &of("44"))));
    let gone = ruleset.apply(5, [related("billing", &[])]).unwrap();
    assert_eq!(asks(&gone, &of("42")), Err(Reason::ObjectNotAllowed));
}

#[test]
fn what_the_body_decides_waits_for_it() {
    let ruleset = tied("body.owner = identity.id");
    let later = Asks { later: true, ..Asks::default() };
    assert_eq!(asks(&ruleset, &later), Ok(Decided::NeedsBody));
    assert!(is_allowed(&asks(&ruleset, &Asks::default().with("body.owner", &["billing"]))));
    let other = Asks::default().with("body.owner", &["clerk"]);
    assert_eq!(asks(&ruleset, &other), Err(Reason::ObjectNotAllowed));
    // A grant that needs no body makes it needless.
    let free = grant("g_free", "billing", "orders", &["get"]);
    let both = ruleset.apply(3, [Change::Grant(free)]).unwrap();
    assert!(is_allowed(&asks(&both, &later)));
}

#[test]
fn a_property_that_may_not_be_written_is_refused() {
    let ruleset = terms(|terms| terms.writable = Some(vec!["note".to_owned()]));
    let later = Asks { later: true, ..Asks::default() };
    assert_eq!(asks(&ruleset, &later), Ok(Decided::NeedsBody));
    let writes = |names: &[&'static str]| Asks { body: Some(names.to_vec()), ..Asks::default() };
    assert_eq!(asks(&ruleset, &writes(&["note", "role"])), Err(Reason::ObjectNotAllowed));
    assert!(is_allowed(&asks(&ruleset, &writes(&["note"]))));
    assert!(is_allowed(&asks(&ruleset, &Asks::default())), "nothing is written");
}

#[test]
fn what_is_tied_to_the_response_is_shown_in_parts() {
    let ruleset = tied("response.items[].owner = identity.id");
    let Ok(Decided::Permit(permit)) = asks(&ruleset, &Asks::default()) else { panic!("refused") };
    let ties = vec![("items[].owner".to_owned(), ["billing".to_owned()].into())];
    assert_eq!(*permit.shows(), Shows::Parts(vec![Part { fields: None, ties }]));
}

#[test]
fn a_role_gives_what_it_covers_at_the_time() {
    let role = |operations: &[&str], includes: &[&str], removed: bool| {
        Change::Role(Role {
            id: "reader".parse().unwrap(),
            name: "Reader".to_owned(),
            api: "orders".parse().unwrap(),
            operations: OperationSet::Only(
                operations.iter().map(|op| op.parse().unwrap()).collect(),
            ),
            includes: includes.iter().map(|id| id.parse().unwrap()).collect(),
            removed,
            origin: Origin::Console,
            created_at: NOW,
        })
    };
    let mut given = grant("g_billing", "billing", "orders", &[]);
    given.roles = ["reader".parse().unwrap()].into();
    let without = ruleset().apply(2, [Change::Grant(given)]).unwrap();
    assert_eq!(call(&without, "billing", "/orders/get"), Err(Reason::NoGrant));
    let with = without.apply(3, [role(&["get"], &[], false)]).unwrap();
    assert_eq!(call(&with, "billing", "/orders/get").unwrap(), ["g_billing"]);
    assert_eq!(call(&with, "billing", "/orders/cancel"), Err(Reason::NoGrant));
    let grown = with.apply(4, [role(&["get", "cancel"], &[], false)]).unwrap();
    assert_eq!(call(&grown, "billing", "/orders/cancel").unwrap(), ["g_billing"]);
    let gone = grown.apply(5, [role(&["get", "cancel"], &[], true)]).unwrap();
    assert_eq!(call(&gone, "billing", "/orders/get"), Err(Reason::NoGrant));
    // Put in before the grant and after it come to the same.
    let first = ruleset().apply(2, [role(&["get"], &[], false)]).unwrap();
    assert_eq!(call(&first, "billing", "/orders/cancel"), Err(Reason::NoGrant));
}

#[test]
fn a_group_in_a_group_gives_what_the_outer_one_holds_until_it_leaves() {
    let nest = |inner: &[&str]| identity::Group {
        groups: inner.iter().map(|id| id.parse().unwrap()).collect(),
        ..group("clerks", &["clerk"])
    };
    let state = [
        Change::Group(group("team", &["stranger"])),
        Change::Group(identity::Group {
            groups: vec!["team".parse().unwrap()],
            ..group("division", &[])
        }),
        Change::Group(nest(&["division"])),
    ];
    let ruleset = ruleset().apply(2, state).unwrap();
    assert_eq!(call(&ruleset, "stranger", "/orders/get").unwrap(), ["g_clerks"]);
    let apart = ruleset.apply(3, [Change::Group(nest(&[]))]).unwrap();
    assert_eq!(call(&apart, "stranger", "/orders/get"), Err(Reason::NoGrant));
    assert_eq!(call(&apart, "clerk", "/orders/get").unwrap(), ["g_clerks"]);
    // A circle, if one ever got in, ends and gives nothing to those outside it.
    let circle =
        identity::Group { groups: vec!["clerks".parse().unwrap()], ..group("team", &["stranger"]) };
    let round = ruleset.apply(4, [Change::Group(circle)]).unwrap();
    assert_eq!(call(&round, "stranger", "/orders/get").unwrap(), ["g_clerks"]);
    assert_eq!(call(&round, "billing", "/orders/cancel"), Err(Reason::NoGrant));
}

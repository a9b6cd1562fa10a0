//! Relations that a source answers for: refusals first. A decision says what it has to know, and
//! never guesses.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use grant::{Grant, Place, Relation, Terms};
use portreeve_policy::{
    Answer, Answers, Caller, Change, Decided, Facts, Kept, LOOKUPS_MAX, Lookup, OBJECT_BYTES_MAX,
    Reading, Request, Ruleset, Standing, Trial, Writes,
};
use traffic::{Reason, RolloutDifference};

/// A request whose values are these, by place; the body is not there yet.
#[derive(Debug, Default)]
struct Asks(BTreeMap<String, Vec<String>>);

impl Asks {
    fn with(place: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self([(place.to_owned(), values)].into())
    }
}

impl Request for Asks {
    fn read(&self, place: &Place) -> Reading<'_> {
        match (self.0.get(&place.to_string()), place) {
            (Some(values), _) => {
                Reading::Values(values.iter().map(|v| v.as_str().into()).collect())
            }
            (None, Place::Body(_)) => Reading::Later,
            (None, _) => Reading::absent(),
        }
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        Writes::Within
    }
}

/// The grant of billing under a tie, where `owner` is looked up.
fn tied(tie: &str) -> Ruleset {
    with(Terms { ties: vec![tie.parse().unwrap()], ..Terms::default() })
}

fn with(terms: Terms) -> Ruleset {
    let limited = Grant { terms, ..grant("g_billing", "billing", "orders", &["get"]) };
    let ruleset = ruleset().apply(2, [Change::Grant(limited)]).unwrap();
    ruleset.looking_up(["owner".to_owned()].into())
}

fn lookup(object: &str) -> Lookup {
    Lookup { relation: "owner".to_owned(), object: object.to_owned() }
}

fn said(said: &[(&str, Answer)]) -> Answers {
    let mut answers = Answers::default();
    said.iter().for_each(|(object, answer)| answers.put(lookup(object), *answer));
    answers
}

fn decide(ruleset: &Ruleset, request: &Asks, answers: &Answers) -> Result<Decided, Reason> {
    let who = caller(ruleset, "billing").unwrap();
    let located = ruleset.locate("GET", None, "/orders/get");
    let facts = Facts { answers, ..Facts::of(None, 0, request) };
    let decided = ruleset.decide(&who, located.api.unwrap(), located.operation, facts, NOW);
    decided.map_err(|refusal| refusal.reason)
}

fn grants(decided: Result<Decided, Reason>) -> Vec<String> {
    match decided.unwrap() {
        Decided::Permit(permit) => permit.grants().iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

fn wants(decided: Result<Decided, Reason>) -> Vec<String> {
    match decided.unwrap() {
        Decided::NeedsRelations(lookups) => lookups.into_iter().map(|one| one.object).collect(),
        other => panic!("{other:?}"),
    }
}

fn standing(ruleset: &Ruleset, request: &Asks, answers: &Answers) -> Standing {
    let id = "billing".parse().unwrap();
    let who = Caller::supposed(&id, identity::CredentialClass::ApiKey);
    let (api, operation) = ("orders".parse().unwrap(), "get".parse().unwrap());
    let facts = Facts { answers, ..Facts::of(None, 0, request) };
    let considered = ruleset.explain_request(who, &api, Some(&operation), facts, NOW);
    considered.iter().find(|one| one.grant.as_str() == "g_billing").unwrap().standing
}

#[test]
fn an_object_that_the_source_denies_or_says_nothing_about_is_refused() {
    let (ruleset, request) =
        (tied("query.order = related.owner"), Asks::with("query.order", &["7"]));
    let no = said(&[("7", Answer::Unrelated)]);
    assert_eq!(decide(&ruleset, &request, &no), Err(Reason::ObjectNotAllowed));
    assert_eq!(standing(&ruleset, &request, &no), Standing::OtherObject);
    let unknown = said(&[("7", Answer::Unknown)]);
    assert_eq!(decide(&ruleset, &request, &unknown), Err(Reason::RelationUnknown));
    assert_eq!(standing(&ruleset, &request, &unknown), Standing::RelationUnknown);
    // An answer about another object says nothing about this one.
    let other = said(&[("8", Answer::Related)]);
    assert_eq!(wants(decide(&ruleset, &request, &other)), ["7"]);
    assert_eq!(standing(&ruleset, &request, &other), Standing::NeedsRelation);
    let yes = said(&[("7", Answer::Related)]);
    assert_eq!(grants(decide(&ruleset, &request, &yes)), ["g_billing"]);
}

#[test]
fn what_is_stored_under_the_name_of_a_looked_up_relation_does_not_count() {
    let stored = Relation {
        subject: "billing".parse().unwrap(),
        name: "owner".to_owned(),
        objects: BTreeSet::from(["7".to_owned()]),
        updated_at: NOW,
    };
    let ruleset = tied("query.order = related.owner");
    let ruleset = ruleset.apply(3, [Change::Relation(stored)]).unwrap();
    let request = Asks::with("query.order", &["7"]);
    assert_eq!(wants(decide(&ruleset, &request, &Answers::default())), ["7"]);
    let no = said(&[("7", Answer::Unrelated)]);
    assert_eq!(decide(&ruleset, &request, &no), Err(Reason::ObjectNotAllowed));
    // Without the source it does, and an answer that came late does not.
    let stored = ruleset.looking_up(BTreeSet::new());
    assert_eq!(grants(decide(&stored, &request, &no)), ["g_billing"]);
}

#[test]
fn of_what_is_refused_anyway_nobody_is_asked() {
    let late = Terms {
        ties: vec!["query.order = related.owner".parse().unwrap()],
        hours: vec!["tue-sun 00:00-24:00".parse().unwrap()],
        ..Terms::default()
    };
    let request = Asks::with("query.order", &["7"]);
    let asked = |ruleset: &Ruleset, request: &Asks| decide(ruleset, request, &Answers::default());
    assert_eq!(asked(&with(late), &request), Err(Reason::TermsNotMet));
    let both = ["query.order = related.owner", "query.tenant = identity.tenant"];
    let ties = both.iter().map(|tie| tie.parse().unwrap()).collect();
    let ruleset = with(Terms { ties, ..Terms::default() });
    assert_eq!(asked(&ruleset, &request), Err(Reason::ObjectNotAllowed));
    // Nor of nothing, or of what is too long to be anything.
    let ruleset = tied("query.order = related.owner");
    assert_eq!(asked(&ruleset, &Asks::default()), Err(Reason::ObjectNotAllowed));
    let long = "7".repeat(OBJECT_BYTES_MAX + 1);
    let request = Asks::with("query.order", &[&long]);
    assert_eq!(asked(&ruleset, &request), Err(Reason::ObjectNotAllowed));
}

#[test]
fn more_objects_than_are_asked_about_are_refused() {
    let objects: Vec<String> = (0..=LOOKUPS_MAX).map(|number| number.to_string()).collect();
    let names: Vec<&str> = objects.iter().map(String::as_str).collect();
    let ruleset = tied("query.order = related.owner");
    let request = Asks::with("query.order", &names);
    let none = Answers::default();
    assert_eq!(decide(&ruleset, &request, &none), Err(Reason::ObjectNotAllowed));
    let request = Asks::with("query.order", &names[1..]);
    assert_eq!(wants(decide(&ruleset, &request, &none)).len(), LOOKUPS_MAX);
    // The same one many times is one, and every one of them has to be the caller's.
    let request = Asks::with("query.order", &["1", "2", "1", "2"]);
    assert_eq!(wants(decide(&ruleset, &request, &none)), ["1", "2"]);
    let one = said(&[("1", Answer::Related), ("2", Answer::Unrelated)]);
    assert_eq!(decide(&ruleset, &request, &one), Err(Reason::ObjectNotAllowed));
}

#[test]
fn a_source_that_is_not_needed_is_not_asked() {
    let tie = "query.order = \"7\" | related.owner";
    let request = Asks::with("query.order", &["7"]);
    let none = Answers::default();
    assert_eq!(grants(decide(&tied(tie), &request, &none)), ["g_billing"]);
    assert_eq!(wants(decide(&tied(tie), &Asks::with("query.order", &["7", "8"]), &none)), ["8"]);
    // Another grant allows without it; and also where the source says nothing.
    let ruleset = tied("query.order = related.owner");
    let plain = grant("g_plain", "billing", "orders", &["get"]);
    let ruleset = ruleset.apply(3, [Change::Grant(plain)]).unwrap();
    assert_eq!(grants(decide(&ruleset, &request, &none)), ["g_plain"]);
    let unknown = said(&[("7", Answer::Unknown)]);
    assert_eq!(grants(decide(&ruleset, &request, &unknown)), ["g_plain"]);
    // One that shows only a part does not stand in for one that may show all.
    let part = Grant {
        fields: Some(vec!["id".to_owned()]),
        ..grant("g_plain", "billing", "orders", &["get"])
    };
    let ruleset = ruleset.apply(4, [Change::Grant(part)]).unwrap();
    assert_eq!(wants(decide(&ruleset, &request, &none)), ["7"]);
    assert_eq!(grants(decide(&ruleset, &request, &unknown)), ["g_plain"]);
}

#[test]
fn the_body_is_read_before_a_source_is_asked() {
    let ties = ["query.order = related.owner", "body.tenant = \"acme\""];
    let ties = ties.iter().map(|tie| tie.parse().unwrap()).collect();
    let ruleset = with(Terms { ties, ..Terms::default() });
    let mut request = Asks::with("query.order", &["7"]);
    let none = Answers::default();
    assert_eq!(decide(&ruleset, &request, &none), Ok(Decided::NeedsBody));
    request.0.insert("body.tenant".to_owned(), vec!["evil".to_owned()]);
    assert_eq!(decide(&ruleset, &request, &none), Err(Reason::ObjectNotAllowed));
    request.0.insert("body.tenant".to_owned(), vec!["acme".to_owned()]);
    assert_eq!(wants(decide(&ruleset, &request, &none)), ["7"]);
}

#[test]
fn what_is_open_goes_on_by_the_answers_that_it_came_with() {
    let ruleset = tied("query.order = related.owner");
    let request = Asks::with("query.order", &["7"]);
    let answers = said(&[("7", Answer::Related)]);
    let permit = permit(Ok(decide(&ruleset, &request, &answers).unwrap())).unwrap();
    let who = caller(&ruleset, "billing").unwrap();
    let (api, operation) = ("orders".parse().unwrap(), "get".parse().unwrap());
    let confirm = |answers: &Answers| {
        let kept = Kept { source: None, draw: 0, read: permit.read(), answers };
        ruleset.confirm(&who, &api, Some(&operation), kept, NOW)
    };
    assert_eq!(confirm(&Answers::default()), Err(Reason::RelationUnknown), "nobody is asked");
    assert_eq!(confirm(&said(&[("7", Answer::Unknown)])), Err(Reason::RelationUnknown));
    assert_eq!(confirm(&said(&[("7", Answer::Unrelated)])), Err(Reason::ObjectNotAllowed));
    assert_eq!(confirm(&answers), Ok(()));
}

#[test]
fn a_rollout_looks_up_what_the_ruleset_looks_up_and_says_where_it_cannot_tell() {
    let ruleset = tied("query.order = related.owner");
    let free = grant("g_billing", "billing", "orders", &["get"]);
    let trial = Trial {
        id: "ro_1".parse().unwrap(),
        share: 0,
        bound: grant::Bound::default(),
        edits: vec![Change::Grant(free)].into(),
    };
    let ruleset = ruleset.looking_up(BTreeSet::new()).apply(3, [Change::Rollout(Some(trial))]);
    let ruleset = ruleset.unwrap().looking_up(["owner".to_owned()].into());
    assert!(ruleset.rollout().unwrap().candidate().unwrap().looks_up("owner"));
    let who = caller(&ruleset, "billing").unwrap();
    let located = ruleset.locate("GET", None, "/orders/get");
    let (entry, operation) = (located.api.unwrap(), located.operation);
    let request = Asks::with("query.order", &["7"]);
    let (decided, mark) =
        ruleset.decide_rolled_out(&who, entry, operation, Facts::of(None, 0, &request), NOW);
    assert_eq!(wants(decided.map_err(|refusal| refusal.reason)), ["7"]);
    assert_eq!(mark.unwrap().difference, Some(RolloutDifference::Undecided));
}

/// What is open compares editions to see whether it has to be judged again.
#[test]
fn a_ruleset_that_looks_up_something_else_is_another_edition_of_the_same_version() {
    let before = ruleset();
    let after = before.looking_up(["owner".to_owned()].into());
    assert_eq!(after.version(), before.version());
    assert_ne!(after.edition(), before.edition());
    assert_ne!(after.looking_up(BTreeSet::new()).edition(), before.edition());
    let next = after.apply(before.version() + 1, []).unwrap();
    assert_ne!(next.edition(), after.edition());
}

/// An element that names no object is nobody's: no source is asked about it.
#[test]
fn an_element_without_an_object_is_refused_and_nobody_is_asked() {
    let ruleset = tied("body.order = related.owner");
    let body =
        portreeve_policy::reading::json::parse(br#"[{"order": "1"}, {"total": 2}]"#).unwrap();
    let Reading::Values(values) = portreeve_policy::reading::json::read(&body, "order") else {
        panic!("it can be read");
    };
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    let decided = decide(&ruleset, &Asks::with("body.order", &values), &Answers::default());
    assert_eq!(decided.unwrap_err(), Reason::ObjectNotAllowed);
}

//! Answers: what is not told holds nothing, and in random worlds a search finds exactly what an
//! evaluation allows.

use std::collections::BTreeSet;

use base::{ApiId, IdentityId, Timestamp};
use catalog::{Accept, Api, ApiMode, Method, Operation};
use grant::{Grant, GrantStatus, OperationSet, Role, Terms};
use identity::{Identity, IdentityKind, IdentityStatus, Origin};
use policy::{Answers, Change, Ruleset};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use testkit::sample;

use super::facts::Given;
use super::page::{Cursor, Listed};
use super::pass::{Known, Pass};
use super::question::{Circumstances, Question, Resource, Subject, SubjectType};
use super::search::Search;
use crate::calls::Sight;
use crate::view::{Decision, Evaluation, PageAsked, PageFound, Properties};

const NOW: Timestamp = Timestamp::from_secs(1_772_442_000);
const PEOPLE: [&str; 4] = ["p0", "p1", "p2", "p3"];
const APIS: [&str; 2] = ["a0", "a1"];
const OPERATIONS: [&str; 3] = ["get", "list", "make"];
const GROUPS: [&str; 3] = ["c0", "c1", "c2"];

fn operation(id: &str, api: &str) -> Operation {
    match id {
        "get" => sample::operation(id, Method::Get, &format!("/{api}/things/{{id}}")),
        "list" => sample::operation(id, Method::Get, &format!("/{api}/things")),
        _ => sample::operation(id, Method::Post, &format!("/{api}/things")),
    }
}

fn api(id: &str, mode: ApiMode, accept: Vec<Accept>) -> Api {
    let operations = OPERATIONS.iter().map(|name| operation(name, id)).collect();
    Api { mode, accept, ..sample::api(id, operations) }
}

fn identity(id: &str, kind: IdentityKind, status: IdentityStatus) -> Identity {
    Identity { kind, status, ..sample::identity(id) }
}

fn grant(id: usize, subject: &str, api: &str) -> Grant {
    sample::grant(&format!("g{id}"), subject, api, &[])
}

fn terms() -> impl Strategy<Value = Terms> {
    let tied = |tie: &str| Terms { ties: vec![tie.parse().unwrap()], ..Terms::default() };
    select(vec![
        Terms::default(),
        Terms::default(),
        tied("path.id = \"1\""),
        tied("query.q = \"x\""),
        tied("header.x-tenant = \"t\""),
        tied("body.owner = identity.id"),
        Terms { networks: vec!["10.0.0.0/8".parse().unwrap()], ..Terms::default() },
        Terms { writable: Some(vec!["owner".to_owned()]), ..Terms::default() },
        Terms { credentials: vec![identity::CredentialClass::IssuerSubject], ..Terms::default() },
    ])
}

prop_compose! {
    fn any_grant(id: usize)(
        subject in select(vec!["p0", "p1", "p2", "group:c0", "group:c1", "group:c2"]),
        api in select(APIS.to_vec()),
        operations in subsequence(OPERATIONS.to_vec(), 0..3),
        by_role in any::<bool>(),
        terms in terms(),
        status in select(vec![GrantStatus::Active, GrantStatus::Active, GrantStatus::Revoked]),
        fields in select(vec![None, None, Some(vec!["id".to_owned()])]),
    ) -> Grant {
        let operations = operations.iter().map(|id| id.parse().unwrap()).collect();
        let role = format!("r-{api}").parse().unwrap();
        Grant {
            operations: OperationSet::Only(operations),
            roles: by_role.then_some(role).into_iter().collect(),
            terms,
            status,
            fields,
            ..grant(id, subject, api)
        }
    }
}

prop_compose! {
    fn world()(
        kinds in prop::collection::vec(
            select(vec![IdentityKind::Person, IdentityKind::Workload]), 4),
        statuses in prop::collection::vec(
            select(vec![IdentityStatus::Active, IdentityStatus::Active, IdentityStatus::Suspended]), 4),
        members in prop::collection::vec(subsequence(PEOPLE.to_vec(), 0..3), 3),
        // A group holds those after it, so that none holds itself.
        nested in prop::collection::vec(any::<bool>(), 3),
        mode in select(vec![ApiMode::Enforce, ApiMode::Observe]),
        accept in select(vec![vec![Accept::Key], vec![Accept::Token, Accept::Key], vec![Accept::Token]]),
        grants in (any_grant(0), any_grant(1), any_grant(2), any_grant(3), any_grant(4)),
    ) -> Ruleset {
        let mut changes = vec![
            Change::Api(api("a0", ApiMode::Enforce, vec![Accept::Key, Accept::Token])),
            Change::Api(api("a1", mode, accept)),
        ];
        for api in APIS {
            changes.push(Change::Role(Role {
                id: format!("r-{api}").parse().unwrap(),
                name: format!("r-{api}"),
                api: api.parse().unwrap(),
                operations: OperationSet::Only(["list".parse().unwrap()].into()),
                includes: BTreeSet::new(),
                removed: false,
                origin: Origin::Console,
                created_at: NOW,
            }));
        }
        for ((who, kind), status) in PEOPLE.iter().zip(kinds).zip(statuses) {
            changes.push(Change::Identity(identity(who, kind, status)));
        }
        for (number, (id, members)) in GROUPS.iter().zip(&members).enumerate() {
            let inner = GROUPS.get(number + 1).filter(|_| nested[number]);
            let within: Vec<&str> = inner.into_iter().copied().collect();
            changes.push(Change::Group(sample::group(id, members, &within)));
        }
        let (a, b, c, d, e) = grants;
        changes.extend([a, b, c, d, e].map(Change::Grant));
        Ruleset::build(7, changes).unwrap()
    }
}

fn properties() -> impl Strategy<Value = Properties> {
    let object = |value: Value| value.as_object().unwrap().clone();
    select(vec![
        object(json!({})),
        object(json!({"path": {"id": "1"}, "body": null})),
        object(json!({"query": {"q": "x"}, "header": {"X-Tenant": "t"}})),
        object(json!({"path": {"id": 1}, "query": {"q": ["x", "y"]}, "body": {"owner": "p1"}})),
        object(json!({"header": {"x-tenant": ["t", "u"]}, "body": {"owner": "p0", "more": 1}})),
    ])
}

fn context() -> impl Strategy<Value = Properties> {
    let object = |value: Value| value.as_object().unwrap().clone();
    select(vec![
        object(json!({})),
        object(json!({"ip": "10.1.2.3"})),
        object(json!({"credential_class": "issuer_subject"})),
        object(json!({"credential_class": "api_key", "ip": "::ffff:10.0.0.1"})),
        object(json!({"scopes": "get a1:read"})),
    ])
}

fn sight() -> impl Strategy<Value = Sight> {
    let own = |identities: &[&str], apis: &[&str]| Sight::Own {
        identities: identities.iter().map(|id| id.parse().unwrap()).collect(),
        apis: apis.iter().map(|id| id.parse().unwrap()).collect(),
    };
    select(vec![Sight::All, Sight::All, own(&["p0"], &[]), own(&["p1", "p3"], &["a1"])])
}

/// What all questions of one case share.
struct Case<'w> {
    ruleset: &'w Ruleset,
    sight: &'w Sight,
    properties: &'w Properties,
    context: &'w Properties,
}

impl Case<'_> {
    fn decision(&self, who: (&str, &str), action: &str, resource: (&str, &str)) -> bool {
        let evaluation = json!({
            "subject": {"type": who.0, "id": who.1},
            "action": {"name": action},
            "resource": {"type": resource.0, "id": resource.1, "properties": self.properties},
            "context": self.context,
        });
        let evaluation: Evaluation = serde_json::from_value(evaluation).unwrap();
        Question::read(&evaluation, NOW)
            .unwrap()
            .answer(self.ruleset, self.sight, &Answers::default())
            .unwrap()
            .decision
    }

    fn search(&self, resource: Option<&Resource>) -> Search {
        let target = resource.and_then(Resource::target);
        Search {
            ruleset: std::sync::Arc::new(self.ruleset.clone()),
            sight: self.sight.clone(),
            given: Given::read(Some(self.properties), target).unwrap(),
            circumstances: Circumstances::read(None, Some(self.context), NOW).unwrap(),
        }
    }
}

/// Where nothing has to be looked up.
fn once(search: &Search, work: impl Fn(&mut Pass<'_>) -> Listed) -> Listed {
    let known = Known::default();
    let mut pass = Pass::new(search, &known);
    let listed = work(&mut pass);
    assert!(pass.open().is_empty());
    listed
}

/// All results, part by part.
fn all(mut search: impl FnMut(Cursor) -> (PageFound, Vec<String>)) -> Vec<String> {
    let mut page = PageAsked { token: None, limit: Some(2) };
    let mut found = Vec::new();
    loop {
        let (next, names) = search(Cursor::read(Some(&page), &"question").unwrap());
        assert_eq!(next.count as usize, names.len());
        assert!(names.len() <= 2);
        found.extend(names);
        if next.next_token.is_empty() {
            return found;
        }
        page.token = Some(next.next_token);
    }
}

fn resource(kind: &str, id: &str) -> Resource {
    let asked = json!({"type": kind, "id": id});
    Resource::read(&serde_json::from_value(asked).unwrap()).unwrap().unwrap()
}

fn keep<'n>(names: &[&'n str], holds: impl Fn(&str) -> bool) -> Vec<&'n str> {
    names.iter().copied().filter(|name| holds(name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_search_finds_exactly_what_an_evaluation_allows(
        ruleset in world(),
        sight in sight(),
        properties in properties(),
        context in context(),
        kind in select(vec!["identity", "user", "workload"]),
    ) {
        let case = Case {
            ruleset: &ruleset, sight: &sight, properties: &properties, context: &context,
        };
        let wanted = SubjectType::of(kind).unwrap();
        let resources = [
            ("api", "a0"), ("api", "a1"), ("api", "none"),
            ("route", "/a0/things/1?q=x"), ("route", "/a1/things"), ("route", "/none"),
        ];
        let actions = ["get", "list", "make", "none", "GET", "HEAD", "POST", "DELETE"];
        for (of, id) in resources {
            let resource = resource(of, id);
            for action in actions {
                let search = case.search(Some(&resource));
                let found = all(|cursor| {
                    once(&search, |pass| pass.subjects(wanted, &resource, action, &cursor))
                });
                let allowed = keep(&PEOPLE, |who| case.decision((kind, who), action, (of, id)));
                prop_assert_eq!(found, allowed, "who may {} {}", action, id);
            }
            for who in PEOPLE {
                let search = case.search(Some(&resource));
                let subject = Subject::read(&serde_json::from_value(
                    json!({"type": kind, "id": who})).unwrap());
                let found = match subject.find(&ruleset) {
                    Some(who) => all(|cursor| once(&search, |pass| pass.actions(who, &resource, &cursor))),
                    None => Vec::new(),
                };
                let mut sorted = actions;
                sorted.sort_unstable();
                let allowed = keep(&sorted, |action| case.decision((kind, who), action, (of, id)));
                prop_assert_eq!(found, allowed, "what may {} do on {}", who, id);
            }
        }
        for (who, action) in PEOPLE.iter().flat_map(|who| OPERATIONS.map(|action| (*who, action))) {
            let search = case.search(None);
            let id: IdentityId = who.parse().unwrap();
            let found = all(|cursor| once(&search, |pass| pass.apis(&id, action, &cursor)));
            let allowed = keep(&APIS, |api| case.decision(("identity", who), action, ("api", api)));
            prop_assert_eq!(found, allowed, "where may {} {}", who, action);
        }
    }
}

fn answer(ruleset: &Ruleset, evaluation: Value) -> Decision {
    let evaluation: Evaluation = serde_json::from_value(evaluation).unwrap();
    let question = Question::read(&evaluation, NOW).unwrap();
    question.answer(ruleset, &Sight::All, &Answers::default()).unwrap()
}

fn small(terms: Terms, accept: Vec<Accept>) -> Ruleset {
    let operations = OPERATIONS.iter().map(|id| id.parse().unwrap()).collect();
    let grant = Grant { operations: OperationSet::Only(operations), terms, ..grant(1, "p0", "a0") };
    let changes = [
        Change::Api(api("a0", ApiMode::Enforce, accept)),
        Change::Identity(identity("p0", IdentityKind::Person, IdentityStatus::Active)),
        Change::Grant(grant),
    ];
    Ruleset::build(1, changes).unwrap()
}

fn both() -> Vec<Accept> {
    vec![Accept::Key, Accept::Token]
}

fn asking(action: &str, resource: Value, context: Value) -> Value {
    json!({"subject": {"type": "user", "id": "p0"}, "action": {"name": action},
        "resource": resource, "context": context})
}

#[test]
fn a_condition_holds_only_by_what_was_told() {
    let tie = |tie: &str| Terms { ties: vec![tie.parse().unwrap()], ..Terms::default() };
    let with = |properties: Value| json!({"type": "api", "id": "a0", "properties": properties});
    for (terms, told, not_told) in [
        (tie("path.id = \"1\""), json!({"path": {"id": "1"}}), json!({"path": {}})),
        (
            tie("query.q = \"x\""),
            json!({"query": {"q": "x"}}),
            json!({"query": {"q": "x", "Q": "y"}}),
        ),
        (tie("header.a = \"x\""), json!({"header": {"A": "x"}}), json!({"header": {"A": "x,y"}})),
        (
            tie("header.authorization = \"x\""),
            Value::Null,
            json!({"header": {"authorization": "x"}}),
        ),
        (tie("body.a.b = \"1\""), json!({"body": {"a": [{"b": 1}]}}), json!({"body": null})),
        (
            Terms { writable: Some(vec!["a".to_owned()]), ..Terms::default() },
            json!({"body": {"a": 1}}),
            json!({"body": {"b": 1}}),
        ),
    ] {
        let ruleset = small(terms.clone(), both());
        if !told.is_null() {
            let answer = answer(&ruleset, asking("get", with(told), json!({})));
            assert!(answer.decision, "{terms:?}");
        }
        for properties in [not_told, json!({})] {
            let answer = answer(&ruleset, asking("get", with(properties), json!({})));
            assert!(!answer.decision, "{terms:?}");
            assert_eq!(answer.context.unwrap().reason.unwrap(), "object_not_allowed");
        }
    }
    let ruleset = small(Terms { writable: Some(Vec::new()), ..Terms::default() }, both());
    let bodiless = with(json!({"body": null}));
    assert!(answer(&ruleset, asking("get", bodiless, json!({}))).decision);
}

#[test]
fn a_claim_counts_as_it_is_told() {
    let terms = Terms { ties: vec!["path.id = claim.tenant".parse().unwrap()], ..Terms::default() };
    let ruleset = small(terms, both());
    let route = json!({"type": "route", "id": "/a0/things/t%31"});
    let mut question = asking("GET", route, json!({}));
    assert!(!answer(&ruleset, question.clone()).decision);
    question["subject"]["properties"] = json!({"claims": {"tenant": ["t0", "t1"]}});
    assert!(answer(&ruleset, question).decision);
}

#[test]
fn an_untold_credential_is_every_one_that_the_api_takes() {
    let terms =
        Terms { credentials: vec![identity::CredentialClass::IssuerSubject], ..Terms::default() };
    let api = json!({"type": "api", "id": "a0"});
    let allows = |accept: Vec<Accept>, context: Value| {
        answer(&small(terms.clone(), accept), asking("get", api.clone(), context)).decision
    };
    assert!(!allows(both(), json!({})));
    assert!(allows(both(), json!({"credential_class": "issuer_subject"})));
    assert!(!allows(both(), json!({"credential_class": "api_key"})));
    assert!(allows(vec![Accept::Token], json!({})));
    assert!(!allows(vec![], json!({})));
}

#[test]
fn a_time_that_is_told_is_the_time_of_the_decision() {
    let mut changes = vec![
        Change::Api(api("a0", ApiMode::Enforce, both())),
        Change::Identity(identity("p0", IdentityKind::Person, IdentityStatus::Active)),
    ];
    let operations = OperationSet::Only(["get".parse().unwrap()].into());
    let until = Timestamp::parse("2026-04-01T00:00:00Z").unwrap();
    changes.push(Change::Grant(Grant {
        operations,
        expires_at: Some(until),
        ..grant(1, "p0", "a0")
    }));
    let ruleset = Ruleset::build(1, changes).unwrap();
    let api = json!({"type": "api", "id": "a0"});
    for (time, expected) in [
        ("2026-04-01T01:22+02:00", true),
        ("2026-03-31T23:59:59Z", true),
        ("2026-04-01T00:00:00Z", false),
    ] {
        let question = asking("get", api.clone(), json!({"time": time}));
        assert_eq!(answer(&ruleset, question).decision, expected, "{time}");
    }
}

#[test]
fn what_may_be_seen_is_told_with_the_permission() {
    let terms = Terms {
        ties: vec!["response.items[].owner = identity.id".parse().unwrap()],
        ..Terms::default()
    };
    let ruleset = small(terms, both());
    let api = json!({"type": "api", "id": "a0"});
    let decision = serde_json::to_value(answer(&ruleset, asking("get", api, json!({})))).unwrap();
    assert_eq!(decision["decision"], true);
    let expected = json!({"shows": [{"ties": [{"place": "items[].owner", "values": ["p0"]}]}]});
    assert_eq!(decision["context"]["obligations"], expected);
}

#[test]
fn an_id_that_nobody_can_have_is_nobody() {
    let ruleset = small(Terms::default(), both());
    let _: ApiId = "a0".parse().unwrap();
    for (kind, id) in [("user", "two words"), ("user", ""), ("alien", "p0"), ("workload", "p0")] {
        let mut question = asking("get", json!({"type": "api", "id": "a0"}), json!({}));
        question["subject"] = json!({"type": kind, "id": id});
        let context = answer(&ruleset, question).context.unwrap();
        assert_eq!(context.error.unwrap().status, 404, "{kind} {id}");
    }
}

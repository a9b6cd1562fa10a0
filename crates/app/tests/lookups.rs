//! Relations that a source answers for: what may not be said of them any more, and what is told by
//! asking. The gate is not here; somebody else answers in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::streams::{Counting, Noted};
use app::view::{
    ChangeSet, Evaluation, NewGrant, PolicyCase, ProveRequest, PutRelation, TermsView, TestRequest,
    WrittenRequest,
};
use app::{Looked, OpenStreams, RelationSources};
use base::problem::ProblemKind::{self, Conflict, Invalid};
use base::{ApiId, IdentityId, Problem, Timestamp};
use policy::{Answer, Lookup, Ruleset, Touch};
use portreeve_app as app;
use serde_json::{Value, json};
use testkit::World;
use traffic::{OpenStream, Reason};

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

/// Says that billing owns 42, that nobody knows of 13, and writes down what it is asked.
#[derive(Default)]
struct Directory(Mutex<Vec<String>>);

impl RelationSources for Directory {
    fn ask<'a>(
        &'a self,
        identity: &'a IdentityId,
        api: &'a ApiId,
        lookups: &'a [Lookup],
    ) -> std::pin::Pin<Box<dyn Future<Output = Vec<Looked>> + Send + 'a>> {
        let each = |lookup: &Lookup| {
            let asked = format!("{identity} {} {api}/{}", lookup.relation, lookup.object);
            self.0.lock().unwrap().push(asked);
            let answer = match lookup.object.as_str() {
                "42" if identity.as_str() == "billing" => Answer::Related,
                "13" => Answer::Unknown,
                _ => Answer::Unrelated,
            };
            let (source, asked_at) = ("directory".to_owned(), Timestamp::from_secs(1_772_441_990));
            Looked { lookup: lookup.clone(), source, answer, asked_at }
        };
        let answered = lookups.iter().map(each).collect();
        Box::pin(async { answered })
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn tied(tie: &str) -> NewGrant {
    NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec!["getOrder".to_owned()],
        terms: Some(TermsView { ties: vec![tie.to_owned()], ..TermsView::default() }),
        ..NewGrant::default()
    }
}

async fn world() -> (World, Arc<Directory>) {
    let world = World::new().await;
    world.member("kim").await;
    world.api("orders", Some("kim")).await;
    world.service("billing", Some("kim")).await;
    let directory = Arc::new(Directory::default());
    world.app.use_relation_sources(Arc::clone(&directory) as Arc<dyn RelationSources>);
    world.app.look_up(names(&["owner"])).await.unwrap();
    (world, directory)
}

#[tokio::test]
async fn what_a_source_answers_for_is_neither_set_nor_listed_nor_looked_at_by_a_guardrail() {
    let (world, _) = world().await;
    let (app, admin) = (&world.app, &world.admin);
    let add = || PutRelation { add: vec!["42".to_owned()], ..PutRelation::default() };
    let refused = refusal(app.put_relation(admin, "billing", "owner", add()).await);
    assert_eq!(refused, (Conflict, "relation_looked_up".to_owned()));
    app.put_relation(admin, "billing", "viewer", add()).await.unwrap();
    let refused = app.give_grant(admin, tied("response.owner = related.owner")).await.unwrap_err();
    assert_eq!(refused.reason, "relation_looked_up");
    assert_eq!(refused.place.as_deref(), Some("ties[0]"));
    let guard = "forbid(principal, action, resource) when {\n  principal.related has owner };";
    let change = |text: &str| ChangeSet {
        files: BTreeMap::from([("g.cedar".to_owned(), text.to_owned())]),
        why: Some("test".to_owned()),
        ..ChangeSet::default()
    };
    let refused = app.publish_policy(admin, change(guard), false).await.unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Invalid, "relation_looked_up"));
    assert_eq!(refused.place.as_deref(), Some("g.cedar:1"));
    // And the other way round: what a guardrail looks at is not looked up, and nothing changes.
    app.publish_policy(admin, change(&guard.replace("owner", "viewer")), false).await.unwrap();
    let refused = refusal(app.look_up(names(&["owner", "viewer"])).await);
    assert_eq!(refused, (Invalid, "relation_looked_up".to_owned()));
    assert!(!app.ruleset().load().looks_up("viewer"));
}

/// What the gate was told to judge again.
#[derive(Default)]
struct Judged(Mutex<Vec<Touch>>);

impl OpenStreams for Judged {
    fn list(&self, _: usize, _: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        Vec::new()
    }

    fn cut(
        &self,
        ruleset: &Ruleset,
        touched: &[(u64, Touch)],
        _: Timestamp,
        _: Duration,
        _: &mut Noted<'_>,
    ) -> Option<Counting> {
        assert!(ruleset.looks_up("viewer"), "by the ruleset that holds from now on");
        self.0.lock().unwrap().extend(touched.iter().map(|(_, touch)| touch.clone()));
        None
    }

    fn suppose(&self, _: &Ruleset, _: Timestamp, _: &mut dyn FnMut(&OpenStream, Option<Reason>)) {}
}

/// What was stored under the name does not count any more: who came in by it may have to go.
#[tokio::test]
async fn what_is_open_is_judged_again_when_a_relation_comes_to_be_looked_up() {
    let (world, _) = world().await;
    let judged = Arc::new(Judged::default());
    world.app.use_streams(Arc::clone(&judged) as Arc<dyn OpenStreams>);
    world.app.look_up(names(&["owner"])).await.unwrap();
    assert!(judged.0.lock().unwrap().is_empty(), "nothing changed");
    world.app.look_up(names(&["owner", "viewer"])).await.unwrap();
    assert_eq!(*judged.0.lock().unwrap(), [Touch::All]);
}

#[tokio::test]
async fn nothing_is_proved_about_what_a_source_will_say() {
    let (world, _) = world().await;
    let given = world.app.give_grant(&world.admin, tied("path.id = related.owner")).await.unwrap();
    let asked = ProveRequest {
        question: "never_sees".to_owned(),
        class: Some("phi".to_owned()),
        ..ProveRequest::default()
    };
    let refused = world.app.prove_policy(&world.admin, asked).await.unwrap_err();
    assert_eq!((refused.kind, refused.reason.as_str()), (Conflict, "relation_looked_up"));
    assert!(refused.detail.contains(&given.id), "{refused}");
}

fn evaluation(object: &str) -> Evaluation {
    let asked = json!({
        "subject": {"type": "identity", "id": "billing"},
        "action": {"name": "GET"},
        "resource": {"type": "route", "id": format!("/orders/items/{object}")},
        "context": {"credential_class": "api_key"},
    });
    serde_json::from_value(asked).unwrap()
}

#[tokio::test]
async fn an_evaluation_asks_the_source_and_says_what_it_does_not_say() {
    let (world, directory) = world().await;
    let app = &world.app;
    app.give_grant(&world.admin, tied("path.id = related.owner")).await.unwrap();
    for (object, reason) in [("7", "object_not_allowed"), ("13", "relation_unknown")] {
        let decision = app.evaluate(&world.admin, &evaluation(object)).await.unwrap();
        assert!(!decision.decision);
        assert_eq!(decision.context.unwrap().reason.as_deref(), Some(reason));
    }
    assert!(app.evaluate(&world.admin, &evaluation("42")).await.unwrap().decision);
    let asked = ["7", "13", "42"].map(|object| format!("billing owner orders/{object}"));
    assert_eq!(*directory.0.lock().unwrap(), asked);
}

fn search<T: serde::de::DeserializeOwned>(mut question: Value, token: &str) -> T {
    if !token.is_empty() {
        question["page"]["token"] = json!(token);
    }
    serde_json::from_value(question).unwrap()
}

/// Who may get 42, by what a search lists in parts of `limit` and by asking about each of them.
#[tokio::test]
async fn a_search_finds_who_is_related_by_what_the_source_says() {
    let (world, directory) = world().await;
    let (app, admin) = (&world.app, &world.admin);
    let give = async |subject: &str, tie: &str| {
        let subject = subject.to_owned();
        app.give_grant(admin, NewGrant { subject, ..tied(tie) }).await.unwrap();
    };
    give("billing", "path.id = related.owner").await;
    for n in 0..250 {
        world.service(&format!("a{n:03}"), Some("kim")).await;
        give(&format!("a{n:03}"), "path.id = related.owner").await;
    }
    for name in ["by-header", "zeta"] {
        world.service(name, Some("kim")).await;
    }
    give("by-header", "header.x-for = related.owner").await;
    give("zeta", "path.id = \"42\"").await;
    for limit in [1, 100, 1_000] {
        let question = json!({
            "subject": {"type": "identity"},
            "action": {"name": "GET"},
            "resource": {"type": "route", "id": "/orders/items/42"},
            "context": {"credential_class": "api_key"},
            "page": {"limit": limit},
        });
        directory.0.lock().unwrap().clear();
        let (mut token, mut found, mut parts) = (String::new(), Vec::new(), 0);
        loop {
            let part = app.search_subjects(admin, &search(question.clone(), &token)).await.unwrap();
            found.extend(part.results.into_iter().map(|one| one.id));
            parts += 1;
            token = part.page.next_token;
            let told = base::encoding::from_hex(&token).unwrap();
            let told = String::from_utf8(told).unwrap();
            let place = told.rsplit(' ').next().unwrap();
            assert!(!place.starts_with('a'), "who is not listed is not told: {told}");
            let asked = directory.0.lock().unwrap().len();
            assert!(asked <= parts * 100, "{asked} in {parts} parts");
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, ["billing", "zeta"], "in parts of {limit}");
        assert!(parts >= 3, "251 are not asked about at once");
    }
}

#[tokio::test]
async fn a_search_for_actions_or_apis_asks_the_source_too() {
    let (world, directory) = world().await;
    let (app, admin) = (&world.app, &world.admin);
    app.give_grant(admin, tied("path.id = related.owner")).await.unwrap();
    let actions = async |object: &str| {
        let question = json!({
            "subject": {"type": "identity", "id": "billing"},
            "resource": {"type": "route", "id": format!("/orders/items/{object}")},
            "context": {"credential_class": "api_key"},
        });
        let found = app.search_actions(admin, &search(question, "")).await.unwrap();
        found.results.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(actions("7").await, [""; 0]);
    assert_eq!(actions("13").await, [""; 0]);
    assert_eq!(actions("42").await, ["GET", "HEAD"]);
    let asked = ["7", "13", "42"].map(|object| format!("billing owner orders/{object}"));
    assert_eq!(*directory.0.lock().unwrap(), asked, "once for GET and HEAD");
    let apis = async |object: &str| {
        let question = json!({
            "subject": {"type": "identity", "id": "billing"},
            "action": {"name": "getOrder"},
            "resource": {"type": "api", "properties": {"path": {"id": object}}},
            "context": {"credential_class": "api_key"},
        });
        let found = app.search_resources(admin, &search(question, "")).await.unwrap();
        found.results.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(apis("7").await, [""; 0]);
    assert_eq!(apis("42").await, ["orders"]);
}

#[tokio::test]
async fn an_explanation_shows_what_was_asked_of_whom_and_how_old_the_answer_is() {
    let (world, directory) = world().await;
    let app = &world.app;
    app.give_grant(&world.admin, tied("path.id = related.owner")).await.unwrap();
    let explain = |object: &str| {
        let written = WrittenRequest {
            identity: "billing".to_owned(),
            request: format!("GET /orders/items/{object}"),
            ..WrittenRequest::default()
        };
        app.explain_written(&world.admin, written)
    };
    let told = explain("13").await.unwrap();
    assert_eq!(told.call.reason.as_deref(), Some("relation_unknown"));
    assert!(told.grants[0].why.contains("their source does not say"), "{:?}", told.grants);
    assert_eq!(told.would_allow, None, "no grant is what is missing");
    let told = explain("42").await.unwrap();
    assert_eq!(told.call.outcome, "allowed");
    let shown = &told.relations[0];
    assert_eq!(
        (shown.relation.as_str(), shown.object.as_str(), shown.source.as_str()),
        ("owner", "42", "directory")
    );
    assert_eq!((shown.answer.as_str(), shown.age_seconds), ("related", 10));
    assert_eq!(explain("7").await.unwrap().call.reason.as_deref(), Some("object_not_allowed"));
    // Those who may not know the caller have nobody asked for them.
    let asked = directory.0.lock().unwrap().len();
    let lee = world.member("lee").await;
    let written = WrittenRequest {
        identity: "billing".to_owned(),
        request: "GET /orders/items/42".to_owned(),
        ..WrittenRequest::default()
    };
    assert!(app.explain_written(&lee, written).await.is_err());
    assert_eq!(directory.0.lock().unwrap().len(), asked);
}

#[tokio::test]
async fn a_test_of_policy_asks_nobody_and_says_itself_what_the_source_would() {
    let (world, directory) = world().await;
    world.app.give_grant(&world.admin, tied("path.id = related.owner")).await.unwrap();
    let case = |related: &[(&str, &str)], expect: &str, reason: Option<&str>| PolicyCase {
        name: "x".to_owned(),
        identity: "billing".to_owned(),
        request: "GET /orders/items/42".to_owned(),
        related: related.iter().map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()])).collect(),
        expect: expect.to_owned(),
        reason: reason.map(str::to_owned),
        ..PolicyCase::default()
    };
    let cases = vec![
        case(&[], "refuse", Some("relation_unknown")),
        case(&[("viewer", "42")], "refuse", Some("relation_unknown")),
        case(&[("owner", "7")], "refuse", Some("object_not_allowed")),
        case(&[("owner", "42")], "allow", None),
    ];
    let asked = TestRequest { cases, change: None };
    let found = world.app.test_policy(&world.admin, asked).await.unwrap();
    assert!(found.iter().all(|case| case.passed), "{found:?}");
    assert!(directory.0.lock().unwrap().is_empty());
}

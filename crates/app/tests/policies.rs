//! Changes of policy: tried out, tested, published together, taken back.

mod desk;

use std::collections::BTreeMap;

use app::view::{
    ChangeSet, NarrowGrant, NewApi, NewGrant, PolicyCase, ProveRequest, ReplayRequest, TestRequest,
};
use base::Problem;
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid};
use desk::Desk;
use portreeve_app as app;

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn revoke(id: &str) -> ChangeSet {
    ChangeSet { revoke: vec![id.to_owned()], ..ChangeSet::default() }
}

fn files(name: &str, text: &str) -> ChangeSet {
    let files = BTreeMap::from([(name.to_owned(), text.to_owned())]);
    ChangeSet { files, why: Some("test".to_owned()), ..ChangeSet::default() }
}

async fn replay(desk: &Desk, change: ChangeSet) -> Result<app::view::ReplayView, Problem> {
    let asked = ReplayRequest { change: Some(change), since: Some("200d".to_owned()) };
    desk.app.replay(&desk.robin, asked).await
}

const READS: &str = r#"
[[case]]
name = "the reader lists orders"
identity = "reader"
request = "GET /orders/items"
expect = "allow"

[[case]]
name = "the reader deletes nothing"
identity = "reader"
request = "DELETE /orders/items/7"
expect = "refuse"
reason = "no_grant"
"#;

#[tokio::test]
async fn a_change_of_nothing_or_with_a_wrong_part_is_refused_whole() {
    let desk = Desk::new().await;
    assert_eq!(
        refusal(replay(&desk, ChangeSet::default()).await),
        (Invalid, "empty_change".to_owned())
    );
    let mut both = revoke(&desk.idle);
    both.narrow.push(NarrowGrant { id: desk.reader.clone(), operations: vec!["nope".to_owned()] });
    let wrong = desk.app.publish_policy(&desk.robin, both, false).await.unwrap_err();
    assert_eq!(wrong.reason, "unknown_operation");
    assert!(wrong.place.unwrap().starts_with("narrow[0]"));
    // The part that was right was not kept.
    assert_eq!(desk.app.grant(&desk.robin, &desk.idle).await.unwrap().status, "active");
    for name in ["../x.cedar", "x.txt", ".cedar", ".toml", "a/b.toml"] {
        let wrong = refusal(replay(&desk, files(name, "x")).await);
        assert_eq!(wrong, (Invalid, "bad_file_name".to_owned()), "{name}");
    }
    let broken = desk.app.publish_policy(&desk.robin, files("t.toml", "[[case]]\nnam = 1"), false);
    let broken = broken.await.unwrap_err();
    assert_eq!(
        (broken.reason.as_str(), broken.place.as_deref()),
        ("bad_policy_test", Some("t.toml:2"))
    );
}

#[tokio::test]
async fn a_member_neither_replays_nor_tests_nor_publishes() {
    let desk = Desk::new().await;
    let asked = ReplayRequest::default();
    assert_eq!(refusal(desk.app.replay(&desk.kim, asked).await).0, Forbidden);
    assert_eq!(refusal(desk.app.test_policy(&desk.kim, TestRequest::default()).await).0, Forbidden);
    let publish = desk.app.publish_policy(&desk.kim, files("t.toml", READS), false).await;
    assert_eq!(refusal(publish).0, Forbidden);
}

#[tokio::test]
async fn a_replay_says_whose_calls_turn_and_changes_nothing() {
    let desk = Desk::new().await;
    let before = desk.app.ruleset().load().version();
    let found = replay(&desk, revoke(&desk.reader)).await.unwrap();
    assert_eq!((found.judged, found.newly_refused_calls), (21, 10));
    let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (shift.identity_id.as_str(), shift.operation.as_deref()),
        ("reader", Some("listOrders"))
    );
    assert_eq!(replay(&desk, revoke(&desk.idle)).await.unwrap().newly_refused_calls, 0);
    assert_eq!(desk.app.ruleset().load().version(), before);
    assert_eq!(desk.app.grant(&desk.robin, &desk.reader).await.unwrap().status, "active");
    // Given elsewhere in the same change, the access is not lost.
    let mut moved = revoke(&desk.reader);
    moved.give.push(NewGrant {
        subject: "reader".to_owned(),
        api: "orders".to_owned(),
        can: vec!["listOrders".to_owned()],
        ..NewGrant::default()
    });
    assert_eq!(replay(&desk, moved).await.unwrap().newly_refused_calls, 0);
}

#[tokio::test]
async fn what_a_test_forbids_is_not_published() {
    let desk = Desk::new().await;
    let done = desk.app.publish_policy(&desk.robin, files("t.toml", READS), false).await.unwrap();
    assert_eq!(done.tests.iter().filter(|case| case.passed).count(), 2);
    assert!(done.receipt.is_some());
    let refused = refusal(desk.app.publish_policy(&desk.robin, revoke(&desk.reader), false).await);
    assert_eq!(refused, (Conflict, "policy_test_failed".to_owned()));
    assert_eq!(desk.app.grant(&desk.robin, &desk.reader).await.unwrap().status, "active");
    let dry = desk.app.publish_policy(&desk.robin, revoke(&desk.reader), true).await.unwrap();
    assert!(dry.receipt.is_none());
    assert_eq!(dry.tests.iter().filter(|case| !case.passed).count(), 1);
    assert_eq!(dry.replay.newly_refused_calls, 9, "of the last 90 days");
}

#[tokio::test]
async fn a_test_reads_the_request_that_is_written_down() {
    let desk = Desk::new().await;
    let case = |request: &str, expect: &str| PolicyCase {
        name: request.to_owned(),
        identity: "reader".to_owned(),
        request: request.to_owned(),
        expect: expect.to_owned(),
        ..PolicyCase::default()
    };
    let ghost = |case| PolicyCase { identity: "ghost".to_owned(), ..case };
    let because = |why: &str, case| PolicyCase { reason: Some(why.to_owned()), ..case };
    let run = |cases: Vec<PolicyCase>| {
        let asked = TestRequest { cases, change: None };
        desk.app.test_policy(&desk.robin, asked)
    };
    let found = run(vec![
        case("GET /orders/items/7", "allow"),
        case("GET /orders/items/../x", "refuse"),
        case("GET /nowhere", "refuse"),
        case("POST /orders/items", "allow"),
        ghost(case("GET /orders/items", "refuse")),
        case("PUT /orders/items", "refuse"),
        because("unknown_api", case("GET /nowhere", "refuse")),
        because("identity_inactive", ghost(case("GET /orders/items", "refuse"))),
        because("unknown_operation", case("PUT /orders/items", "refuse")),
        // Refused before anybody asks who it is.
        PolicyCase {
            credential: Some("certificate".to_owned()),
            ..ghost(case("GET /orders/items", "refuse"))
        },
    ])
    .await
    .unwrap();
    let found: Vec<_> = found.iter().map(|case| (case.passed, case.found.as_str())).collect();
    assert_eq!(
        found,
        [
            (true, "allow"),
            (true, "refuse non_canonical_target"),
            (false, "refuse unknown_api: no API has the host and path of `GET /nowhere`"),
            (false, "refuse no_grant"),
            (false, "refuse identity_inactive: there is no identity `ghost`"),
            (
                false,
                "refuse unknown_operation: the API has no operation with the method and path of \
                 `PUT /orders/items`"
            ),
            (true, "refuse unknown_api"),
            (true, "refuse identity_inactive"),
            (true, "refuse unknown_operation"),
            (false, "refuse credential_not_accepted: there is no identity `ghost`"),
        ]
    );
    for (bad, reason) in [
        (case("/orders", "allow"), "bad_request_line"),
        (case("GET /orders/items", "maybe"), "bad_policy_test"),
    ] {
        assert_eq!(refusal(run(vec![bad]).await), (Invalid, reason.to_owned()));
    }
}

#[tokio::test]
async fn an_earlier_version_comes_back_as_a_new_one() {
    let desk = Desk::new().await;
    let publish = |change| desk.app.publish_policy(&desk.robin, change, false);
    publish(files("a.toml", READS)).await.unwrap();
    publish(files("b.toml", READS)).await.unwrap();
    let out = files("a.toml", "");
    publish(out).await.unwrap();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&desk.app.policy(&desk.robin).await.unwrap().files), ["b.toml"]);
    desk.app.roll_policy_back(&desk.robin, 1, "b was wrong").await.unwrap();
    let policy = desk.app.policy(&desk.robin).await.unwrap();
    assert_eq!((policy.version, names(&policy.files)), (4, vec!["a.toml".to_owned()]));
    let versions = desk.app.policy_versions(&desk.robin).await.unwrap();
    assert_eq!(versions.len(), 4);
    assert_eq!(versions[0].why.as_deref(), Some("b was wrong"));
    assert!(desk.app.roll_policy_back(&desk.robin, 9, "none").await.is_err());
    for same in [4, 1] {
        let problem = desk.app.roll_policy_back(&desk.robin, same, "again").await.unwrap_err();
        assert_eq!((problem.kind, problem.reason.as_str()), (Conflict, "already_present"));
        assert!(problem.detail.starts_with("nothing to do: "), "{problem}");
    }
    assert_eq!(desk.app.policy(&desk.robin).await.unwrap().version, 4, "nothing was published");
}

#[tokio::test]
async fn taking_a_file_out_that_is_not_there_is_refused_with_those_that_are() {
    let desk = Desk::new().await;
    let publish = |change| desk.app.publish_policy(&desk.robin, change, false);
    let none = publish(files("a.toml", "")).await.unwrap_err();
    assert_eq!((none.kind, none.reason.as_str()), (Invalid, "unknown_file"));
    publish(files("a.toml", READS)).await.unwrap();
    let slip = publish(files("b.toml", "")).await.unwrap_err();
    assert_eq!(slip.place.as_deref(), Some("files.b.toml"));
    assert_eq!(slip.hint.as_deref(), Some("there are: a.toml"));
}

const GUARD: &str = "@id(\"no-deletes\")\n\
                     forbid(principal, action == Action::\"orders/purgeOrder\", resource);\n";

#[tokio::test]
async fn a_guardrail_that_does_not_fit_the_catalogue_is_refused_with_its_place() {
    let desk = Desk::new().await;
    for (text, reason, place) in [
        ("forbid(principal, action", "guardrail_syntax", "g.cedar:1"),
        ("\npermit(principal, action, resource);", "guardrail_permits", "g.cedar:2"),
        (
            "forbid(principal, action == Action::\"orders/nope\", resource);",
            "guardrail_invalid",
            "g.cedar:1",
        ),
        (
            "forbid(principal, action, resource) when { principal.nope == 1 };",
            "guardrail_invalid",
            "g.cedar:1",
        ),
    ] {
        let refused = desk.app.publish_policy(&desk.robin, files("g.cedar", text), false).await;
        let refused = refused.unwrap_err();
        assert_eq!((refused.reason.as_str(), refused.place.as_deref()), (reason, Some(place)));
    }
    assert_eq!(desk.app.policy(&desk.robin).await.unwrap().version, 0);
}

/// Each of these would forbid nothing, and nobody would know.
#[tokio::test]
async fn a_guardrail_about_what_does_not_exist_is_refused_and_no_api_goes_that_one_is_about() {
    let desk = Desk::new().await;
    for (text, said) in [
        ("\nforbid(principal, action, resource == Api::\"ordres\");", "did you mean `orders`?"),
        ("\nforbid(principal in Group::\"nosuch\", action, resource);", "no group `nosuch`"),
        ("\nforbid(principal == Identity::\"nosuch\", action, resource);", "no identity `nosuch`"),
        (
            "\nforbid(principal, action, resource) when { principal in [Group::\"nosuch\"] };",
            "no group `nosuch`",
        ),
        (
            "\nforbid(principal, action, resource) when { principal.kind == \"servce_account\" };",
            "`servce_account`",
        ),
    ] {
        let refused = desk.app.publish_policy(&desk.robin, files("g.cedar", text), false).await;
        let refused = refused.unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
        assert_eq!(refused.place.as_deref(), Some("g.cedar:2"), "{refused}");
    }
    let spare = NewApi {
        name: "spare".to_owned(),
        path: "/spare".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        ..NewApi::default()
    };
    desk.app.add_api(&desk.robin, spare).await.unwrap();
    let about = "forbid(principal, action, resource == Api::\"spare\");";
    let publish = desk.app.publish_policy(&desk.robin, files("g.cedar", about), false);
    publish.await.unwrap();
    // A guardrail about it stays in the set, and would forbid nothing.
    let (kind, reason) = refusal(desk.app.remove_api(&desk.robin, "spare").await);
    assert_eq!((kind, reason.as_str()), (Conflict, "guardrail_unknown_name"));
    let publish = desk.app.publish_policy(&desk.robin, files("g.cedar", ""), false);
    publish.await.unwrap();
    desk.app.remove_api(&desk.robin, "spare").await.unwrap();
}

#[tokio::test]
async fn an_api_whose_change_would_silence_a_guardrail_is_not_changed() {
    let desk = Desk::new().await;
    let publish = desk.app.publish_policy(&desk.robin, files("g.cedar", GUARD), false);
    publish.await.unwrap();
    let without = testkit::world::DOCUMENT.replace("purgeOrder", "removeOrder");
    assert_ne!(without, testkit::world::DOCUMENT);
    let changed = desk.app.import_operations(&desk.robin, "orders", &without, "x.yaml").await;
    let (kind, reason) = refusal(changed);
    assert_eq!((kind, reason.as_str()), (Conflict, "guardrail_invalid"));
    let removed = desk.app.remove_api(&desk.robin, "orders").await;
    assert_eq!(refusal(removed).0, Conflict);
}

#[tokio::test]
async fn what_a_guardrail_forbids_is_refused_at_once_whatever_is_granted() {
    let desk = Desk::new().await;
    let case = |expect: &str, reason: Option<&str>| PolicyCase {
        identity: "writer".to_owned(),
        request: "POST /orders/items".to_owned(),
        expect: expect.to_owned(),
        reason: reason.map(str::to_owned),
        ..PolicyCase::default()
    };
    let run = async |case| {
        let asked = TestRequest { cases: vec![case], change: None };
        desk.app.test_policy(&desk.robin, asked).await.unwrap().remove(0).passed
    };
    assert!(run(case("allow", None)).await);
    let text = "forbid(principal == Identity::\"writer\", action, resource == Api::\"orders\");";
    desk.app.publish_policy(&desk.robin, files("g.cedar", text), false).await.unwrap();
    assert!(run(case("refuse", Some("forbidden_by_policy"))).await);
    // Another node that starts from the store enforces it too.
    let other = desk.next_process("node-b").await;
    let asked = TestRequest { cases: vec![case("refuse", None)], change: None };
    assert!(other.test_policy(&desk.robin, asked).await.unwrap().remove(0).passed);
    desk.app.publish_policy(&desk.robin, files("g.cedar", ""), false).await.unwrap();
    assert!(run(case("allow", None)).await);
}

/// It is asked of the policy with the change: what is shown by it is not the present one's doing.
#[tokio::test]
async fn a_change_by_which_a_class_is_seen_is_told_as_the_changed_policys() {
    let desk = Desk::new().await;
    let marked = r#""201": {"description": "ok", "content": {"application/json": {"schema":
        {"properties": {"note": {"type": "string", "x-data-class": "phi"}}}}}}"#;
    let document = testkit::world::DOCUMENT.replace(r#""201": {"description": "ok"}"#, marked);
    assert_ne!(document, testkit::world::DOCUMENT);
    desk.app.import_operations(&desk.robin, "orders", &document, "x.yaml").await.unwrap();
    let give = NewGrant {
        subject: "idle".to_owned(),
        api: "orders".to_owned(),
        can: vec!["createOrder".to_owned()],
        ..NewGrant::default()
    };
    let asked = |change: Option<ChangeSet>| ProveRequest {
        question: "never_sees".to_owned(),
        class: Some("phi".to_owned()),
        identities: vec!["idle".to_owned()],
        change,
        ..ProveRequest::default()
    };
    assert!(desk.app.prove_policy(&desk.robin, asked(None)).await.unwrap().holds);
    let change = ChangeSet { give: vec![give.clone()], ..ChangeSet::default() };
    let seen = desk.app.prove_policy(&desk.robin, asked(Some(change))).await.unwrap();
    assert_eq!(seen.counterexample.unwrap().allowed_by, "changed");
    desk.app.give_grant(&desk.robin, give).await.unwrap();
    let seen = desk.app.prove_policy(&desk.robin, asked(None)).await.unwrap();
    assert_eq!(seen.counterexample.unwrap().allowed_by, "present");
}

async fn prove(desk: &Desk, question: &str, change: Option<ChangeSet>) -> app::view::ProofView {
    let asked = ProveRequest {
        question: question.to_owned(),
        change,
        class: Some("phi".to_owned()),
        ..ProveRequest::default()
    };
    desk.app.prove_policy(&desk.robin, asked).await.unwrap()
}

#[tokio::test]
async fn a_proof_is_refused_where_the_question_is_none() {
    let desk = Desk::new().await;
    let asked =
        |question: &str| ProveRequest { question: question.to_owned(), ..ProveRequest::default() };
    let stranger = ProveRequest {
        class: Some("phi".to_owned()),
        identities: vec!["nobody".to_owned()],
        ..asked("never_sees")
    };
    for (asked, reason) in [
        (asked("maybe"), "bad_question"),
        (asked("no_more"), "missing_change"),
        (asked("never_sees"), "missing_class"),
        (ProveRequest { class: Some("gold".to_owned()), ..asked("never_sees") }, "unknown_word"),
        (stranger, "not_found"),
        (
            ProveRequest { seconds: Some(0), change: Some(revoke("g")), ..asked("same") },
            "out_of_range",
        ),
    ] {
        let refused = refusal(desk.app.prove_policy(&desk.robin, asked).await);
        assert_eq!(refused.1, reason);
    }
    let member = desk.app.prove_policy(&desk.kim, asked("no_more")).await;
    assert_eq!(refusal(member).0, Forbidden);
}

#[tokio::test]
async fn a_change_that_allows_more_is_told_by_a_request_and_one_that_does_not_is_proved() {
    let desk = Desk::new().await;
    let narrower = prove(&desk, "no_more", Some(revoke(&desk.idle))).await;
    assert!(narrower.holds && narrower.counterexample.is_none(), "{narrower:?}");
    let same = prove(&desk, "same", Some(revoke(&desk.idle))).await;
    assert!(!same.holds);
    assert_eq!(same.counterexample.unwrap().allowed_by, "present");
    let give = NewGrant {
        subject: "idle".to_owned(),
        api: "orders".to_owned(),
        can: vec!["createOrder".to_owned()],
        fields: None,
        terms: None,
        until: None,
    };
    let wider = ChangeSet { give: vec![give.clone()], ..ChangeSet::default() };
    let wider = prove(&desk, "no_more", Some(wider)).await;
    let example = wider.counterexample.unwrap();
    assert_eq!(example.allowed_by, "changed");
    assert_eq!(
        (example.identity.as_str(), example.operation.as_deref()),
        ("idle", Some("createOrder"))
    );
    // A guardrail takes away what the grant would give: nothing more is allowed.
    let guard = "forbid(principal == Identity::\"idle\", action == Action::\"orders/createOrder\", \
                 resource);";
    let both = ChangeSet { give: vec![give], ..files("g.cedar", guard) };
    assert!(prove(&desk, "same", Some(both)).await.holds);
    assert!(prove(&desk, "never_sees", None).await.holds);
    // Nothing of it was kept.
    assert_eq!(desk.app.policy(&desk.robin).await.unwrap().version, 0);
}

#[tokio::test]
async fn what_decides_is_exported_as_policies_that_name_their_grants() {
    let desk = Desk::new().await;
    desk.app.publish_policy(&desk.robin, files("g.cedar", GUARD), false).await.unwrap();
    let export = desk.app.export_policy(&desk.robin).await.unwrap();
    for part in [format!("grant:{}", desk.reader), "guardrail:no-deletes".to_owned()] {
        assert!(export.policies.contains(&part), "{part}\n{}", export.policies);
    }
    assert!(export.vocabulary.contains("orders/purgeOrder"), "{}", export.vocabulary);
    assert_eq!(refusal(desk.app.export_policy(&desk.kim).await).0, Forbidden);
}

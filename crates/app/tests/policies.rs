//! Changes of policy: tried out, tested, published together, taken back.

mod desk;

use std::collections::BTreeMap;

use app::view::{ChangeSet, NarrowGrant, NewGrant, PolicyCase, ReplayRequest, TestRequest};
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
    for name in ["../x.cedar", "x.txt", "forbid.cedar", ".toml", "a/b.toml"] {
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
    let run = |cases: Vec<PolicyCase>| {
        let asked = TestRequest { cases, change: None };
        desk.app.test_policy(&desk.robin, asked)
    };
    let found = run(vec![
        case("GET /orders/items/7", "allow"),
        case("GET /orders/items/../x", "refuse"),
        case("GET /nowhere", "refuse"),
        case("POST /orders/items", "allow"),
        PolicyCase { identity: "ghost".to_owned(), ..case("GET /orders/items", "refuse") },
    ])
    .await
    .unwrap();
    let found: Vec<_> = found.iter().map(|case| (case.passed, case.found.as_str())).collect();
    assert_eq!(
        found,
        [
            (true, "allow"),
            (true, "refuse non_canonical_target"),
            (true, "refuse unknown_api"),
            (false, "refuse no_grant"),
            (true, "refuse identity_inactive"),
        ]
    );
    for bad in [case("/orders", "allow"), case("GET /orders/items", "maybe")] {
        assert_eq!(refusal(run(vec![bad]).await), (Invalid, "bad_policy_test".to_owned()));
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
}

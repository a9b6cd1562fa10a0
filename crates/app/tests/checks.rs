//! What is checked of an API's messages: refusals first, on both databases.

use app::view::{NewApi, PutChecks};
use app::{Actor, Channel, Role};
use base::problem::ProblemKind;
use catalog::CheckMode;
use policy::CheckedContract;
use portreeve_app as app;
use testkit::world::{DOCUMENT, actor};
use testkit::{World, databases};

/// Good for the catalogue, and not for checks: a pattern that looks ahead.
fn uncheckable() -> String {
    DOCUMENT.replace(r#""schema": {"type": "string"}"#, r#""schema": {"pattern": "(?=a)b"}"#)
}

fn requests(mode: &str) -> PutChecks {
    PutChecks { requests: Some(mode.to_owned()), ..PutChecks::default() }
}

fn checked(world: &World, api: &str) -> Option<std::sync::Arc<CheckedContract>> {
    world.app.ruleset().load().contract(&api.parse().unwrap()).cloned()
}

async fn undocumented(world: &World) {
    let new = NewApi {
        name: "bare".to_owned(),
        path: "/bare".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        ..NewApi::default()
    };
    let detail = world.app.add_api(&world.admin, new).await.unwrap();
    assert_eq!(detail.checks, None);
}

#[tokio::test]
async fn what_cannot_be_checked_is_not_turned_on_and_not_taken_while_checks_are_on() {
    for database in databases() {
        let world = World::on(database).await;
        world.api("orders", None).await;
        undocumented(&world).await;
        let app = &world.app;
        let no = app.set_checks(&world.admin, "bare", requests("enforce")).await.unwrap_err();
        assert_eq!((no.kind, no.reason.as_str()), (ProblemKind::Conflict, "no_document"));
        let no = app.set_checks(&world.admin, "orders", requests("on")).await.unwrap_err();
        assert_eq!((no.kind, no.place.as_deref()), (ProblemKind::Invalid, Some("requests")));

        // Without checks the catalogue takes it, and says that it cannot be checked.
        let text = uncheckable();
        let taken = app.import_operations(&world.admin, "orders", &text, "new.json").await.unwrap();
        let checks = taken.now.checks.unwrap();
        assert_eq!((checks.document.as_str(), checks.requests.as_str()), ("new.json", "off"));
        assert!(checks.notes[0].starts_with("messages cannot be checked: "), "{:?}", checks.notes);
        let version = app.ruleset().load().version();
        let no = app.set_checks(&world.admin, "orders", requests("observe")).await.unwrap_err();
        assert!(no.place.as_deref().unwrap_or_default().contains("new.json"), "{no:?}");
        assert!(checked(&world, "orders").is_none());

        // With checks it is refused, operations and all.
        app.import_operations(&world.admin, "orders", DOCUMENT, "old.json").await.unwrap();
        app.set_checks(&world.admin, "orders", requests("enforce")).await.unwrap();
        let wrong = text.replace("getOrder", "readOrder");
        app.import_operations(&world.admin, "orders", &wrong, "new.json").await.unwrap_err();
        let kept = app.api(&world.admin, "orders").await.unwrap();
        assert!(kept.operations.iter().any(|operation| operation.id == "getOrder"));
        assert_eq!(kept.checks.unwrap().document, "old.json");
        assert_eq!(app.ruleset().load().version(), version + 2);
    }
}

#[tokio::test]
async fn only_administrators_change_what_is_checked() {
    let world = World::new().await;
    let owner = world.member("olga").await;
    world.api("orders", Some("olga")).await;
    let member = world.member("kim").await;
    let auditor = actor("ada", Role::Auditor);
    for (who, kind) in [
        (&member, ProblemKind::NotFound),
        (&auditor, ProblemKind::Forbidden),
        (&owner, ProblemKind::Forbidden),
    ] {
        let no = world.app.set_checks(who, "orders", requests("observe")).await.unwrap_err();
        assert_eq!(no.kind, kind, "{}", who.name);
    }
}

#[tokio::test]
async fn what_is_checked_holds_on_every_node_and_after_a_start() {
    for database in databases() {
        let world = World::on(database).await;
        world.api("orders", None).await;
        let wanted = PutChecks {
            responses: Some("observe".to_owned()),
            closed: Some(true),
            strict_query: Some(true),
            ..requests("enforce")
        };
        let shown = world.app.set_checks(&world.admin, "orders", wanted).await.unwrap();
        let checks = shown.checks.unwrap();
        let is = (checks.requests.as_str(), checks.responses.as_str());
        assert_eq!((is, checks.closed, checks.strict_query), (("enforce", "observe"), true, true));

        let other = world.another_node("node-b").await;
        for node in [&world, &other] {
            let checked = checked(node, "orders").unwrap();
            let modes = (checked.requests, checked.responses);
            assert_eq!(modes, (CheckMode::Enforce, CheckMode::Observe));
            assert!(checked.operation(&"getOrder".parse().unwrap()).is_some());
        }

        // A newer document is checked against from then on, as the one before was.
        let newer = DOCUMENT.replace("getOrder", "readOrder");
        let is_newer = |checked: std::sync::Arc<CheckedContract>| {
            checked.operation(&"readOrder".parse().unwrap()).is_some()
        };
        let follow = async {
            while !checked(&other, "orders").is_some_and(is_newer) {
                other.app.catch_up().await.unwrap();
            }
        };
        let import = world.app.import_operations(&world.admin, "orders", &newer, "b.json");
        let (imported, ()) = tokio::join!(import, follow);
        assert_eq!(imported.unwrap().now.checks.unwrap().requests, "enforce");
        for node in [&world, &other] {
            let checked = checked(node, "orders").unwrap();
            assert!(checked.operation(&"readOrder".parse().unwrap()).is_some());
        }

        // A removal is acknowledged when the other node has it too.
        let follow = async {
            while checked(&other, "orders").is_some() {
                other.app.catch_up().await.unwrap();
            }
        };
        let (removed, ()) = tokio::join!(world.app.remove_api(&world.admin, "orders"), follow);
        removed.unwrap();
        for node in [&world, &other] {
            assert!(checked(node, "orders").is_none());
        }
        let id = "orders".parse().unwrap();
        assert_eq!(world.store.read().await.unwrap().contract(&id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn checks_that_are_off_leave_nothing_in_the_ruleset_and_keep_the_document() {
    let world = World::new().await;
    world.api("orders", None).await;
    for mode in ["enforce", "off", "off", "observe"] {
        world.app.set_checks(&world.admin, "orders", requests(mode)).await.unwrap();
        assert_eq!(checked(&world, "orders").is_some(), mode != "off", "{mode}");
    }
}

#[tokio::test]
async fn a_list_of_apis_says_what_is_checked_or_leaves_it() {
    let world = World::new().await;
    let file = Actor { channel: Channel::File, ..world.admin.clone() };
    let listed = |document: Option<&str>, checks: Option<PutChecks>| NewApi {
        name: "orders".to_owned(),
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        document: document.map(str::to_owned),
        checks,
        ..NewApi::default()
    };
    let declare = async |api: NewApi| world.app.declare_apis(&file, vec![api]).await;
    let modes = || checked(&world, "orders").map(|checked| checked.requests);

    let no = declare(listed(None, Some(requests("enforce")))).await.unwrap_err();
    assert_eq!(no.place.as_deref(), Some("api `orders`: checks"));
    declare(listed(Some(DOCUMENT), Some(requests("enforce")))).await.unwrap();
    assert_eq!(modes(), Some(CheckMode::Enforce));
    let version = world.app.ruleset().load().version();
    declare(listed(Some(DOCUMENT), None)).await.unwrap();
    assert_eq!(
        (modes(), world.app.ruleset().load().version()),
        (Some(CheckMode::Enforce), version)
    );
    declare(listed(Some(DOCUMENT), Some(PutChecks::default()))).await.unwrap();
    assert_eq!(modes(), None, "said to be off");
    declare(listed(Some(DOCUMENT), Some(requests("observe")))).await.unwrap();
    world.app.declare_apis(&file, Vec::new()).await.unwrap();
    assert_eq!(modes(), None, "gone with its API");
}

//! APIs, identities, groups: refusals first.

use app::view::{IdentityQuery, NewApi, NewGrant, NewIdentity};
use app::{Actor, Channel, Role};
use base::Problem;
use base::problem::ProblemKind;
use portreeve_app as app;
use store::Writer;
use testkit::World;
use testkit::world::{DOCUMENT, actor};

fn refusal<T: std::fmt::Debug>(
    answer: Result<T, Problem>,
) -> (ProblemKind, String, Option<String>) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason, problem.place)
}

fn expect(kind: ProblemKind, reason: &str, place: &str) -> (ProblemKind, String, Option<String>) {
    (kind, reason.to_owned(), Some(place.to_owned()).filter(|place| !place.is_empty()))
}

fn new_api(name: &str) -> NewApi {
    NewApi {
        name: name.to_owned(),
        path: format!("/{name}"),
        upstream: "http://127.0.0.1:9".to_owned(),
        ..NewApi::default()
    }
}

fn auditor() -> Actor {
    actor("olga", Role::Auditor)
}

#[tokio::test]
async fn a_wrong_form_names_its_field_and_changes_nothing() {
    use ProblemKind::{Conflict, Invalid};
    let world = World::new().await;
    world.api("orders", None).await;
    let version = world.app.ruleset().load().version();
    let cases = [
        (NewApi { name: " ".to_owned(), ..new_api("x") }, Invalid, "empty", "name"),
        (NewApi { name: "two words".to_owned(), ..new_api("x") }, Invalid, "bad_id", "name"),
        (NewApi { path: "x".to_owned(), ..new_api("x") }, Invalid, "bad_path", "path"),
        (
            NewApi { upstream: "x:1".to_owned(), ..new_api("x") },
            Invalid,
            "bad_upstream",
            "upstream",
        ),
        (NewApi { mode: Some("on".to_owned()), ..new_api("x") }, Invalid, "unknown_word", "mode"),
        (
            NewApi { owner: Some("ghost".to_owned()), ..new_api("x") },
            Invalid,
            "unknown_owner",
            "owner",
        ),
        (
            NewApi { id: Some("orders".to_owned()), ..new_api("x") },
            Conflict,
            "already_exists",
            "id",
        ),
        (
            NewApi { id: Some("x".to_owned()), ..new_api("orders") },
            Conflict,
            "already_exists",
            "name",
        ),
        (NewApi { path: "/orders".to_owned(), ..new_api("x") }, Conflict, "route_taken", "API `x`"),
        (
            NewApi {
                document: Some(DOCUMENT.to_owned()),
                document_url: Some("http://127.0.0.1:9/".to_owned()),
                ..new_api("x")
            },
            Invalid,
            "two_documents",
            "document_url",
        ),
        (
            NewApi { document_url: Some("http://169.254.169.254/".to_owned()), ..new_api("x") },
            Invalid,
            "bad_address",
            "document_url",
        ),
    ];
    for (new, kind, reason, place) in cases {
        let answer = world.app.add_api(&world.admin, new).await;
        assert_eq!(refusal(answer), expect(kind, reason, place));
    }
    assert_eq!(world.app.ruleset().load().version(), version);
    assert_eq!(world.store.read().await.unwrap().version(), version);
    assert_eq!(world.app.apis(&world.admin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_administrators_change_the_catalogue_and_the_register() {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.api("orders", Some("kim")).await;
    world.service("billing", Some("kim")).await;
    let app = &world.app;
    for actor in [&kim, &auditor()] {
        let forbidden = [
            refusal(app.add_api(actor, new_api("x")).await),
            refusal(app.set_api_mode(actor, "orders", "observe").await),
            refusal(app.remove_api(actor, "orders").await),
            refusal(app.add_identity(actor, person("eve")).await),
            refusal(app.set_owner(actor, "billing", "robin").await),
            refusal(app.resume_identity(actor, "billing", "").await),
            refusal(app.put_group(actor, "ops", "Ops", &[], &[]).await),
            refusal(app.sign_in_link(actor, "kim").await),
            refusal(app.issue_admin_token(actor, "kim", Role::Admin).await),
        ];
        for (index, refused) in forbidden.into_iter().enumerate() {
            if actor.role == Role::Member && refused.0 == ProblemKind::NotFound {
                panic!("{index}: kim owns it, so it is no secret to them");
            }
            assert_eq!(refused.0, ProblemKind::Forbidden, "{index} {:?}", actor.role);
        }
    }
    // An auditor who owns an API still changes nothing.
    let owner = Actor { role: Role::Auditor, ..kim };
    let answer = app.import_operations(&owner, "orders", DOCUMENT, "orders.json").await;
    assert_eq!(refusal(answer).0, ProblemKind::Forbidden);
}

fn person(id: &str) -> NewIdentity {
    NewIdentity { name: id.to_owned(), kind: "person".to_owned(), ..NewIdentity::default() }
}

#[tokio::test]
async fn what_a_member_may_not_see_is_not_there() {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.api("orders", Some("robin")).await;
    world.service("billing", Some("robin")).await;
    let app = &world.app;
    for refused in [
        refusal(app.api(&kim, "orders").await),
        refusal(app.identity(&kim, "billing").await),
        refusal(app.identity(&kim, "robin").await),
        refusal(app.keys(&kim, Some("billing")).await),
        refusal(app.suspend_identity(&kim, "billing", "").await),
        refusal(app.import_operations(&kim, "orders", DOCUMENT, "x").await),
    ] {
        assert_eq!(refused.0, ProblemKind::NotFound);
    }
    assert!(app.apis(&kim).await.unwrap().is_empty());
    let page = app.identities(&kim, IdentityQuery::default()).await.unwrap();
    assert_eq!((page.total, page.items.len()), (1, 1));
    assert_eq!(page.items[0].id, "kim");
    assert!(app.search(&kim, "billing").await.unwrap().is_empty());
    assert!(app.search(&kim, "orders").await.unwrap().is_empty());
    // The hint must not tell what the answer does not.
    assert_eq!(app.identity(&kim, "billin").await.unwrap_err().hint, None);
    let hint = app.identity(&world.admin, "billin").await.unwrap_err().hint;
    assert_eq!(hint.as_deref(), Some("did you mean `billing`?"));
}

#[tokio::test]
async fn ownership_by_a_group_counts_until_its_member_leaves() {
    let world = World::new().await;
    let kim = world.member("kim").await;
    let members = ["kim".to_owned()];
    world.app.put_group(&world.admin, "commerce", "Commerce", &members, &[]).await.unwrap();
    world.api("orders", Some("group:commerce")).await;
    assert_eq!(world.app.apis(&kim).await.unwrap().len(), 1);
    world.app.put_group(&world.admin, "commerce", "Commerce", &[], &[]).await.unwrap();
    assert!(world.app.apis(&kim).await.unwrap().is_empty());
}

#[tokio::test]
async fn identities_have_unique_names_existing_owners_and_plain_ids() {
    use ProblemKind::{Conflict, Invalid};
    let world = World::new().await;
    world.service("billing", None).await;
    let service = |name: &str| NewIdentity {
        name: name.to_owned(),
        kind: "service_account".to_owned(),
        ..NewIdentity::default()
    };
    let with_id = |id: &str, name: &str| NewIdentity { id: Some(id.to_owned()), ..service(name) };
    let owned = |owner: &str| NewIdentity { owner: Some(owner.to_owned()), ..service("x") };
    let cases = [
        (service("billing"), Conflict, "already_exists", "id"),
        (with_id("other", "billing"), Conflict, "already_exists", "name"),
        (with_id("group:x", "x"), Invalid, "reserved_id", "id"),
        (with_id("system:x", "x"), Invalid, "reserved_id", "id"),
        (owned("ghost"), Invalid, "unknown_owner", "owner"),
        (owned("group:ghost"), Invalid, "unknown_owner", "owner"),
        (owned("billing"), Invalid, "owner_not_a_person", "owner"),
        (NewIdentity { kind: "robot".to_owned(), ..service("x") }, Invalid, "unknown_word", "kind"),
    ];
    for (new, kind, reason, place) in cases {
        let answer = world.app.add_identity(&world.admin, new).await;
        assert_eq!(refusal(answer), expect(kind, reason, place));
    }
    let unknown = world.app.put_group(&world.admin, "ops", "Ops", &["ghost".to_owned()], &[]).await;
    assert_eq!(refusal(unknown), expect(Invalid, "unknown_identity", "members"));
}

#[tokio::test]
async fn a_suspension_happens_once_and_is_undone_by_an_administrator() {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.service("billing", Some("kim")).await;
    let app = &world.app;
    let refused = app.resume_identity(&world.admin, "billing", "").await;
    assert_eq!(refusal(refused), expect(ProblemKind::Conflict, "already_active", ""));
    let own = app.suspend_identity(&world.admin, "robin", "").await;
    assert_eq!(refusal(own).1, "own_identity");

    let receipt = app.suspend_identity(&kim, "billing", "leaked").await.unwrap();
    assert_eq!(receipt.change, app.ruleset().load().version());
    assert_eq!(receipt.receipts[0].node, "node-a");
    let again = app.suspend_identity(&kim, "billing", "").await;
    assert_eq!(refusal(again), expect(ProblemKind::Conflict, "already_suspended", ""));
    app.resume_identity(&world.admin, "billing", "").await.unwrap();
    assert_eq!(app.identity(&kim, "billing").await.unwrap().identity.status, "active");
}

#[tokio::test]
async fn identities_are_paged_filtered_and_counted() {
    let world = World::new().await;
    for number in 0..5 {
        world.service(&format!("svc-{number}"), None).await;
    }
    world.service("other_100", Some("robin")).await;
    let list = async |query| world.app.identities(&world.admin, query).await.unwrap();
    let services = |after, limit| IdentityQuery {
        text: Some("SVC-".to_owned()),
        after,
        limit: Some(limit),
        ..IdentityQuery::default()
    };
    let first = list(services(None, 3)).await;
    assert_eq!((first.total, first.items.len(), first.next.as_deref()), (5, 3, Some("svc-2")));
    let second = list(services(first.next, 3)).await;
    assert_eq!((second.total, second.items.len(), second.next), (5, 2, None));
    // Wildcards of the database are plain characters here.
    let text =
        |text: &str| IdentityQuery { text: Some(text.to_owned()), ..IdentityQuery::default() };
    assert_eq!(list(text("0%")).await.total, 0);
    assert_eq!(list(text("_")).await.total, 1);
    let unowned = IdentityQuery {
        owner: Some("none".to_owned()),
        kind: Some("service_account".to_owned()),
        ..IdentityQuery::default()
    };
    assert_eq!(list(unowned).await.total, 5);
    let view = &list(text("other")).await.items[0];
    assert_eq!((view.owner_name.as_deref(), view.owner_active), (Some("robin"), true));
}

#[tokio::test]
async fn an_api_in_use_stays_and_an_unused_one_goes() {
    let world = World::new().await;
    world.api("orders", None).await;
    world.service("billing", None).await;
    let grant = app::view::NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec!["read".to_owned()],
        ..app::view::NewGrant::default()
    };
    let grant = world.app.give_grant(&world.admin, grant).await.unwrap();
    let refused = world.app.remove_api(&world.admin, "orders").await;
    assert_eq!(refusal(refused), expect(ProblemKind::Conflict, "api_in_use", ""));
    world.app.revoke_grant(&world.admin, &grant.id, "").await.unwrap();
    world.app.remove_api(&world.admin, "orders").await.unwrap();
    assert!(world.app.ruleset().load().locate("GET", None, "/orders/items").api.is_none());
    // What is gone is still named by its grants.
    assert_eq!(world.app.grant(&world.admin, &grant.id).await.unwrap().api_name, "orders");
    world.api("orders", None).await;
}

#[tokio::test]
async fn an_api_stays_for_one_grant_in_force_behind_many_expired_ones() {
    let world = World::new().await;
    world.api("orders", None).await;
    world.service("billing", None).await;
    let new = NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec!["all".to_owned()],
        ..NewGrant::default()
    };
    let live = world.app.give_grant(&world.admin, new).await.unwrap().id;
    let live = world.store.read().await.unwrap().grant(&live).await.unwrap().unwrap();
    let expired = (0..1_000).map(|number| grant::Grant {
        id: format!("a{number:04}").parse().unwrap(),
        expires_at: Some(live.created_at),
        ..live.clone()
    });
    let writer = Writer { actor: "robin".parse().unwrap(), channel: Channel::System };
    let mut tx = world.store.begin(&writer, live.created_at).await.unwrap();
    let many = store::World { grants: expired.collect(), ..store::World::default() };
    tx.add_world(&many).await.unwrap();
    tx.commit().await.unwrap();
    let refused = world.app.remove_api(&world.admin, "orders").await;
    assert_eq!(refusal(refused), expect(ProblemKind::Conflict, "api_in_use", ""));
}

#[tokio::test]
async fn an_import_replaces_operations_and_refuses_what_is_no_document() {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.api("orders", Some("kim")).await;
    let refused = world.app.import_operations(&kim, "orders", "{]", "bad.json").await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Invalid);
    assert!(refused.place.unwrap().contains("bad.json"));
    let fewer = r#"{"openapi": "3.0.0", "info": {"title": "x", "version": "1"},
        "paths": {"/new": {"get": {"operationId": "new", "responses": {}}}}}"#;
    let api = world.app.import_operations(&kim, "orders", fewer, "x.json").await.unwrap();
    assert_eq!(api.now.api.operations_count, 1);
    let ruleset = world.app.ruleset().load();
    assert!(ruleset.locate("GET", None, "/orders/new").operation.is_some());
    assert!(ruleset.locate("GET", None, "/orders/items").operation.is_none());
}

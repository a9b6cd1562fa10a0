//! What grants allow under, roles, groups in groups and relations: who may say it, and what of it
//! is refused.

use std::collections::BTreeMap;

use app::Actor;
use app::view::{NewGrant, PutRelation, PutRole, TermsView, Withdraw};
use base::Problem;
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid};
use portreeve_app as app;
use testkit::world::actor;
use testkit::{World, databases};

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn under(terms: TermsView) -> NewGrant {
    NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec!["getOrder".to_owned()],
        terms: Some(terms),
        ..NewGrant::default()
    }
}

async fn world() -> (World, Actor) {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.api("orders", Some("kim")).await;
    world.service("billing", Some("kim")).await;
    (world, kim)
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[tokio::test]
async fn terms_that_cannot_be_read_or_could_never_hold_are_refused() {
    let (world, _) = world().await;
    let cases = [
        (TermsView { hours: texts(&["always"]), ..TermsView::default() }, "bad_hours"),
        (TermsView { networks: texts(&["10.0.0.0/33"]), ..TermsView::default() }, "bad_network"),
        (TermsView { ties: texts(&["id = me"]), ..TermsView::default() }, "bad_tie"),
        (
            TermsView { ties: texts(&["path.tenant = identity.tenant"]), ..TermsView::default() },
            "unknown_parameter",
        ),
        (TermsView { environments: texts(&["prod"]), ..TermsView::default() }, "unknown_word"),
        (TermsView { bindings: texts(&["tls"]), ..TermsView::default() }, "unknown_word"),
        (TermsView { strength: Some("high".to_owned()), ..TermsView::default() }, "unknown_word"),
        (TermsView { writable: Some(texts(&["no phi"])), ..TermsView::default() }, "bad_property"),
        (
            TermsView { certified_until: Some("2020-01-01".to_owned()), ..TermsView::default() },
            "time_is_past",
        ),
    ];
    for (terms, reason) in cases {
        let refused = refusal(world.app.give_grant(&world.admin, under(terms.clone())).await);
        assert_eq!(refused, (Invalid, reason.to_owned()), "{terms:?}");
    }
    let shown = NewGrant { fields: Some(texts(&["no secrets"])), ..under(TermsView::default()) };
    let refused = refusal(world.app.give_grant(&world.admin, shown).await);
    assert_eq!(refused, (Invalid, "bad_field".to_owned()));
}

/// An API of which a document describes what two operations answer, and of a third says nothing.
async fn described_api(world: &World) {
    let answer = |schema: serde_json::Value| {
        let content = serde_json::json!({"application/json": {"schema": schema}});
        serde_json::json!({"200": {"description": "ok", "content": content}})
    };
    let order = serde_json::json!({"type": "object", "properties": {
        "id": {"type": "string"},
        "customer": {"type": "object", "properties": {"name": {"type": "string"}}},
        "meta": {"type": "object"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    }});
    let list = serde_json::json!({"type": "object", "properties": {
        "items": {"type": "array", "items": order}, "total": {"type": "integer"},
    }});
    let document = serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": "shop", "version": "1"},
        "paths": {
            "/orders": {
                "get": {"operationId": "listOrders", "responses": answer(list)},
                "post": {"operationId": "createOrder", "responses": {"201": {"description": "ok"}}},
            },
            "/orders/{id}": {"get": {"operationId": "getOrder", "responses": answer(order)}},
        },
    });
    let new = app::view::NewApi {
        name: "shop".to_owned(),
        path: "/shop".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        document: Some(document.to_string()),
        ..app::view::NewApi::default()
    };
    world.app.add_api(&world.admin, new).await.unwrap();
}

#[tokio::test]
async fn properties_and_lists_that_no_answer_has_are_refused_with_the_nearest() {
    let (world, _) = world().await;
    described_api(&world).await;
    let grant = |can: &[&str], fields: &[&str], ties: &[&str]| NewGrant {
        api: "shop".to_owned(),
        can: texts(can),
        fields: (!fields.is_empty()).then(|| texts(fields)),
        ..under(TermsView { ties: texts(ties), ..TermsView::default() })
    };
    let refused = async |new: NewGrant| {
        let problem = world.app.give_grant(&world.admin, new).await.unwrap_err();
        (problem.reason, problem.hint.unwrap_or_default())
    };
    let both = &["getOrder", "listOrders"];
    for (field, reason, hint) in [
        ("lines[].sku", "bad_field", "write `lines.sku`"),
        ("[].id", "bad_field", "write `id`"),
        ("custmer.name", "unknown_field", "did you mean `customer.name`?"),
        ("tota", "unknown_field", "did you mean `total`?"),
        ("customer.name.first", "unknown_field", ""),
        ("nosuchfield", "unknown_field", ""),
    ] {
        let told = refused(grant(both, &["id", field], &[])).await;
        assert_eq!((told.0.as_str(), told.1.contains(hint)), (reason, true), "{field}: {told:?}");
    }
    let tie = "response.items[].tenant = identity.tenant";
    let told = refused(grant(both, &[], &[tie])).await;
    assert_eq!(told.0, "unknown_list", "an order has no items: {told:?}");
    let star = "response.*[].tenant = identity.tenant";
    assert_eq!(refused(grant(&["createOrder"], &[], &[star])).await.0, "bad_tie");

    for new in [
        grant(
            both,
            &["id", "total", "items.customer", "meta.any", "tags.red", "*.id", "no phi"],
            &[],
        ),
        grant(&["listOrders"], &[], &[tie]),
        grant(&["getOrder", "createOrder"], &["nobody_knows"], &[]),
        grant(&["createOrder"], &[], &[tie]),
        grant(both, &[], &["response[].tenant = identity.tenant"]),
    ] {
        world.app.give_grant(&world.admin, new.clone()).await.unwrap_or_else(|problem| {
            panic!("{new:?}: {problem:?}");
        });
    }
}

#[tokio::test]
async fn terms_come_back_as_they_were_given_on_both_databases() {
    for database in databases() {
        let world = World::on(database).await;
        world.api("orders", None).await;
        world.service("billing", None).await;
        let terms = TermsView {
            environments: texts(&["production"]),
            hours: texts(&["mon-fri 08:00-18:00 +01:00"]),
            networks: texts(&["10.0.0.0/8"]),
            credentials: texts(&["issuer_subject"]),
            strength: Some("signed_token".to_owned()),
            bindings: Vec::new(),
            ties: texts(&["path.id = related.owner", "response.tenant = identity.tenant"]),
            writable: Some(texts(&["note", "customer.name"])),
            certified_until: Some("2099-01-01T00:00:00Z".to_owned()),
        };
        let new = NewGrant { fields: Some(texts(&["id", "no pii"])), ..under(terms.clone()) };
        let given = world.app.give_grant(&world.admin, new).await.unwrap();
        let kept = world.app.grant(&world.admin, &given.id).await.unwrap();
        assert_eq!(kept.terms, Some(terms));
        assert_eq!(kept.fields, Some(texts(&["id", "no pii"])));
        // What was read back is what the ruleset of another node is built from.
        let other = world.another_node("other").await;
        assert_eq!(other.app.grant(&world.admin, &given.id).await.unwrap(), kept);
    }
}

#[tokio::test]
async fn a_withdrawal_goes_on_stops_and_is_never_a_gift() {
    let (world, kim) = world().await;
    let new = under(TermsView::default());
    let given = world.app.give_grant(&world.admin, new).await.unwrap();
    let step = |stage: &str| Withdraw { stage: stage.to_owned(), reason: "unused".to_owned() };
    let app = &world.app;
    for bad in ["", "half", "0%", "101%", "-1%"] {
        let refused = refusal(app.withdraw_grant(&kim, &given.id, &step(bad)).await);
        assert_eq!(refused, (Invalid, "bad_stage".to_owned()), "{bad}");
    }
    let lee = world.member("lee").await;
    assert!(app.withdraw_grant(&lee, &given.id, &step("log_only")).await.is_err());
    app.withdraw_grant(&kim, &given.id, &step("log_only")).await.unwrap();
    let refused = refusal(app.withdraw_grant(&kim, &given.id, &step("log-only")).await);
    assert_eq!(refused, (Conflict, "already_withdrawn".to_owned()));
    app.withdraw_grant(&kim, &given.id, &step("12.5%")).await.unwrap();
    let shown = app.grant(&kim, &given.id).await.unwrap().withdrawal.unwrap();
    assert_eq!((shown.stage.as_str(), shown.share, shown.by.as_str()), ("share", 1_250, "kim"));
    app.withdraw_grant(&kim, &given.id, &step("stop")).await.unwrap();
    assert_eq!(app.grant(&kim, &given.id).await.unwrap().withdrawal, None);
    app.revoke_grant(&kim, &given.id, "gone").await.unwrap();
    assert!(app.withdraw_grant(&kim, &given.id, &step("log_only")).await.is_err());
}

#[tokio::test]
async fn a_role_is_of_one_api_never_circular_and_its_removal_takes_away() {
    let (world, kim) = world().await;
    let app = &world.app;
    let role = |can: &[&str], includes: &[&str]| PutRole {
        api: "orders".to_owned(),
        can: texts(can),
        includes: texts(includes),
        name: None,
    };
    let lee = world.member("lee").await;
    assert!(app.put_role(&lee, "reader", role(&["read"], &[])).await.is_err());
    let empty = refusal(app.put_role(&kim, "reader", role(&[], &[])).await);
    assert_eq!(empty, (Invalid, "nothing_covered".to_owned()));
    app.put_role(&kim, "reader", role(&["getOrder"], &[])).await.unwrap();
    let lead = app.put_role(&kim, "lead", role(&["createOrder"], &["reader"])).await.unwrap();
    assert_eq!(lead.now.covers, ["createOrder", "getOrder"]);
    let circle = refusal(app.put_role(&kim, "reader", role(&["getOrder"], &["lead"])).await);
    assert_eq!(circle, (Invalid, "circular_role".to_owned()));
    let unknown = refusal(app.put_role(&kim, "lead", role(&["getOrder"], &["raeder"])).await);
    assert_eq!(unknown, (Invalid, "unknown_role".to_owned()));
    let new = NewGrant { can: texts(&["role:lead"]), ..under(TermsView::default()) };
    let given = app.give_grant(&world.admin, new.clone()).await.unwrap();
    assert_eq!(
        (given.roles, given.operations),
        (texts(&["lead"]), texts(&["createOrder", "getOrder"]))
    );
    let again = refusal(app.give_grant(&world.admin, new).await);
    assert_eq!(again, (Conflict, "already_granted".to_owned()));
    // Narrowed, it is named and grows no more.
    app.narrow_grant(&kim, &given.id, &texts(&["getOrder"]), "unused").await.unwrap();
    let narrowed = app.grant(&kim, &given.id).await.unwrap();
    assert_eq!((narrowed.roles, narrowed.operations), (texts(&[]), texts(&["getOrder"])));
    app.remove_role(&kim, "lead", "not needed").await.unwrap();
    assert_eq!(app.roles(&kim).await.unwrap().len(), 1);
    let gone = NewGrant { can: texts(&["role:lead"]), ..under(TermsView::default()) };
    assert_eq!(
        refusal(app.give_grant(&world.admin, gone).await),
        (Invalid, "unknown_role".to_owned())
    );
}

#[tokio::test]
async fn groups_in_groups_are_never_circular_and_their_people_belong() {
    for database in databases() {
        let world = World::on(database).await;
        world.service("billing", None).await;
        let (app, admin) = (&world.app, &world.admin);
        let put = |id: &'static str, members: Vec<String>, groups: Vec<String>| async move {
            app.put_group(admin, id, id, &members, &groups).await
        };
        put("team", texts(&["billing"]), vec![]).await.unwrap();
        put("division", vec![], texts(&["team"])).await.unwrap();
        let whole = put("company", vec![], texts(&["division"])).await.unwrap();
        assert_eq!(whole.now.groups, ["division"]);
        let circle = refusal(put("team", texts(&["billing"]), texts(&["company"])).await);
        assert_eq!(circle, (Invalid, "circular_group".to_owned()));
        let itself = refusal(put("team", vec![], texts(&["team"])).await);
        assert_eq!(itself, (Invalid, "circular_group".to_owned()));
        let unknown = refusal(put("team", vec![], texts(&["taem"])).await);
        assert_eq!(unknown, (Invalid, "unknown_group".to_owned()));
        let of = app.identity(admin, "billing").await.unwrap().groups;
        assert_eq!(of, ["company", "division", "team"]);
        put("company", vec![], vec![]).await.unwrap();
        let of = app.identity(admin, "billing").await.unwrap().groups;
        assert_eq!(of, ["division", "team"]);
    }
}

#[tokio::test]
async fn relations_and_attributes_are_for_administrators_and_come_back() {
    for database in databases() {
        let world = World::on(database).await;
        world.service("billing", None).await;
        let app = &world.app;
        let auditor = actor("otto", app::Role::Auditor);
        let add = |objects: &[&str]| PutRelation { add: texts(objects), ..PutRelation::default() };
        let refused = refusal(app.put_relation(&auditor, "billing", "owner", add(&["1"])).await);
        assert_eq!(refused.0, Forbidden);
        let bad = refusal(app.put_relation(&world.admin, "billing", "own er", add(&["1"])).await);
        assert_eq!(bad, (Invalid, "bad_relation".to_owned()));
        assert!(app.put_relation(&world.admin, "ghost", "owner", add(&["1"])).await.is_err());
        app.put_relation(&world.admin, "billing", "owner", add(&["1", "2"])).await.unwrap();
        let less = PutRelation { remove: texts(&["1"]), ..add(&["3"]) };
        let kept = app.put_relation(&world.admin, "billing", "owner", less).await.unwrap();
        assert_eq!(kept.now.objects, ["2", "3"]);
        assert_eq!(app.relations(&auditor, "billing").await.unwrap(), [kept.now]);
        let none = PutRelation { objects: Some(vec![]), ..PutRelation::default() };
        app.put_relation(&world.admin, "billing", "owner", none).await.unwrap();
        assert!(app.relations(&auditor, "billing").await.unwrap().is_empty());

        let wanted = BTreeMap::from([("tenant".to_owned(), texts(&["b", "a", "b"]))]);
        assert!(app.set_attributes(&auditor, "billing", &wanted).await.is_err());
        let set = app.set_attributes(&world.admin, "billing", &wanted).await.unwrap();
        assert_eq!(set.now.attributes["tenant"], ["a", "b"]);
        let built_in = BTreeMap::from([("owner".to_owned(), texts(&["me"]))]);
        let refused = refusal(app.set_attributes(&world.admin, "billing", &built_in).await);
        assert_eq!(refused, (Invalid, "bad_attribute".to_owned()));
    }
}

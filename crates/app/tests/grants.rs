//! Grants: who may give and take them, and what the words cover.

use std::collections::BTreeSet;

use app::Actor;
use app::view::{GrantQuery, GrantView, NewGrant};
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid, NotFound};
use base::{Problem, Span};
use portreeve_app as app;
use testkit::world::actor;
use testkit::{World, databases};

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn to(subject: &str, can: &[&str]) -> NewGrant {
    NewGrant {
        subject: subject.to_owned(),
        api: "orders".to_owned(),
        can: can.iter().map(|word| (*word).to_owned()).collect(),
        ..NewGrant::default()
    }
}

/// `kim` owns the API `orders` and the service `own`; `lee` owns `billing`.
async fn world() -> (World, Actor, Actor) {
    let world = World::new().await;
    let kim = world.member("kim").await;
    let lee = world.member("lee").await;
    world.api("orders", Some("kim")).await;
    world.service("own", Some("kim")).await;
    world.service("billing", Some("lee")).await;
    (world, kim, lee)
}

async fn give(world: &World, actor: &Actor, new: NewGrant) -> GrantView {
    world.app.give_grant(actor, new).await.unwrap()
}

#[tokio::test]
async fn a_grant_of_nothing_known_is_refused() {
    let (world, _, _) = world().await;
    let until =
        |until: &str| NewGrant { until: Some(until.to_owned()), ..to("billing", &["read"]) };
    let cases = [
        (to("ghost", &["read"]), (NotFound, "not_found")),
        (to("group:ghost", &["read"]), (NotFound, "not_found")),
        (to("bad id", &["read"]), (Invalid, "bad_id")),
        (
            NewGrant { api: "odrers".to_owned(), ..to("billing", &["read"]) },
            (NotFound, "not_found"),
        ),
        (to("billing", &[]), (Invalid, "nothing_granted")),
        (to("billing", &["getOrdr"]), (Invalid, "unknown_operation")),
        (to("billing", &["READ"]), (Invalid, "unknown_operation")),
        (until("2020-01-01"), (Invalid, "time_is_past")),
        (until("soon"), (Invalid, "bad_time")),
    ];
    for (new, (kind, reason)) in cases {
        let answer = world.app.give_grant(&world.admin, new).await;
        assert_eq!(refusal(answer), (kind, reason.to_owned()));
    }
    let near = world.app.give_grant(&world.admin, to("billing", &["getOrdr"])).await.unwrap_err();
    assert_eq!(near.hint.as_deref(), Some("did you mean `getOrder`?"));
    assert!(world.app.grants(&world.admin, GrantQuery::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_gives_access_to_themselves_or_to_what_they_answer_for() {
    let (world, kim, lee) = world().await;
    let members = ["kim".to_owned()];
    world.app.put_group(&world.admin, "commerce", "Commerce", &members, &[]).await.unwrap();
    // A group that kim is not in, but that the service in it makes kim's own.
    let members = ["own".to_owned(), "billing".to_owned()];
    world.app.put_group(&world.admin, "robots", "Robots", &members, &[]).await.unwrap();
    for subject in ["kim", "own", "group:commerce", "group:robots"] {
        let answer = world.app.give_grant(&kim, to(subject, &["read"])).await;
        assert_eq!(refusal(answer), (Forbidden, "own_access".to_owned()), "{subject}");
    }
    // Whoever owns the caller but not the API does not even see the API.
    let answer = world.app.give_grant(&lee, to("billing", &["read"])).await;
    assert_eq!(refusal(answer).0, NotFound);
    let auditor = actor("olga", app::Role::Auditor);
    let answer = world.app.give_grant(&auditor, to("billing", &["read"])).await;
    assert_eq!(refusal(answer).0, Forbidden);
    let given = give(&world, &kim, to("billing", &["read"])).await;
    assert_eq!((given.approved_by.as_deref(), given.reason.as_str()), (Some("kim"), "direct"));
}

#[tokio::test]
async fn words_cover_what_they_say() {
    let (world, _, _) = world().await;
    let cases: [(&[&str], &[&str]); 5] = [
        (&["read"], &["getOrder", "listOrders"]),
        (&["write"], &["createOrder", "getOrder", "listOrders"]),
        (&["read", "purgeOrder"], &["getOrder", "listOrders", "purgeOrder"]),
        (&["getOrder", "getOrder"], &["getOrder"]),
        (&["getOrder", "all"], &["*"]),
    ];
    for (can, covers) in cases {
        let grant = give(&world, &world.admin, to("billing", can)).await;
        assert_eq!(grant.operations, covers, "{can:?}");
    }
}

#[tokio::test]
async fn the_same_access_is_not_given_twice() {
    let (world, _, _) = world().await;
    let first = give(&world, &world.admin, to("billing", &["read"])).await;
    let again = world.app.give_grant(&world.admin, to("billing", &["read"])).await.unwrap_err();
    assert_eq!((again.reason.as_str(), again.place), ("already_granted", Some(first.id.clone())));
    world.app.revoke_grant(&world.admin, &first.id, "").await.unwrap();
    give(&world, &world.admin, to("billing", &["read"])).await;
}

#[tokio::test]
async fn a_grant_is_taken_away_by_those_who_answer_for_either_side() {
    let (world, kim, lee) = world().await;
    let stranger = world.member("mia").await;
    for actor in [&world.admin, &kim, &lee] {
        let id = give(&world, &world.admin, to("billing", &["read"])).await.id;
        assert_eq!(refusal(world.app.revoke_grant(&stranger, &id, "").await).0, NotFound);
        let receipt = world.app.revoke_grant(actor, &id, "no longer needed").await.unwrap();
        assert_eq!(receipt.change, world.app.ruleset().load().version());
        let again = world.app.revoke_grant(actor, &id, "").await;
        assert_eq!(refusal(again), (Conflict, "already_revoked".to_owned()));
        let grant = world.app.grant(&world.admin, &id).await.unwrap();
        assert_eq!((grant.status.as_str(), grant.version), ("revoked", 2));
    }
    // The holder sees their access, and does not decide on it.
    let own = give(&world, &world.admin, to("mia", &["read"])).await.id;
    assert_eq!(refusal(world.app.revoke_grant(&stranger, &own, "").await).0, Forbidden);
}

#[tokio::test]
async fn narrowing_only_ever_takes_away() {
    let (world, _, lee) = world().await;
    let id = give(&world, &world.admin, to("billing", &["read"])).await.id;
    let keep = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let narrow = async |ids: &[&str]| world.app.narrow_grant(&lee, &id, &keep(ids), "").await;
    for (ids, reason) in [
        (&[][..], "nothing_left"),
        (&["createOrder"], "unknown_operation"),
        (&["getOrder", "listOrders"], "not_narrower"),
    ] {
        assert_eq!(refusal(narrow(ids).await).1, reason, "{ids:?}");
    }
    narrow(&["getOrder"]).await.unwrap();
    let grant = world.app.grant(&lee, &id).await.unwrap();
    assert_eq!((grant.version, grant.operations), (2, keep(&["getOrder"])));
    world.app.revoke_grant(&lee, &id, "").await.unwrap();
    assert_eq!(refusal(narrow(&["getOrder"]).await).1, "already_revoked");
}

#[tokio::test]
async fn a_grant_of_everything_narrows_to_operations_of_today() {
    let (world, _, _) = world().await;
    let id = give(&world, &world.admin, to("billing", &["all"])).await.id;
    let keep = ["purgeOrder".to_owned()];
    world.app.narrow_grant(&world.admin, &id, &keep, "").await.unwrap();
    assert_eq!(world.app.grant(&world.admin, &id).await.unwrap().operations, keep);
}

#[tokio::test]
async fn an_expired_grant_cannot_be_narrowed_but_can_be_revoked() {
    let (world, _, _) = world().await;
    let new = NewGrant { until: Some("2026-03-03".to_owned()), ..to("billing", &["read"]) };
    let id = give(&world, &world.admin, new).await.id;
    world.clock.advance(Span::from_days(2));
    let keep = ["getOrder".to_owned()];
    let answer = world.app.narrow_grant(&world.admin, &id, &keep, "").await;
    assert_eq!(refusal(answer), (Conflict, "already_expired".to_owned()));
    world.app.revoke_grant(&world.admin, &id, "").await.unwrap();
}

#[tokio::test]
async fn of_two_who_change_a_grant_at_once_both_are_told_the_truth() {
    let (world, _, _) = world().await;
    let id = give(&world, &world.admin, to("billing", &["all"])).await.id;
    let keep = ["getOrder".to_owned()];
    let (narrowed, revoked) = tokio::join!(
        world.app.narrow_grant(&world.admin, &id, &keep, ""),
        world.app.revoke_grant(&world.admin, &id, ""),
    );
    revoked.unwrap();
    let grant = world.app.grant(&world.admin, &id).await.unwrap();
    assert_eq!(grant.status, "revoked");
    let expected = if narrowed.is_ok() { 3 } else { 2 };
    assert_eq!(grant.version, expected);
}

#[tokio::test]
async fn lists_show_each_viewer_their_part() {
    let (world, kim, lee) = world().await;
    world.api("ledger", Some("robin")).await;
    let ledger = NewGrant { api: "ledger".to_owned(), ..to("own", &["read"]) };
    let on_ledger = give(&world, &world.admin, ledger).await.id;
    let on_orders = give(&world, &world.admin, to("billing", &["read"])).await.id;
    let ids = async |actor: &Actor, query: GrantQuery| -> BTreeSet<String> {
        let grants = world.app.grants(actor, query).await.unwrap();
        grants.into_iter().map(|grant| grant.id).collect()
    };
    let both = BTreeSet::from([on_ledger.clone(), on_orders.clone()]);
    assert_eq!(ids(&world.admin, GrantQuery::default()).await, both);
    assert_eq!(ids(&kim, GrantQuery::default()).await, both);
    let one = BTreeSet::from([on_orders.clone()]);
    assert_eq!(ids(&lee, GrantQuery::default()).await, one);
    let by_api = GrantQuery { api: Some("orders".to_owned()), ..GrantQuery::default() };
    assert_eq!(ids(&kim, by_api).await, one);
    let bad = GrantQuery { status: Some("actve".to_owned()), ..GrantQuery::default() };
    assert_eq!(refusal(world.app.grants(&kim, bad).await), (Invalid, "unknown_word".to_owned()));
}

/// The store narrows the list as authority narrows each grant.
#[tokio::test]
async fn lists_and_single_grants_agree_on_who_sees_what() {
    for database in databases() {
        let world = World::on(database).await;
        let viewer = world.member("kim").await;
        world.member("lee").await;
        let members = ["kim".to_owned(), "own".to_owned()];
        for (service, owner) in [("own", "kim"), ("other", "lee")] {
            world.service(service, Some(owner)).await;
        }
        world.app.put_group(&world.admin, "mine", "Mine", &members, &[]).await.unwrap();
        world
            .app
            .put_group(&world.admin, "theirs", "Theirs", &["own".to_owned()], &[])
            .await
            .unwrap();
        world.service("ours", Some("group:mine")).await;
        for (api, owner) in [("a", "kim"), ("b", "group:mine"), ("c", "lee"), ("d", "group:theirs")]
        {
            world.api(api, Some(owner)).await;
            for subject in ["kim", "own", "ours", "other", "lee", "group:mine", "group:theirs"] {
                let new = NewGrant { api: api.to_owned(), ..to(subject, &["read"]) };
                give(&world, &world.admin, new).await;
            }
        }
        let all = world.app.grants(&world.admin, GrantQuery::default()).await.unwrap();
        let mut expected = Vec::new();
        for grant in &all {
            let one = world.app.grant(&viewer, &grant.id).await;
            expected.extend(one.ok().map(|grant| grant.id));
        }
        let listed = world.app.grants(&viewer, GrantQuery::default()).await.unwrap();
        let listed: Vec<_> = listed.into_iter().map(|grant| grant.id).collect();
        assert_eq!((all.len(), expected.len()), (28, 22));
        assert_eq!(listed, expected);
    }
}

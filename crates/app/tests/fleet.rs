//! Several nodes on one database: what one does, the others enforce, and say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::App;
use app::view::{NewCredential, NewGrant};
use base::problem::ProblemKind;
use base::{ApiId, Clock, IdentityId, OperationId, Span};
use futures_util::future::join_all;
use portreeve_app as app;
use testkit::world::keys;
use testkit::{Database, World};

/// A world on PostgreSQL with one API and one caller.
async fn world() -> World {
    let world = World::builder()
        .database(Database::postgres())
        .settings(|settings| settings.node_lease = Span::from_millis(150))
        .open()
        .await;
    world.api("orders", None).await;
    world.service("billing", None).await;
    world
}

async fn give(world: &World) -> String {
    let new = NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec!["read".to_owned()],
        ..NewGrant::default()
    };
    world.app.give_grant(&world.admin, new).await.unwrap().id
}

/// Whether this node's gate lets the caller read.
fn allows(world: &World) -> bool {
    let identity = IdentityId::parse("billing").unwrap();
    let api = ApiId::parse("orders").unwrap();
    let operation = OperationId::parse("getOrder").unwrap();
    let ruleset = world.app.ruleset().load();
    ruleset.probe(&identity, &api, &operation, world.clock.now()).is_ok()
}

/// Follows the others as a job does, until told to stop.
fn follow(app: Arc<App>, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while !stop.load(Ordering::SeqCst) {
            app.catch_up().await.unwrap();
            tokio::task::yield_now().await;
        }
    })
}

#[tokio::test]
async fn a_node_that_does_not_follow_is_named_and_not_passed_over() {
    let world = world().await;
    let other = world.another_node("node-b").await;
    let id = give(&world).await;
    other.app.catch_up().await.unwrap();
    assert!(allows(&other));
    let problem = world.app.revoke_grant(&world.admin, &id, "").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Unavailable);
    assert_eq!(problem.reason, "not_enforced_everywhere");
    assert!(problem.detail.contains("node-b"), "{problem}");
    // It is saved and enforced where it was taken all the same.
    assert!(!allows(&world));
    assert_eq!(world.app.grant(&world.admin, &id).await.unwrap().status, "revoked");
    other.app.catch_up().await.unwrap();
    assert!(!allows(&other));
}

#[tokio::test]
async fn a_node_beyond_its_lease_or_gone_is_not_waited_for() {
    let world = world().await;
    let _silent = world.another_node("node-b").await;
    let leaving = world.another_node("node-c").await;
    let id = give(&world).await;
    world.clock.advance(Span::from_secs(1));
    leaving.app.catch_up().await.unwrap();
    leaving.app.leave().await.unwrap();
    let receipt = world.app.revoke_grant(&world.admin, &id, "").await.unwrap();
    let nodes: Vec<_> = receipt.receipts.iter().map(|receipt| receipt.node.as_str()).collect();
    assert_eq!(nodes, ["node-a"]);
}

#[tokio::test]
async fn a_revoke_returns_when_every_live_node_enforces_it() {
    let world = world().await;
    let other = world.another_node("node-b").await;
    let stop = Arc::new(AtomicBool::new(false));
    let following = follow(Arc::clone(&other.app), Arc::clone(&stop));
    for _ in 0..5 {
        let id = give(&world).await;
        let receipt = world.app.revoke_grant(&world.admin, &id, "").await.unwrap();
        assert!(!allows(&other), "the receipt came before the enforcement");
        assert!(other.app.ruleset().load().version() >= receipt.change);
        let nodes: Vec<_> = receipt.receipts.iter().map(|receipt| receipt.node.as_str()).collect();
        assert_eq!(nodes, ["node-a", "node-b"]);
    }
    stop.store(true, Ordering::SeqCst);
    following.await.unwrap();
}

#[tokio::test]
async fn a_node_learns_the_changes_of_others_with_its_own() {
    let world = world().await;
    let other = world.another_node("node-b").await;
    give(&world).await;
    assert!(!allows(&other), "it has not followed yet");
    other.service("second", None).await;
    assert!(allows(&other), "its own change came after the grant");
    assert_eq!(other.app.ruleset().load().version(), world.app.ruleset().load().version() + 1);
}

#[tokio::test]
async fn nodes_that_write_at_once_end_at_the_same_ruleset() {
    let world = world().await;
    let other = world.another_node("node-b").await;
    let write = async |node: &World, name: &str| {
        for number in 0..8 {
            node.service(&format!("{name}-{number}"), None).await;
        }
    };
    tokio::join!(write(&world, "a"), write(&other, "b"));
    let (one, two) = tokio::join!(world.app.catch_up(), other.app.catch_up());
    assert_eq!(one.unwrap(), two.unwrap());
    let key = NewCredential { identity: "b-7".to_owned(), ..NewCredential::default() };
    let key = world.app.issue_key(&world.admin, key).await.unwrap().key.unwrap();
    other.app.catch_up().await.unwrap();
    let ruleset = other.app.ruleset().load();
    token::verify_key(&key, &keys().pepper, ruleset.as_ref(), world.clock.now()).unwrap();
}

/// More writers than the store has connections: whoever follows must not hold what they wait for
/// while it waits for one of theirs.
#[tokio::test]
async fn writers_and_followers_do_not_wait_for_each_other() {
    let world = world().await;
    let names: Vec<_> = (0..12).map(|number| format!("svc-{number}")).collect();
    let write = names.iter().map(|name| async { world.service(name, None).await });
    let follow = (0..4).map(|_| async { world.app.catch_up().await.unwrap() });
    tokio::join!(join_all(write), join_all(follow));
}

#[tokio::test]
async fn a_node_that_starts_enforces_what_is_stored() {
    let world = world().await;
    let id = give(&world).await;
    assert!(allows(&world.another_node("node-b").await));
    world.clock.advance(Span::from_secs(10));
    world.app.revoke_grant(&world.admin, &id, "").await.unwrap();
    let late = world.another_node("node-c").await;
    assert!(!allows(&late));
    assert_eq!(late.app.ruleset().load().version(), world.app.ruleset().load().version());
}

//! What changes cut at the gates, in their receipts; and who sees what is open.

mod desk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::OpenStreams;
use app::streams::Counting;
use app::view::{NewCredential, NewGrant, NodeReceipt, StreamQuery};
use base::{Span, Timestamp};
use desk::Desk;
use policy::{Ruleset, Touch};
use portreeve_app as app;
use testkit::{Database, World};
use traffic::{CutCount, OpenStream, StreamKind};

/// A gate at which so many streams end with what touches them.
#[derive(Default)]
struct FakeGate {
    open: Vec<OpenStream>,
    /// By the id of what was touched; that of a group is `but:` and its members.
    cuts: Mutex<BTreeMap<String, CutCount>>,
}

impl FakeGate {
    fn cutting<const N: usize>(cuts: [(&str, u64, u64); N]) -> Arc<Self> {
        let count = |(id, cut, open): (&str, u64, u64)| (id.to_owned(), CutCount { cut, open });
        Arc::new(Self { cuts: Mutex::new(cuts.map(count).into()), open: Vec::new() })
    }
}

impl OpenStreams for FakeGate {
    fn list(&self, limit: usize, keep: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        self.open.iter().filter(|open| keep(open)).take(limit).cloned().collect()
    }

    fn cut(
        &self,
        _: &Ruleset,
        touched: &[(u64, Touch)],
        _: Timestamp,
        _: Duration,
    ) -> Option<Counting> {
        let mut cuts = self.cuts.lock().unwrap();
        let mut cut = |(change, touch): &(u64, Touch)| {
            let id = match touch {
                Touch::Api(id) => id.to_string(),
                Touch::Identity(id) => id.to_string(),
                Touch::Credential(id) => id.to_string(),
                Touch::Grant(id, _) => id.to_string(),
                Touch::All => "all".to_owned(),
            };
            Some((*change, cuts.remove(&id)?))
        };
        let counts: BTreeMap<_, _> = touched.iter().filter_map(&mut cut).collect();
        (!counts.is_empty()).then(|| -> Counting {
            Box::pin(async move {
                // Counted a little later than committed, as by a real gate.
                tokio::task::yield_now().await;
                counts
            })
        })
    }
}

async fn world(database: Database) -> World {
    let lease = |settings: &mut app::Settings| settings.node_lease = Span::from_secs(30);
    let world = World::builder().database(database).settings(lease).open().await;
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

fn counts(receipts: &[NodeReceipt]) -> Vec<(Option<u64>, Option<u64>)> {
    receipts.iter().map(|receipt| (receipt.streams_cut, receipt.streams_open)).collect()
}

#[tokio::test]
async fn where_no_gate_runs_a_receipt_says_that_nothing_was_cut() {
    let world = world(Database::sqlite()).await;
    let grant = give(&world).await;
    let receipt = world.app.revoke_grant(&world.admin, &grant, "").await.unwrap();
    assert_eq!(counts(&receipt.receipts), [(Some(0), None)]);
    assert_eq!(world.app.streams(&world.admin, StreamQuery::default()).await.unwrap(), []);
}

#[tokio::test]
async fn every_kind_of_revocation_says_what_it_cut() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let grant = give(&world).await;
    let key = NewCredential { identity: "billing".to_owned(), ..NewCredential::default() };
    let key = app.issue_key(admin, key).await.unwrap().credential.id;
    app.put_group(admin, "clerks", "Clerks", &["billing".to_owned()], &[]).await.unwrap();
    app.use_streams(FakeGate::cutting([
        (&grant, 1, 0),
        (&key, 2, 0),
        ("billing", 3, 1),
        ("all", 4, 0),
    ]));
    let left = app.put_group(admin, "clerks", "Clerks", &[], &[]).await.unwrap();
    assert_eq!(counts(&left.receipt.receipts), [(Some(4), None)]);
    assert_eq!(left.receipt.change, app.ruleset().load().version());
    let again = app.put_group(admin, "clerks", "Clerks", &[], &[]).await.unwrap();
    assert_eq!(again.receipt.change, left.receipt.change, "nothing changed");
    let revoked = app.revoke_grant(admin, &grant, "").await.unwrap();
    assert_eq!(counts(&revoked.receipts), [(Some(1), None)]);
    let revoked = app.revoke_key(admin, &key, "").await.unwrap();
    assert_eq!(counts(&revoked.receipts), [(Some(2), None)]);
    let suspended = app.suspend_identity(admin, "billing", "").await.unwrap();
    assert_eq!(counts(&suspended.receipts), [(Some(3), Some(1))], "one does not end");
}

#[tokio::test]
async fn each_node_of_a_fleet_counts_its_own() {
    let world = world(Database::postgres()).await;
    let other = world.another_node("node-b").await;
    let grant = give(&world).await;
    other.app.catch_up().await.unwrap();
    world.app.use_streams(FakeGate::cutting([(&grant, 1, 0)]));
    other.app.use_streams(FakeGate::cutting([(&grant, 5, 2)]));
    let following = async {
        while other.app.ruleset().load().version() == world.app.ruleset().load().version() {
            tokio::task::yield_now().await;
        }
        other.app.catch_up().await.unwrap();
    };
    let revoking = world.app.revoke_grant(&world.admin, &grant, "");
    let (receipt, ()) = tokio::join!(revoking, following);
    let receipt = receipt.unwrap();
    assert_eq!(counts(&receipt.receipts), [(Some(1), None), (Some(5), Some(2))]);
    // A later node has cut nothing, and the first one's count is in the store for others to read.
    world.app.catch_up().await.unwrap();
    let cuts = world.store.read().await.unwrap().stream_cuts(receipt.change, receipt.change).await;
    let cuts: Vec<_> = cuts.unwrap().into_values().map(|count| count.cut).collect();
    assert_eq!(cuts, [1, 5]);
}

#[tokio::test]
async fn a_review_proves_what_each_of_its_removals_cut() {
    let desk = Desk::new().await;
    desk.app.use_streams(FakeGate::cutting([(&desk.idle, 3, 0), (&desk.reader, 1, 1)]));
    desk.review().await;
    desk.decide_all().await;
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    let status = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    let of = |grant: &str| {
        let act = status.remediations.iter().find(|act| act.grant_id == grant).unwrap();
        counts(&act.receipts)
    };
    assert_eq!(of(&desk.idle), [(Some(3), None)]);
    assert_eq!(of(&desk.reader), [(Some(1), Some(1))]);
    let bundle = desk.app.build_evidence(&desk.robin, "machines").await.unwrap();
    assert!(String::from_utf8_lossy(&bundle).contains("\"streams_cut\":3"));
    assert!(audit::evidence::verify(&bundle, None).is_ok(), "the bundle holds together");
}

fn open(id: &str, identity: &str, api: &str) -> OpenStream {
    OpenStream {
        request_id: id.parse().unwrap(),
        since: Timestamp::from_secs(1),
        identity_id: identity.parse().unwrap(),
        credential_id: "cred".parse().unwrap(),
        api_id: api.parse().unwrap(),
        operation: Some("getOrder".parse().unwrap()),
        grant_ids: vec!["g".parse().unwrap()],
        kind: StreamKind::Grpc,
    }
}

#[tokio::test]
async fn who_sees_no_calls_of_others_sees_no_streams_of_others() {
    let world = world(Database::sqlite()).await;
    let kim = world.member("kim").await;
    world.service("mine", Some("kim")).await;
    world.api("shop", Some("kim")).await;
    let all = [("r-1", "billing", "orders"), ("r-2", "mine", "orders"), ("r-3", "billing", "shop")];
    let all = all.map(|(id, identity, api)| open(id, identity, api));
    let gate = FakeGate { open: all.into(), ..FakeGate::default() };
    world.app.use_streams(Arc::new(gate));
    let ids = async |actor, identity: &str, api: &str, limit| {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let query = StreamQuery { identity: given(identity), api: given(api), limit };
        let found = world.app.streams(actor, query).await.unwrap();
        found.into_iter().map(|stream| stream.request_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&kim, "", "", None).await, ["r-2", "r-3"]);
    assert_eq!(ids(&kim, "billing", "orders", None).await, Vec::<String>::new());
    assert_eq!(ids(&world.admin, "", "", None).await, ["r-1", "r-2", "r-3"]);
    assert_eq!(ids(&world.admin, "billing", "", None).await, ["r-1", "r-3"]);
    assert_eq!(ids(&world.admin, "billing", "shop", None).await, ["r-3"]);
    assert_eq!(ids(&world.admin, "", "", Some(1)).await, ["r-1"]);
    assert_eq!(ids(&world.admin, "ghost", "", None).await, Vec::<String>::new());
}

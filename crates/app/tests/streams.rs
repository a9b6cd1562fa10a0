//! What changes cut at the gates, in their receipts; and who sees what is open.

mod desk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::OpenStreams;
use app::streams::{Counting, Noted};
use app::view::{
    AdvanceRollout, BoundView, ChangeReceipt, ChangeSet, NewCredential, NewGrant, NodeReceipt,
    PutRelation, PutRole, StartRollout, StreamQuery,
};
use base::{Span, Timestamp};
use desk::Desk;
use policy::{Ruleset, Touch};
use portreeve_app as app;
use testkit::{Database, World};
use traffic::{
    CallRecord, CutCount, OpenStream, Outcome, Reason, RolloutDifference, RolloutMark, RolloutSide,
    StreamKind,
};

/// A gate at which so many streams end with what touches them.
#[derive(Default)]
struct FakeGate {
    open: Vec<OpenStream>,
    /// By the id of what was touched; that of a group is `but:` and its members.
    cuts: Mutex<BTreeMap<String, CutCount>>,
    /// Why what is open ends by whatever is published, and what a rollout has to do with it.
    ends: Option<(Reason, RolloutSide)>,
}

impl FakeGate {
    fn cutting<const N: usize>(cuts: [(&str, u64, u64); N]) -> Arc<Self> {
        let count = |(id, cut, open): (&str, u64, u64)| (id.to_owned(), CutCount { cut, open });
        Arc::new(Self { cuts: Mutex::new(cuts.map(count).into()), ..Self::default() })
    }
}

impl OpenStreams for FakeGate {
    fn list(&self, limit: usize, keep: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        self.open.iter().filter(|open| keep(open)).take(limit).cloned().collect()
    }

    fn cut(
        &self,
        ruleset: &Ruleset,
        touched: &[(u64, Touch)],
        _: Timestamp,
        _: Duration,
        noted: &mut Noted<'_>,
    ) -> Option<Counting> {
        if let (Some((reason, governed_by)), Some(rollout)) = (self.ends, ruleset.rollout()) {
            let (id, difference) = (rollout.id().clone(), Some(RolloutDifference::NewlyRefused));
            let mark = RolloutMark { id, governed_by, difference, reason: Some(reason) };
            self.open.iter().for_each(|open| noted(open, &mark));
        }
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

    fn suppose(
        &self,
        _: &Ruleset,
        _: Timestamp,
        said: &mut dyn FnMut(&OpenStream, Option<Reason>),
    ) {
        let ends = self.ends.map(|(reason, _)| reason);
        self.open.iter().for_each(|open| said(open, ends));
    }
}

/// A gate at which one stream ends with every change that touches anything.
struct Every;

impl OpenStreams for Every {
    fn list(&self, _: usize, _: &dyn Fn(&OpenStream) -> bool) -> Vec<OpenStream> {
        Vec::new()
    }

    fn cut(
        &self,
        _: &Ruleset,
        touched: &[(u64, Touch)],
        _: Timestamp,
        _: Duration,
        _: &mut Noted<'_>,
    ) -> Option<Counting> {
        let counts: BTreeMap<_, _> =
            touched.iter().map(|(change, _)| (*change, CutCount { cut: 1, open: 0 })).collect();
        Some(Box::pin(std::future::ready(counts)))
    }

    fn suppose(&self, _: &Ruleset, _: Timestamp, _: &mut dyn FnMut(&OpenStream, Option<Reason>)) {}
}

async fn world(database: Database) -> World {
    let lease = |settings: &mut app::Settings| settings.node_lease = Span::from_secs(30);
    let world = World::builder().database(database).settings(lease).open().await;
    world.api("orders", None).await;
    world.service("billing", None).await;
    world
}

fn orders_to_billing(operation: &str) -> NewGrant {
    NewGrant {
        subject: "billing".to_owned(),
        api: "orders".to_owned(),
        can: vec![operation.to_owned()],
        ..NewGrant::default()
    }
}

async fn give_one(world: &World, operation: &str) -> String {
    world.app.give_grant(&world.admin, orders_to_billing(operation)).await.unwrap().id
}

async fn give(world: &World) -> String {
    give_one(world, "read").await
}

async fn rolled(world: &World, change: ChangeSet) {
    let asked = StartRollout { change, share: None, bound: None };
    world.app.start_rollout(&world.admin, asked).await.unwrap();
}

fn revoking<const N: usize>(grants: [&String; N]) -> ChangeSet {
    ChangeSet { revoke: grants.map(String::clone).into(), ..ChangeSet::default() }
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
async fn a_publication_of_several_changes_says_what_all_of_them_cut() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let (a, b, c) = (
        give_one(&world, "getOrder").await,
        give_one(&world, "listOrders").await,
        give_one(&world, "createOrder").await,
    );
    app.use_streams(FakeGate::cutting([(&a, 1, 0), (&b, 2, 1), (&c, 4, 0)]));
    let published = app.publish_policy(admin, revoking([&a, &b, &c]), false).await.unwrap();
    assert_eq!(counts(&published.receipt.unwrap().receipts), [(Some(7), Some(1))]);
}

#[tokio::test]
async fn a_rollout_that_is_advanced_to_all_says_what_its_changes_cut() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let (a, b) = (give(&world).await, give_one(&world, "createOrder").await);
    rolled(&world, revoking([&a, &b])).await;
    app.use_streams(FakeGate::cutting([(&a, 1, 0), (&b, 2, 0)]));
    let to_all = AdvanceRollout { all: true, ..AdvanceRollout::default() };
    let advanced = app.advance_rollout(admin, to_all).await.unwrap();
    assert_eq!(counts(&advanced.receipt.unwrap().receipts), [(Some(3), None)]);
}

#[tokio::test]
async fn a_revocation_that_breaks_a_rollout_says_so_and_what_it_cut() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let grant = give(&world).await;
    rolled(&world, revoking([&grant])).await;
    app.use_streams(FakeGate::cutting([(&grant, 8, 0)]));
    let revoked = app.revoke_grant(admin, &grant, "").await.unwrap();
    assert_eq!(counts(&revoked.receipts), [(Some(8), None)]);
    let open = app.rollout(admin).await.unwrap();
    let returned = revoked.rollout_returned.unwrap();
    assert_eq!((&returned.id, open.stage.as_str()), (&open.id, "returned"));
    assert_eq!(Some(&returned.why), open.steps.last().unwrap().why.as_ref());
    let other = give_one(&world, "createOrder").await;
    let calm = app.revoke_grant(admin, &other, "").await.unwrap();
    assert_eq!(calm.rollout_returned, None, "nothing is rolled out any more");
}

#[tokio::test]
async fn what_takes_access_away_by_what_grants_are_made_of_says_what_it_cut() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    app.use_streams(Arc::new(Every));
    let one = |receipt: &ChangeReceipt| {
        assert_eq!(counts(&receipt.receipts), [(Some(1), None)]);
        assert_eq!(receipt.change, app.ruleset().load().version());
    };
    let role = |can: &str| PutRole {
        api: "orders".to_owned(),
        can: vec![can.to_owned()],
        ..PutRole::default()
    };
    one(&app.put_role(admin, "reader", role("read")).await.unwrap().receipt);
    let narrowed = app.put_role(admin, "reader", role("getOrder")).await.unwrap().receipt;
    one(&narrowed);
    let again = app.put_role(admin, "reader", role("getOrder")).await.unwrap().receipt;
    assert_eq!((again.change, counts(&again.receipts)), (narrowed.change, vec![(Some(0), None)]));
    one(&app.remove_role(admin, "reader", "unused").await.unwrap());
    let objects = PutRelation { objects: Some(vec!["1".to_owned()]), ..PutRelation::default() };
    one(&app.put_relation(admin, "billing", "owner", objects).await.unwrap().receipt);
    let tenant = BTreeMap::from([("tenant".to_owned(), vec!["acme".to_owned()])]);
    one(&app.set_attributes(admin, "billing", &tenant).await.unwrap().receipt);
    one(&app.set_owner(admin, "billing", "robin").await.unwrap().receipt);
    let fewer = r#"{"openapi": "3.0.0", "info": {"title": "x", "version": "1"},
        "paths": {"/new": {"get": {"operationId": "new", "responses": {}}}}}"#;
    one(&app.import_operations(admin, "orders", fewer, "x.json").await.unwrap().receipt);
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

fn record(id: &str, mark: RolloutMark) -> CallRecord {
    CallRecord {
        request_id: id.parse().unwrap(),
        at: Timestamp::from_secs(2),
        duration_us: 10,
        identity_id: Some("billing".parse().unwrap()),
        credential_id: None,
        api_id: Some("orders".parse().unwrap()),
        operation: Some("getOrder".parse().unwrap()),
        method: "GET".to_owned(),
        path: "/orders/42".to_owned(),
        source_ip: [127, 0, 0, 1].into(),
        user_agent: None,
        outcome: Outcome::Cancelled,
        reason: mark.reason,
        would_refuse: None,
        status: 200,
        grant_ids: vec![],
        fields_removed: vec![],
        violations: vec![],
        fields_seen: None,
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
        guardrails: vec![],
        binding: None,
        rollout: Some(mark),
    }
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
    assert_eq!(ids(&kim, "ghost", "", None).await, Vec::<String>::new());
    let ghost = StreamQuery { identity: Some("biling".to_owned()), ..StreamQuery::default() };
    let problem = world.app.streams(&world.admin, ghost).await.unwrap_err();
    assert_eq!(problem.hint.as_deref(), Some("did you mean `billing`?"));
}

fn three(ends: (Reason, RolloutSide)) -> Arc<FakeGate> {
    let open = ["r-1", "r-2", "r-3"].map(|id| open(id, "billing", "orders"));
    Arc::new(FakeGate { open: open.into(), ends: Some(ends), ..FakeGate::default() })
}

#[tokio::test]
async fn what_was_open_when_a_share_began_counts_against_its_bound() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let grant = give(&world).await;
    app.use_streams(three((Reason::NoGrant, RolloutSide::Candidate)));
    let bound = Some(BoundView { refusals: Some(2), ..BoundView::default() });
    let asked = StartRollout { change: revoking([&grant]), share: Some(100), bound };
    let begun = app.start_rollout(admin, asked).await.unwrap();
    app.tend_rollout().await.unwrap();
    let seen = app.rollout(admin).await.unwrap();
    assert_eq!((&seen.id, seen.stage.as_str()), (&begun.id, "returned"));
    let counts = &seen.since_start;
    assert_eq!((counts.judged, counts.governed, counts.refused), (3, 3, 3));
    let row = &seen.differences[0];
    assert_eq!((row.identity_id.as_deref(), row.calls), (Some("billing"), 3));
}

#[tokio::test]
async fn what_is_open_in_shadow_is_counted_once_and_again_when_it_is_judged_otherwise() {
    let world = world(Database::sqlite()).await;
    let (app, admin) = (&world.app, &world.admin);
    let grant = give(&world).await;
    app.use_streams(three((Reason::NoGrant, RolloutSide::Present)));
    rolled(&world, revoking([&grant])).await;
    let seen = app.rollout(admin).await.unwrap();
    let counts = (seen.since_start.judged, seen.since_start.governed, seen.since_start.refused);
    assert_eq!((counts, seen.stage.as_str()), ((3, 0, 0), "shadow"));
    let mark = RolloutMark {
        id: seen.id.parse().unwrap(),
        governed_by: RolloutSide::Present,
        difference: Some(RolloutDifference::NewlyRefused),
        reason: Some(Reason::NoGrant),
    };
    let cut = RolloutMark { governed_by: RolloutSide::Candidate, ..mark.clone() };
    let unseen = record("r-9", cut.clone());
    for record in [record("r-1", mark), record("r-2", cut), unseen] {
        app.rollout_tallies().count(&record);
    }
    let seen = app.rollout(admin).await.unwrap();
    let counts = (seen.since_start.judged, seen.since_start.governed, seen.since_start.refused);
    assert_eq!(counts, (5, 2, 2), "r-1 was counted while it was open");
}

#[tokio::test]
async fn checking_a_change_says_how_much_of_what_is_open_it_would_end_and_why() {
    let world = world(Database::sqlite()).await;
    let kim = world.member("kim").await;
    world.api("shop", Some("kim")).await;
    let new = NewGrant { api: "shop".to_owned(), ..orders_to_billing("read") };
    let grant = world.app.give_grant(&world.admin, new).await.unwrap().id;
    world.app.use_streams(three((Reason::PolicyError, RolloutSide::Present)));
    let check = world.app.publish_policy(&world.admin, revoking([&grant]), true).await.unwrap();
    assert_eq!((check.open.streams, check.open.ending), (3, 3));
    assert_eq!(check.open.reasons, BTreeMap::from([("policy_error".to_owned(), 3)]));
    let theirs = world.app.publish_policy(&kim, revoking([&grant]), true).await.unwrap();
    assert_eq!(theirs.open.streams, 0, "of calls that they do not see");
}

//! Limits of APIs as they are set, and what a node that was killed had used of them.

use std::sync::Arc;

use app::limits::Unsettled;
use app::view::{NewApi, SetLimits};
use app::{App, HttpFetcher, Parts, Role, Settings};
use base::problem::ProblemKind;
use base::{NodeId, RequestId, Span, Timestamp};
use decision_log::{DecisionLog, Options};
use portreeve_app as app;
use store::Store;
use testkit::world::{DOCUMENT, actor, keys};
use testkit::{Database, FakeClock, ScratchDir, SeededEntropy, World};
use traffic::limit::fleet::{Ask, Asked, Settled};
use traffic::limit::{Limit, Measure, Period};
use traffic::rate::Share;
use traffic::{CallRecord, Outcome};

fn set(limits: &[&str], costs: &[(&str, u32)]) -> SetLimits {
    SetLimits {
        limits: limits.iter().map(|text| (*text).to_owned()).collect(),
        costs: costs.iter().map(|(operation, cost)| ((*operation).to_owned(), *cost)).collect(),
    }
}

#[tokio::test]
async fn limits_that_could_not_be_held_are_refused_and_change_nothing() {
    let world = World::new().await;
    world.api("orders", None).await;
    let app = &world.app;
    app.set_api_limits(&world.admin, "orders", set(&["9/s per source"], &[])).await.unwrap();
    for (wanted, reason, place, hint) in [
        (set(&["9/sec per source"], &[]), "bad_limit", "limits", "did you mean `s`?"),
        (set(&["9/s per api", "8/s per api"], &[]), "limit_twice", "limits", "keep one of them"),
        (set(&["9/s per api"; 9], &[]), "too_many_limits", "limits", "keep the strictest; 8"),
        (set(&[], &[("getOrdr", 2)]), "unknown_operation", "costs", "did you mean `getOrder`?"),
        (set(&[], &[("get order", 2)]), "bad_id", "costs", "use letters"),
        (set(&[], &[("getOrder", 2_000_000)]), "bad_cost", "costs", ""),
        (
            set(&["9/s per api"], &[("getOrder", 10)]),
            "cost_over_limit",
            "limits",
            "lower the cost, or write `9/s per api burst 10`",
        ),
    ] {
        let problem = app.set_api_limits(&world.admin, "orders", wanted).await.unwrap_err();
        assert_eq!((problem.reason.as_str(), problem.place.as_deref()), (reason, Some(place)));
        assert!(problem.hint.unwrap_or_default().starts_with(hint), "{reason}");
    }
    let member = world.member("kim").await;
    let wanted = || set(&["1/s per api"], &[]);
    let problem = app.set_api_limits(&member, "orders", wanted()).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotFound);
    let auditor = actor("robin", Role::Auditor);
    let problem = app.set_api_limits(&auditor, "orders", wanted()).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Forbidden);
    let detail = app.api(&world.admin, "orders").await.unwrap();
    assert_eq!(detail.api.limits, ["9/s per source"]);
}

#[tokio::test]
async fn what_the_file_declares_is_changed_there() {
    let world = World::new().await;
    let file = app::Actor { channel: app::Channel::File, ..world.admin.clone() };
    let declared = |limit: &str| NewApi {
        name: "orders".to_owned(),
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        document: Some(DOCUMENT.to_owned()),
        limits: vec![limit.to_owned()],
        costs: [("listOrders".to_owned(), 5)].into(),
        ..NewApi::default()
    };
    world.app.declare_apis(&file, vec![declared("9/s per caller")]).await.unwrap();
    let wanted = set(&["1/s per api"], &[]);
    let problem = world.app.set_api_limits(&world.admin, "orders", wanted).await.unwrap_err();
    assert_eq!((problem.kind, problem.reason.as_str()), (ProblemKind::Conflict, "other_origin"));
    let problem =
        world.app.declare_apis(&file, vec![declared("4/s per caller")]).await.unwrap_err();
    assert_eq!(problem.reason, "cost_over_limit");
    assert_eq!(problem.place.as_deref(), Some("api `orders`: limits"));
    world.app.declare_apis(&file, vec![declared("8/s per caller")]).await.unwrap();
    let detail = world.app.api(&world.admin, "orders").await.unwrap();
    assert_eq!(detail.api.limits, ["8/s per identity"]);
    let cost = |id: &str| detail.operations.iter().find(|one| one.id == id).unwrap().cost;
    assert_eq!((cost("listOrders"), cost("getOrder")), (5, 1));
}

#[tokio::test]
async fn a_document_that_loses_an_operation_with_a_cost_is_refused() {
    let world = World::new().await;
    world.api("orders", None).await;
    let wanted = set(&["9/s per caller"], &[("getOrder", 3)]);
    world.app.set_api_limits(&world.admin, "orders", wanted).await.unwrap();
    let import = async |document: String| {
        world.app.import_operations(&world.admin, "orders", &document, "orders.json").await
    };
    let problem = import(DOCUMENT.replace("getOrder", "readOrder")).await.unwrap_err();
    assert_eq!(problem.reason, "unknown_operation");
    let costing = |cost: u32| {
        let named = r#""operationId": "listOrders","#;
        DOCUMENT.replace(named, &format!("{named} \"x-cost\": {cost},"))
    };
    assert_eq!(import(costing(10)).await.unwrap_err().reason, "cost_over_limit");
    let detail = import(costing(4)).await.unwrap();
    let cost = |id: &str| detail.now.operations.iter().find(|one| one.id == id).unwrap().cost;
    assert_eq!((cost("listOrders"), cost("getOrder")), (4, 3));
}

/// One node on its database and its log, which outlive it.
struct Place {
    database: Database,
    log: Arc<DecisionLog>,
    clock: FakeClock,
    _files: ScratchDir,
}

impl Place {
    async fn new(database: Database) -> Self {
        let (clock, files) = (FakeClock::default(), ScratchDir::new());
        let log_clock = Arc::new(clock.clone());
        let log = DecisionLog::open(files.path(), Options::default(), log_clock).unwrap();
        let place = Self { database, log: Arc::new(log), clock, _files: files };
        let app = place.start().await;
        let robin = actor("robin", Role::Admin);
        let person = app::view::NewIdentity {
            name: "robin".to_owned(),
            kind: "person".to_owned(),
            ..app::view::NewIdentity::default()
        };
        app.add_identity(&robin, person).await.unwrap();
        let api = NewApi {
            name: "orders".to_owned(),
            path: "/orders".to_owned(),
            upstream: "http://127.0.0.1:9".to_owned(),
            document: Some(DOCUMENT.to_owned()),
            limits: vec!["100/day per identity".to_owned(), "100/s per identity".to_owned()],
            costs: [("listOrders".to_owned(), 5)].into(),
            ..NewApi::default()
        };
        app.add_api(&robin, api).await.unwrap();
        place
    }

    async fn start(&self) -> Arc<App> {
        self.clock.advance(Span::from_secs(1));
        let mut settings = Settings::new(NodeId::parse("node-a").unwrap());
        settings.admins = vec!["robin".to_owned()];
        let parts = Parts {
            store: Store::open(&self.database.url).await.unwrap(),
            clock: Arc::new(self.clock.clone()),
            entropy: Box::new(SeededEntropy::new(5)),
            keys: keys(),
            settings,
            fetcher: Arc::new(HttpFetcher::new().unwrap()),
            decision_log: Some(Arc::clone(&self.log)),
        };
        App::open(parts).await.unwrap()
    }

    fn now(&self) -> Timestamp {
        base::Clock::now(&self.clock)
    }

    /// A call of `svc` that was let through, recorded and safe.
    async fn call(&self, identity: &str, operation: &str) {
        self.clock.advance(Span::from_millis(100));
        let at = self.now();
        let seed = at.as_micros().unsigned_abs();
        let record = CallRecord {
            request_id: RequestId::generate(at, &mut SeededEntropy::new(seed)),
            at,
            duration_us: 9,
            identity_id: Some(identity.parse().unwrap()),
            credential_id: Some("cred_1".parse().unwrap()),
            api_id: Some("orders".parse().unwrap()),
            operation: Some(operation.parse().unwrap()),
            method: "GET".to_owned(),
            path: "/orders/items/1".to_owned(),
            source_ip: "192.0.2.1".parse().unwrap(),
            user_agent: None,
            outcome: Outcome::Allowed,
            reason: None,
            would_refuse: None,
            status: 200,
            grant_ids: vec!["g_1".parse().unwrap(), "g_2".parse().unwrap()],
            fields_removed: Vec::new(),
            fields_seen: None,
            guardrails: Vec::new(),
            violations: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            ruleset_version: 1,
            binding: None,
            rollout: None,
        };
        self.log.append(record).unwrap();
        self.log.flush().await.unwrap();
    }

    fn ask(&self, used: u64, holds: u64) -> Ask {
        let limit: Limit = "100/day per identity".parse().unwrap();
        let Measure::Quota { calendar, .. } = limit.measure() else { panic!("a quota") };
        Ask {
            key: "api orders per-identity-day svc".to_owned(),
            limit,
            period: Some(Period::at(calendar, self.now())),
            holds,
            used,
            demand: 0,
            is_idle: false,
        }
    }

    fn asked(&self, seen: u64, keys: Vec<Ask>) -> Asked {
        Asked { at: self.now(), split: Share::WHOLE, seen, keys, is_last: false }
    }
}

/// What the next life hears that former ones used, by identity.
fn elsewhere(settled: &Settled) -> Vec<(&str, u64)> {
    let mut heard: Vec<_> =
        settled.keys.iter().map(|told| (told.key.as_str(), told.elsewhere)).collect();
    heard.sort_unstable();
    heard
}

#[tokio::test]
async fn after_a_kill_the_records_since_the_last_round_are_put_down() {
    for database in testkit::databases() {
        let kind = database.kind;
        let place = Place::new(database).await;
        let app = place.start().await;
        app.recover_quotas().await.unwrap();
        app.settle_limits(place.asked(0, vec![])).await.unwrap();
        for _ in 0..4 {
            place.call("svc", "getOrder").await;
        }
        place.clock.advance(Span::from_millis(100));
        let told = app.settle_limits(place.asked(1, vec![place.ask(4, 4)])).await.unwrap();
        assert_eq!(told.keys[0].holds, Some(5), "{kind}: one more than was used");
        // Killed after these: one costs five, and one is of who was never told of.
        place.call("svc", "getOrder").await;
        place.call("svc", "listOrders").await;
        place.call("other", "getOrder").await;
        drop(app);

        let app = place.start().await;
        app.recover_quotas().await.unwrap();
        let settled = app.settle_limits(place.asked(0, vec![])).await.unwrap();
        let expected =
            [("api orders per-identity-day other", 1), ("api orders per-identity-day svc", 10)];
        assert_eq!(elsewhere(&settled), expected, "{kind}");
        // An orderly end leaves nothing to put down, and nothing is put down twice.
        let last = Asked { is_last: true, ..place.asked(settled.seen, vec![]) };
        app.settle_limits(last).await.unwrap();
        drop(app);
        let app = place.start().await;
        app.recover_quotas().await.unwrap();
        let settled = app.settle_limits(place.asked(0, vec![])).await.unwrap();
        assert_eq!(elsewhere(&settled), expected, "{kind}");
    }
}

#[tokio::test]
async fn without_its_store_a_round_is_not_reached() {
    let place = Place::new(Database::sqlite()).await;
    let app = place.start().await;
    app.settle_limits(place.asked(0, vec![])).await.unwrap();
    // A round with nothing to say asks no store; one with something does.
    let store = Store::open(&place.database.url).await.unwrap();
    let held = store.limit_book().await.unwrap();
    app.settle_limits(place.asked(1, vec![])).await.unwrap();
    drop(held);
    let broken = {
        let mut settings = Settings::new(NodeId::parse("node-b").unwrap());
        settings.admins = vec!["robin".to_owned()];
        let closed = Store::open(&place.database.url).await.unwrap();
        let parts = Parts {
            store: closed.clone(),
            clock: Arc::new(place.clock.clone()),
            entropy: Box::new(SeededEntropy::new(7)),
            keys: keys(),
            settings,
            fetcher: Arc::new(HttpFetcher::new().unwrap()),
            decision_log: None,
        };
        let app = App::open(parts).await.unwrap();
        closed.close().await;
        app
    };
    let unsettled = broken.settle_limits(place.asked(1, vec![place.ask(1, 1)])).await.unwrap_err();
    assert!(matches!(unsettled, Unsettled::NotReached(_)), "{unsettled:?}");
}

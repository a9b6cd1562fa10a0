//! An organisation with a review to do, on its own database, decision log and clock.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use app::view::{
    ItemView, NewApi, NewCredential, NewDecision, NewGrant, NewIdentity, ReviewDefinition,
};
use app::{Actor, App, Channel, HttpFetcher, Parts, Role, Settings};
use base::{NodeId, RequestId, Span, Timestamp};
use decision_log::{DecisionLog, Options};
use portreeve_app as app;
use store::{Store, Watermark, Writer};
use testkit::world::{DOCUMENT, actor, keys};
use testkit::{Database, FakeClock, ScratchDir, SeededEntropy};
use traffic::{CallRecord, Outcome, Usage, UsageKey};

/// `robin` administers and owns `reader`, `writer` and `idle`; `kim` owns the API `orders`.
/// A hundred days ago each of them was granted something on `orders`; since then `reader` listed
/// orders every tenth day, `writer` created one, and `idle` did nothing.
pub(crate) struct Desk {
    pub(crate) app: Arc<App>,
    pub(crate) clock: FakeClock,
    pub(crate) database: Arc<Database>,
    pub(crate) log: Arc<DecisionLog>,
    pub(crate) robin: Actor,
    pub(crate) kim: Actor,
    pub(crate) reader: String,
    pub(crate) writer: String,
    pub(crate) idle: String,
    key: String,
    _files: ScratchDir,
}

pub(crate) fn note(verdict: &str) -> NewDecision {
    NewDecision { verdict: verdict.to_owned(), note: Some("because".to_owned()) }
}

pub(crate) fn plain(verdict: &str) -> NewDecision {
    NewDecision { verdict: verdict.to_owned(), note: None }
}

pub(crate) fn machines() -> ReviewDefinition {
    ReviewDefinition {
        name: "machines".to_owned(),
        fallback: "robin".to_owned(),
        ..ReviewDefinition::default()
    }
}

async fn open(
    database: &Database,
    log: &Arc<DecisionLog>,
    clock: &FakeClock,
    node: &str,
) -> Arc<App> {
    let mut settings = Settings::new(NodeId::parse(node).unwrap());
    settings.admins = vec!["robin".to_owned()];
    let seed = node.bytes().fold(5, |seed, byte| seed * 31 + u64::from(byte));
    let parts = Parts {
        store: Store::open(&database.url).await.unwrap(),
        clock: Arc::new(clock.clone()),
        entropy: Box::new(SeededEntropy::new(seed)),
        keys: keys(),
        settings,
        fetcher: Arc::new(HttpFetcher::new().unwrap()),
        decision_log: Some(Arc::clone(log)),
    };
    App::open(parts).await.unwrap()
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::on(Database::sqlite()).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let (clock, files) = (FakeClock::default(), ScratchDir::new());
        let log_clock = Arc::new(clock.clone());
        let log = DecisionLog::open(files.path(), Options::default(), log_clock).unwrap();
        let (log, database) = (Arc::new(log), Arc::new(database));
        let app = open(&database, &log, &clock, "node-a").await;
        let robin = actor("robin", Role::Admin);
        for person in ["robin", "kim", "lee"] {
            identity(&app, &robin, person, "person", None).await;
        }
        for machine in ["reader", "writer", "idle"] {
            identity(&app, &robin, machine, "service_account", Some("robin")).await;
        }
        let api = NewApi {
            name: "orders".to_owned(),
            path: "/orders".to_owned(),
            upstream: "http://127.0.0.1:9".to_owned(),
            owner: Some("kim".to_owned()),
            document: Some(DOCUMENT.to_owned()),
            ..NewApi::default()
        };
        app.add_api(&robin, api).await.unwrap();
        let new = NewCredential { identity: "reader".to_owned(), ..NewCredential::default() };
        let key = app.issue_key(&robin, new).await.unwrap().credential.id;
        let reader = grant(&app, &robin, "reader", &["listOrders", "getOrder"]).await;
        let writer = grant(&app, &robin, "writer", &["createOrder"]).await;
        let idle = grant(&app, &robin, "idle", &["listOrders"]).await;
        let kim = actor("kim", Role::Member);
        let desk = Self {
            app,
            clock,
            database,
            log,
            robin,
            kim,
            reader,
            writer,
            idle,
            key,
            _files: files,
        };
        desk.live_a_hundred_days().await;
        desk
    }

    async fn live_a_hundred_days(&self) {
        self.call("writer", &self.writer, "createOrder").await;
        for _ in 0..10 {
            self.clock.advance(Span::from_days(10));
            self.call("reader", &self.reader, "listOrders").await;
            self.call("writer", &self.writer, "createOrder").await;
        }
        self.clock.advance(Span::from_secs(60));
        self.app.flush_usage().await.unwrap();
    }

    /// What another node, whose records are not here, folds of a call that a grant let through now.
    pub(crate) async fn used_elsewhere(&self, identity: &str, grant: &str, operation: &str) {
        let at = self.now();
        let key = UsageKey {
            grant_id: Some(grant.parse().unwrap()),
            identity_id: identity.parse().unwrap(),
            credential_id: self.key.parse().unwrap(),
            api_id: "orders".parse().unwrap(),
            operation: Some(operation.parse().unwrap()),
            day: at.day(),
        };
        let usage = Usage { calls: 1, succeeded: 1, first_at: at, last_at: at };
        let store = Store::open(&self.database.url).await.unwrap();
        let writer = Writer {
            actor: base::ActorId::parse("system:usage").unwrap(),
            channel: Channel::System,
        };
        let mut tx = store.begin(&writer, at).await.unwrap();
        let through = Watermark { segment: 1, batch: 0 };
        let node = NodeId::parse("node-b").unwrap();
        tx.merge_usage(&node, &[(key, usage)], through).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A call that a grant let through now.
    pub(crate) async fn call(&self, identity: &str, grant: &str, operation: &str) {
        let at = self.now();
        let record = CallRecord {
            request_id: RequestId::generate(at, &mut SeededEntropy::new(1)),
            at,
            duration_us: 900,
            identity_id: Some(identity.parse().unwrap()),
            credential_id: Some(self.key.parse().unwrap()),
            api_id: Some("orders".parse().unwrap()),
            operation: Some(operation.parse().unwrap()),
            method: "GET".to_owned(),
            path: "/orders".to_owned(),
            source_ip: [127, 0, 0, 1].into(),
            user_agent: None,
            outcome: Outcome::Allowed,
            reason: None,
            status: 200,
            grant_ids: vec![grant.parse().unwrap()],
            would_refuse: None,
            binding: None,
            rollout: None,
            fields_removed: vec![],
            violations: vec![],
            fields_seen: None,
            guardrails: Vec::new(),
            bytes_in: 0,
            bytes_out: 10,
            ruleset_version: self.app.ruleset().load().version(),
        };
        self.log.append_durable(record).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        base::Clock::now(&self.clock)
    }

    /// The process after this one: the same database and decision log, nothing in memory.
    pub(crate) async fn next_process(&self, name: &str) -> Arc<App> {
        open(&self.database, &self.log, &self.clock, name).await
    }

    /// Starts the review `machines`; gives its items: idle's, reader's, writer's.
    pub(crate) async fn review(&self) -> Vec<ItemView> {
        self.app.start_review(&self.robin, machines()).await.unwrap();
        self.app.review_items(&self.robin, "machines").await.unwrap()
    }

    /// Keeps writer's, narrows reader's and removes idle's, as drafts.
    pub(crate) async fn decide_all(&self) {
        for (item, verdict) in [("001", "remove"), ("002", "narrow"), ("003", "keep")] {
            let item = format!("machines-{item}");
            self.app.decide(&self.robin, &item, note(verdict)).await.unwrap();
        }
    }
}

async fn identity(app: &App, robin: &Actor, name: &str, kind: &str, owner: Option<&str>) {
    let new = NewIdentity {
        name: name.to_owned(),
        kind: kind.to_owned(),
        owner: owner.map(str::to_owned),
        ..NewIdentity::default()
    };
    app.add_identity(robin, new).await.unwrap();
}

pub(crate) async fn grant(app: &App, robin: &Actor, subject: &str, can: &[&str]) -> String {
    let new = NewGrant {
        subject: subject.to_owned(),
        api: "orders".to_owned(),
        can: can.iter().map(|word| (*word).to_owned()).collect(),
        ..NewGrant::default()
    };
    app.give_grant(robin, new).await.unwrap().id
}

//! The application in the test process, on an empty database, with a clock that the test moves.

use std::sync::Arc;

use app::view::{NewApi, NewIdentity};
use app::{Actor, App, Channel, HttpFetcher, Keys, Parts, Role, Settings, TrustedIssuer};
use base::{IdentityId, NodeId, Secret};
use store::Store;
use token::{KeyLabel, Pepper};

use crate::{Database, FakeClock, SeededEntropy};

/// An application and what surrounds it. It has one person, the administrator `robin`.
pub struct World {
    /// The use cases.
    pub app: Arc<App>,
    /// The time that they see.
    pub clock: FakeClock,
    /// The state below them, for tests that look at it or break it.
    pub store: Store,
    /// Where it is.
    pub database: Arc<Database>,
    /// An administrator.
    pub admin: Actor,
}

/// Makes a [`World`] that differs from the usual one.
pub struct WorldBuilder {
    database: Arc<Database>,
    clock: FakeClock,
    settings: Settings,
    seed: u64,
}

impl WorldBuilder {
    /// On this database.
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.database = Arc::new(database);
        self
    }

    /// With other settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Opens it.
    ///
    /// # Panics
    /// When the application does not open.
    pub async fn open(self) -> World {
        let store = Store::open(&self.database.url).await.unwrap();
        let parts = Parts {
            store: store.clone(),
            clock: Arc::new(self.clock.clone()),
            entropy: Box::new(SeededEntropy::new(self.seed)),
            keys: keys(),
            settings: self.settings,
            fetcher: Arc::new(HttpFetcher::new().unwrap()),
            decision_log: None,
        };
        let app = App::open(parts).await.unwrap();
        let admin = actor("robin", Role::Admin);
        if app.identity(&admin, "robin").await.is_err() {
            app.add_identity(&admin, person("robin")).await.unwrap();
        }
        World { app, clock: self.clock, store, database: self.database, admin }
    }
}

impl World {
    /// The usual one: SQLite in a scratch directory.
    pub async fn new() -> Self {
        Self::builder().open().await
    }

    /// One on this database.
    pub async fn on(database: Database) -> Self {
        Self::builder().database(database).open().await
    }

    /// To be changed before it opens.
    pub fn builder() -> WorldBuilder {
        let mut settings = Settings::new(NodeId::parse("node-a").unwrap());
        settings.key_label = KeyLabel::Test;
        settings.admins = vec!["robin".to_owned()];
        settings.issuers = vec![TrustedIssuer {
            name: "login".to_owned(),
            issuer: "https://login.example.test".to_owned(),
        }];
        let database = Arc::new(Database::sqlite());
        WorldBuilder { database, clock: FakeClock::default(), settings, seed: 1 }
    }

    /// Another node on the same database and the same clock.
    pub async fn another_node(&self, name: &str) -> World {
        let mut builder = Self::builder().settings(|settings| {
            settings.node = NodeId::parse(name).unwrap();
        });
        builder.database = Arc::clone(&self.database);
        builder.clock = self.clock.clone();
        // Ids drawn by another node must not repeat this one's.
        builder.seed = name.bytes().fold(2, |seed, byte| seed * 31 + u64::from(byte));
        builder.open().await
    }

    /// Adds a person; gives them as an actor who is a member.
    pub async fn member(&self, id: &str) -> Actor {
        self.app.add_identity(&self.admin, person(id)).await.unwrap();
        actor(id, Role::Member)
    }

    /// Adds a service account with an owner.
    pub async fn service(&self, id: &str, owner: Option<&str>) -> IdentityId {
        let new = NewIdentity {
            name: id.to_owned(),
            kind: "service_account".to_owned(),
            owner: owner.map(str::to_owned),
            ..NewIdentity::default()
        };
        self.app.add_identity(&self.admin, new).await.unwrap();
        IdentityId::parse(id).unwrap()
    }

    /// Adds an API at `/<id>` with the operations of [`DOCUMENT`].
    pub async fn api(&self, id: &str, owner: Option<&str>) {
        let new = NewApi {
            name: id.to_owned(),
            path: format!("/{id}"),
            upstream: "http://127.0.0.1:9".to_owned(),
            owner: owner.map(str::to_owned),
            document: Some(DOCUMENT.to_owned()),
            ..NewApi::default()
        };
        self.app.add_api(&self.admin, new).await.unwrap();
    }
}

/// Four operations: two that read, one that writes, one for administrators.
pub const DOCUMENT: &str = r#"{
  "openapi": "3.1.0",
  "info": {"title": "orders", "version": "1"},
  "paths": {
    "/items": {"get": {"operationId": "listOrders", "responses": {"200": {"description": "ok"}}},
          "post": {"operationId": "createOrder", "responses": {"201": {"description": "ok"}}}},
    "/items/{id}": {
      "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"operationId": "getOrder", "responses": {"200": {"description": "ok"}}},
      "delete": {"operationId": "purgeOrder", "tags": ["admin"],
                 "responses": {"204": {"description": "gone"}}}}
  }
}"#;

/// Fixed secrets, so that hashes repeat.
pub fn keys() -> Keys {
    Keys { pepper: Pepper::new(&[7; 32]).unwrap(), signing_seed: Secret::new([9; 32]) }
}

/// An actor over the admin API.
pub fn actor(id: &str, role: Role) -> Actor {
    let id = IdentityId::parse(id).unwrap();
    Actor { name: id.to_string(), id, role, channel: Channel::Api }
}

fn person(id: &str) -> NewIdentity {
    NewIdentity { name: id.to_owned(), kind: "person".to_owned(), ..NewIdentity::default() }
}

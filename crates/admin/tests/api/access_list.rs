//! Every operation and who may use it. An operation that is not in this list fails the test.

use std::collections::BTreeSet;

use app::view::AdminTokenView;
use serde_json::{Value, json};

use crate::door::{Door, EVERYBODY};

/// An operation, what is sent, and the status for anonymous, member, auditor and administrator.
/// The member owns nothing here: what they may not see is not found.
struct Row {
    operation: &'static str,
    path: String,
    body: Option<Value>,
    statuses: [u16; 4],
}

fn row(operation: &'static str, statuses: [u16; 4]) -> Row {
    let (_, path) = operation.split_once(' ').unwrap();
    Row { operation, path: format!("/api/v1{path}"), body: None, statuses }
}

/// One that is not below `/api/v1`.
fn outside(operation: &'static str, statuses: [u16; 4]) -> Row {
    let (_, path) = operation.split_once(' ').unwrap();
    Row { operation, path: path.to_owned(), body: None, statuses }
}

/// Questions of applications: whoever is somebody may ask, and is told what they may know.
fn questions() -> Vec<Row> {
    let question = json!({
        "subject": {"type": "identity", "id": "svc"},
        "action": {"name": "getOrder"},
        "resource": {"type": "api", "id": "orders"},
    });
    let ask = |operation| outside(operation, ALL).with(question.clone());
    vec![
        outside("GET /.well-known/authzen-configuration", [200; 4]),
        ask("POST /access/v1/evaluation"),
        ask("POST /access/v1/evaluations"),
        ask("POST /access/v1/search/subject"),
        ask("POST /access/v1/search/resource"),
        ask("POST /access/v1/search/action"),
    ]
}

impl Row {
    fn of(mut self, id: &str) -> Self {
        self.path = self.path.replace("{id}", id);
        self
    }

    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

const ALL: [u16; 4] = [401, 200, 200, 200];
const READERS: [u16; 4] = [401, 404, 200, 200];
/// Of no single object: whether it exists makes no difference to a member.
const AUDITORS: [u16; 4] = [401, 403, 200, 200];
const ADMINS: [u16; 4] = [401, 403, 403, 200];
/// Members do not see the object, auditors see it and change nothing.
const ADMINS_SEEN: [u16; 4] = [401, 404, 403, 200];

/// Objects that the requests name.
struct Objects {
    token: String,
    key: String,
    grant: String,
    narrowed: String,
}

async fn prepare(door: &Door) -> Objects {
    let world = &door.world;
    world.api("orders", Some("robin")).await;
    world.api("spare", Some("robin")).await;
    world.service("svc", Some("robin")).await;
    let key = json!({"identity": "svc"});
    let key = world.app.issue_key(&world.admin, serde_json::from_value(key).unwrap()).await;
    let mut grants = Vec::new();
    for can in [["getOrder", "listOrders"], ["createOrder", "listOrders"]] {
        let grant = json!({"subject": "svc", "api": "orders", "can": can});
        let given =
            world.app.give_grant(&world.admin, serde_json::from_value(grant).unwrap()).await;
        grants.push(given.unwrap().id);
    }
    let narrowed = grants.pop().unwrap();
    world.app.issue_admin_token(&world.admin, "robin", app::Role::Member).await.unwrap();
    let tokens = world.app.admin_tokens(&world.admin).await.unwrap();
    let is_it = |token: &&AdminTokenView| token.identity_id == "robin" && token.role == "member";
    let token = tokens.iter().find(is_it).unwrap().id.clone();
    Objects { token, key: key.unwrap().credential.id, grant: grants.pop().unwrap(), narrowed }
}

fn apis() -> Vec<Row> {
    vec![
        row("GET /apis", ALL),
        row("POST /apis", ADMINS)
            .with(json!({"name": "new", "path": "/new", "upstream": "http://127.0.0.1:9"})),
        row("GET /apis/{id}", READERS).of("orders"),
        row("PUT /apis/{id}/operations", ADMINS_SEEN)
            .of("spare")
            .with(json!({"document": testkit::world::DOCUMENT})),
        row("PUT /apis/{id}/mode", ADMINS_SEEN).of("spare").with(json!({"mode": "observe"})),
        row("PUT /apis/{id}/limits", ADMINS_SEEN)
            .of("spare")
            .with(json!({"limits": ["9/s per api"]})),
        row("PUT /apis/{id}/checks", ADMINS_SEEN)
            .of("spare")
            .with(json!({"requests": "observe", "closed": true})),
        row("DELETE /apis/{id}", ADMINS_SEEN).of("spare"),
    ]
}

fn rows(objects: &Objects) -> Vec<Row> {
    let why = || json!({"reason": "test"});
    let definition = json!({"name": "all", "fallback": "otto"});
    let mut rows = vec![
        row("GET /whoami", ALL),
        row("GET /status", AUDITORS),
        row("GET /today", ALL),
        row("GET /search", ALL).of(""),
        row("GET /audit", ALL),
        row("GET /audit/chain", AUDITORS),
        row("POST /admin-tokens", ADMINS_SEEN).with(json!({"identity": "robin", "role": "member"})),
        row("GET /admin-tokens", AUDITORS),
        row("POST /admin-tokens/{id}/revoke", [401, 403, 403, 200]).of(&objects.token).with(why()),
        row("POST /sign-in-links", ADMINS_SEEN).with(json!({"identity": "robin"})),
    ];
    rows.extend(apis());
    rows.extend([
        row("GET /identities", ALL),
        row("POST /identities", ADMINS).with(json!({"name": "svc-2", "kind": "workload"})),
        row("GET /identities/{id}", READERS).of("svc"),
        row("PUT /identities/{id}/owner", ADMINS_SEEN).of("svc").with(json!({"owner": "robin"})),
        row("POST /identities/{id}/suspend", ADMINS_SEEN).of("svc").with(why()),
        row("POST /identities/{id}/resume", ADMINS_SEEN).of("svc").with(why()),
        row("GET /groups", ALL),
        row("PUT /groups/{id}", ADMINS).of("ops").with(json!({"name": "Ops", "members": []})),
        row("GET /keys", ALL),
        row("POST /keys", ADMINS_SEEN).with(json!({"identity": "svc"})),
        row("GET /keys/{id}", READERS).of(&objects.key),
        row("GET /grants", ALL),
        row("POST /grants", ADMINS_SEEN)
            .with(json!({"subject": "svc", "api": "orders", "can": ["purgeOrder"]})),
        row("GET /grants/{id}", READERS).of(&objects.grant),
        row("GET /suggestions", AUDITORS),
        row("GET /calls", ALL),
        row("GET /streams", ALL),
        row("GET /calls/{id}/explanation", [401, 404, 404, 404]).of("r_none"),
        row("GET /findings", ALL),
        row("GET /signals", ALL),
        row("POST /findings/recheck", ADMINS),
        row("GET /review-definitions", ALL),
        row("GET /reviews", ALL),
        row("POST /reviews", ADMINS).with(definition),
        row("GET /reviews/{id}", READERS).of("all"),
        row("POST /reviews/{id}/extend", ADMINS_SEEN).of("all").with(json!({"days": 30})),
        row("GET /reviews/{id}/items", READERS).of("all"),
        row("GET /reviews/{id}/sign-off", READERS).of("all"),
        row("GET /reviews/{id}/evidence", AUDITORS).of("all"),
        row("PUT /items/{id}/draft", [401, 404, 404, 404])
            .of("none")
            .with(json!({"verdict": "keep"})),
        row("DELETE /items/{id}/draft", [401, 404, 404, 404]).of("none"),
        row("POST /reviews/{id}/sign-off", [401, 404, 404, 404]).of("none").with(json!({})),
    ]);
    rows.extend(authorization(objects));
    rows.push(
        row("POST /grants/{id}/narrow", ADMINS_SEEN)
            .of(&objects.narrowed)
            .with(json!({"operations": ["listOrders"], "reason": "test"})),
    );
    rows.extend(questions());
    rows.push(row("POST /reviews/{id}/cancel", ADMINS_SEEN).of("all").with(why()));
    rows.push(row("POST /grants/{id}/revoke", ADMINS_SEEN).of(&objects.grant).with(why()));
    rows.push(row("POST /keys/{id}/revoke", ADMINS_SEEN).of(&objects.key).with(why()));
    rows
}

/// What grants allow under, and changes of policy.
fn authorization(objects: &Objects) -> Vec<Row> {
    let why = || json!({"reason": "test"});
    vec![
        row("PUT /identities/{id}/attributes", ADMINS_SEEN)
            .of("svc")
            .with(json!({"attributes": {"tenant": ["acme"]}})),
        row("GET /policy", AUDITORS),
        row("GET /policy/versions", AUDITORS),
        row("POST /policy/test", AUDITORS).with(json!({})),
        row("POST /policy/replay", AUDITORS).with(json!({})),
        row("POST /policy/explain", [401, 404, 200, 200])
            .with(json!({"identity": "svc", "request": "GET /orders/items"})),
        row("POST /policy/prove", AUDITORS).with(json!({"question": "never_sees", "class": "phi"})),
        row("GET /policy/export", AUDITORS),
        row("POST /policy/publish", ADMINS_SEEN)
            .with(json!({"modes": {"orders": "observe"}, "why": "test"})),
        row("POST /policy/rollback", [401, 403, 404, 404])
            .with(json!({"version": 9, "reason": "test"})),
        row("GET /policy/rollouts", AUDITORS),
        row("GET /policy/rollout", [401, 403, 404, 404]),
        row("POST /policy/rollouts", [401, 403, 403, 200])
            .with(json!({"change": {"modes": {"orders": "enforce"}}, "share": 10})),
        row("POST /policy/rollout/advance", [401, 403, 403, 200]).with(json!({"share": 20})),
        row("POST /policy/rollout/return", [401, 403, 403, 200]).with(why()),
        row("GET /roles", ALL),
        row("PUT /roles/{id}", ADMINS_SEEN)
            .of("reader")
            .with(json!({"api": "orders", "can": ["read"]})),
        row("POST /roles/{id}/remove", ADMINS).of("reader").with(why()),
        row("GET /relations", AUDITORS),
        row("PUT /relations", ADMINS)
            .with(json!({"subject": "svc", "name": "owner", "wanted": {"add": ["42"]}})),
        row("POST /grants/{id}/withdraw", ADMINS_SEEN)
            .of(&objects.grant)
            .with(json!({"stage": "log_only", "reason": "test"})),
    ]
}

#[tokio::test]
async fn every_operation_answers_everybody_as_it_should() {
    let door = Door::open().await;
    let objects = prepare(&door).await;
    let mut wrong = Vec::new();
    for row in rows(&objects) {
        let (method, _) = row.operation.split_once(' ').unwrap();
        let path = match row.operation {
            "GET /search" => "/api/v1/search?text=svc".to_owned(),
            "GET /relations" => "/api/v1/relations?subject=svc".to_owned(),
            _ => row.path,
        };
        for (who, expected) in EVERYBODY.into_iter().zip(row.statuses) {
            let answer = door.ask(who, method, &path, row.body.as_ref()).await;
            if answer.status != expected {
                let (operation, status) = (row.operation, answer.status);
                wrong.push(format!("{operation} {who:?}: {status}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_is_in_the_list() {
    let document: Value =
        serde_json::from_str(&portreeve_admin::openapi().to_json().unwrap()).unwrap();
    let (mut served, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "two operations are called {}", operation["operationId"]);
            let path = path.trim_start_matches("/api/v1");
            served.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let none = String::new;
    let objects = Objects { token: none(), key: none(), grant: none(), narrowed: none() };
    let listed = rows(&objects).into_iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(served, listed);
}

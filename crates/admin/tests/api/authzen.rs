//! The AuthZEN Authorization API 1.0: its shapes, its errors, its batches and searches.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::door::{Answer, Door, Who};

/// `alice` and `bob` are people, `svc` is Robin's service account; `orders` is Robin's API.
async fn town() -> Door {
    let door = Door::open().await;
    let world = &door.world;
    world.member("alice").await;
    world.member("bob").await;
    world.service("svc", Some("maria")).await;
    world.api("orders", Some("robin")).await;
    world.api("spare", Some("maria")).await;
    for (subject, api, can) in [
        ("alice", "orders", json!(["getOrder", "listOrders", "createOrder"])),
        ("bob", "orders", json!(["getOrder"])),
        ("svc", "orders", json!(["getOrder"])),
        ("alice", "spare", json!(["getOrder"])),
    ] {
        give(&door, json!({"subject": subject, "api": api, "can": can})).await;
    }
    door
}

async fn give(door: &Door, grant: Value) -> String {
    let grant = serde_json::from_value(grant).unwrap();
    door.world.app.give_grant(&door.world.admin, grant).await.unwrap().id
}

fn question(who: &str, action: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": who},
        "action": {"name": action},
        "resource": {"type": "api", "id": "orders"},
    })
}

impl Door {
    async fn post(&self, who: Who, path: &str, body: &Value) -> Answer {
        self.ask(who, "POST", &format!("/access/v1/{path}"), Some(body)).await
    }

    async fn answer(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(Who::Admin, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/json");
        answer.json()
    }

    async fn decision(&self, body: &Value) -> bool {
        self.answer("evaluation", body).await["decision"].as_bool().unwrap()
    }
}

fn without(mut body: Value, path: &str) -> Value {
    let (object, member) = path.rsplit_once('/').unwrap();
    body.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(member).unwrap();
    body
}

fn assert_text(answer: &Answer, status: u16, part: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(answer.text.contains(part), "{}", answer.text);
}

#[tokio::test]
async fn what_is_no_question_is_refused_in_text() {
    let door = town().await;
    for missing in [
        "/subject",
        "/action",
        "/resource",
        "/subject/type",
        "/subject/id",
        "/action/name",
        "/resource/type",
        "/resource/id",
    ] {
        let body = without(question("alice", "getOrder"), missing);
        let name = missing.rsplit('/').next().unwrap();
        assert_text(&door.post(Who::Admin, "evaluation", &body).await, 400, name);
        assert_text(&door.post(Who::Admin, "evaluations", &body).await, 400, name);
    }
    for (member, value) in [
        ("subject", json!("alice")),
        ("subject", json!({"type": "user", "id": 7})),
        ("action", json!({"name": 123})),
        ("resource", json!([])),
        ("context", json!("now")),
        ("context", json!({"time": "yesterday"})),
        ("context", json!({"ip": "here"})),
        ("context", json!({"credential_class": "card"})),
        ("resource", json!({"type": "route", "id": "/a/../b"})),
        (
            "resource",
            json!({"type": "api", "id": "orders", "properties": {"header": {"host": 1,
            "x-http-method-override": "DELETE"}}}),
        ),
    ] {
        let mut body = question("alice", "getOrder");
        body[member] = value;
        assert_text(&door.post(Who::Admin, "evaluation", &body).await, 400, "");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_with_one_reading_is_refused() {
    let door = town().await;
    let bearer = format!("Bearer {}", door.token(Who::Admin));
    let post = |kind: &'static str, body: &'static str| {
        let request = Request::post("/access/v1/evaluation").header("authorization", &bearer);
        door.send(request.header("content-type", kind).body(Body::from(body)).unwrap())
    };
    let twice = r#"{"subject":{"type":"user","id":"bob","id":"alice"},"action":{"name":"getOrder"},
        "resource":{"type":"api","id":"orders"}}"#;
    assert_text(&post("application/json", twice).await, 400, "");
    assert_text(&post("application/json", "").await, 400, "object");
    assert_text(&post("application/json", "[]").await, 400, "object");
    assert_text(&post("application/json", "{").await, 400, "");
    assert_text(&post("text/plain", "{}").await, 400, "content-type");
}

#[tokio::test]
async fn who_is_nobody_is_asked_for_a_token_and_told_nothing() {
    let door = town().await;
    for path in ["evaluation", "evaluations", "search/subject", "search/resource", "search/action"]
    {
        let answer = door.post(Who::Anonymous, path, &json!({})).await;
        assert_text(&answer, 401, "token");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    let answer = door.ask(Who::Admin, "GET", "/access/v1/evaluation", None).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn the_id_of_a_request_comes_back_as_it_was() {
    let door = town().await;
    let ask = |token: &str| {
        let request = Request::post("/access/v1/evaluation")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("x-request-id", "bfe9eb29-ab87 \"4ca3\"");
        request.body(Body::from(question("alice", "getOrder").to_string())).unwrap()
    };
    for token in [door.token(Who::Admin), "wrong"] {
        let answer = door.send(ask(token)).await;
        assert_eq!(answer.headers["x-request-id"], "bfe9eb29-ab87 \"4ca3\"");
    }
    let answer = door.post(Who::Admin, "evaluation", &question("alice", "getOrder")).await;
    assert!(answer.headers["x-request-id"].to_str().unwrap().starts_with("r_"));
}

#[tokio::test]
async fn a_denial_is_an_answer_and_says_why_and_a_permission_names_its_grants() {
    let door = town().await;
    let answer = door.answer("evaluation", &question("bob", "createOrder")).await;
    assert_eq!(
        (&answer["decision"], &answer["context"]["reason"]),
        (&json!(false), &json!("no_grant"))
    );
    let mut body = question("alice", "getOrder");
    body["unknown"] = json!({"ignored": true});
    body["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1", "else": 1});
    let answer = door.answer("evaluation", &body).await;
    assert_eq!(answer["decision"], true);
    assert_eq!(answer["context"]["grants"].as_array().unwrap().len(), 1);
    assert!(answer["context"]["ruleset_version"].as_u64().unwrap() > 0);
    for (who, action) in [("nobody", "getOrder"), ("svc", "getOrder"), ("alice", "noSuch")] {
        assert!(!door.decision(&question(who, action)).await, "{who} {action}");
    }
}

#[tokio::test]
async fn types_of_subjects_and_resources_say_what_an_id_is_the_id_of() {
    let door = town().await;
    let ask = |subject: Value, action: &str, resource: Value| json!({"subject": subject, "action": {"name": action}, "resource": resource});
    let svc = |kind: &str| json!({"type": kind, "id": "svc"});
    let orders = json!({"type": "api", "id": "orders"});
    for (kind, expected) in
        [("identity", true), ("service_account", true), ("person", false), ("group", false)]
    {
        let body = ask(svc(kind), "getOrder", orders.clone());
        assert_eq!(door.decision(&body).await, expected, "{kind}");
    }
    let route = |id: &str| json!({"type": "route", "id": id});
    for (action, id, expected) in [
        ("GET", "/orders/items/42", true),
        ("HEAD", "/orders/items/42?x=1", true),
        ("GET", "https://any.example/orders/items/42", true),
        ("DELETE", "/orders/items/42", false),
        ("GET", "/orders/elsewhere", false),
        ("GET", "/nothing", false),
        ("getOrder", "/orders/items/42", false),
    ] {
        let body = ask(svc("identity"), action, route(id));
        assert_eq!(door.decision(&body).await, expected, "{action} {id}");
    }
}

#[tokio::test]
async fn defaults_hold_where_a_question_has_nothing_of_its_own() {
    let door = town().await;
    let body = json!({
        "subject": {"type": "user", "id": "bob"},
        "resource": {"type": "api", "id": "orders"},
        "evaluations": [
            {"action": {"name": "getOrder"}},
            {"action": {"name": "createOrder"}},
            {"action": {"name": "createOrder"}, "subject": {"type": "user", "id": "alice"}},
        ],
        "options": {"another_option": 1},
    });
    let answer = door.answer("evaluations", &body).await;
    assert!(answer.get("decision").is_none());
    let decisions = decisions(&answer);
    assert_eq!(decisions, [true, false, true]);
}

fn decisions(answer: &Value) -> Vec<bool> {
    let all = answer["evaluations"].as_array().unwrap();
    all.iter().map(|one| one["decision"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn without_questions_the_defaults_are_the_question() {
    let door = town().await;
    for empty in [json!([]), Value::Null] {
        let mut body = question("alice", "getOrder");
        body["evaluations"] = empty;
        let answer = door.answer("evaluations", &body).await;
        assert_eq!(answer["decision"], true);
        assert!(answer.get("evaluations").is_none());
    }
}

#[tokio::test]
async fn a_wrong_question_among_others_is_answered_in_its_place() {
    let door = town().await;
    let action = json!({"name": "getOrder"});
    let parts = json!([
        {"action": action},
        {},
        {"action": {"name": 7}},
        "x",
        {"action": action, "context": {"time": "never"}},
        {"action": action},
    ]);
    let body = json!({
        "subject": {"type": "user", "id": "bob"},
        "resource": {"type": "api", "id": "orders"},
        "evaluations": parts,
    });
    let answer = door.answer("evaluations", &body).await;
    assert_eq!(decisions(&answer), [true, false, false, false, false, true]);
    for wrong in 1..5 {
        let error = &answer["evaluations"][wrong]["context"]["error"];
        assert_eq!(error["status"], 400);
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let mut body = body;
    body["subject"] = json!("bob");
    assert_text(&door.post(Who::Admin, "evaluations", &body).await, 400, "");
    body["subject"] = Value::Null;
    body["evaluations"] = json!(vec![json!({}); 1_001]);
    assert_text(&door.post(Who::Admin, "evaluations", &body).await, 400, "1000");
}

#[tokio::test]
async fn a_semantic_ends_the_questions_early() {
    let door = town().await;
    let mut body = json!({
        "subject": {"type": "user", "id": "bob"},
        "resource": {"type": "api", "id": "orders"},
        "evaluations": [
            {"action": {"name": "getOrder"}},
            {"action": {"name": "createOrder"}},
            {"action": {"name": "getOrder"}},
        ],
    });
    for (semantic, expected) in [
        ("execute_all", vec![true, false, true]),
        ("deny_on_first_deny", vec![true, false]),
        ("permit_on_first_permit", vec![true]),
    ] {
        body["options"] = json!({"evaluations_semantic": semantic});
        let answer = door.answer("evaluations", &body).await;
        assert_eq!(decisions(&answer), expected, "{semantic}");
    }
    body["options"] = json!({"evaluations_semantic": "some"});
    assert_text(&door.post(Who::Admin, "evaluations", &body).await, 400, "execute_all");
    body["options"] = json!({"evaluations_semantic": "deny_on_first_deny"});
    body["evaluations"] = json!([{}, {"action": {"name": "getOrder"}}]);
    assert_eq!(decisions(&door.answer("evaluations", &body).await), [false]);
}

#[tokio::test]
async fn searches_find_who_on_what_and_what() {
    let door = town().await;
    let mut body = question("ignored", "getOrder");
    body["subject"] = json!({"type": "user"});
    let found = door.answer("search/subject", &body).await;
    let users = json!([{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}]);
    assert_eq!((&found["results"], &found["page"]["next_token"]), (&users, &json!("")));
    let mut body = question("alice", "getOrder");
    body["resource"] = json!({"type": "api", "id": "ignored"});
    let found = door.answer("search/resource", &body).await;
    let apis = json!([{"type": "api", "id": "orders"}, {"type": "api", "id": "spare"}]);
    assert_eq!(found["results"], apis);
    let body = without(question("alice", "-"), "/action");
    let found = door.answer("search/action", &body).await;
    let names = json!([{"name": "createOrder"}, {"name": "getOrder"}, {"name": "listOrders"}]);
    assert_eq!(found["results"], names);
    let mut body = body;
    body["resource"] = json!({"type": "route", "id": "/orders/items"});
    let found = door.answer("search/action", &body).await;
    assert_eq!(found["results"], json!([{"name": "GET"}, {"name": "HEAD"}, {"name": "POST"}]));
}

#[tokio::test]
async fn a_search_without_what_it_needs_is_refused_and_one_for_nothing_is_empty() {
    let door = town().await;
    let mut body = question("alice", "getOrder");
    for (path, missing) in [
        ("search/subject", "/subject/type"),
        ("search/subject", "/action"),
        ("search/resource", "/subject/id"),
        ("search/resource", "/resource/type"),
        ("search/action", "/resource/id"),
    ] {
        let body = without(body.clone(), missing);
        assert_text(&door.post(Who::Admin, path, &body).await, 400, "");
    }
    body["resource"] = json!({"type": "route"});
    assert_text(&door.post(Who::Admin, "search/resource", &body).await, 400, "routes");
    body["resource"] = json!({"type": "record"});
    let found = door.answer("search/resource", &body).await;
    assert_eq!(found["results"], json!([]));
    assert_eq!(found["page"], json!({"next_token": "", "count": 0}));
}

#[tokio::test]
async fn a_long_answer_comes_in_parts_that_belong_to_one_question() {
    let door = town().await;
    let mut body = question("-", "getOrder");
    body["subject"] = json!({"type": "identity"});
    body["page"] = json!({"limit": 2});
    let first = door.answer("search/subject", &body).await;
    assert_eq!(first["page"]["count"], 2);
    let token = first["page"]["next_token"].as_str().unwrap().to_owned();
    assert!(!token.is_empty());
    body["page"] = json!({"token": token});
    let second = door.answer("search/subject", &body).await;
    assert_eq!(second["results"], json!([{"type": "identity", "id": "svc"}]));
    assert_eq!(second["page"], json!({"next_token": "", "count": 1}));
    for page in [json!({"token": token, "limit": 3}), json!({"token": "00"}), json!({"limit": -1})]
    {
        body["page"] = page;
        assert_text(&door.post(Who::Admin, "search/subject", &body).await, 400, "");
    }
    body["page"] = json!({"token": token});
    body["action"] = json!({"name": "listOrders"});
    assert_text(&door.post(Who::Admin, "search/subject", &body).await, 400, "another question");
}

#[tokio::test]
async fn a_member_asks_about_itself_what_it_owns_and_its_apis_and_of_nobody_else() {
    let door = town().await;
    let ask = |who: &str, kind: &str, api: &str| {
        json!({"subject": {"type": kind, "id": who}, "action": {"name": "getOrder"},
            "resource": {"type": "api", "id": api}})
    };
    let deny = json!({"decision": false});
    for hidden in [
        ask("alice", "user", "orders"),
        ask("nobody", "user", "orders"),
        ask("alice", "user", "nothing"),
        ask("bob", "user", "spare"),
        ask("nobody", "user", "spare"),
    ] {
        let answer = door.post(Who::Member, "evaluation", &hidden).await;
        assert_eq!((answer.status, answer.json()), (200, deny.clone()), "{hidden}");
    }
    for (shown, decision) in [
        (ask("maria", "user", "orders"), false),
        (ask("svc", "identity", "orders"), true),
        (ask("alice", "user", "spare"), true),
    ] {
        let answer = door.post(Who::Member, "evaluation", &shown).await.json();
        assert_eq!(answer["decision"], decision, "{shown}");
        assert!(answer["context"].is_object(), "{shown}");
    }
    let mut body = question("-", "getOrder");
    body["subject"] = json!({"type": "identity"});
    let found = door.post(Who::Member, "search/subject", &body).await.json();
    assert_eq!(found["results"], json!([{"type": "identity", "id": "svc"}]));
}

#[tokio::test]
async fn an_api_that_only_observes_is_answered_as_if_it_enforced() {
    let door = town().await;
    door.world.app.set_api_mode(&door.world.admin, "orders", "observe").await.unwrap();
    let answer = door.answer("evaluation", &question("bob", "createOrder")).await;
    assert_eq!(answer["decision"], false);
    assert_eq!(answer["context"]["reason"], "no_grant");
    assert_eq!(answer["context"]["mode"], "observe");
    let answer = door.answer("evaluation", &question("bob", "getOrder")).await;
    assert_eq!(
        (&answer["decision"], &answer["context"]["mode"]),
        (&json!(true), &json!("observe"))
    );
}

#[tokio::test]
async fn what_was_revoked_is_denied_by_the_next_question() {
    let door = town().await;
    let grant = door.answer("evaluation", &question("bob", "getOrder")).await;
    let grant = grant["context"]["grants"][0].as_str().unwrap().to_owned();
    door.world.app.revoke_grant(&door.world.admin, &grant, "test").await.unwrap();
    assert!(!door.decision(&question("bob", "getOrder")).await);
}

#[tokio::test]
async fn anybody_is_told_where_the_questions_go() {
    let door = town().await;
    let path = "/.well-known/authzen-configuration";
    let answer = door.ask(Who::Anonymous, "GET", path, None).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let base = "https://console.example.test";
    let expected = json!({
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
        "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
        "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
        "search_action_endpoint": format!("{base}/access/v1/search/action"),
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn questions_are_counted() {
    let door = town().await;
    door.decision(&question("alice", "getOrder")).await;
    door.decision(&question("bob", "createOrder")).await;
    let metrics = door.ask(Who::Anonymous, "GET", "/metrics", None).await.text;
    assert!(metrics.contains("portreeve_access_evaluations_total{decision=\"true\"} 1"));
    assert!(metrics.contains("portreeve_access_evaluations_total{decision=\"false\"} 1"));
}

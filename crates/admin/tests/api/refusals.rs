//! What the API refuses, and how it says so.

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::door::{Answer, Door, Who};

fn assert_problem(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let body = answer.json();
    assert_eq!(body["reason"], reason, "{}", answer.text);
    assert_eq!(body["status"], status);
    let kind = format!("https://portreeve.dev/problems/{}", reason.replace('_', "-"));
    assert_eq!(body["type"], kind);
    let id = body["request_id"].as_str().unwrap();
    assert_eq!(answer.headers["x-request-id"], id);
}

#[tokio::test]
async fn a_member_that_the_operation_does_not_have_is_named() {
    let door = Door::open().await;
    let body = json!({"name": "x", "kind": "service_account", "onwer": "robin"});
    let answer = door.ask(Who::Admin, "POST", "/api/v1/identities", Some(&body)).await;
    assert_problem(&answer, 400, "bad_body");
    assert!(answer.json()["detail"].as_str().unwrap().contains("onwer"));
    let answer = door.ask(Who::Admin, "GET", "/api/v1/grants?subjet=x", None).await;
    assert_problem(&answer, 400, "bad_parameter");
    assert!(answer.json()["detail"].as_str().unwrap().contains("subjet"));
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let door = Door::open().await;
    let bearer = format!("Bearer {}", door.token(Who::Admin));
    let request = |kind: &str, body: String| {
        let request = Request::post("/api/v1/grants").header("authorization", &bearer);
        request.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    assert_problem(&door.send(request("text/plain", "{}".into())).await, 415, "not_json");
    assert_problem(&door.send(request("application/json", "{".into())).await, 400, "bad_body");
    let large = format!("\"{}\"", "x".repeat(2 << 20));
    assert_problem(&door.send(request("application/json", large)).await, 413, "too_large");
}

#[tokio::test]
async fn a_wrong_token_two_tokens_and_another_scheme_are_nobody() {
    let door = Door::open().await;
    let good = format!("Bearer {}", door.token(Who::Admin));
    let ask = |values: &[&str]| {
        let mut request = Request::get("/api/v1/whoami");
        for value in values {
            request = request.header("authorization", *value);
        }
        request.body(Body::empty()).unwrap()
    };
    for values in [
        &["Bearer pr_admin_wrong"][..],
        &["Bearer "],
        &["Basic cm9iaW46"],
        &[good.as_str(), good.as_str()],
        &["Bearer pr_admin_x", good.as_str()],
    ] {
        let answer = door.send(ask(values)).await;
        assert_eq!(answer.status, 401, "{values:?}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    assert_eq!(door.send(ask(&[&good.replace("Bearer", "bearer")])).await.status, 200);
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems_too() {
    let door = Door::open().await;
    let answer = door.ask(Who::Admin, "GET", "/api/v1/nothing", None).await;
    assert_problem(&answer, 404, "not_found");
    let answer = door.ask(Who::Admin, "PATCH", "/api/v1/apis", None).await;
    assert_problem(&answer, 405, "method_not_allowed");
    let answer = door.ask(Who::Admin, "GET", "/api/v1/identities/%FF", None).await;
    assert_problem(&answer, 400, "bad_path");
}

#[tokio::test]
async fn a_process_that_is_not_ready_says_why_to_those_who_ask() {
    let door = Door::open().await;
    let ready = door.ask(Who::Anonymous, "GET", "/readyz", None).await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "not ready\n"));
    let verbose = door.ask(Who::Anonymous, "GET", "/readyz?verbose", None).await;
    assert_eq!(verbose.text, "[-] store failed: away\nnot ready\n");
    assert_eq!(door.ask(Who::Anonymous, "GET", "/livez", None).await.status, 200);
    let metrics = door.ask(Who::Anonymous, "GET", "/metrics", None).await;
    assert!(metrics.text.contains("portreeve_build_info 1"));
}

#[tokio::test]
async fn the_reference_needs_nothing_from_elsewhere() {
    let door = Door::open().await;
    let page = door.ask(Who::Anonymous, "GET", "/api/docs", None).await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(door.ask(Who::Anonymous, "GET", "/api/docs.css", None).await.status, 200);
    let document = door.ask(Who::Anonymous, "GET", "/api/openapi.json", None).await.json();
    assert!(document["paths"]["/api/v1/grants/{id}/revoke"]["post"].is_object());
    assert_eq!(document["components"]["securitySchemes"]["admin_token"]["scheme"], "bearer");
}

//! The guard around every page, over the sample world.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

use crate::sample::{self, SampleDesk};

async fn send(request: Request<Body>) -> Response<Body> {
    let router = crate::router(Arc::new(SampleDesk::default()), sample::config());
    router.oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn get(path: &str, cookie: &str) -> Request<Body> {
    let request = Request::get(path).header(header::COOKIE, cookie);
    request.body(Body::empty()).unwrap()
}

fn post(path: &str, site: &str, body: &'static str) -> Request<Body> {
    Request::post(path)
        .header(header::COOKIE, "portreeve=admin")
        .header("sec-fetch-site", site)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

const DECISION: &str = "/reviews/machines/items/item_3/decision";

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    for site in ["cross-site", "same-site", "none", ""] {
        let response = send(post(DECISION, site, "csrf=sample-form-token&verdict=keep")).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{site}");
    }
}

#[tokio::test]
async fn without_fetch_metadata_the_origin_must_be_this_host() {
    let form = |origin: Option<&str>| {
        let mut request = post(DECISION, "x", "csrf=sample-form-token&verdict=keep");
        request.headers_mut().remove("sec-fetch-site");
        request.headers_mut().insert(header::HOST, "127.0.0.1:8444".parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        }
        request
    };
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://127.0.0.1:1")] {
        assert_eq!(send(form(origin)).await.status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    let own = send(form(Some("http://127.0.0.1:8444"))).await;
    assert_eq!(own.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_without_the_token_of_its_session_changes_nothing() {
    for body in ["verdict=keep", "csrf=&verdict=keep", "csrf=sample-form-tokem&verdict=keep"] {
        let response = send(post(DECISION, "same-origin", body)).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{body}");
        assert!(text(response).await.contains("bad_form_token"));
    }
}

#[tokio::test]
async fn a_form_larger_than_a_form_is_refused() {
    let mut request = post(DECISION, "same-origin", "");
    *request.body_mut() = Body::from(vec![b'a'; super::FORM_BYTES_MAX + 1]);
    assert_eq!(send(request).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_and_may_post_nothing() {
    let page = send(get("/reviews", "portreeve=unknown")).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers()[header::LOCATION], "/sign-in");
    let mut form = post(DECISION, "same-origin", "csrf=sample-form-token&verdict=keep");
    form.headers_mut().remove(header::COOKIE);
    assert_eq!(send(form).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_one_time_link_becomes_a_cookie_and_leaves_the_address() {
    let response = send(get("/?once=admin", "")).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/");
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("portreeve=admin; Path=/; Max-Age=86400; HttpOnly"));
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_used_link_and_a_prefetch_open_no_session() {
    let used = send(get("/?once=stranger", "")).await;
    assert_eq!(used.headers()[header::LOCATION], "/sign-in?link=refused");
    assert!(!used.headers().contains_key(header::SET_COOKIE));
    let again = get("/?once=stranger", "portreeve=admin");
    assert_eq!(send(again).await.headers()[header::LOCATION], "/", "signed in already");
    let mut guess = get("/?once=admin", "");
    guess.headers_mut().insert("sec-purpose", "prefetch".parse().unwrap());
    assert!(!send(guess).await.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn every_answer_carries_the_policy_headers() {
    let script = crate::assets::script_url();
    for path in ["/", "/sign-in", "/nothing", "/reviews/other", script, "/assets/other.js"] {
        let response = send(get(path, "portreeve=admin")).await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin", "{path}");
        let kept = path == script;
        assert_eq!(headers[header::CACHE_CONTROL] == "no-store", !kept, "{path}");
    }
}

#[tokio::test]
async fn what_the_framework_refuses_gets_a_page_too() {
    let missing = send(get("/nothing", "portreeve=admin")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(text(missing).await.contains("There is nothing here"));
    let method = send(post("/apis", "same-origin", "csrf=sample-form-token")).await;
    assert_eq!(method.status(), StatusCode::METHOD_NOT_ALLOWED);
    let query = send(get("/reviews/machines?from=minus", "portreeve=admin")).await;
    assert_eq!(query.status(), StatusCode::BAD_REQUEST);
    assert!(text(query).await.contains("<h1>That could not be read</h1>"));
}

#[tokio::test]
async fn a_decision_without_its_note_is_shown_on_its_row() {
    let path = "/reviews/machines/items/item_1/decision";
    let body = "csrf=sample-form-token&verdict=keep&note=%20&back=%3Ftab%3Dlook";
    let response = send(post(path, "same-origin", body)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let page = text(response).await;
    assert!(page.contains("This goes against the recommendation") && page.contains("<h1>"));
}

#[tokio::test]
async fn a_decision_goes_back_to_the_same_list_and_says_what_it_did() {
    let body = "csrf=sample-form-token&verdict=keep&back=%3Ftab%3Dlook%26group%3Dflat";
    let response = send(post(DECISION, "same-origin", body)).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = "/reviews/machines?tab=look&group=flat&done=item_3#items";
    assert_eq!(response.headers()[header::LOCATION], location);
}

#[tokio::test]
async fn the_script_gets_only_the_parts_that_changed() {
    let mut request = post(DECISION, "same-origin", "csrf=sample-form-token&verdict=keep");
    request.headers_mut().insert("x-portreeve-parts", "yes".parse().unwrap());
    let response = send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let parts = text(response).await;
    assert!(parts.contains("data-said=\"Draft: Keep for partner-northwind. 3 items left.\""));
    assert!(parts.contains("id=\"item-item_3\"") && parts.contains("id=\"progress\""));
    assert!(!parts.contains("<html"));
}

#[tokio::test]
async fn choices_survive_in_cookies_and_foreign_words_do_not() {
    let body = "csrf=sample-form-token&theme=dark&shortcuts=off&back=//evil.example";
    let response = send(post("/choices", "same-origin", body)).await;
    assert_eq!(response.headers()[header::LOCATION], "/");
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().count();
    assert_eq!(cookies, 2);
    let dark = send(get("/reviews", "portreeve=admin; portreeve-theme=dark")).await;
    assert!(text(dark).await.contains("data-theme=\"dark\""));
    let odd = send(get("/reviews", "portreeve=admin; portreeve-theme=\"><b>")).await;
    assert!(text(odd).await.contains("data-theme=\"auto\""));
}

#[tokio::test]
async fn the_evidence_is_a_file_with_a_harmless_name() {
    let response = send(get("/reviews/machines/evidence", "portreeve=admin")).await;
    assert_eq!(
        response.headers()[header::CONTENT_DISPOSITION],
        "attachment; filename=\"machines-evidence.json\""
    );
}

#[tokio::test]
async fn an_act_without_a_reason_is_not_done() {
    let blank = send(post("/keys/cred_1/revoke", "same-origin", "csrf=sample-form-token&reason="));
    assert_eq!(blank.await.status(), StatusCode::BAD_REQUEST);
    let body = "csrf=sample-form-token&reason=leaked&back=/identities/svc-invoice-export";
    let done = send(post("/keys/cred_1/revoke", "same-origin", body)).await;
    assert_eq!(done.headers()[header::LOCATION], "/identities/svc-invoice-export");
}

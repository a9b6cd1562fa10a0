//! Forms that name another method than the request line: what is judged must be what is served.

use http::{Method, StatusCode};
use testkit::Upstream;
use traffic::Reason;

use crate::contract::responses::over_http2_as;
use crate::kit::{Kit, Setup, State};

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=b";
const PART: &str =
    "--b\r\ncontent-disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--b--\r\n";

fn post(kit: &Kit, media: &str, body: &str) -> String {
    kit.post(&format!("content-type: {media}\r\ncontent-length: {}\r\n", body.len()), body)
}

#[tokio::test]
async fn a_form_that_names_another_method_is_refused_before_the_upstream_has_it() {
    let late = format!("a={}&_method=DELETE", "x".repeat(300_000));
    for (media, body) in [(FORM, "id=1&_method=DELETE"), (FORM, &late), (PARTS, PART)] {
        let upstream = Upstream::start().await;
        let kit = Kit::with(&upstream.url(), Setup::default()).await;
        let mut client = kit.connect().await;
        client.send(post(&kit, media, body)).await;
        let response = client.response().await;
        assert_eq!((response.status, response.reason().as_str()), (400, "forbidden_header"));
        client.rest().await;
        assert_eq!(upstream.seen(), [], "no whole request");
        assert_eq!(kit.record().await.reason, Some(Reason::ForbiddenHeader));
        kit.no_more_records().await;
    }
}

#[tokio::test]
async fn the_same_holds_over_http2() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), Setup::default()).await;
    for (media, body) in [(FORM, "_method=DELETE"), (PARTS, PART)] {
        let answer = over_http2_as(&kit, Method::POST, "/orders", media, body).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST);
        assert_eq!(kit.record().await.reason, Some(Reason::ForbiddenHeader));
    }
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn a_form_that_was_read_before_the_decision_is_looked_through_too() {
    let upstream = Upstream::start().await;
    let adjust = |state: &mut State| {
        state.grant.terms.ties = vec!["body.sku = \"a\"".parse().unwrap()];
        state.api.mode = catalog::ApiMode::Observe;
    };
    let setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    client.send(post(&kit, FORM, "_method=DELETE")).await;
    assert_eq!(client.response().await.reason(), "forbidden_header");
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn a_form_that_is_packed_or_has_no_type_is_no_way_around() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), Setup::default()).await;
    for (fields, reason) in [
        (format!("content-type: {FORM}\r\ncontent-encoding: gzip\r\n"), "malformed_request"),
        (String::new(), "forbidden_header"),
        (format!("content-type: {FORM} x\r\n"), "forbidden_header"),
        (format!("content-type: text/plain\r\ncontent-type: {FORM}\r\n"), "malformed_request"),
        (format!("content-type: {FORM}\r\ncontent-type: {PARTS}\r\n"), "malformed_request"),
    ] {
        let body = "_method=DELETE";
        let mut client = kit.connect().await;
        client.send(kit.post(&format!("{fields}content-length: {}\r\n", body.len()), body)).await;
        assert_eq!(client.response().await.reason(), reason, "{fields}");
    }
    assert_eq!(upstream.seen(), []);
}

#[tokio::test]
async fn parts_without_one_boundary_are_refused_and_other_forms_pass_as_they_are() {
    let upstream = Upstream::start().await;
    let kit = Kit::with(&upstream.url(), Setup::default()).await;
    let mut client = kit.connect().await;
    client.send(post(&kit, "multipart/form-data", PART)).await;
    assert_eq!(client.response().await.reason(), "malformed_request");
    let mut client = kit.connect().await;
    let method = PART.replace("_method", "method");
    for (media, body) in [(FORM, "id=1&method=DELETE"), (PARTS, method.as_str())] {
        client.send(post(&kit, media, body)).await;
        assert_eq!(client.response().await.status, 200);
        assert_eq!(upstream.seen().last().unwrap().body, body.as_bytes());
    }
}

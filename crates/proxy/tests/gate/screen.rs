//! What a caller may not see of a response: refused, removed, or cut. Refusals first.

use catalog::{DataClass, Field};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Response, Setup, State};

const TWO: &str = r#"{"id": 42, "customer": {"name": "Ann", "card": "4111"}, "secret": 1}"#;

/// An upstream that answers with this head (each line with CR LF) and body.
pub async fn answering(head: &'static str, body: &'static [u8]) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            let length = body.len();
            conversation.send(format!("HTTP/1.1 {head}content-length: {length}\r\n\r\n")).await?;
            conversation.send(body).await?;
        }
        Ok(())
    })
    .await
}

pub const JSON: &str = "200 OK\r\ncontent-type: application/json\r\netag: \"x\"\r\n";

pub async fn showing(upstream: &Upstream, fields: &'static [&'static str]) -> Kit {
    limited(upstream, move |state| {
        state.grant.fields = Some(fields.iter().map(|field| (*field).to_owned()).collect());
    })
    .await
}

pub async fn tied(upstream: &Upstream, tie: &'static str) -> Kit {
    limited(upstream, move |state| state.grant.terms.ties.push(tie.parse().unwrap())).await
}

pub async fn limited(upstream: &Upstream, adjust: impl Fn(&mut State) + 'static) -> Kit {
    let adjust = move |state: &mut State| {
        state.identity.attributes.insert("tenant".to_owned(), vec!["acme".to_owned()]);
        let paths = ["customer.card", "customer.name", "id", "secret"];
        for operation in &mut state.api.operations {
            let field = |path: &str| Field::new(path, DataClass::Internal);
            operation.fields = paths.into_iter().map(field).collect();
        }
        adjust(state);
    };
    Kit::with(&upstream.url(), Setup { adjust: Box::new(adjust), ..Setup::default() }).await
}

pub async fn ask(kit: &Kit, more: &str) -> Response {
    let mut client = kit.connect().await;
    client.send(kit.get(more)).await;
    client.response().await
}

pub async fn withheld(kit: &Kit, response: &Response, reason: Reason) {
    assert_eq!((response.status, response.reason().as_str()), (reason.status(), reason.as_str()));
    let text = String::from_utf8_lossy(&response.body).into_owned();
    assert!(!text.contains("4111") && !text.contains("Ann"), "{text}");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Withheld, Some(reason)));
    assert_eq!(record.grant_ids.len(), 1, "the request was allowed, and by this");
}

#[tokio::test]
async fn what_cannot_be_filtered_is_refused() {
    let part = "206 Partial Content\r\ncontent-type: application/json\r\n";
    let twice = "200 OK\r\ncontent-type: application/json\r\ncontent-type: text/html\r\n";
    let cases: [(&str, &[u8]); 8] = [
        ("200 OK\r\ncontent-type: text/html\r\n", b"<p>Ann</p>"),
        ("200 OK\r\n", TWO.as_bytes()),
        (twice, TWO.as_bytes()),
        (part, TWO.as_bytes()),
        ("200 OK\r\ncontent-type: application/json; charset=utf-16\r\n", TWO.as_bytes()),
        (JSON, br#"{"id": 42, "customer": "Ann" "#),
        (JSON, br#"{"id": 42} {"customer": "Ann"}"#),
        (JSON, b"Ann"),
    ];
    for (head, body) in cases {
        let upstream = answering(head, body).await;
        let kit = showing(&upstream, &["customer.name"]).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        let response = client.head().await.unwrap();
        if response.starts_with("HTTP/1.1 200") {
            // Something was shown before the trouble came: then the end is missing.
            let rest = client.rest().await;
            assert!(!rest.ends_with(b"0\r\n\r\n"), "{head}: a false end");
            assert_eq!(kit.record().await.outcome, Outcome::Withheld, "{head}");
            continue;
        }
        assert!(response.starts_with("HTTP/1.1 502"), "{head}: {response}");
        let record = kit.record().await;
        let expected = (Outcome::Withheld, Some(Reason::ResponseUnreadable));
        assert_eq!((record.outcome, record.reason), expected, "{head}");
    }
}

#[tokio::test]
async fn what_is_not_listed_is_removed_and_recorded() {
    let upstream = answering(JSON, TWO.as_bytes()).await;
    let kit = showing(&upstream, &["id", "customer.name"]).await;
    let response = ask(&kit, "range: bytes=0-9\r\naccept-encoding: gzip, br\r\n").await;
    assert_eq!(response.status, 200);
    let shown: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(shown, serde_json::json!({"id": 42, "customer": {"name": "Ann"}}));
    assert_eq!(response.field("etag"), None, "it was the whole one's");
    let record = kit.record().await;
    assert_eq!(record.outcome, Outcome::Allowed);
    assert_eq!(record.fields_removed, ["customer.card", "secret"]);
    assert_eq!(record.bytes_out, response.body.len() as u64);
    let [request] = upstream.seen().try_into().unwrap();
    assert_eq!(request.fields("accept-encoding"), ["identity"]);
    assert!(request.fields("range").is_empty());
}

#[tokio::test]
async fn an_error_keeps_its_status_and_loses_its_words() {
    let head = "404 Not Found\r\ncontent-type: application/json\r\n";
    let upstream = answering(head, br#"{"detail": "Ann has no order"}"#).await;
    let kit = showing(&upstream, &["id"]).await;
    let response = ask(&kit, "").await;
    assert_eq!((response.status, response.body.as_slice()), (404, b"".as_slice()));
    assert_eq!(kit.record().await.status, 404);
}

#[tokio::test]
async fn an_answer_about_another_tenant_is_withheld_whole() {
    for body in [
        r#"{"tenant": "evil", "name": "Ann"}"#,
        r#"{"name": "Ann"}"#,
        r#"{"name": "Ann", "tenant": null}"#,
        r#"{"name": "Ann", "tenant": ["acme"]}"#,
        r#"{"tenant": "Acme", "name": "Ann"}"#,
    ] {
        let upstream = answering(JSON, body.as_bytes()).await;
        let kit = tied(&upstream, "response.tenant = identity.tenant").await;
        let response = ask(&kit, "").await;
        withheld(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    let twice = r#"{"tenant": "evil", "name": "Ann", "tenant": "acme"}"#;
    let upstream = answering(JSON, twice.as_bytes()).await;
    let kit = tied(&upstream, "response.tenant = identity.tenant").await;
    let response = ask(&kit, "").await;
    assert!(response.status == 403 || response.status == 502);
    assert!(!String::from_utf8(response.body).unwrap().contains("Ann"));

    let upstream = answering(JSON, br#"{"name": "Ann", "tenant": "acme"}"#).await;
    let kit = tied(&upstream, "response.tenant = identity.tenant").await;
    assert_eq!(ask(&kit, "").await.body, br#"{"name": "Ann", "tenant": "acme"}"#);
}

#[tokio::test]
async fn items_of_a_list_that_are_others_are_removed() {
    let list = br#"{"items": [{"id": 1, "t": "acme"}, {"id": 2, "t": "evil"}, {"id": 3}], "n": 3}"#;
    let upstream = answering(JSON, list).await;
    let kit = tied(&upstream, "response.items[].t = identity.tenant").await;
    let response = ask(&kit, "").await;
    let shown: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(shown, serde_json::json!({"items": [{"id": 1, "t": "acme"}], "n": 3}));
    assert_eq!(kit.record().await.fields_removed, ["(2 items)"]);
}

#[tokio::test]
async fn events_are_filtered_one_by_one_and_not_held_back() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    transfer-encoding: chunked\r\n\r\n";
        conversation.send(head).await?;
        let event = "data: {\"id\": 1, \"name\": \"Ann\"}\n\n";
        conversation.send(format!("{:x}\r\n{event}\r\n", event.len())).await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = showing(&upstream, &["id"]).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    let chunk = String::from_utf8(client.chunk().await.unwrap()).unwrap();
    assert!(chunk.contains("\"id\": 1") && !chunk.contains("Ann"), "{chunk}");
}

#[tokio::test]
async fn a_websocket_of_which_only_a_part_may_be_seen_is_not_opened() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                    upgrade: websocket\r\n\r\n";
        conversation.send(head).await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = showing(&upstream, &["id"]).await;
    let response = ask(&kit, "connection: upgrade\r\nupgrade: websocket\r\n").await;
    withheld(&kit, &response, Reason::ResponseUnreadable).await;
}

#[tokio::test]
async fn over_http2_the_same_is_removed_withheld_and_recorded() {
    let upstream = answering(JSON, TWO.as_bytes()).await;
    let kit = showing(&upstream, &["id"]).await;
    let (status, body) = crate::http2::get(&kit, "/orders/42").await;
    assert_eq!((status, body.as_slice()), (200, br#"{"id": 42}"#.as_slice()));
    assert_eq!(kit.record().await.fields_removed, ["customer", "secret"]);

    let upstream = answering(JSON, br#"{"tenant": "evil", "name": "Ann"}"#).await;
    let kit = tied(&upstream, "response.tenant = identity.tenant").await;
    let (status, body) = crate::http2::get(&kit, "/orders/42").await;
    assert_eq!(status, 403);
    assert!(!String::from_utf8(body).unwrap().contains("Ann"));
    let record = kit.record().await;
    assert_eq!(
        (record.outcome, record.reason),
        (Outcome::Withheld, Some(Reason::ObjectNotAllowed))
    );
}

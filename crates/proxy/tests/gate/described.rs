//! What a document marks, what nobody described, and what only an answer's head tells: none of it
//! reaches a caller who may not see it.

use catalog::{Impact, Prefix};
use serde_json::{Value, json};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Kit, Response};
use crate::screen::{JSON, answering, ask, limited, showing, tied, withheld};

/// A gate before an upstream that answers with `body`, of which the document says `schema`, for a
/// caller who is shown these fields.
async fn described(
    schema: &Value,
    schemas: &Value,
    fields: &'static [&'static str],
    body: &Value,
) -> (Kit, Upstream) {
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "orders", "version": "1"},
        "paths": {"/orders/{id}": {"get": {"operationId": "getOrder", "responses": {"200": {
            "description": "it", "content": {"application/json": {"schema": schema}},
        }}}}},
        "components": {"schemas": schemas},
    });
    let prefix = Prefix(Some("/"));
    let read = catalog::import(&document.to_string(), "orders.json", prefix, Impact::Low).unwrap();
    let known = read.operations[0].fields.clone();
    let body = body.to_string().into_bytes().leak();
    let upstream = answering(JSON, body).await;
    let kit = limited(&upstream, move |state| {
        for operation in &mut state.api.operations {
            operation.fields = known.clone();
        }
        state.grant.fields = Some(fields.iter().map(|field| (*field).to_owned()).collect());
    })
    .await;
    (kit, upstream)
}

/// What is left of a body for a caller without `phi`.
async fn left(schema: Value, schemas: Value, body: Value) -> Value {
    let (kit, _upstream) = described(&schema, &schemas, &["no phi"], &body).await;
    let response = ask(&kit, "").await;
    assert_eq!(response.status, 200);
    let text = String::from_utf8(response.body).unwrap();
    assert!(!text.contains("SECRET"), "{schema}: {text}");
    assert!(!format!("{:?}", kit.record().await).contains("SECRET"));
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn what_the_document_marks_does_not_leave_wherever_it_is_marked() {
    let text = json!({"type": "string"});
    let ssn = json!({"type": "object", "properties": {
        "ssn": {"type": "string", "x-data-class": "phi"}, "ok": text,
    }});
    let none = json!({});
    let one = json!({"ssn": "SECRET", "ok": "a"});
    let v = |schema: Value| json!({"type": "object", "properties": {"v": schema}});
    let shown = json!({"v": {"ok": "a"}});
    for schema in [
        json!({"if": {"required": ["x"]}, "then": ssn}),
        json!({"if": {"required": ["x"]}, "then": {}, "else": ssn}),
        json!({"dependentSchemas": {"x": ssn}}),
        json!({"oneOf": [ssn, {"properties": {"ssn": text}}]}),
    ] {
        assert_eq!(left(v(schema), none.clone(), json!({"v": one})).await, shown);
    }
    for others in ["additionalProperties", "unevaluatedProperties"] {
        let map = left(v(json!({others: ssn})), none.clone(), json!({"v": {"a": one}})).await;
        assert_eq!(map, json!({"v": {"a": {"ok": "a"}}}));
    }
    let pattern = v(json!({"patternProperties": {"^a": ssn}}));
    let map = left(pattern, none.clone(), json!({"v": {"a": one}})).await;
    assert_eq!(map, json!({}), "a pattern describes no name");
    let tuple = v(json!({"type": "array", "prefixItems": [ssn]}));
    let list = left(tuple, none.clone(), json!({"v": [one]})).await;
    assert_eq!(list, json!({"v": [{"ok": "a"}]}));
    // Listed beside others that may be seen.
    let map = v(json!({
        "properties": {"ssn": {"type": "string", "x-data-class": "phi"}},
        "additionalProperties": text,
    }));
    assert_eq!(left(map, none.clone(), json!({"v": one})).await, shown);
    let tree = json!({"Rec": {"type": "object", "properties": {
        "name": text,
        "s": {"type": "string", "x-data-class": "phi"},
        "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Rec"}},
    }}});
    let kid = json!({"name": "b", "s": "SECRET", "kids": [{"s": "SECRET"}]});
    let body = json!({"name": "a", "s": "SECRET", "kids": [kid]});
    let root = json!({"$ref": "#/components/schemas/Rec"});
    assert_eq!(left(root, tree, body).await, json!({"name": "a"}));
}

#[tokio::test]
async fn what_nobody_described_does_not_leave_beside_a_class_that_is_left_out() {
    let one = json!({"ssn": "SECRET", "ok": {"ssn": "SECRET"}});
    for schema in [
        json!({}),
        json!(true),
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "additionalProperties": {}}),
        json!({"type": "array"}),
        json!({"type": "array", "items": {}}),
        json!({"type": "string"}),
        json!({"type": ["string", "null"]}),
    ] {
        let whole =
            json!({"type": "object", "properties": {"v": schema, "id": {"type": "integer"}}});
        for value in [one.clone(), json!([one]), json!([[one]])] {
            let left = left(whole.clone(), json!({}), json!({"v": value, "id": 1})).await;
            // Lists of what is described may be empty.
            let text = left["v"].to_string();
            assert!(left["id"] == 1 && ["null", "[]", "[[]]"].contains(&text.as_str()), "{left}");
        }
    }
}

#[tokio::test]
async fn names_that_are_data_are_not_in_the_record() {
    let body = json!({"customer": {"a@secret.example": {"name": "x"}, "b@secret.example": 2,
        "name": "Ann"}, "by_mail": {"c@secret.example": {"ssn": 1}}, "id": 42, "a.b@secret": 1});
    let text = json!({"type": "string"});
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "integer"},
        "customer": {"type": "object", "properties": {"name": text}},
        "by_mail": {"additionalProperties": {"properties": {"ssn": text}}},
    }});
    let (kit, _upstream) = described(&schema, &json!({}), &["customer.name"], &body).await;
    assert_eq!(ask(&kit, "").await.body, br#"{"customer":{"name":"Ann"}}"#);
    let record = kit.record().await;
    assert_eq!(record.fields_removed, ["*", "by_mail", "customer.*", "id"]);
    let (kit, _upstream) = described(&schema, &json!({}), &["by_mail.x"], &body).await;
    ask(&kit, "").await;
    let record = kit.record().await;
    assert_eq!(record.fields_removed, ["*", "by_mail.*", "customer", "id"]);
    assert!(!format!("{record:?}").contains("secret"), "{record:?}");
}

#[tokio::test]
async fn an_answer_without_the_list_that_is_judged_is_withheld() {
    for (tie, bodies) in [
        (
            "response[].tenant = identity.tenant",
            [r#"{"name": "Ann", "tenant": "x"}"#, r#"{"items": [{"name": "Ann", "tenant": "x"}]}"#],
        ),
        (
            "response.items[].tenant = identity.tenant",
            [
                r#"{"data": [{"name": "Ann", "tenant": "x"}]}"#,
                r#"[{"name": "Ann", "tenant": "x"}]"#,
            ],
        ),
        (
            "response.items[].tenant = identity.tenant",
            [
                r#"{"items": {"name": "Ann", "tenant": "x"}}"#,
                r#"{"name": "Ann", "tenant": "acme"}"#,
            ],
        ),
    ] {
        for body in bodies {
            let upstream = answering(JSON, body.as_bytes()).await;
            let kit = tied(&upstream, tie).await;
            let response = ask(&kit, "").await;
            withheld(&kit, &response, Reason::ObjectNotAllowed).await;
        }
    }
    let lines = "200 OK\r\ncontent-type: application/x-ndjson\r\n";
    let body = b"{\"name\":\"Ann\"}\n{\"items\":[{\"tenant\":\"acme\"},{\"name\":\"Ann\"}]}\n";
    let upstream = answering(lines, body).await;
    let kit = tied(&upstream, "response.items[].tenant = identity.tenant").await;
    assert_eq!(ask(&kit, "").await.body, b"{\"items\":[{\"tenant\":\"acme\"}]}\n");
    assert_eq!(kit.record().await.fields_removed, ["(1 items)", "(1 messages)"]);
}

/// An upstream that only tells of a body, as it does to a HEAD.
async fn telling(head: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(format!("HTTP/1.1 {head}etag: \"v7\"\r\n\r\n")).await?;
        }
        Ok(())
    })
    .await
}

async fn head_of(kit: &Kit, method: &str, more: &str) -> Response {
    let mut client = kit.connect().await;
    client.send(kit.get(more).replacen("GET", method, 1)).await;
    let head = client.head().await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head, body: Vec::new() }
}

#[tokio::test]
async fn a_head_does_not_get_around_what_an_answer_is_judged_by() {
    let own = "200 OK\r\ncontent-type: application/json\r\ncontent-length: 26\r\n";
    for (method, head) in [("HEAD", own), ("GET", "304 Not Modified\r\ncontent-length: 26\r\n")] {
        let upstream = telling(head).await;
        let kit = tied(&upstream, "response.tenant = identity.tenant").await;
        let response = head_of(&kit, method, "if-none-match: \"v7\"\r\n").await;
        assert_eq!(response.status, Reason::ResponseUnreadable.status(), "{method}");
        assert_ne!(response.field("content-length"), Some("26"));
        let record = kit.record().await;
        let expected = (Outcome::Withheld, Some(Reason::ResponseUnreadable));
        assert_eq!((record.outcome, record.reason), expected, "{method}");
        if method == "HEAD" {
            let (status, head) = crate::http2::head(&kit).await;
            assert_eq!(status, Reason::ResponseUnreadable.status());
            assert!(!head.contains_key("etag"));
            kit.record().await;
        }
    }
    // That there is no such thing is told as to a GET.
    let upstream = telling("404 Not Found\r\ncontent-length: 26\r\n").await;
    let kit = tied(&upstream, "response.tenant = identity.tenant").await;
    let response = head_of(&kit, "HEAD", "").await;
    assert_eq!((response.status, response.field("content-length")), (404, None));
}

#[tokio::test]
async fn a_head_does_not_tell_how_long_the_whole_is() {
    let upstream =
        telling("200 OK\r\ncontent-type: application/json\r\ncontent-length: 2600\r\n").await;
    let kit = showing(&upstream, &["id"]).await;
    let response = head_of(&kit, "HEAD", "").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.field("content-type"), Some("application/json"));
    assert_eq!((response.field("content-length"), response.field("etag")), (None, None));
    let (status, head) = crate::http2::head(&kit).await;
    assert_eq!(status, 200);
    assert!(!head.contains_key("content-length") && !head.contains_key("etag"), "{head:?}");
}

#[tokio::test]
async fn a_stream_of_events_may_end_with_the_usual_word() {
    let events = "200 OK\r\ncontent-type: text/event-stream\r\n";
    let body = b"data: {\"id\":1,\"name\":\"Ann\"}\n\ndata: [DONE]\n\n";
    let upstream = answering(events, body).await;
    let kit = showing(&upstream, &["id"]).await;
    let response = ask(&kit, "").await;
    assert_eq!((response.status, kit.record().await.outcome), (200, Outcome::Allowed));
    assert_eq!(response.body, b"data: {\"id\":1}\n\ndata: [DONE]\n\n");
}

//! Conditions on the object of a request, over the wire: refusals first. What is judged is what
//! the upstream gets.

use std::sync::Arc;

use base::ApiId;
use grant::{Place, Terms};
use identity::Identity;
use policy::{Change, Explained, Guard, Judgement, Question, Reading};
use testkit::Upstream;
use traffic::{Outcome, Reason};

use crate::kit::{Client, Kit, Response, Setup, State};

/// A gate whose grant asks for this; the caller's tenant is `acme`.
async fn under(upstream: &Upstream, terms: fn(&mut Terms)) -> Kit {
    let adjust = move |state: &mut State| {
        state.identity.attributes.insert("tenant".to_owned(), vec!["acme".to_owned()]);
        terms(&mut state.grant.terms);
    };
    Kit::with(&upstream.url(), Setup { adjust: Box::new(adjust), ..Setup::default() }).await
}

async fn ask(kit: &Kit, bytes: String) -> Response {
    let mut client = kit.connect().await;
    client.send(bytes).await;
    client.response().await
}

fn get(kit: &Kit, target: &str, more: &str) -> String {
    let key = &kit.key;
    format!("GET {target} HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n{more}\r\n")
}

async fn refused(kit: &Kit, response: &Response, reason: Reason) {
    assert_eq!((response.status, response.reason().as_str()), (reason.status(), reason.as_str()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(reason)));
    assert!(record.grant_ids.is_empty());
}

fn tie(terms: &mut Terms, text: &str) {
    terms.ties.push(text.parse().unwrap());
}

#[tokio::test]
async fn an_object_of_another_is_refused_and_reaches_nobody() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "path.id = \"42\" | \"a b\"")).await;
    for target in ["/orders/43", "/orders/042", "/orders/a+b", "/orders/4%32x"] {
        let response = ask(&kit, get(&kit, target, "")).await;
        refused(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    assert_eq!(upstream.seen().len(), 0);
    for target in ["/orders/42", "/orders/4%32", "/orders/42/", "/orders/a%20b"] {
        assert_eq!(ask(&kit, get(&kit, target, "")).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn a_query_with_two_readings_is_nobodys() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "query.tenant = identity.tenant")).await;
    for query in [
        "",
        "?tenant=evil",
        "?tenant=acme&tenant=evil",
        "?tenant=evil&tenant=acme",
        "?tenant=acme&%74enant=evil",
        "?tenant=acme;tenant=evil",
        "?tenant=acme&tenant[]=evil",
        "?tenant=acme&Tenant=evil",
        "?Tenant=acme",
        "?tenant=%ff",
    ] {
        let response = ask(&kit, get(&kit, &format!("/orders/42{query}"), "")).await;
        refused(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    assert_eq!(ask(&kit, get(&kit, "/orders/42?x=1&tenant=ac%6de", "")).await.status, 200);
}

#[tokio::test]
async fn a_header_that_does_not_travel_or_comes_twice_does_not_count() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "header.x-tenant = identity.tenant")).await;
    for more in [
        "",
        "x-tenant: evil\r\n",
        "x-tenant: acme\r\nx-tenant: evil\r\n",
        "x-tenant: acme, evil\r\n",
        "x-tenant: acme\r\nconnection: x-tenant\r\n",
        // Another spelling that application servers read into the same variable.
        "x-tenant: acme\r\nX_Tenant: evil\r\n",
        "x-tenant: acme\r\nx.tenant: evil\r\n",
        "X_Tenant: acme\r\n",
    ] {
        let response = ask(&kit, get(&kit, "/orders/42", more)).await;
        refused(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    assert_eq!(ask(&kit, get(&kit, "/orders/42", "X-Tenant: acme\r\n")).await.status, 200);
}

fn json(body: &str) -> String {
    format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
}

#[tokio::test]
async fn a_body_of_another_or_with_two_readings_is_refused_before_it_is_forwarded() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "body.tenant = identity.tenant")).await;
    for body in [
        r#"{"tenant": "evil"}"#,
        r#"{"tenant": "acme", "Tenant": "evil"}"#,
        r#"[{"tenant": "acme"}, {"tenant": "evil"}]"#,
        r#"{"tenant": ["acme", "evil"]}"#,
        r#"{"tenant": null}"#,
        r#"[{"tenant": "acme"}, {"total": 1}]"#,
        r#"{"tenant": "acme"} x"#,
        "{}",
        "tenant=acme",
    ] {
        let response = ask(&kit, kit.post(&json(body), body)).await;
        refused(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    for body in
        [r#"{"tenant": "acme", "tenant": "evil"}"#, r#"{"tenant": "acme", "\u0074enant": "evil"}"#]
    {
        let response = ask(&kit, kit.post(&json(body), body)).await;
        refused(&kit, &response, Reason::AmbiguousBody).await;
    }
    let form = "content-type: text/plain\r\ncontent-length: 18\r\n";
    let response = ask(&kit, kit.post(form, r#"{"tenant": "acme"}"#)).await;
    refused(&kit, &response, Reason::ObjectNotAllowed).await;
    let steps = r#"[{"op": "replace", "path": "/tenant", "value": "evil", "tenant": "acme"}]"#;
    let patch = json(steps).replace("application/json", "application/json-patch+json");
    let response = ask(&kit, kit.post(&patch, steps)).await;
    refused(&kit, &response, Reason::ObjectNotAllowed).await;
    let packed =
        "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n";
    let response = ask(&kit, kit.post(packed, "{}")).await;
    refused(&kit, &response, Reason::ObjectNotAllowed).await;
    assert_eq!(upstream.seen().len(), 0);
}

/// Forbids an amount of 999.
#[derive(Debug)]
struct Amounts([Place; 1]);

impl Guard for Amounts {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        match question.facts.request.read(&self.0[0]) {
            Reading::Later => Judgement::Later,
            Reading::Unreadable => Judgement::UnreadableBody("`body.amount`".to_owned()),
            Reading::Values(values) if values.iter().any(|value| value == "999") => {
                Judgement::Forbid(vec!["amount".to_owned()])
            }
            Reading::Values(_) => Judgement::Pass,
        }
    }

    fn reads(&self, _: &ApiId) -> &[Place] {
        &self.0
    }

    fn explain(&self, _: &Question<'_>) -> Vec<Explained> {
        Vec::new()
    }

    fn version(&self) -> u64 {
        1
    }
}

/// Who sent it can mend it: no error of the gate, and told what to send.
#[tokio::test]
async fn a_body_that_a_guardrail_cannot_read_is_the_callers_and_no_spelling_passes_it() {
    let upstream = Upstream::start().await;
    let adjust = |state: &mut State| {
        let guard: Arc<dyn Guard> = Arc::new(Amounts([Place::Body("amount".to_owned())]));
        state.more.push(Change::Guard(Some(guard)));
    };
    let setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    for body in
        ["{\"amount\": 1", "amount=1", r#"{"amount": null}"#, r#"{"amount": 1, "amount": 2}"#]
    {
        let response = ask(&kit, kit.post(&json(body), body)).await;
        refused(&kit, &response, Reason::AmbiguousBody).await;
        let told = String::from_utf8_lossy(&response.body);
        assert!(told.contains("content-type: application/json"), "{told}");
    }
    for body in ["999", "999.0", "9.99e2"].map(|amount| format!("{{\"amount\": {amount}}}")) {
        let response = ask(&kit, kit.post(&json(&body), &body)).await;
        refused(&kit, &response, Reason::ForbiddenByPolicy).await;
    }
    assert_eq!(upstream.seen().len(), 0);
    let body = r#"{"amount": 9990}"#;
    assert_eq!(ask(&kit, kit.post(&json(body), body)).await.status, 200);
}

#[tokio::test]
async fn a_body_that_was_judged_goes_on_byte_for_byte_and_the_connection_too() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "body.tenant = identity.tenant")).await;
    let mut client = kit.connect().await;
    let body = "{ \"tenant\" : \"acme\",\n \"n\": 1e2 }";
    client.send(kit.post(&json(body), body)).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(kit.record().await.bytes_in, body.len() as u64);
    // Refused with its body read, and asked again on the same connection; then in chunks.
    let other = r#"{"tenant": "evil"}"#;
    client.send(kit.post(&json(other), other)).await;
    assert_eq!(client.response().await.status, 403);
    kit.record().await;
    let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let (one, two) = body.split_at(7);
    let chunks = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    client.send(kit.post(chunked, &chunks)).await;
    assert_eq!(client.response().await.status, 200);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.grant_ids.len()), (Outcome::Allowed, 1));
    for request in upstream.seen() {
        assert_eq!(String::from_utf8(request.body.clone()).unwrap(), body);
        assert_eq!(request.fields("content-length"), [body.len().to_string()]);
        assert!(request.fields("transfer-encoding").is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_to_judge_or_never_comes_is_refused() {
    let upstream = Upstream::start().await;
    let adjust = |state: &mut State| {
        state.grant.terms.ties.push("body.tenant = identity.id".parse().unwrap());
    };
    let mut setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    setup.config.limits.judged_body_bytes = 8;
    let kit = Kit::with(&upstream.url(), setup).await;
    let body = r#"{"tenant": "caller"}"#;
    let response = ask(&kit, kit.post(&json(body), body)).await;
    refused(&kit, &response, Reason::TooLarge).await;
    // The caller leaves in the middle of it.
    let mut client: Client = kit.connect().await;
    client.send(kit.post("content-type: application/json\r\ncontent-length: 8\r\n", "{")).await;
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(Reason::Cancelled)));
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn who_waits_to_send_its_body_is_told_to() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| tie(terms, "body.tenant = identity.tenant")).await;
    let body = r#"{"tenant": "acme"}"#;
    let mut client = kit.connect().await;
    client.send(kit.post(&format!("{}expect: 100-continue\r\n", json(body)), "")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 100 "));
    client.send(body).await;
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn a_property_that_the_grant_does_not_let_write_is_refused() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| {
        terms.writable = Some(vec!["note".to_owned(), "customer.name".to_owned()]);
    })
    .await;
    for body in [r#"{"note": "x", "role": "admin"}"#, r#"{"customer": {"credit": 1}}"#, "[1]"] {
        let response = ask(&kit, kit.post(&json(body), body)).await;
        refused(&kit, &response, Reason::ObjectNotAllowed).await;
    }
    let body = r#"{"note": "x", "customer": {"name": "y"}}"#;
    assert_eq!(ask(&kit, kit.post(&json(body), body)).await.status, 200);
    assert_eq!(ask(&kit, kit.get("")).await.status, 200, "nothing is written");
}

#[tokio::test]
async fn a_stream_is_cut_when_the_caller_no_longer_has_what_let_it_pass() {
    let events = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent\r\n";
    let upstream = Upstream::scripted(move |mut conversation| async move {
        conversation.request().await?;
        conversation.send(events).await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = under(&upstream, |terms| tie(terms, "query.tenant = identity.tenant")).await;
    let mut client = kit.connect().await;
    client.send(get(&kit, "/orders/42?tenant=acme", "")).await;
    client.head().await.unwrap();
    client.chunk().await.unwrap();
    kit.change(|state: &mut State| {
        let identity: &mut Identity = &mut state.identity;
        identity.attributes.insert("tenant".to_owned(), vec!["other".to_owned()]);
        state.grant.terms.ties.push("query.tenant = identity.tenant".parse().unwrap());
    });
    assert_eq!(client.rest().await, b"", "no false end");
    let record = kit.record().await;
    assert_eq!(
        (record.outcome, record.reason),
        (Outcome::Cancelled, Some(Reason::ObjectNotAllowed))
    );
}

#[tokio::test]
async fn what_is_withdrawn_in_the_log_only_passes_and_is_recorded_so() {
    let upstream = Upstream::start().await;
    let kit = under(&upstream, |terms| {
        terms.withdrawal = Some(grant::Withdrawal {
            stage: grant::WithdrawalStage::LogOnly,
            since: base::Timestamp::from_secs(0),
            by: "robin".to_owned(),
        });
    })
    .await;
    assert_eq!(ask(&kit, kit.get("")).await.status, 200);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.would_refuse), (Outcome::Allowed, Some(Reason::NoGrant)));
}

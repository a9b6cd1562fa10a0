//! Relations that a source answers for, over the wire: refusals first. What the source does not say
//! is refused, and what it said lately is not asked again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::Span;
use catalog::{ApiMode, CheckMode};
use http::Method;
use http_body_util::BodyExt;
use policy::{Answer, Lookup};
use portreeve_proxy::lookup::{Asker, Counts, SourceConfig};
use portreeve_proxy::{ExtAuth, GateConfig};
use testkit::Upstream;
use testkit::upstream::Conversation;
use tokio::sync::{Semaphore, watch};
use traffic::{Outcome, Reason};

use crate::kit::{self, Kit, PATIENCE, Response, Setup, State, soon};
use crate::{contract, http2, secure, streams};

const YES: &str = r#"{"decision": true}"#;
const NO: &str = r#"{"decision": false, "context": {"why": "not yours"}}"#;

fn answer(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A source that says this to every question, whatever it is.
async fn always(bytes: impl Into<String>) -> Upstream {
    let bytes: Arc<str> = bytes.into().into();
    Upstream::scripted(move |mut conversation| {
        let bytes = Arc::clone(&bytes);
        async move {
            while conversation.request().await?.is_some() {
                conversation.send(bytes.as_bytes()).await?;
            }
            Ok(())
        }
    })
    .await
}

/// A source that knows who has to do with what: `svc-billing` with 42.
async fn knowing() -> Upstream {
    Upstream::scripted(|mut conversation| async move {
        while let Some(seen) = conversation.request().await? {
            let asked: serde_json::Value = serde_json::from_slice(&seen.body)?;
            let yes = asked["subject"]["id"] == "svc-billing" && asked["resource"]["id"] == "42";
            conversation.send(answer(if yes { YES } else { NO })).await?;
        }
        Ok(())
    })
    .await
}

fn source(url: &str) -> SourceConfig {
    SourceConfig {
        name: "directory".to_owned(),
        relations: vec!["owner".to_owned()],
        url: format!("{url}/access/v1/evaluation"),
        token: Some(base::Secret::new("sesame".to_owned())),
        timeout: PATIENCE,
        cache_for: Span::from_secs(30),
        cache_entries: 1_000,
    }
}

fn owner(state: &mut State) {
    state.grant.terms.ties.push("path.id = related.owner".parse().unwrap());
}

fn setup(source: SourceConfig, adjust: impl Fn(&mut State) + 'static) -> Setup {
    Setup { adjust: Box::new(adjust), sources: vec![source], ..Setup::default() }
}

async fn asking(upstream: &Upstream, source: SourceConfig) -> Kit {
    Kit::with(&upstream.url(), setup(source, owner)).await
}

async fn get(kit: &Kit, key: &str, target: &str) -> Response {
    let mut client = kit.connect().await;
    client.send(format!("GET {target} HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n\r\n")).await;
    client.response().await
}

async fn refused(kit: &Kit, response: &Response, reason: Reason) {
    assert_eq!((response.status, response.reason().as_str()), (reason.status(), reason.as_str()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Refused, Some(reason)));
    assert!(record.grant_ids.is_empty());
}

fn counts(kit: &Kit) -> Counts {
    kit.lookups.counts().remove(0).1
}

#[tokio::test]
async fn an_object_of_another_is_refused_and_what_is_asked_is_an_evaluation() {
    let (upstream, pdp) = (Upstream::start().await, knowing().await);
    let kit = asking(&upstream, source(&pdp.url())).await;
    let response = get(&kit, &kit.key, "/orders/43").await;
    refused(&kit, &response, Reason::ObjectNotAllowed).await;
    assert_eq!(upstream.seen().len(), 0);
    assert_eq!(get(&kit, &kit.key, "/orders/4%32").await.status, 200);
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    let seen = pdp.seen();
    assert_eq!((seen.len(), pdp.connections()), (2, 1), "the connection is kept");
    assert_eq!(seen[0].line(), "POST /access/v1/evaluation HTTP/1.1");
    assert_eq!(seen[0].fields("authorization"), ["Bearer sesame"]);
    assert_eq!(seen[0].fields("content-type"), ["application/json"]);
    let asked: serde_json::Value = serde_json::from_slice(&seen[1].body).unwrap();
    let wanted = serde_json::json!({
        "subject": {"type": "identity", "id": "svc-billing"},
        "action": {"name": "owner"},
        "resource": {"type": "orders", "id": "42"},
    });
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn what_is_no_answer_refuses_and_is_asked_again() {
    let upstream = Upstream::start().await;
    let long = format!("{{\"decision\": true, \"x\": \"{}\"}}", "x".repeat(70_000));
    let answers = [
        "HTTP/1.1 500 Oops\r\ncontent-length: 18\r\n\r\n{\"decision\": true}".to_owned(),
        "HTTP/1.1 201 Made\r\ncontent-length: 18\r\n\r\n{\"decision\": true}".to_owned(),
        "HTTP/1.1 302 Found\r\nlocation: /yes\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"decision\": true}\r\n".to_owned(),
        "ICY 200 OK\r\n\r\n".to_owned(),
        answer("{}"),
        answer("true"),
        answer(r#"{"decision": "true"}"#),
        answer(r#"{"decision": 1}"#),
        answer(r#"{"decision": null}"#),
        answer(r#"{"Decision": true}"#),
        answer(r#"{"decision": true, "decision": true}"#),
        answer(r#"{"decision": true} x"#),
        answer(r#"[{"decision": true}]"#),
        answer(""),
        answer(&long),
    ];
    for bytes in answers {
        let shown: String = bytes.chars().take(60).collect();
        let pdp = Upstream::scripted(move |mut conversation: Conversation| {
            let bytes = bytes.clone();
            async move {
                while conversation.request().await?.is_some() {
                    conversation.send(&bytes).await?;
                    conversation.end().await?;
                }
                io::Result::Ok(())
            }
        })
        .await;
        let kit = asking(&upstream, source(&pdp.url())).await;
        for asked in [1, 2] {
            let response = get(&kit, &kit.key, "/orders/42").await;
            refused(&kit, &response, Reason::RelationUnknown).await;
            assert_eq!(pdp.seen().len(), asked, "no failure is kept: {shown}");
        }
        assert_eq!(counts(&kit), Counts { failed: 2, ..Counts::default() }, "{shown}");
    }
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_source_that_is_down_or_too_slow_refuses() {
    let upstream = Upstream::start().await;
    let gone = Upstream::start().await.url();
    let kit = asking(&upstream, source(&gone)).await;
    let response = get(&kit, &kit.key, "/orders/42").await;
    refused(&kit, &response, Reason::RelationUnknown).await;
    assert!(String::from_utf8(response.body).unwrap().contains("could not be found out"));
    let silent =
        Upstream::scripted(|mut conversation| async move { conversation.rest().await.map(drop) })
            .await;
    let slow = SourceConfig { timeout: Duration::from_millis(20), ..source(&silent.url()) };
    let kit = asking(&upstream, slow).await;
    let response = get(&kit, &kit.key, "/orders/42").await;
    refused(&kit, &response, Reason::RelationUnknown).await;
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn an_api_that_only_observes_lets_pass_and_says_why_it_would_not() {
    let (upstream, gone) = (Upstream::start().await, Upstream::start().await.url());
    let setup = setup(source(&gone), |state| {
        owner(state);
        state.api.mode = ApiMode::Observe;
    });
    let kit = Kit::with(&upstream.url(), setup).await;
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Observed, Some(Reason::RelationUnknown)));
}

#[tokio::test]
async fn an_answer_holds_for_its_time_and_for_its_caller_alone() {
    let (upstream, pdp) = (Upstream::start().await, knowing().await);
    let setup = setup(source(&pdp.url()), |state| {
        streams::two_callers(state);
        owner(state);
    });
    let kit = Kit::with(&upstream.url(), setup).await;
    for status in [200, 200] {
        assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, status);
        assert_eq!(get(&kit, &kit.key, "/orders/43").await.status, 403, "also what it denies");
    }
    assert_eq!(pdp.seen().len(), 2);
    assert_eq!((counts(&kit).recalled, counts(&kit).related, counts(&kit).unrelated), (2, 1, 1));
    kit.clock.advance(Span::from_secs(29));
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    assert_eq!(pdp.seen().len(), 2);
    kit.clock.advance(Span::from_secs(1));
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    assert_eq!(pdp.seen().len(), 3, "it is asked again");
    // Another caller under the same grant.
    kit.publish(policy::Change::Group(streams::group(&["svc-billing", "svc-other"]))).await;
    kit.publish(policy::Change::Grant(grant::Grant {
        status: grant::GrantStatus::Revoked,
        id: "g-other".parse().unwrap(),
        ..crate::kit::grant(&identity::Identity {
            id: "svc-other".parse().unwrap(),
            ..crate::kit::identity()
        })
    }))
    .await;
    assert_eq!(get(&kit, streams::other_key().expose(), "/orders/42").await.status, 403);
    assert_eq!(pdp.seen().len(), 4);
}

#[tokio::test]
async fn no_more_answers_are_kept_than_there_is_room_for() {
    let (upstream, pdp) = (Upstream::start().await, always(answer(YES)).await);
    let few = SourceConfig { cache_entries: 4, ..source(&pdp.url()) };
    let kit = asking(&upstream, few).await;
    for round in [1, 2] {
        for number in 0..10 {
            assert_eq!(get(&kit, &kit.key, &format!("/orders/{number}")).await.status, 200);
        }
        assert_eq!(
            pdp.seen().len(),
            round * 10,
            "ten do not fit, so none is there when it is back"
        );
    }
    assert_eq!(get(&kit, &kit.key, "/orders/9").await.status, 200);
    assert_eq!(pdp.seen().len(), 20);
}

#[tokio::test]
async fn the_same_question_on_its_way_is_asked_once() {
    let upstream = Upstream::start().await;
    let go = Arc::new(Semaphore::new(0));
    let hold = Arc::clone(&go);
    let pdp = Upstream::scripted(move |mut conversation| {
        let hold = Arc::clone(&hold);
        async move {
            while conversation.request().await?.is_some() {
                hold.acquire().await.map_err(io::Error::other)?.forget();
                conversation.send(answer(YES)).await?;
            }
            Ok(())
        }
    })
    .await;
    let never_kept = SourceConfig { cache_for: Span::from_secs(0), ..source(&pdp.url()) };
    let kit = asking(&upstream, never_kept).await;
    let (one, other, third) = (kit.connect().await, kit.connect().await, kit.connect().await);
    let mut clients = [one, other, third];
    for client in &mut clients {
        client.send(kit.get("")).await;
    }
    let all = async {
        while pdp.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon(all).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    go.add_permits(1);
    for client in &mut clients {
        assert_eq!(client.response().await.status, 200);
    }
    assert_eq!(pdp.seen().len(), 1);
}

/// Questions are asked before the limits of a request are known: one caller must not take a source
/// from the others.
#[tokio::test]
async fn a_caller_who_asks_for_ever_more_leaves_the_source_to_the_others() {
    let upstream = Upstream::start().await;
    let pdp = Upstream::scripted(|mut conversation| async move {
        while let Some(seen) = conversation.request().await? {
            if String::from_utf8_lossy(&seen.body).contains("greedy") {
                return conversation.rest().await.map(drop);
            }
            conversation.send(answer(YES)).await?;
        }
        Ok(())
    })
    .await;
    let kit = asking(&upstream, source(&pdp.url())).await;
    let asker = |identity: &str| Asker {
        identity: identity.parse().unwrap(),
        api: "orders".parse().unwrap(),
    };
    let owner = |object: usize| Lookup { relation: "owner".into(), object: object.to_string() };
    let (lookups, greedy) = (Arc::clone(&kit.lookups), asker("greedy"));
    let many: Vec<_> = (0..300).map(owner).collect();
    let waits = tokio::spawn(async move { lookups.ask(&greedy, &many).await });
    let asked = || pdp.seen().len();
    soon(async {
        while asked() < 16 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let theirs = soon(kit.lookups.ask(&asker("modest"), &[owner(1)])).await;
    assert_eq!(theirs[0].answer, Answer::Related);
    assert_eq!(asked(), 17, "sixteen of one caller, and one of another");
    assert_eq!(counts(&kit).failed, 300 - 256, "what finds no place has no answer");
    waits.abort();
}

/// What is true when the head comes may not be true any more when the body has come.
#[tokio::test]
async fn after_a_body_that_took_its_time_relations_and_credentials_are_asked_again() {
    let upstream = Upstream::start().await;
    let (answers, says) = watch::channel(YES);
    let pdp = Upstream::scripted(move |mut conversation| {
        let says = says.clone();
        async move {
            while conversation.request().await?.is_some() {
                let now = *says.borrow();
                conversation.send(answer(now)).await?;
            }
            Ok(())
        }
    })
    .await;
    // The relation is asked for by the head alone; the body is read for the API's document.
    let setup = contract::with(CheckMode::Enforce, CheckMode::Off, |state| {
        state.grant.terms.ties.push("header.x-of = related.owner".parse().unwrap());
        let late = kit::NOW + Span::from_days(1) + Span::from_secs(3_600);
        state.credential.expires_at = Some(late);
    });
    let setup = Setup { sources: vec![source(&pdp.url())], ..setup };
    let kit = Kit::with(&upstream.url(), setup).await;
    let body = "{\"sku\":\"acme\"}";
    let fields = "x-of: 42\r\ncontent-type: application/json\r\ncontent-length: 14\r\n";
    let slow = async |wait: Span, says: &'static str| {
        // What was said before holds no more.
        answers.send_replace(YES);
        kit.clock.advance(Span::from_secs(31));
        let mut client = kit.connect().await;
        let whole = kit.post(fields, body);
        let (head, rest) = whole.split_at(whole.len() - 5);
        client.send(head).await;
        // The source is asked before the body is there.
        let asked = async {
            while counts(&kit).related + counts(&kit).recalled == 0 {
                tokio::task::yield_now().await;
            }
        };
        soon(asked).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        kit.clock.advance(wait);
        answers.send_replace(says);
        client.send(rest).await;
        client.response().await
    };
    assert_eq!(slow(Span::from_secs(1), YES).await.status, 200);
    let refused = slow(Span::from_secs(60), NO).await;
    assert_eq!(refused.reason(), "object_not_allowed");
    let ended = slow(Span::from_secs(3_600), YES).await;
    assert_eq!((ended.status, ended.reason()), (401, "credential_expired".to_owned()));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn over_http2_and_with_a_body_it_is_the_same() {
    let (upstream, pdp) = (Upstream::start().await, knowing().await);
    let setup = setup(source(&pdp.url()), |state| {
        state.grant.terms.ties.push("path.id = related.owner".parse().unwrap());
    });
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut sender = secure::plain(&kit).await;
    for (path, status) in [("43", 403), ("42", 200)] {
        let mut request = http2::request(&kit, Method::GET);
        *request.uri_mut() = format!("http://api/orders/{path}").parse().unwrap();
        let response = soon(sender.send_request(request)).await.unwrap();
        assert_eq!(response.status(), status);
        soon(response.into_body().collect()).await.unwrap();
    }
    // A body that decides, and then a source.
    let body = r#"{"order": "42", "tenant": "acme"}"#;
    let adjust = |state: &mut State| {
        let ties = ["body.order = related.owner", "body.tenant = \"acme\""];
        state.grant.terms.ties.extend(ties.map(|tie| tie.parse().unwrap()));
    };
    let setup =
        Setup { adjust: Box::new(adjust), sources: vec![source(&pdp.url())], ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let asked = pdp.seen().len();
    let mut client = kit.connect().await;
    for (body, status) in [
        (body, 200),
        (&*body.replace("acme", "evil"), 403),
        (&*body.replace("42", "43"), 403),
        (body, 200),
    ] {
        let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        client.send(kit.post(&head, body)).await;
        assert_eq!(client.response().await.status, status, "{body}");
    }
    assert_eq!(pdp.seen().len() - asked, 2, "of 42 and of 43, and not for another tenant");
    assert_eq!(String::from_utf8(upstream.seen().last().unwrap().body.clone()).unwrap(), body);
}

#[tokio::test]
async fn a_gateway_in_front_is_answered_by_the_source_too() {
    let (upstream, pdp) = (Upstream::start().await, knowing().await);
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let ext_auth = Some(ExtAuth { trusted, path: "/-/authorize".to_owned() });
    let config = GateConfig { ext_auth, ..GateConfig::default() };
    let kit =
        Kit::with(&upstream.url(), Setup { config, ..setup(source(&pdp.url()), owner) }).await;
    for (object, status) in [("43", 403), ("42", 200), ("42", 200)] {
        let response = get(&kit, &kit.key, &format!("/-/authorize/orders/{object}")).await;
        assert_eq!(response.status, status);
        assert_eq!(kit.record().await.path, format!("/orders/{object}"));
    }
    assert_eq!((pdp.seen().len(), upstream.seen().len()), (2, 0));
}

#[tokio::test]
async fn what_is_open_goes_on_by_its_answer_and_asks_nobody() {
    let (go, _) = watch::channel(false);
    let go_on = go.subscribe();
    let upstream = Upstream::scripted(move |mut conversation| {
        let mut go_on = go_on.clone();
        async move {
            conversation.head().await?;
            conversation.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun").await?;
            go_on.wait_for(|go| *go).await.map_err(io::Error::other)?;
            conversation.send("more").await
        }
    })
    .await;
    let allows = Arc::new(AtomicBool::new(true));
    let says = Arc::clone(&allows);
    let pdp = Upstream::scripted(move |mut conversation| {
        let says = Arc::clone(&says);
        async move {
            while conversation.request().await?.is_some() {
                let yes = says.load(Ordering::SeqCst);
                conversation.send(answer(if yes { YES } else { NO })).await?;
            }
            Ok(())
        }
    })
    .await;
    let kit = asking(&upstream, source(&pdp.url())).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.bytes(5).await, b"begun");
    allows.store(false, Ordering::SeqCst);
    // Touched by a change that takes nothing away; then by one that does.
    let state = kit.state();
    let cut = kit.publish(policy::Change::Grant(state.grant.clone())).await;
    assert_eq!((cut.cut, cut.open), (0, 0));
    assert_eq!(pdp.seen().len(), 1);
    let other = "path.id = related.owner";
    let mut narrower = state.grant.clone();
    narrower.terms.ties = vec![other.parse().unwrap(), "path.id = \"43\"".parse().unwrap()];
    assert_eq!(kit.publish(policy::Change::Grant(narrower)).await.cut, 1);
    assert_eq!(kit.record().await.reason, Some(Reason::ObjectNotAllowed));
    go.send_replace(true);
}

#[tokio::test]
async fn a_source_that_is_taken_away_or_set_anew_keeps_no_answer() {
    let (upstream, pdp) = (Upstream::start().await, always(answer(YES)).await);
    let kit = asking(&upstream, source(&pdp.url())).await;
    let install = |sources| kit.lookups.install(kit.lookups.prepare(sources).unwrap());
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    kit.record().await;
    install(vec![source(&pdp.url())]);
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    kit.record().await;
    assert_eq!(pdp.seen().len(), 1, "what is as it was keeps its answers");
    install(Vec::new());
    let response = get(&kit, &kit.key, "/orders/42").await;
    refused(&kit, &response, Reason::RelationUnknown).await;
    let token = Some(base::Secret::new("other".to_owned()));
    install(vec![SourceConfig { token, ..source(&pdp.url()) }]);
    assert_eq!(get(&kit, &kit.key, "/orders/42").await.status, 200);
    assert_eq!(pdp.seen().len(), 2);
}

//! Call records as people and reviews use them: who sees which, why a request was refused, and use
//! that is counted exactly once.

mod desk;

use app::view::{
    CallQuery, ChangeSet, GrantQuery, NewGrant, ReceivedFieldView, SignalQuery, TermsView,
    WrittenRequest,
};
use app::{Actor, Role};
use base::problem::ProblemKind;
use base::{RequestId, Span};
use desk::{Desk, grant};
use portreeve_app as app;
use testkit::SeededEntropy;
use testkit::world::actor;
use traffic::{CallRecord, FieldsSeen, Outcome, Reason};

fn lee() -> Actor {
    actor("lee", Role::Member)
}

/// A request of `idle` that the gate refused, just recorded.
async fn refused(desk: &Desk, reason: Reason) -> String {
    let at = desk.now();
    let newest = desk.log.newest(at - Span::from_days(400), at, 1, &|_| true).unwrap();
    let record = CallRecord {
        request_id: RequestId::generate(at, &mut SeededEntropy::new(at.as_micros() as u64)),
        at,
        identity_id: Some("idle".parse().unwrap()),
        operation: Some("createOrder".parse().unwrap()),
        outcome: Outcome::Refused,
        reason: Some(reason),
        status: reason.status(),
        grant_ids: vec![],
        ..newest.records[0].clone()
    };
    desk.clock.advance(Span::from_secs(1));
    desk.log.append(record.clone()).unwrap();
    record.request_id.to_string()
}

async fn count(desk: &Desk, actor: &Actor, query: CallQuery) -> u64 {
    desk.app.calls(actor, query).await.unwrap().total
}

#[tokio::test]
async fn a_query_that_means_nothing_is_refused_with_its_field() {
    let desk = Desk::new().await;
    let bad = |set: fn(&mut CallQuery)| {
        let mut query = CallQuery::default();
        set(&mut query);
        query
    };
    let cases = [
        ("since", bad(|q| q.since = Some("yesterday".into()))),
        ("until", bad(|q| q.until = Some("2026-13-01".into()))),
        ("outcome", bad(|q| q.outcome = Some("denied".into()))),
        ("identity", bad(|q| q.identity = Some("a b".into()))),
        ("reason", bad(|q| q.reason = Some("no_grants".into()))),
        ("source", bad(|q| q.source = Some("10.0.0.0/8".into()))),
        ("request_id", bad(|q| q.request_id = Some("ü".into()))),
    ];
    for (field, query) in cases {
        let problem = desk.app.calls(&desk.robin, query).await.unwrap_err();
        assert_eq!(problem.place.as_deref(), Some(field), "{problem}");
    }
}

#[tokio::test]
async fn a_name_that_nothing_has_is_refused_where_else_nothing_would_be_found() {
    let desk = Desk::new().await;
    let of = |identity: &str, api: &str| {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        CallQuery { identity: given(identity), api: given(api), ..CallQuery::default() }
    };
    for (query, place, near) in
        [(of("raeder", ""), "identity", "reader"), (of("", "odrers"), "api", "orders")]
    {
        let problem = desk.app.calls(&desk.robin, query.clone()).await.unwrap_err();
        assert_eq!((problem.kind, problem.place.as_deref()), (ProblemKind::NotFound, Some(place)));
        assert!(problem.hint.unwrap_or_default().contains(near));
        // To others, what is not there and what they do not see are the same.
        assert_eq!(count(&desk, &lee(), query).await, 0);
    }
    let signals = SignalQuery { identity: Some("raeder".to_owned()), since: None };
    let problem = desk.app.signals(&desk.robin, signals).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotFound);
    // What is there and did nothing is no mistake.
    assert_eq!(count(&desk, &desk.robin, of("robin", "orders")).await, 0);
}

#[tokio::test]
async fn calls_are_found_by_reason_address_and_path_and_by_the_name_of_their_api() {
    let desk = Desk::new().await;
    refused(&desk, Reason::NoGrant).await;
    let all = CallQuery { limit: Some(1), ..CallQuery::default() };
    let newest = desk.app.calls(&desk.robin, all).await.unwrap().items.remove(0);
    let by = |reason: &str, source: &str, path: &str| {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        CallQuery {
            reason: given(reason),
            source: given(source),
            path: given(path),
            ..CallQuery::default()
        }
    };
    assert_eq!(count(&desk, &desk.robin, by("no_grant", "", "")).await, 1);
    assert_eq!(count(&desk, &desk.robin, by("terms_not_met", "", "")).await, 0);
    assert_eq!(count(&desk, &desk.robin, by("no_grant", &newest.source_ip, "")).await, 1);
    assert_eq!(count(&desk, &desk.robin, by("", "203.0.113.99", "")).await, 0);
    assert_eq!(count(&desk, &desk.robin, by("no_grant", "", &newest.path[..3])).await, 1);
    assert_eq!(count(&desk, &desk.robin, by("", "", "/elsewhere")).await, 0);
    let api = desk.app.api(&desk.robin, "orders").await.unwrap().api;
    let named = CallQuery { api: Some(api.name), ..by("no_grant", "", "") };
    assert_eq!(count(&desk, &desk.robin, named).await, 1);
}

#[tokio::test]
async fn members_see_calls_of_what_they_answer_for_and_no_others() {
    let desk = Desk::new().await;
    assert_eq!(count(&desk, &desk.robin, CallQuery::default()).await, 21);
    assert_eq!(count(&desk, &desk.kim, CallQuery::default()).await, 21, "kim owns the API");
    assert_eq!(count(&desk, &lee(), CallQuery::default()).await, 0);
    let owner = actor("robin", Role::Member);
    assert_eq!(count(&desk, &owner, CallQuery::default()).await, 21, "robin owns the callers");
    let request = desk.app.calls(&desk.robin, CallQuery::default()).await.unwrap().items[0]
        .request_id
        .clone();
    assert!(desk.app.explain(&desk.kim, &request).await.is_ok());
    let hidden = desk.app.explain(&lee(), &request).await.unwrap_err();
    assert_eq!(hidden.kind, ProblemKind::NotFound);
    let unknown = desk.app.explain(&desk.robin, "r_unknown").await.unwrap_err();
    assert_eq!(unknown.kind, ProblemKind::NotFound);
}

#[tokio::test]
async fn calls_come_newest_first_and_page_by_page() {
    let desk = Desk::new().await;
    let mut query = CallQuery { limit: Some(5), ..CallQuery::default() };
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = desk.app.calls(&desk.robin, query.clone()).await.unwrap();
        seen.extend(page.items.into_iter().map(|call| (call.at, call.operation)));
        pages += 1;
        let Some(next) = page.next else { break };
        query.until = Some(next);
        assert!(pages < 10, "the pages do not end");
    }
    assert!(seen.windows(2).all(|pair| pair[0].0 >= pair[1].0));
    assert_eq!(seen.len(), 21, "none twice and none left out, also where two came at once");
    let writer = CallQuery {
        identity: Some("writer".into()),
        since: Some("35d".into()),
        ..CallQuery::default()
    };
    assert_eq!(count(&desk, &desk.robin, writer).await, 4);
    let by_grant = CallQuery { grant: Some(desk.reader.clone()), ..CallQuery::default() };
    assert_eq!(count(&desk, &desk.robin, by_grant).await, 10);
}

#[tokio::test]
async fn a_refusal_is_explained_down_to_the_grant_that_was_missing() {
    let desk = Desk::new().await;
    let request = refused(&desk, Reason::NoGrant).await;
    let found = desk.app.explain(&desk.kim, &request).await.unwrap();
    let outcomes: Vec<_> =
        found.stages.iter().map(|s| (s.stage.as_str(), s.outcome.as_str())).collect();
    let expected = [
        ("target", "passed"),
        ("credential", "passed"),
        ("identity", "passed"),
        ("operation", "passed"),
        ("grant", "refused"),
        ("guardrail", "not_reached"),
        ("message", "not_reached"),
        ("limit", "not_reached"),
        ("upstream", "not_reached"),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(found.grants.len(), 1, "the grant that idle has");
    assert!(!found.grants[0].applies);
    assert_eq!(found.grants[0].subject, "idle");
    assert_eq!(found.grants[0].operations.len(), 1, "what it covers is said");
    let command = "portreeve grant give idle --api orders --can createOrder";
    assert_eq!(found.would_allow.as_deref(), Some(command));
    assert_eq!(found.who_can_give, ["kim", "robin"]);

    grant(&desk.app, &desk.robin, "idle", &["createOrder"]).await;
    let found = desk.app.explain(&desk.kim, &request).await.unwrap();
    assert_eq!(found.would_allow, None, "it would pass now");
    assert!(found.grants.iter().any(|grant| grant.applies));
}

#[tokio::test]
async fn every_reason_ends_at_one_stage_and_most_are_no_matter_of_grants() {
    let desk = Desk::new().await;
    for reason in Reason::ALL {
        let request = refused(&desk, *reason).await;
        let found = desk.app.explain(&desk.robin, &request).await.unwrap();
        let ended: Vec<_> = found.stages.iter().filter(|s| s.outcome == "refused").collect();
        assert_eq!(ended.len(), 1, "{reason}");
        assert!(!ended[0].detail.is_empty(), "{reason}");
        let is_for_grants =
            matches!(reason, Reason::NoGrant | Reason::TermsNotMet | Reason::ObjectNotAllowed);
        assert_eq!(found.would_allow.is_some(), is_for_grants, "{reason}");
    }
}

async fn calls_90d(app: &app::App, desk: &Desk, id: &str) -> u64 {
    let grants = app.grants(&desk.robin, GrantQuery::default()).await.unwrap();
    grants.iter().find(|grant| grant.id == id).unwrap().calls_90d
}

#[tokio::test]
async fn use_is_counted_once_however_often_and_by_whomever_it_is_flushed() {
    let desk = Desk::new().await;
    let before = calls_90d(&desk.app, &desk, &desk.writer).await;
    desk.app.flush_usage().await.unwrap();
    desk.app.flush_usage().await.unwrap();
    assert_eq!(calls_90d(&desk.app, &desk, &desk.writer).await, before);
    desk.call("writer", &desk.writer, "createOrder").await;
    // The process ended before it flushed; the next one reads on where the store stopped.
    let next = desk.next_process("node-a").await;
    next.flush_usage().await.unwrap();
    next.flush_usage().await.unwrap();
    desk.app.flush_usage().await.unwrap();
    assert_eq!(calls_90d(&next, &desk, &desk.writer).await, before + 1);
    assert_eq!(calls_90d(&next, &desk, &desk.idle).await, 0);
}

#[tokio::test]
async fn refusals_are_no_use() {
    let desk = Desk::new().await;
    refused(&desk, Reason::NoGrant).await;
    desk.log.flush().await.unwrap();
    desk.app.flush_usage().await.unwrap();
    let idle = desk.app.identity(&desk.robin, "idle").await.unwrap();
    assert_eq!(idle.identity.last_seen_at, None);
    let reader = desk.app.identity(&desk.robin, "reader").await.unwrap();
    assert!(reader.identity.last_seen_at.is_some());
}

fn written(identity: &str, request: &str) -> WrittenRequest {
    WrittenRequest {
        identity: identity.to_owned(),
        request: request.to_owned(),
        ..WrittenRequest::default()
    }
}

#[tokio::test]
async fn a_written_request_that_is_none_or_nobodys_business_is_refused() {
    let desk = Desk::new().await;
    let explain = async |actor, request| desk.app.explain_written(actor, request).await;
    for (request, reason) in [
        (written("idle", "refund"), "bad_request_line"),
        (written("idle", "get /orders/items"), "bad_request_line"),
        (written("idle", "GET orders/items"), "bad_request_line"),
        (written("idel", "GET /orders/items"), "not_found"),
        (written("", "GET /orders/items"), "bad_id"),
        (WrittenRequest { from: Some("here".into()), ..written("idle", "GET /x") }, "bad_address"),
    ] {
        assert_eq!(explain(&desk.robin, request).await.unwrap_err().reason, reason);
    }
    let lee = lee();
    let hidden = explain(&lee, written("idle", "GET /orders/items")).await.unwrap_err();
    assert_eq!(hidden.reason, "not_found");
    let nowhere = explain(&desk.robin, written("idle", "GET /elsewhere")).await.unwrap();
    assert_eq!(nowhere.call.reason.as_deref(), Some("unknown_api"));
    let twice = explain(&desk.robin, written("idle", "GET /orders/%2e%2e/x")).await.unwrap();
    assert_eq!(twice.stages[0].outcome, "refused");
}

#[tokio::test]
async fn a_written_request_is_explained_as_if_it_came_and_leaves_nothing() {
    let desk = Desk::new().await;
    let explain = async |identity, request| {
        desk.app.explain_written(&desk.kim, written(identity, request)).await.unwrap()
    };
    let allowed = explain("reader", "GET /orders/items/7").await;
    assert_eq!((allowed.call.outcome.as_str(), allowed.call.request_id.as_str()), ("allowed", ""));
    assert_eq!(allowed.call.grant_ids, std::slice::from_ref(&desk.reader));
    assert_eq!(allowed.stages.last().unwrap().outcome, "not_reached");
    assert_eq!(allowed.would_allow, None);
    let refused = explain("idle", "GET /orders/items/7").await;
    assert_eq!(refused.call.reason.as_deref(), Some("no_grant"));
    let command = "portreeve grant give idle --api orders --can getOrder";
    assert_eq!(refused.would_allow.as_deref(), Some(command));
    let object = format!("{command} --when 'path.id = \"7\"'");
    assert_eq!(refused.would_allow_object, Some(object));
    assert_eq!(refused.who_can_give, ["kim", "robin"]);
}

#[tokio::test]
async fn the_smallest_grant_keeps_the_terms_of_the_nearest_and_mends_what_was_not_met() {
    let desk = Desk::new().await;
    let terms = TermsView {
        networks: vec!["10.0.0.0/8".to_owned()],
        ties: vec!["path.id = \"1\"".to_owned()],
        ..TermsView::default()
    };
    let new = NewGrant {
        subject: "idle".to_owned(),
        api: "orders".to_owned(),
        can: vec!["getOrder".to_owned()],
        fields: None,
        terms: Some(terms),
        until: None,
    };
    desk.app.give_grant(&desk.robin, new).await.unwrap();
    let explain = async |target: &str, from: &str| {
        let request = WrittenRequest { from: Some(from.to_owned()), ..written("idle", target) };
        desk.app.explain_written(&desk.robin, request).await.unwrap()
    };
    let elsewhere = explain("GET /orders/items/1", "192.0.2.7").await;
    assert_eq!(elsewhere.call.reason.as_deref(), Some("terms_not_met"));
    let command = "portreeve grant give idle --api orders --can getOrder \
                   --when 'path.id = \"1\"' --from 192.0.2.7/32";
    assert_eq!(elsewhere.would_allow.as_deref(), Some(command));
    let other = explain("GET /orders/items/2", "10.1.1.1").await;
    assert_eq!(other.call.reason.as_deref(), Some("object_not_allowed"));
    let command = "portreeve grant give idle --api orders --can getOrder \
                   --when 'path.id = \"2\"' --from 10.0.0.0/8";
    assert_eq!(other.would_allow.as_deref(), Some(command));
    // Both are wrong: a grant that mends one of them would not help.
    let both = explain("GET /orders/items/2", "192.0.2.7").await;
    let command = "portreeve grant give idle --api orders --can getOrder \
                   --when 'path.id = \"2\"' --from 192.0.2.7/32";
    assert_eq!(both.would_allow.as_deref(), Some(command));
}

#[tokio::test]
async fn what_a_guardrail_forbids_is_explained_by_it_and_by_no_grant() {
    let desk = Desk::new().await;
    let text = "@id(\"closed\") @reason(\"INC-1\")\n\
                forbid(principal == Identity::\"idle\", action, resource);\n\
                @id(\"other\") forbid(principal == Identity::\"lee\", action, resource);";
    let files = [("g.cedar".to_owned(), text.to_owned())].into();
    let change = ChangeSet { files, why: Some("test".to_owned()), ..ChangeSet::default() };
    desk.app.publish_policy(&desk.robin, change, false).await.unwrap();
    let request = written("idle", "GET /orders/items");
    let found = desk.app.explain_written(&desk.robin, request).await.unwrap();
    assert_eq!(found.call.reason.as_deref(), Some("forbidden_by_policy"));
    let says: Vec<_> = found.guardrails.iter().map(|g| (g.id.as_str(), g.says.as_str())).collect();
    assert_eq!(says, [("closed", "forbids"), ("other", "does_not_apply")]);
    assert_eq!(found.guardrails[0].why.as_deref(), Some("INC-1"));
    assert!(found.guardrails[0].text.contains("forbid("));
    assert_eq!(found.would_allow, None);
    // The API's owner may not read the policy set: told is which one refuses, and no more.
    let found = desk.app.explain_written(&desk.kim, written("idle", "GET /orders/items")).await;
    let found = found.unwrap();
    let says: Vec<_> = found.guardrails.iter().map(|g| (g.id.as_str(), g.says.as_str())).collect();
    assert_eq!(says, [("closed", "forbids")]);
    let told = &found.guardrails[0];
    assert_eq!((told.place.as_str(), told.text.as_str(), &told.why), ("", "", &None));
}

/// The writer's newest call again, now, with what its answer carried.
async fn received(desk: &Desk, seen: FieldsSeen) {
    let at = desk.now();
    let is_writers =
        |record: &CallRecord| record.identity_id.as_ref().unwrap().as_str() == "writer";
    let newest = desk.log.newest(at - Span::from_days(400), at, 1, &is_writers).unwrap();
    let record = CallRecord {
        request_id: RequestId::generate(at, &mut SeededEntropy::new(at.as_micros() as u64)),
        at,
        fields_seen: Some(seen),
        ..newest.records[0].clone()
    };
    desk.clock.advance(Span::from_secs(1));
    desk.log.append_durable(record).await.unwrap();
}

#[tokio::test]
async fn fields_that_were_received_stand_at_the_grant_and_at_the_review_item() {
    let desk = Desk::new().await;
    let shown = async || desk.app.grant(&desk.robin, &desk.writer).await.unwrap().fields_seen;
    desk.app.flush_usage().await.unwrap();
    assert_eq!(shown().await, [], "nothing was looked at");
    let paths = vec!["card".to_owned(), "id".to_owned()];
    received(&desk, FieldsSeen { paths, other: true, more: false }).await;
    let first = desk.now() - Span::from_secs(1);
    desk.clock.advance(Span::from_days(1));
    let second = desk.now();
    received(&desk, FieldsSeen { paths: vec!["id".to_owned()], other: false, more: true }).await;
    desk.app.flush_usage().await.unwrap();
    let expected: Vec<_> = [("*", first), ("[more]", second), ("card", first), ("id", second)]
        .map(|(path, at)| ReceivedFieldView {
            operation: "createOrder".to_owned(),
            path: path.to_owned(),
            last_at: at.to_string(),
        })
        .into();
    assert_eq!(shown().await, expected);
    let identity = desk.app.identity(&desk.robin, "writer").await.unwrap();
    assert_eq!(identity.grants[0].fields_seen, expected);
    let item = desk.review().await.into_iter().find(|item| item.grant_id == desk.writer).unwrap();
    assert_eq!(item.usage.fields_seen, expected);
    let reader = desk.app.grant(&desk.robin, &desk.reader).await.unwrap();
    assert_eq!(reader.fields_seen, []);
}

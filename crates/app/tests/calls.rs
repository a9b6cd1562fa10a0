//! Call records as people and reviews use them: who sees which, why a request was refused, and use
//! that is counted exactly once.

mod desk;

use app::view::{CallQuery, GrantQuery, ReceivedFieldView};
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
        ("request_id", bad(|q| q.request_id = Some("ü".into()))),
    ];
    for (field, query) in cases {
        let problem = desk.app.calls(&desk.robin, query).await.unwrap_err();
        assert_eq!(problem.place.as_deref(), Some(field), "{problem}");
    }
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
        assert_eq!(found.would_allow.is_some(), *reason == Reason::NoGrant, "{reason}");
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

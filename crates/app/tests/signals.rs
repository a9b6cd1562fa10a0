//! Walks through objects: told to those who answer for the caller or the API, once, and with what was
//! learned before a restart.

mod desk;

use app::view::SignalQuery;
use app::{Actor, App, Role};
use base::{RequestId, Span};
use desk::Desk;
use portreeve_app as app;
use testkit::SeededEntropy;
use testkit::world::actor;
use traffic::{CallRecord, Outcome};

/// `idle` asks for these objects, one every so often.
async fn asks(desk: &Desk, ids: std::ops::Range<u64>, every: Span) {
    let at = desk.now();
    let newest = desk.log.newest(at - Span::from_days(400), at, 1, &|_| true).unwrap();
    for id in ids {
        desk.clock.advance(every);
        let at = desk.now();
        let record = CallRecord {
            request_id: RequestId::generate(at, &mut SeededEntropy::new(at.as_micros() as u64)),
            at,
            identity_id: Some("idle".parse().unwrap()),
            operation: Some("getOrder".parse().unwrap()),
            path: format!("/orders/items/{id}"),
            outcome: Outcome::Allowed,
            status: 200,
            ..newest.records[0].clone()
        };
        desk.log.append(record).unwrap();
    }
    desk.log.flush().await.unwrap();
}

async fn told(app: &App, who: &Actor) -> Vec<app::view::SignalView> {
    app.signals(who, SignalQuery::default()).await.unwrap()
}

#[tokio::test]
async fn a_walk_is_told_once_to_those_who_answer_for_it_also_after_a_restart() {
    let desk = Desk::new().await;
    asks(&desk, 0..60, Span::from_secs(8 * 3_600)).await;
    desk.app.flush_usage().await.unwrap();
    assert_eq!(told(&desk.app, &desk.robin).await, []);
    let bad = SignalQuery { since: Some("yesterday".to_owned()), ..SignalQuery::default() };
    assert!(desk.app.signals(&desk.robin, bad).await.is_err());
    // Another process, which has to learn first what is usual.
    let next = desk.next_process("node-a").await;
    desk.clock.advance(Span::from_secs(7_200));
    asks(&desk, 1_000..1_040, Span::from_secs(30)).await;
    next.flush_usage().await.unwrap();
    let signals = told(&next, &desk.robin).await;
    let [signal] = signals.as_slice() else { panic!("{signals:?}") };
    assert_eq!(
        (signal.kind.as_str(), signal.identity_id.as_str()),
        ("object-id-enumeration", "idle")
    );
    assert_eq!((signal.api_id.as_str(), signal.operation.as_str()), ("orders", "getOrder"));
    assert_eq!((signal.objects, signal.in_order, signal.usual), (40, 39, 1));
    assert!(signal.start < signal.detected_at && signal.detected_at < signal.end);
    // It goes on, and is the same one.
    asks(&desk, 1_040..1_050, Span::from_secs(30)).await;
    next.flush_usage().await.unwrap();
    next.flush_usage().await.unwrap();
    let further = told(&next, &desk.robin).await;
    assert_eq!((further.len(), further[0].objects), (1, 50));
    assert_eq!((&further[0].start, &further[0].detected_at), (&signal.start, &signal.detected_at));
    // The API's owner sees it, who has to do with neither does not.
    assert_eq!(told(&next, &desk.kim).await, further);
    assert_eq!(told(&next, &actor("lee", Role::Member)).await, []);
    let of = |id: &str| SignalQuery { identity: Some(id.to_owned()), ..SignalQuery::default() };
    assert_eq!(next.signals(&desk.robin, of("reader")).await.unwrap(), []);
    assert_eq!(next.signals(&desk.robin, of("idle")).await.unwrap(), further);
}

//! Use of grants on both databases: merged by key, counted once, summed without counting a call
//! twice that two grants let through.

use base::{ActorId, Digest, NodeId, Timestamp};
use portreeve_store::{
    AnchoredSegment, Channel, ReceivedRow, Store, StoreError, UsedBy, UsedRow, Watermark, Writer,
};
use testkit::databases;
use traffic::received::{Received, ReceivedKey};
use traffic::{Usage, UsageKey, Walk};

fn writer() -> Writer {
    Writer { actor: ActorId::parse("system:node").unwrap(), channel: Channel::System }
}

fn node() -> NodeId {
    NodeId::parse("node-a").unwrap()
}

fn mark(segment: u64, batch: u32) -> Watermark {
    Watermark { segment, batch }
}

fn on(day: i64, second: i64) -> Timestamp {
    Timestamp::from_micros(Timestamp::from_day(day).as_micros() + second * 1_000_000)
}

/// `calls` on a day under a grant (`""` for none) with a credential `cred-<identity>`.
fn cell(grant: &str, identity: &str, operation: &str, day: i64, calls: u64) -> (UsageKey, Usage) {
    let key = UsageKey {
        grant_id: (!grant.is_empty()).then(|| grant.parse().unwrap()),
        identity_id: identity.parse().unwrap(),
        credential_id: format!("cred-{identity}").parse().unwrap(),
        api_id: "orders".parse().unwrap(),
        operation: (!operation.is_empty()).then(|| operation.parse().unwrap()),
        day,
    };
    let usage = Usage { calls, succeeded: calls - 1, first_at: on(day, 10), last_at: on(day, 20) };
    (key, usage)
}

async fn merge(
    store: &Store,
    cells: &[(UsageKey, Usage)],
    through: Watermark,
) -> Result<(), StoreError> {
    let mut tx = store.begin(&writer(), on(30, 0)).await?;
    tx.merge_usage(&node(), cells, through).await?;
    tx.commit().await.map(|_| ())
}

#[tokio::test]
async fn what_was_counted_is_not_counted_again() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let cells = [cell("g1", "svc", "read", 20, 3)];
        merge(&store, &cells, mark(2, 5)).await.unwrap();
        for repeated in [mark(2, 5), mark(2, 4), mark(1, 9)] {
            let again = merge(&store, &cells, repeated).await;
            assert!(matches!(again, Err(StoreError::Stale { .. })), "{}", database.kind);
        }
        let mut state = store.read().await.unwrap();
        assert_eq!(state.usage_of_day(20).await.unwrap(), cells);
        assert_eq!(state.usage_watermark(&node()).await.unwrap(), Some(mark(2, 5)));
    }
}

#[tokio::test]
async fn a_merge_that_is_dropped_moves_nothing() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), on(30, 0)).await.unwrap();
        tx.merge_usage(&node(), &[cell("g1", "svc", "read", 20, 3)], mark(1, 0)).await.unwrap();
        drop(tx);
        let mut state = store.read().await.unwrap();
        assert_eq!(state.usage_watermark(&node()).await.unwrap(), None, "{}", database.kind);
        assert_eq!(state.usage_of_day(20).await.unwrap(), []);
        assert_eq!(state.first_usage_day().await.unwrap(), None);
    }
}

#[tokio::test]
async fn cells_of_one_key_are_merged() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let (key, first) = cell("", "svc", "", 20, 3);
        let second = Usage { calls: 5, succeeded: 5, first_at: on(20, 1), last_at: on(20, 15) };
        let third = Usage { calls: 1, succeeded: 0, first_at: on(20, 30), last_at: on(20, 40) };
        for (batch, usage) in [first, second, third].into_iter().enumerate() {
            let batch = u32::try_from(batch).unwrap();
            merge(&store, &[(key.clone(), usage)], mark(1, batch)).await.unwrap();
        }
        let merged = Usage { calls: 9, succeeded: 7, first_at: on(20, 1), last_at: on(20, 40) };
        let found = store.read().await.unwrap().usage_of_day(20).await.unwrap();
        assert_eq!(found, [(key, merged)], "{}", database.kind);
    }
}

#[tokio::test]
async fn a_call_that_two_grants_let_through_is_one_call_of_its_caller() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let cells = [
            cell("g1", "svc", "read", 20, 10),
            cell("g2", "svc", "read", 20, 10),
            cell("g2", "svc", "write", 21, 4),
            cell("g2", "bot", "read", 21, 7),
            cell("g1", "svc", "read", 3, 99),
        ];
        merge(&store, &cells, mark(1, 0)).await.unwrap();
        let mut state = store.read().await.unwrap();
        let mut used = async |by, id| {
            let mut rows = state.used(by, &[id, "unknown"], 10).await.unwrap();
            rows.sort_by(|a, b| a.operation.cmp(&b.operation));
            rows.into_iter().map(|row| (row.operation.unwrap(), row.calls, row.callers)).collect()
        };
        let rows = |rows: &[(&str, u64, u64)]| -> Vec<(String, u64, u64)> {
            rows.iter()
                .map(|(name, calls, callers)| ((*name).to_owned(), *calls, *callers))
                .collect()
        };
        let kind = database.kind;
        assert_eq!(used(UsedBy::Grant, "g1").await, rows(&[("read", 10, 1)]), "{kind}");
        assert_eq!(used(UsedBy::Grant, "g2").await, rows(&[("read", 17, 2), ("write", 4, 1)]));
        assert_eq!(used(UsedBy::Identity, "svc").await, rows(&[("read", 10, 1), ("write", 4, 1)]));
        let of_credential: Vec<_> = used(UsedBy::Credential, "cred-bot").await;
        assert_eq!(of_credential, rows(&[("read", 7, 1)]));
        let mut of_api = state.used_operations(&"orders".parse().unwrap(), 10).await.unwrap();
        of_api.sort_by(|a, b| a.operation.cmp(&b.operation));
        let read = UsedRow {
            id: "orders".into(),
            operation: Some("read".into()),
            calls: 17,
            callers: 2,
            last_at: on(21, 20),
        };
        assert_eq!(of_api[0], read, "{kind}");
    }
}

#[tokio::test]
async fn use_before_a_window_is_told_for_those_without_later_use() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let cells = [
            cell("g1", "svc", "read", 3, 1),
            cell("g1", "svc", "read", 20, 1),
            cell("g1", "old", "read", 5, 1),
        ];
        merge(&store, &cells, mark(1, 0)).await.unwrap();
        let mut state = store.read().await.unwrap();
        assert_eq!(state.first_usage_day().await.unwrap(), Some(3));
        let before = state.last_use_before(10).await.unwrap();
        assert_eq!(before, [("cred-old".parse().unwrap(), on(5, 20))], "{}", database.kind);
    }
}

#[tokio::test]
async fn a_segment_is_put_on_record_once_and_expires_once() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let segment = AnchoredSegment {
            node: node(),
            segment: 4,
            records: 9,
            chain: Digest::of(&[b"chain"]),
            root: Digest::of(&[b"root"]),
            expired_at: None,
        };
        let rows = std::slice::from_ref(&segment);
        let mut tx = store.begin(&writer(), on(30, 0)).await.unwrap();
        tx.anchor_segments(rows).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin(&writer(), on(30, 0)).await.unwrap();
        assert!(matches!(tx.anchor_segments(rows).await, Err(StoreError::Duplicate { .. })));
        drop(tx);
        let mut tx = store.begin(&writer(), on(31, 0)).await.unwrap();
        tx.expire_segments(rows).await.unwrap();
        let again = tx.expire_segments(rows).await;
        assert!(matches!(again, Err(StoreError::Stale { .. })), "{}", database.kind);
        drop(tx);
        let found = store.read().await.unwrap().anchored_segments(&node()).await.unwrap();
        assert_eq!(found, rows, "a dropped transaction expires nothing");
    }
}

fn received(grant: &str, identity: &str, path: &str, last_at: Timestamp) -> Received {
    let key = ReceivedKey {
        grant_id: (!grant.is_empty()).then(|| grant.parse().unwrap()),
        identity_id: identity.parse().unwrap(),
        api_id: "orders".parse().unwrap(),
        operation: "read".parse().unwrap(),
    };
    Received { key, path: path.to_owned(), last_at }
}

#[tokio::test]
async fn of_a_field_that_was_received_the_last_time_is_kept() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        for at in [20, 9, 15] {
            let mut tx = store.begin(&writer(), on(30, 0)).await.unwrap();
            let rows = [
                received("g1", "svc", "id", on(at, 0)),
                received("g1", "bot", "id", on(at + 1, 0)),
                received("g1", "svc", "*", on(at - 8, 0)),
                received("g2", "svc", "id", on(at, 0)),
                received("", "svc", "id", on(at, 0)),
            ];
            tx.merge_received(&rows).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut state = store.read().await.unwrap();
        let rows = |found: Vec<ReceivedRow>| -> Vec<_> {
            let row = |row: ReceivedRow| (row.grant_id.to_string(), row.path, row.last_at);
            found.into_iter().map(row).collect()
        };
        let row = |grant: &str, path: &str, at| (grant.to_owned(), path.to_owned(), at);
        let (first, second) = (row("g1", "id", on(21, 0)), row("g2", "id", on(20, 0)));
        let under = state.received_under(&["g1", "unknown"], on(1, 0)).await.unwrap();
        assert_eq!(rows(under), [row("g1", "*", on(12, 0)), first.clone()], "{}", database.kind);
        let since = state.received_since(on(12, 0)).await.unwrap();
        assert_eq!(rows(since), [first, second], "{}", database.kind);
        assert_eq!(rows(state.received_since(on(21, 0)).await.unwrap()), []);
    }
}

#[tokio::test]
async fn a_walk_that_goes_on_replaces_itself_and_never_goes_back() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let walk = |identity: &str, start: i64, end: i64, objects: u64| Walk {
            identity: identity.parse().unwrap(),
            credential: "key-1".parse().unwrap(),
            api: "orders".parse().unwrap(),
            operation: "getOrder".parse().unwrap(),
            start: on(20, start),
            end: on(20, end),
            detected_at: on(20, start + 5),
            objects,
            misses: 1,
            in_order: 2,
            usual: 3,
        };
        let merge = async |walks: &[Walk]| {
            let mut tx = store.begin(&writer(), on(30, 0)).await.unwrap();
            tx.merge_walks(walks).await.unwrap();
            tx.commit().await.unwrap();
        };
        let (first, other) = (walk("svc", 10, 20, 30), walk("other", 40, 50, 60));
        merge(&[first.clone(), other.clone()]).await;
        let further = Walk { detected_at: on(20, 99), ..walk("svc", 10, 90, 80) };
        merge(std::slice::from_ref(&further)).await;
        merge(&[first]).await;
        let known = Walk { detected_at: on(20, 15), ..further };
        let mut state = store.read().await.unwrap();
        let all = state.walks(None, on(20, 0), 10).await.unwrap();
        assert_eq!(all, [other.clone(), known.clone()], "{}", database.kind);
        assert_eq!(state.walks(Some("svc"), on(20, 0), 10).await.unwrap(), [known]);
        assert_eq!(state.walks(None, on(20, 10), 10).await.unwrap(), [other]);
        assert_eq!(state.walks(None, on(20, 0), 1).await.unwrap().len(), 1);
    }
}

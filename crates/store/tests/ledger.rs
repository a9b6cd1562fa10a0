//! The ledger on both databases: what somebody does to its rows behind our back is found, with the
//! place.

use audit::{BreakKind, Event, Frontier, SigningKey, Subject};
use base::{ActorId, Digest, NodeId, Secret, Timestamp};
use portreeve_store::{AnchoredSegment, Channel, LedgerCheck, LedgerFilter, Store, Writer};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use testkit::{Database, databases};

mod sample;
use sample::identity;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("test/ledger", &Secret::new([seed; 32])).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_772_442_000 + seconds)
}

/// A store with `changes` identities, one signed transaction each; with the entry that starts the
/// ledger, one entry more.
async fn filled(url: &str, changes: i64, key: &SigningKey) -> Store {
    let store = Store::open(url).await.unwrap();
    for number in 0..changes {
        let actor = ActorId::parse(if number % 2 == 0 { "robin" } else { "kim" }).unwrap();
        let writer = Writer { actor, channel: Channel::Api };
        let mut tx = store.begin(&writer, at(number)).await.unwrap();
        let new = identity(&format!("svc-{number}"));
        tx.save_identity(Event::IdentityAdded, None, &new, Some("needed")).await.unwrap();
        tx.sign_ledger(key).await.unwrap();
        tx.commit().await.unwrap();
    }
    store
}

async fn check(store: &Store) -> LedgerCheck {
    store.read().await.unwrap().check_ledger(key(1).verifier()).await.unwrap()
}

/// Does what no method of the store does.
async fn tamper(database: &Database, statements: &[&str]) {
    for sql in statements {
        let sql = AssertSqlSafe((*sql).to_owned());
        if database.kind == "sqlite" {
            let pool = SqlitePool::connect(&database.url).await.unwrap();
            assert!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected() > 0);
            pool.close().await;
        } else {
            let pool = PgPool::connect(&database.url).await.unwrap();
            assert!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected() > 0);
            pool.close().await;
        }
    }
}

/// Where the ledger of six entries breaks after these statements, on both databases.
async fn breaks_at(statements: &[&str]) -> u64 {
    let mut found = Vec::new();
    for database in databases() {
        let store = filled(&database.url, 5, &key(1)).await;
        assert_eq!(check(&store).await.broken, None, "{}", database.kind);
        tamper(&database, statements).await;
        let broken = check(&store).await.broken;
        found.push(broken.unwrap_or_else(|| panic!("{}: not found", database.kind)).sequence);
        store.close().await;
    }
    assert_eq!(found[0], found[1], "both databases name the same place");
    found[0]
}

#[tokio::test]
async fn a_changed_column_is_found_in_its_row() {
    for change in [
        "at = at + 1",
        "event = 'grant.given'",
        "event = 'no.event'",
        "actor = 'mallory'",
        "channel = 'file'",
        "subject_kind = 'grant'",
        "subject_id = 'svc-9'",
        "detail = '{}'",
        "detail = 'no json'",
        "previous = digest",
        "digest = previous",
    ] {
        let sql = format!("UPDATE ledger SET {change} WHERE sequence = 3");
        assert_eq!(breaks_at(&[&sql]).await, 3, "{change}");
    }
}

#[tokio::test]
async fn a_dropped_row_is_found_at_its_place() {
    assert_eq!(breaks_at(&["DELETE FROM ledger WHERE sequence = 2"]).await, 2);
    assert_eq!(breaks_at(&["DELETE FROM ledger WHERE sequence = 0"]).await, 0);
}

#[tokio::test]
async fn swapped_rows_are_found_at_the_first() {
    let swap = [
        "UPDATE ledger SET sequence = 99 WHERE sequence = 2",
        "UPDATE ledger SET sequence = 2 WHERE sequence = 4",
        "UPDATE ledger SET sequence = 4 WHERE sequence = 99",
    ];
    assert_eq!(breaks_at(&swap).await, 2);
}

#[tokio::test]
async fn a_cut_end_is_found_although_the_head_was_cut_too() {
    let cut = "DELETE FROM ledger WHERE sequence = 5";
    assert_eq!(breaks_at(&[cut]).await, 5);
    // Without the last checkpoint and with a head that says less, the head itself gives it away.
    let head = "UPDATE ledger_head SET size = 5";
    assert_eq!(breaks_at(&[cut, head]).await, 5);
    let forget = "DELETE FROM ledger_checkpoint WHERE size = 6";
    assert_eq!(breaks_at(&[cut, head, forget]).await, 5);
}

#[tokio::test]
async fn an_end_cut_back_to_an_older_checkpoint_is_found_by_the_changes() {
    for database in databases() {
        let store = filled(&database.url, 5, &key(1)).await;
        let mut state = store.read().await.unwrap();
        let (entries, _) = state.ledger_entries(&LedgerFilter::default(), 10).await.unwrap();
        drop(state);
        let mut older = Frontier::default();
        entries.iter().rev().take(5).for_each(|(_, digest)| older.push(*digest));
        let head = format!(
            "UPDATE ledger_head SET size = 5, digest = '{}', frontier = '{}'",
            entries[1].1.to_hex(),
            serde_json::to_string(&older).unwrap()
        );
        let cut = [
            "DELETE FROM ledger WHERE sequence = 5",
            "DELETE FROM ledger_checkpoint WHERE size = 6",
            head.as_str(),
        ];
        tamper(&database, &cut).await;
        let broken = check(&store).await.broken.unwrap();
        assert_eq!((broken.sequence, broken.what), (5, BreakKind::End { size: 6 }));
        store.close().await;
    }
}

#[tokio::test]
async fn what_segments_are_on_record_is_what_the_ledger_says() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let node = NodeId::parse("node-a").unwrap();
        let segment = |number| AnchoredSegment {
            node: node.clone(),
            segment: number,
            records: 9,
            chain: Digest::of(&[b"chain"]),
            root: Digest::of(&[b"root"]),
            expired_at: None,
        };
        let other = AnchoredSegment { node: NodeId::parse("node-b").unwrap(), ..segment(3) };
        let writer =
            Writer { actor: ActorId::parse("system:node").unwrap(), channel: Channel::System };
        let mut tx = store.begin(&writer, at(1)).await.unwrap();
        tx.anchor_segments(&[segment(1), segment(2), other]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin(&writer, at(2)).await.unwrap();
        tx.expire_segments(&[segment(1)]).await.unwrap();
        tx.commit().await.unwrap();
        // Whoever deletes a segment says in the table that retention did.
        tamper(&database, &["UPDATE anchored_segment SET expired_at = 1 WHERE segment = 2"]).await;
        let found = store.read().await.unwrap().segments_on_record(&node).await.unwrap();
        let expired = AnchoredSegment { expired_at: Some(at(2)), ..segment(1) };
        assert_eq!(found, [expired, segment(2)], "{}", database.kind);
    }
}

#[tokio::test]
async fn entries_that_nobody_with_the_key_wrote_are_found() {
    for database in databases() {
        let store = filled(&database.url, 5, &key(1)).await;
        let writer = Writer { actor: ActorId::parse("mallory").unwrap(), channel: Channel::Api };
        let mut tx = store.begin(&writer, at(9)).await.unwrap();
        tx.save_identity(Event::IdentityAdded, None, &identity("backdoor"), None).await.unwrap();
        tx.commit().await.unwrap();
        let broken = check(&store).await.broken.unwrap();
        assert_eq!((broken.sequence, broken.what), (6, BreakKind::Unsigned), "{}", database.kind);
        store.close().await;
        // Nor does a ledger pass whose checkpoints are gone, so that it could be written anew.
        tamper(&database, &["DELETE FROM ledger_checkpoint"]).await;
        let store = Store::open(&database.url).await.unwrap();
        let broken = check(&store).await.broken.unwrap();
        assert_eq!((broken.sequence, broken.what), (0, BreakKind::Unsigned), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_ledger_that_was_written_anew_fits_no_checkpoint() {
    for database in databases() {
        let store = filled(&database.url, 5, &key(2)).await;
        let found = check(&store).await;
        assert_eq!(found.broken.unwrap().sequence, 2, "{}", database.kind);
        assert_eq!(found.checkpoints, 0);
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_no_entry() {
    for database in databases() {
        let store = filled(&database.url, 1, &key(1)).await;
        let before = store.read().await.unwrap().ledger_head().await.unwrap();
        let writer = Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::Api };
        let mut tx = store.begin(&writer, at(9)).await.unwrap();
        tx.save_identity(Event::IdentityAdded, None, &identity("gone"), None).await.unwrap();
        drop(tx);
        let after = store.read().await.unwrap().ledger_head().await.unwrap();
        assert_eq!(before, after, "{}", database.kind);
        assert_eq!(check(&store).await.broken, None);
    }
}

#[tokio::test]
async fn a_ledger_that_nobody_touched_holds() {
    for database in databases() {
        let store = filled(&database.url, 5, &key(1)).await;
        let found = check(&store).await;
        assert_eq!((found.size, found.checkpoints, found.broken), (6, 5, None));
        let mut state = store.read().await.unwrap();
        let head = state.ledger_head().await.unwrap();
        assert_eq!(head.tree.root(), found.root);
        assert_eq!(state.ledger_tree().await.unwrap().root(), found.root);
        let note = state.last_checkpoint().await.unwrap().unwrap();
        let signed = audit::Checkpoint::open(&note, key(1).verifier()).unwrap();
        assert_eq!((signed.size, signed.root), (6, found.root), "{}", database.kind);
    }
}

#[tokio::test]
async fn entries_are_found_by_what_they_are_about() {
    for database in databases() {
        let store = filled(&database.url, 5, &key(1)).await;
        let mut state = store.read().await.unwrap();
        let mut sequences = async |filter: LedgerFilter, limit| {
            let (rows, total) = state.ledger_entries(&filter, limit).await.unwrap();
            (rows.iter().map(|(entry, _)| entry.sequence).collect::<Vec<_>>(), total)
        };
        let all = LedgerFilter::default();
        assert_eq!(sequences(all.clone(), 2).await, (vec![5, 4], 6), "{}", database.kind);
        let before = LedgerFilter { before: Some(2), ..all.clone() };
        assert_eq!(sequences(before, 9).await.0, [1, 0]);
        let kim = LedgerFilter { actor: Some("kim".into()), ..all.clone() };
        assert_eq!(sequences(kim, 9).await, (vec![4, 2], 2));
        let started = LedgerFilter { event: Some("ledger.started".into()), ..all.clone() };
        assert_eq!(sequences(started, 9).await, (vec![0], 1));
        let one = LedgerFilter { subject_id: Some("svc-2".into()), ..all };
        assert_eq!(sequences(one, 9).await, (vec![3], 1));
        let about = Subject::new("identity", "svc-2");
        let entries = state.ledger_entries_about(&about).await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [3]);
        assert_eq!(entries[0].detail["note"], "needed");
    }
}

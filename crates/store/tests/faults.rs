//! What the store does when something breaks: it says what is wrong and changes nothing, and what
//! it has acknowledged is there afterwards.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use base::problem::ProblemKind;
use base::{ActorId, Problem};
use portreeve_store::{Channel, Store, StoreError, Tx, Writer};
use sqlx::Connection as _;
use testkit::{Database, ScratchDir};

mod sample;
use sample::{identity, moment};

/// Set for the process that is to be killed: the address of its store.
const CHILD: &str = "PORTREEVE_TEST_STORE";

async fn begin(store: &Store) -> Result<Tx, StoreError> {
    let writer = Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::System };
    store.begin(&writer, moment(10)).await
}

async fn add(store: &Store, id: &str) -> Result<u64, StoreError> {
    let mut tx = begin(store).await?;
    tx.save_identity(audit::Event::IdentityAdded, None, &identity(id), None).await?;
    Ok(tx.commit().await?.sequence)
}

#[tokio::test]
async fn a_store_locked_by_another_writer_is_unavailable_and_heals() {
    let database = Database::sqlite();
    let store = Store::open(&database.url).await.unwrap();
    let other = Store::open(&database.url).await.unwrap();
    let held = begin(&other).await.unwrap();
    let error = add(&store, "alice").await.unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
    let problem = Problem::from(error);
    assert_eq!((problem.kind, problem.reason.as_str()), (ProblemKind::Unavailable, "store_busy"));
    assert!(problem.hint.is_some());
    // Readers are not kept out meanwhile.
    assert_eq!(store.read().await.unwrap().version(), 0);
    drop(held);
    assert_eq!(add(&store, "alice").await.unwrap(), 1);
}

#[tokio::test]
async fn a_head_locked_by_another_node_is_unavailable_and_heals() {
    let database = Database::postgres();
    let store = Store::open(&database.url).await.unwrap();
    let other = Store::open(&database.url).await.unwrap();
    let held = begin(&other).await.unwrap();
    let error = add(&store, "alice").await.unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
    drop(held);
    assert_eq!(add(&store, "alice").await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_what_was_there() {
    let database = Database::sqlite();
    // The size that the file may have stands in for the size of a disk; SQLite reports both alike.
    let store = Store::open(&database.url).await.unwrap();
    assert_eq!(add(&store, "first").await.unwrap(), 1);
    let room = store.limit_size(0).await.unwrap().unwrap() + 100_000;
    store.limit_size(room).await.unwrap();
    let mut acknowledged = vec!["first".to_owned()];
    let error = loop {
        let id = format!("p{}", acknowledged.len());
        match add(&store, &id).await {
            Ok(_) => acknowledged.push(id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 100_000, "the limit has no effect");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(Problem::from(error).reason, "store_full");
    let mut state = store.read().await.unwrap();
    assert_eq!(state.version(), acknowledged.len() as u64);
    let next = format!("p{}", acknowledged.len());
    assert_eq!(state.identity(&next).await.unwrap(), None, "nothing half-applied");
    drop(state);
    store.limit_size(1_000_000_000).await.unwrap();
    assert_eq!(add(&store, &next).await.unwrap(), acknowledged.len() as u64 + 1);
}

#[tokio::test]
async fn a_lost_connection_is_unavailable_and_acknowledges_nothing() {
    let database = Database::postgres();
    let store = Store::open(&database.url).await.unwrap();
    let mut tx = begin(&store).await.unwrap();
    let event = audit::Event::IdentityAdded;
    tx.save_identity(event, None, &identity("alice"), None).await.unwrap();
    let mut killer = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(sql).execute(&mut killer).await.unwrap();
    let error = tx.commit().await.unwrap_err();
    assert_eq!(Problem::from(error).kind, ProblemKind::Unavailable);
    assert_eq!(store.read().await.unwrap().version(), 0);
    assert_eq!(add(&store, "alice").await.unwrap(), 1, "the pool heals");
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_not_opened() {
    let database = Database::sqlite();
    Store::open(&database.url).await.unwrap().close().await;
    let mut file = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    let sql = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)";
    sqlx::query(sql).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    let error = Store::open(&database.url).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)), "{error:?}");
}

/// Not a test of its own: the process that [`killed_at_any_moment_nothing_acknowledged_is_lost`]
/// starts and kills. It writes until then and tells each commit once it is acknowledged.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "the one way to tell a test process its part")]
    let Ok(url) = std::env::var(CHILD) else { return };
    let store = Store::open(&url).await.unwrap();
    let from = store.read().await.unwrap().version() / 2;
    for number in from.. {
        let mut tx = begin(&store).await.unwrap();
        for part in ["a", "b"] {
            let person = identity(&format!("{part}{number}"));
            let event = audit::Event::IdentityAdded;
            tx.save_identity(event, None, &person, None).await.unwrap();
        }
        tx.commit().await.unwrap();
        println!("committed {number}");
    }
}

#[tokio::test]
async fn killed_at_any_moment_nothing_acknowledged_is_lost() {
    let files = ScratchDir::new();
    let url = format!("sqlite:{}", files.path().join("store.db").display());
    let mut acknowledged = 0;
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD, &url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let commits = told.map_while(Result::ok).filter(|line| line.contains("committed "));
        // A different number each round, so that the kill falls at different moments.
        acknowledged += commits.take(5 + round * 7).count();
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Store::open(&url).await.unwrap();
        let mut state = store.read().await.unwrap();
        let pairs = usize::try_from(state.version()).unwrap() / 2;
        assert_eq!(state.version() % 2, 0, "half a transaction in round {round}");
        assert!(pairs >= acknowledged, "{acknowledged} acknowledged, {pairs} there");
        let changes = state.changes_after(0, 10_000).await.unwrap();
        assert_eq!(changes.len(), 2 * pairs, "the log and the head agree");
        for number in 0..pairs {
            for part in ["a", "b"] {
                let id = format!("{part}{number}");
                assert!(state.identity(&id).await.unwrap().is_some(), "{id} in round {round}");
            }
        }
        acknowledged = pairs;
        drop(state);
        store.close().await;
    }
}

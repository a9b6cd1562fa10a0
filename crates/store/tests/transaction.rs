//! Write transactions on both databases: sequences without gaps, nothing half-applied.

use base::{ActorId, Timestamp};
use portreeve_store::{Channel, Store, StoreError, Writer};
use testkit::databases;

mod sample;
use sample::{grant, identity};

fn writer() -> Writer {
    Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::Api }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_772_442_000 + seconds)
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    for url in ["", "sqlite:", "mysql://root:hunter2@db/x", "/var/lib/portreeve"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::BadUrl(_)), "{url}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), at(0)).await.unwrap();
        let alice = identity("alice");
        tx.save_identity(audit::Event::IdentityAdded, None, &alice, None).await.unwrap();
        drop(tx);
        let mut state = store.read().await.unwrap();
        assert_eq!(state.version(), 0, "{}", database.kind);
        assert_eq!(state.identity("alice").await.unwrap(), None);
        assert_eq!(state.changes_after(0, 10).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn a_transaction_with_a_failed_statement_cannot_be_committed() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), at(0)).await.unwrap();
        let alice = identity("alice");
        let event = audit::Event::IdentityAdded;
        tx.save_identity(event, None, &alice, None).await.unwrap();
        let error = tx.save_identity(event, None, &alice, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Duplicate { .. }), "{error:?}");
        assert!(matches!(tx.commit().await.unwrap_err(), StoreError::Aborted));
        assert_eq!(store.read().await.unwrap().version(), 0, "{}", database.kind);
    }
}

#[tokio::test]
async fn a_change_over_a_stale_version_is_refused() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let first = grant("g_1", "alice");
        let second = grant::Grant { version: 2, ..first.clone() };
        let mut tx = store.begin(&writer(), at(0)).await.unwrap();
        tx.save_grant(audit::Event::GrantGiven, None, &first, None).await.unwrap();
        tx.save_grant(audit::Event::GrantNarrowed, Some(&first), &second, None).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin(&writer(), at(1)).await.unwrap();
        let event = audit::Event::GrantNarrowed;
        let error = tx.save_grant(event, Some(&first), &second, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { kind: "grant", .. }), "{error:?}");
        let absent = grant("g_2", "alice");
        let error = tx.save_grant(event, Some(&absent), &absent, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn concurrent_writers_get_sequences_without_gaps_in_the_order_of_commits() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..12 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin(&writer(), at(number)).await.unwrap();
                let person = identity(&format!("p{number}"));
                let event = audit::Event::IdentityAdded;
                tx.save_identity(event, None, &person, None).await.unwrap();
                if number % 3 == 0 {
                    return;
                }
                tx.commit().await.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let mut state = store.read().await.unwrap();
        let changes = state.changes_after(0, 100).await.unwrap();
        let sequences: Vec<_> = changes.iter().map(|change| change.sequence).collect();
        assert_eq!(sequences, (1..=8).collect::<Vec<_>>(), "{}", database.kind);
        assert_eq!(state.version(), 8);
    }
}

#[tokio::test]
async fn a_change_row_tells_who_did_what_when_through_which_door_and_why() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), at(0)).await.unwrap();
        let before = grant("g_1", "alice");
        tx.save_grant(audit::Event::GrantGiven, None, &before, None).await.unwrap();
        tx.commit().await.unwrap();
        let after =
            grant::Grant { version: 2, status: grant::GrantStatus::Revoked, ..before.clone() };
        let mut tx = store.begin(&writer(), at(60)).await.unwrap();
        let event = audit::Event::GrantRevoked;
        let sequence = tx.save_grant(event, Some(&before), &after, Some("left")).await.unwrap();
        assert_eq!(sequence, 2);
        tx.commit().await.unwrap();

        let history = store.read().await.unwrap().history("grant", "g_1").await.unwrap();
        assert_eq!(history.len(), 2);
        let row = &history[1];
        assert_eq!((row.sequence, row.at, row.channel), (2, at(60), Channel::Api));
        assert_eq!((row.actor.as_str(), row.event.as_str()), ("robin", "grant.revoked"));
        assert_eq!(row.before, Some(serde_json::to_value(&before).unwrap()));
        assert_eq!(row.after, Some(serde_json::to_value(&after).unwrap()));
        assert_eq!(row.note.as_deref(), Some("left"));
    }
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_is_committed_after_it() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut before = store.read().await.unwrap();
        let mut tx = store.begin(&writer(), at(0)).await.unwrap();
        let event = audit::Event::IdentityAdded;
        tx.save_identity(event, None, &identity("alice"), None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(before.identity("alice").await.unwrap(), None, "{}", database.kind);
        assert_eq!(before.changes_after(0, 10).await.unwrap(), vec![]);
        assert!(store.read().await.unwrap().identity("alice").await.unwrap().is_some());
    }
}

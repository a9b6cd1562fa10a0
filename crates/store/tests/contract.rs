//! Contracts of APIs, on both databases.

use base::ActorId;
use catalog::{CheckMode, ContractSource};
use portreeve_store::{Channel, Cursor, Object, Store, Tx, Writer};
use testkit::databases;

mod sample;
use sample::{api, moment};

async fn begin(store: &Store) -> Tx {
    let writer = Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::Console };
    store.begin(&writer, moment(10)).await.unwrap()
}

fn contract(api: &str) -> ContractSource {
    ContractSource {
        api: api.parse().unwrap(),
        name: "it's.yaml".to_owned(),
        document: "openapi: \"3.1.0\" # ünïcode".to_owned(),
        requests: CheckMode::Enforce,
        responses: CheckMode::Observe,
        closed: true,
        strict_query: false,
    }
}

async fn loaded(store: &Store) -> Vec<ContractSource> {
    let mut snapshot = store.read().await.unwrap();
    let (mut all, mut cursor) = (Vec::new(), Cursor::default());
    while !matches!(cursor, Cursor::End) {
        let (batch, next) = snapshot.load(cursor).await.unwrap();
        all.extend(batch.objects().unwrap().into_iter().filter_map(|object| match object {
            Object::Contract(contract) => Some(contract),
            _ => None,
        }));
        cursor = next;
    }
    all
}

#[tokio::test]
async fn a_contract_that_is_not_there_cannot_be_removed() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = begin(&store).await;
        tx.remove_contract(&contract("orders")).await.unwrap_err();
    }
}

#[tokio::test]
async fn contracts_come_back_for_readers_and_followers() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = begin(&store).await;
        tx.save_api(audit::Event::ApiAdded, None, &api("orders")).await.unwrap();
        let (before, after) = (
            contract("orders"),
            ContractSource { closed: false, strict_query: true, ..contract("orders") },
        );
        tx.save_contract(None, &before).await.unwrap();
        tx.save_contract(Some(&before), &after).await.unwrap();
        let ids: Vec<_> = (0..9).map(|number| format!("spare-{number}")).collect();
        for id in &ids {
            tx.save_contract(None, &contract(id)).await.unwrap();
        }
        let off = ContractSource::unchecked("off".parse().unwrap(), String::new(), String::new());
        tx.save_contract(None, &off).await.unwrap();
        tx.commit().await.unwrap();

        let used: Vec<_> =
            std::iter::once(after.clone()).chain(ids.iter().map(|id| contract(id))).collect();
        assert_eq!(loaded(&store).await, used, "only what is in use, {}", database.kind);
        let mut state = store.read().await.unwrap();
        assert_eq!(state.contract(&off.api).await.unwrap().as_ref(), Some(&off));
        let changes = state.changes_after(1, 100).await.unwrap();
        assert_eq!(changes[1].object, Some(Object::Contract(after.clone())));
        let history = state.history("contract", "orders").await.unwrap();
        let document = history[1].before.as_ref().unwrap()["document"].as_str().unwrap();
        assert!(document.starts_with("sha256:"), "the document before is not kept twice");
        drop(state);

        let mut tx = begin(&store).await;
        tx.remove_contract(&after).await.unwrap();
        tx.commit().await.unwrap();
        let mut state = store.read().await.unwrap();
        assert_eq!(state.contract(&after.api).await.unwrap(), None);
        let last = state.changes_after(12, 100).await.unwrap().pop().unwrap();
        assert_eq!(last.object, Some(Object::ContractRemoved(after.api)));
    }
}

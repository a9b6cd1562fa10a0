//! Access and sign-in state: every column comes back, on both databases.

use base::{ActorId, Digest, IdentityId, NodeId, Timestamp};
use identity::{Owner, Seasonality};
use portreeve_store::session::{AdminToken, SessionRow, SignInCode};
use portreeve_store::{
    Channel, Cursor, GrantFilter, IdentityFilter, NodeRow, Object, Store, Tx, World, Writer,
};
use testkit::{Database, databases};
use traffic::CutCount;

mod sample;
use sample::{api, credential, grant, group, identity, moment};

async fn open(database: &Database) -> Store {
    Store::open(&database.url).await.unwrap()
}

async fn begin(store: &Store) -> Tx {
    let writer = Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::Console };
    store.begin(&writer, moment(10)).await.unwrap()
}

fn world() -> World {
    World {
        apis: vec![api("orders")],
        identities: vec![identity("alice"), identity("bob")],
        groups: vec![group("commerce", &["alice", "bob"]), group("empty", &[])],
        credentials: vec![credential("cred_1", "alice")],
        grants: vec![grant("g_1", "alice"), grant("g_2", "group:commerce")],
    }
}

/// Everything that a load gives, in its order.
async fn loaded(store: &Store) -> Vec<Object> {
    let mut snapshot = store.read().await.unwrap();
    let (mut all, mut cursor) = (Vec::new(), Cursor::default());
    while !matches!(cursor, Cursor::End) {
        let (batch, next) = snapshot.load(cursor).await.unwrap();
        all.extend(batch.objects().unwrap());
        cursor = next;
    }
    all
}

#[tokio::test]
async fn an_object_that_names_an_unknown_identity_is_refused() {
    for database in databases() {
        let store = open(&database).await;
        let event = audit::Event::CredentialIssued;
        let mut tx = begin(&store).await;
        let orphan = credential("cred_1", "ghost");
        tx.save_credential(event, None, &orphan, None).await.unwrap_err();
        drop(tx);
        let mut tx = begin(&store).await;
        tx.save_group(None, &group("g", &["ghost"])).await.unwrap_err();
        drop(tx);
        assert_eq!(store.read().await.unwrap().version(), 0, "{}", database.kind);
    }
}

#[tokio::test]
async fn one_lookup_value_proves_one_identity_until_revoked() {
    for database in databases() {
        let store = open(&database).await;
        let mut tx = begin(&store).await;
        tx.add_world(&world()).await.unwrap();
        tx.commit().await.unwrap();
        let event = audit::Event::CredentialIssued;
        let first = credential("cred_1", "alice");
        let twin = identity::Credential { lookup: first.lookup, ..credential("cred_2", "bob") };
        let mut tx = begin(&store).await;
        tx.save_credential(event, None, &twin, None).await.unwrap_err();
        drop(tx);
        let revoked =
            identity::Credential { status: identity::CredentialStatus::Revoked, ..first.clone() };
        let mut tx = begin(&store).await;
        let event = audit::Event::CredentialRevoked;
        tx.save_credential(event, Some(&first), &revoked, None).await.unwrap();
        let event = audit::Event::CredentialIssued;
        tx.save_credential(event, None, &twin, None).await.unwrap();
        assert_eq!(tx.credential_by_lookup(first.lookup).await.unwrap(), Some(twin));
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn every_object_comes_back_as_it_was_from_tables_and_from_the_change_log() {
    for database in databases() {
        let store = open(&database).await;
        let mut tx = begin(&store).await;
        tx.add_world(&world()).await.unwrap();
        let committed = tx.commit().await.unwrap();
        assert_eq!(committed.sequence, 8);
        let World { apis, identities, groups, credentials, grants } = world();
        let expected: Vec<_> = apis
            .into_iter()
            .map(Object::Api)
            .chain(identities.into_iter().map(Object::Identity))
            .chain(groups.into_iter().map(Object::Group))
            .chain(credentials.into_iter().map(Object::Credential))
            .chain(grants.into_iter().map(Object::Grant))
            .collect();
        assert_eq!(loaded(&store).await, expected, "{}", database.kind);
        let changes = store.read().await.unwrap().changes_after(0, 100).await.unwrap();
        let logged: Vec<_> = changes.into_iter().filter_map(|change| change.object).collect();
        assert_eq!(logged, expected, "{}", database.kind);
    }
}

#[tokio::test]
async fn what_was_changed_or_removed_is_so_for_readers_and_followers() {
    for database in databases() {
        let store = open(&database).await;
        let mut tx = begin(&store).await;
        tx.add_world(&world()).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = begin(&store).await;
        let before = identity("alice");
        let after = identity::Identity {
            owner: Some(Owner::Person(IdentityId::parse("bob").unwrap())),
            purpose: None,
            left_at: None,
            seasonality: Seasonality::None,
            ..before.clone()
        };
        let event = audit::Event::IdentityChanged;
        tx.save_identity(event, Some(&before), &after, None).await.unwrap();
        tx.save_group(Some(&group("commerce", &["alice", "bob"])), &group("commerce", &["bob"]))
            .await
            .unwrap();
        tx.remove_api(&api("orders")).await.unwrap();
        tx.commit().await.unwrap();

        let mut state = store.read().await.unwrap();
        assert_eq!(state.identity("alice").await.unwrap(), Some(after.clone()));
        assert_eq!(state.groups_of("alice").await.unwrap(), vec![]);
        assert_eq!(state.api("orders").await.unwrap(), None);
        let changes = state.changes_after(8, 100).await.unwrap();
        let objects: Vec<_> = changes.into_iter().filter_map(|change| change.object).collect();
        let expected = vec![
            Object::Identity(after),
            Object::Group(group("commerce", &["bob"])),
            Object::ApiRemoved(base::ApiId::parse("orders").unwrap()),
        ];
        assert_eq!(objects, expected, "{}", database.kind);
    }
}

#[tokio::test]
async fn a_large_state_is_written_and_read_in_batches_and_in_order() {
    for database in databases() {
        let store = open(&database).await;
        let many = World {
            identities: vec![identity("alice")],
            grants: (0..5_003).map(|n| grant(&format!("g_{n:05}"), "alice")).collect(),
            ..World::default()
        };
        let mut tx = begin(&store).await;
        tx.add_world(&many).await.unwrap();
        assert_eq!(tx.commit().await.unwrap().sequence, 5_004);
        let grants = loaded(&store).await.into_iter().filter_map(|object| match object {
            Object::Grant(grant) => Some(grant),
            _ => None,
        });
        assert!(grants.eq(many.grants), "{}", database.kind);
        let page = store.read().await.unwrap().changes_after(5_000, 3).await.unwrap();
        let sequences: Vec<_> = page.iter().map(|change| change.sequence).collect();
        assert_eq!(sequences, [5_001, 5_002, 5_003]);
    }
}

#[tokio::test]
async fn lists_sort_by_bytes_and_page_by_key_on_both() {
    for database in databases() {
        let store = open(&database).await;
        let ids = ["Zed", "a-b", "a.b", "a_b", "ab", "é"];
        let known: Vec<_> = ids.iter().filter(|id| id.is_ascii()).collect();
        let world =
            World { identities: known.iter().map(|id| identity(id)).collect(), ..World::default() };
        let mut tx = begin(&store).await;
        tx.add_world(&world).await.unwrap();
        tx.commit().await.unwrap();
        let mut state = store.read().await.unwrap();
        let filter = IdentityFilter::default();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = state.identities(&filter, &after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id.to_string();
            seen.extend(page.iter().map(|identity| identity.id.to_string()));
        }
        assert_eq!(seen, ["Zed", "a-b", "a.b", "a_b", "ab"], "{}", database.kind);
        assert_eq!(state.identities_count(&filter).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn counts_and_names_cover_the_asked_only() {
    for database in databases() {
        let store = open(&database).await;
        let mut tx = begin(&store).await;
        tx.add_world(&world()).await.unwrap();
        tx.commit().await.unwrap();
        let mut state = store.read().await.unwrap();
        let asked = ["alice", "group:commerce", "group:ghost", "ghost"].map(str::to_owned);
        let names = state.names(&asked).await.unwrap();
        assert_eq!(names.len(), 2, "{}", database.kind);
        assert_eq!(names["alice"].status, "suspended");
        assert_eq!(names["group:commerce"].name, "commerce people");
        let of = ["alice", "bob"];
        let live = state.live_grants_count(&of, moment(10)).await.unwrap();
        assert_eq!((live.get("alice"), live.get("bob")), (Some(&1), None));
        assert!(state.live_grants_count(&of, moment(94)).await.unwrap().is_empty(), "expired");
        assert_eq!(state.live_credentials_count(&of, moment(10)).await.unwrap()["alice"], 1);
        let filter = GrantFilter { api: Some("ghost".to_owned()), ..GrantFilter::default() };
        assert_eq!(state.grants(&filter, "", 10).await.unwrap(), vec![]);
        let many: Vec<String> = (0..1_201).map(|n| format!("p{n}")).collect();
        assert!(state.names(&many).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_node_never_states_an_older_version_and_is_heard_for_a_lease() {
    for database in databases() {
        let store = open(&database).await;
        let node = |version, at: Timestamp| NodeRow {
            id: NodeId::parse("node-a").unwrap(),
            version,
            since: at,
            last_seen: at,
        };
        let mut tx = begin(&store).await;
        tx.state_node(&node(5, moment(2))).await.unwrap();
        tx.state_node(&node(4, moment(3))).await.unwrap();
        assert_eq!(tx.live_nodes(moment(2)).await.unwrap(), [node(5, moment(2))]);
        assert_eq!(tx.live_nodes(moment(3)).await.unwrap(), []);
        tx.forget_node(&node(0, moment(0)).id).await.unwrap();
        assert_eq!(tx.live_nodes(moment(0)).await.unwrap(), []);
        tx.commit().await.unwrap();
        assert_eq!(store.read().await.unwrap().version(), 0, "{}", database.kind);
    }
}

#[tokio::test]
async fn what_nodes_cut_is_kept_by_change_until_it_expires() {
    for database in databases() {
        let store = open(&database).await;
        let (a, b) = (NodeId::parse("node-a").unwrap(), NodeId::parse("node-b").unwrap());
        let count = |cut, open| CutCount { cut, open };
        let mut tx = begin(&store).await;
        tx.save_stream_cut(&a, 4, count(1, 1)).await.unwrap();
        tx.save_stream_cut(&a, 4, count(2, 0)).await.unwrap();
        tx.save_stream_cut(&b, 4, count(7, 0)).await.unwrap();
        tx.save_stream_cut(&a, 6, count(1, 0)).await.unwrap();
        let at = tx.at();
        tx.commit().await.unwrap();
        let mut state = store.read().await.unwrap();
        assert!(state.stream_cuts(5, 5).await.unwrap().is_empty(), "{}", database.kind);
        let cuts = state.stream_cuts(4, 5).await.unwrap();
        let expected = [((a.clone(), 4), count(2, 0)), ((b, 4), count(7, 0))];
        assert_eq!(cuts.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(state.version(), 0, "counted, not decided");
        drop(state);
        let mut tx = begin(&store).await;
        tx.expire_stream_cuts(at).await.unwrap();
        assert_eq!(tx.stream_cuts(0, 9).await.unwrap().len(), 3);
        tx.expire_stream_cuts(at + base::Span::from_secs(1)).await.unwrap();
        assert!(tx.stream_cuts(0, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn codes_are_taken_once_and_sessions_end() {
    for database in databases() {
        let store = open(&database).await;
        let alice = IdentityId::parse("alice").unwrap();
        let (code, cookie) = (Digest::of(&[b"code"]), Digest::of(&[b"cookie"]));
        let mut tx = begin(&store).await;
        tx.add_world(&World { identities: vec![identity("alice")], ..World::default() })
            .await
            .unwrap();
        let row = SignInCode { lookup: code, identity: alice.clone(), expires_at: moment(11) };
        tx.add_sign_in_code(&row).await.unwrap();
        assert_eq!(tx.sign_in_code(code).await.unwrap(), Some(row));
        assert!(!tx.take_sign_in_code(cookie).await.unwrap());
        assert!(tx.take_sign_in_code(code).await.unwrap());
        assert!(!tx.take_sign_in_code(code).await.unwrap());

        let session = SessionRow {
            lookup: cookie,
            identity: alice.clone(),
            created_at: moment(9),
            last_seen: moment(9),
            expires_at: moment(11),
        };
        tx.add_session(&session).await.unwrap();
        tx.touch_session(cookie).await.unwrap();
        let touched = SessionRow { last_seen: moment(10), ..session.clone() };
        assert_eq!(tx.session(cookie).await.unwrap(), Some(touched));
        tx.end_session(&session).await.unwrap();
        assert_eq!(tx.session(cookie).await.unwrap(), None);
        let token = AdminToken {
            lookup: code,
            id: "token_1".to_owned(),
            identity: alice,
            role: "admin".to_owned(),
            label: "pr_admin_ab…z".to_owned(),
            created_at: moment(10),
            expires_at: Some(moment(20)),
            revoked_at: None,
        };
        tx.add_admin_token(&token).await.unwrap();
        assert_eq!(tx.admin_token(code).await.unwrap(), Some(token));
        let events = tx.commit().await.unwrap().sequence;
        assert_eq!(events, 5, "added, link, started, ended, token: {}", database.kind);
        // The log tells of sign-ins without what could be used for one.
        let mut state = store.read().await.unwrap();
        let told = format!("{:?}", state.history("session", "alice").await.unwrap());
        assert!(!told.contains(&cookie.to_hex()) && told.contains("session.started"));
    }
}

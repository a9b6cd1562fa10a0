//! What a stream was let in under: whatever of it changes ends the stream, and nothing else does.

use std::collections::BTreeSet;

use base::ApiId;
use grant::{OperationSet, Place, Relation, Role};
use policy::{Explained, Guard, Judgement, Question};

use super::*;

/// Opens a stream, publishes a change, and says how the stream ended, if it did.
async fn changed(
    adjust: impl Fn(&mut State) + 'static,
    change: impl Fn(State) -> Change,
) -> Option<Reason> {
    let go = watch::Sender::new(false);
    let upstream = upstream(&EVENTS, &go).await;
    let setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut caller = kit.connect().await;
    begin(&EVENTS, &mut caller, &kit.key).await;
    kit.open(1).await;
    let count = kit.publish(change(kit.state())).await;
    if count.cut == 0 {
        go.send_replace(true);
        assert_eq!(caller.bytes(EVENTS.more.len()).await, EVENTS.more.as_bytes());
        return None;
    }
    let record = kit.record().await;
    assert_eq!((count.cut, record.outcome), (1, Outcome::Cancelled));
    kit.open(0).await;
    record.reason
}

fn tied(tie: &'static str) -> impl Fn(&mut State) {
    move |state| {
        state.identity.attributes.insert("order".to_owned(), vec!["42".to_owned()]);
        state.grant.terms.ties.push(tie.parse().unwrap());
        state.more.push(owner(&["42"]));
    }
}

fn owner(objects: &[&str]) -> Change {
    Change::Relation(Relation {
        subject: "svc-billing".parse().unwrap(),
        name: "owner".to_owned(),
        objects: objects.iter().map(|object| (*object).to_owned()).collect(),
        updated_at: base::Timestamp::from_secs(0),
    })
}

fn role(operations: &[&str]) -> Change {
    Change::Role(Role {
        id: "reader".parse().unwrap(),
        name: "Reader".to_owned(),
        api: "orders".parse().unwrap(),
        operations: OperationSet::Only(operations.iter().map(|id| id.parse().unwrap()).collect()),
        includes: BTreeSet::new(),
        removed: false,
        origin: Origin::Console,
        created_at: base::Timestamp::from_secs(0),
    })
}

fn nested(id: &str, members: &[&str], groups: &[&str]) -> Change {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    Change::Group(Group { id: id.parse().unwrap(), groups, ..group(members) })
}

#[derive(Debug)]
struct ForbidsAll;

impl Guard for ForbidsAll {
    fn judge(&self, _: &Question<'_>) -> Judgement {
        Judgement::Forbid(vec!["all".to_owned()])
    }

    fn reads(&self, _: &ApiId) -> &[Place] {
        &[]
    }

    fn explain(&self, _: &Question<'_>) -> Vec<Explained> {
        Vec::new()
    }

    fn version(&self) -> u64 {
        1
    }
}

#[tokio::test]
async fn where_it_comes_from_is_judged_again() {
    let only = |network: &'static str| {
        move |state: State| {
            let mut grant = state.grant;
            grant.terms.networks = vec![network.parse().unwrap()];
            Change::Grant(grant)
        }
    };
    assert_eq!(changed(|_| {}, only("192.0.2.0/24")).await, Some(Reason::TermsNotMet));
    assert_eq!(changed(|_| {}, only("127.0.0.0/8")).await, None);
}

#[tokio::test]
async fn what_ties_it_to_its_object_is_judged_again() {
    let moved = |state: State| {
        let mut identity = state.identity;
        identity.attributes.insert("order".to_owned(), vec!["43".to_owned()]);
        Change::Identity(identity)
    };
    let by_attribute = changed(tied("path.id = identity.order"), moved).await;
    assert_eq!(by_attribute, Some(Reason::ObjectNotAllowed));
    let by_relation = changed(tied("path.id = related.owner"), |_| owner(&["43"])).await;
    assert_eq!(by_relation, Some(Reason::ObjectNotAllowed));
    assert_eq!(changed(tied("path.id = related.owner"), |_| owner(&["42", "43"])).await, None);
    let tighter = |state: State| {
        let mut grant = state.grant;
        grant.terms.ties.push("path.id = \"43\"".parse().unwrap());
        Change::Grant(grant)
    };
    // What nobody looked at when it came is not known any more, so that it cannot be allowed.
    assert_eq!(changed(|_| {}, tighter).await, Some(Reason::ObjectNotAllowed));
}

#[tokio::test]
async fn what_a_role_covers_no_more_ends() {
    let by_role = |state: &mut State| {
        state.grant.operations = OperationSet::Only(BTreeSet::new());
        state.grant.roles = BTreeSet::from(["reader".parse().unwrap()]);
        state.more.push(role(&["getOrder"]));
    };
    assert_eq!(changed(by_role, |_| role(&["putOrder"])).await, Some(Reason::NoGrant));
    assert_eq!(changed(by_role, |_| role(&["getOrder", "putOrder"])).await, None);
}

#[tokio::test]
async fn who_was_in_a_group_by_way_of_another_loses_with_either() {
    let by_company = |state: &mut State| {
        state.grant.subject = GrantSubject::Group("company".parse().unwrap());
        state.more.push(nested("team", &["svc-billing"], &[]));
        state.more.push(nested("company", &["robin"], &["team"]));
    };
    let no_team = |_| nested("company", &["robin"], &[]);
    assert_eq!(changed(by_company, no_team).await, Some(Reason::NoGrant));
    let left = |_| nested("team", &["robin"], &[]);
    assert_eq!(changed(by_company, left).await, Some(Reason::NoGrant));
    let joined = |_| nested("team", &["robin", "svc-billing"], &[]);
    assert_eq!(changed(by_company, joined).await, None);
}

#[tokio::test]
async fn guardrails_that_forbid_it_now_end_it() {
    let forbid = |_| Change::Guard(Some(Arc::new(ForbidsAll)));
    assert_eq!(changed(|_| {}, forbid).await, Some(Reason::ForbiddenByPolicy));
    assert_eq!(changed(|_| {}, |_| Change::Guard(None)).await, None);
}

/// Named by its id: nobody can ask again what it looked at.
#[tokio::test]
async fn the_record_of_a_request_names_the_guardrails_that_forbade_it() {
    let upstream = testkit::Upstream::start().await;
    let adjust = |state: &mut State| state.more.push(Change::Guard(Some(Arc::new(ForbidsAll))));
    let setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let mut client = kit.connect().await;
    let key = &kit.key;
    client.send(format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n\r\n")).await;
    assert_eq!(client.response().await.status, 403);
    let record = kit.record().await;
    assert_eq!(record.reason, Some(Reason::ForbiddenByPolicy));
    assert_eq!(record.guardrails, ["all"]);
}

#[tokio::test]
async fn checks_that_change_end_nothing() {
    let off = |state: State| Change::Contract(state.api.id, None);
    assert_eq!(changed(|_| {}, off).await, None);
}

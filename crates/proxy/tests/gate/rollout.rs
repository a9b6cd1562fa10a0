//! A change of policy that is put in force step by step, as callers and records see it.

use std::sync::Arc;

use grant::{Bound, Grant, GrantStatus, Terms};
use identity::{Identity, IdentityStatus};
use policy::{Change, Trial};
use testkit::Upstream;
use traffic::{CallRecord, Outcome, Reason, RolloutDifference, RolloutSide};

use crate::kit::{Client, Kit, State};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const EVENTS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent\r\n";

/// Answers every request of every connection with this.
async fn upstream(answer: &'static str) -> Upstream {
    Upstream::scripted(move |mut conversation| async move {
        while conversation.request().await?.is_some() {
            conversation.send(answer).await?;
        }
        Ok(())
    })
    .await
}

/// Publishes changes on top of what holds, as a node does.
fn publish(kit: &Kit, changes: impl IntoIterator<Item = Change>) {
    let present = kit.ruleset.load_full();
    let next = present.apply(present.version() + 1, changes).unwrap();
    kit.ruleset.store(Arc::new(next));
}

fn trial(share: u8, edits: impl IntoIterator<Item = Change>) -> Change {
    let (id, bound) = ("ro_1".parse().unwrap(), Bound::default());
    Change::Rollout(Some(Trial { id, share, bound, edits: edits.into_iter().collect() }))
}

fn revoked(kit: &Kit) -> Change {
    Change::Grant(Grant { status: GrantStatus::Revoked, ..kit.state().grant })
}

/// `GET /orders/42`: status and record.
async fn get(kit: &Kit) -> (u16, CallRecord) {
    ask(kit, &kit.get("")).await
}

async fn ask(kit: &Kit, request: &str) -> (u16, CallRecord) {
    let mut client = kit.connect().await;
    client.send(request).await;
    let status = client.response().await.status;
    (status, kit.record().await)
}

type Said = (RolloutSide, Option<RolloutDifference>, Option<Reason>);

fn said(record: &CallRecord) -> Said {
    let mark = record.rollout.as_ref().expect("a mark");
    (mark.governed_by, mark.difference, mark.reason)
}

const REFUSED: Option<RolloutDifference> = Some(RolloutDifference::NewlyRefused);

#[tokio::test]
async fn what_is_revoked_or_suspended_during_a_rollout_is_refused_whoever_governs() {
    type Taken = fn(&State) -> Change;
    let taken: [(Taken, Reason); 2] = [
        (
            |state| {
                let status = IdentityStatus::Suspended;
                Change::Identity(Identity { status, ..state.identity.clone() })
            },
            Reason::IdentityInactive,
        ),
        (
            |state| {
                let status = GrantStatus::Revoked;
                Change::Grant(Grant { status, ..state.grant.clone() })
            },
            Reason::NoGrant,
        ),
    ];
    for (take, reason) in taken {
        for share in [0, 100] {
            let upstream = upstream(ANSWER).await;
            let kit = Kit::start(&upstream.url()).await;
            // The change is about somebody else.
            let other = Grant {
                id: "g-2".parse().unwrap(),
                subject: "somebody".parse().unwrap(),
                ..kit.state().grant
            };
            publish(&kit, [trial(share, [Change::Grant(other)])]);
            assert_eq!(get(&kit).await.0, 200);
            publish(&kit, [take(&kit.state())]);
            let (status, record) = get(&kit).await;
            assert_eq!(record.reason, Some(reason));
            if reason == Reason::IdentityInactive {
                assert_eq!((status, record.rollout), (401, None), "before anything is decided");
                continue;
            }
            let side = if share == 0 { RolloutSide::Present } else { RolloutSide::Candidate };
            assert_eq!((status, said(&record)), (403, (side, None, None)), "both sides say so");
        }
    }
}

/// Opens a stream and reads its first event.
async fn open(kit: &Kit) -> Client {
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"event");
    client
}

#[tokio::test]
async fn what_is_open_when_a_share_begins_is_cut_and_its_record_says_by_which_side() {
    let upstream = upstream(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = open(&kit).await;
    let cut = kit.publish(trial(100, [revoked(&kit)])).await;
    assert_eq!((cut.cut, client.rest().await), (1, Vec::new()));
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    assert_eq!(said(&record), (RolloutSide::Candidate, REFUSED, Some(Reason::NoGrant)));
    let expected = (record.request_id.clone(), record.rollout.clone().unwrap());
    assert_eq!(kit.noted(), [expected], "before it ended, with what its record says");
}

#[tokio::test]
async fn what_is_open_in_shadow_goes_on_and_is_told_of_at_once_and_at_each_step() {
    let upstream = upstream(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut client = open(&kit).await;
    assert_eq!(kit.publish(trial(0, [revoked(&kit)])).await.cut, 0);
    let noted = kit.noted();
    let marks: Vec<_> = noted.iter().map(|(_, mark)| (mark.governed_by, mark.difference)).collect();
    assert_eq!(marks, [(RolloutSide::Present, REFUSED)]);
    let again = Change::Identity(kit.state().identity);
    assert_eq!((kit.publish(again).await.cut, kit.noted()), (0, Vec::new()), "told once");
    let more = kit.publish(trial(100, [revoked(&kit)])).await;
    assert_eq!((more.cut, client.rest().await), (1, Vec::new()));
    let record = kit.record().await;
    let mark = record.rollout.clone().unwrap();
    assert_eq!(mark.governed_by, RolloutSide::Candidate);
    assert_eq!(kit.noted(), [(record.request_id, mark)]);
}

#[tokio::test]
async fn what_was_open_before_a_shadow_says_so_when_it_ends_by_itself() {
    let upstream = upstream(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    let client = open(&kit).await;
    kit.publish(trial(0, [revoked(&kit)])).await;
    drop(client);
    let record = kit.record().await;
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert_eq!(said(&record), (RolloutSide::Present, REFUSED, Some(Reason::NoGrant)));
}

#[tokio::test]
async fn in_shadow_nobody_is_refused_and_the_record_says_who_would_be() {
    let upstream = upstream(ANSWER).await;
    let kit = Kit::start(&upstream.url()).await;
    assert_eq!(get(&kit).await.1.rollout, None);
    publish(&kit, [trial(0, [revoked(&kit)])]);
    let (status, record) = get(&kit).await;
    assert_eq!((status, record.outcome, record.reason), (200, Outcome::Allowed, None));
    assert_eq!(said(&record), (RolloutSide::Present, REFUSED, Some(Reason::NoGrant)));
    assert_eq!(record.grant_ids.len(), 1);
}

#[tokio::test]
async fn in_the_share_the_change_refuses_until_it_is_taken_back() {
    let upstream = upstream(ANSWER).await;
    let kit = Kit::start(&upstream.url()).await;
    publish(&kit, [trial(100, [revoked(&kit)])]);
    let (status, record) = get(&kit).await;
    assert_eq!((status, record.reason), (403, Some(Reason::NoGrant)));
    assert_eq!(said(&record), (RolloutSide::Candidate, REFUSED, Some(Reason::NoGrant)));
    publish(&kit, [Change::Rollout(None)]);
    let (status, record) = get(&kit).await;
    assert_eq!((status, record.rollout), (200, None));
    // The same when a node falls back by itself, or a later change made it void.
    publish(&kit, [trial(100, [revoked(&kit)])]);
    let alone = kit.ruleset.load_full().without_rollout("too many");
    kit.ruleset.store(Arc::new(alone));
    assert_eq!(get(&kit).await.0, 200);
}

#[tokio::test]
async fn who_is_not_in_the_share_sees_what_holds() {
    let upstream = upstream(ANSWER).await;
    let kit = Kit::start(&upstream.url()).await;
    let mut seen = [0u32; 2];
    // The same caller in many rollouts of one half of the callers.
    for number in 0..24 {
        let edits = Arc::from(vec![revoked(&kit)]);
        let (id, bound) = (format!("ro_{number}").parse().unwrap(), Bound::default());
        let change = Trial { id, share: 50, bound, edits };
        publish(&kit, [Change::Rollout(None), Change::Rollout(Some(change))]);
        let (first, record) = get(&kit).await;
        let (again, _) = get(&kit).await;
        assert_eq!(first, again, "one caller, one behaviour");
        let side = if first == 200 { RolloutSide::Present } else { RolloutSide::Candidate };
        assert_eq!(said(&record), (side, REFUSED, Some(Reason::NoGrant)));
        seen[usize::from(first == 200)] += 1;
    }
    assert!(seen.iter().all(|calls| *calls > 3), "{seen:?}");
}

#[tokio::test]
async fn a_stream_is_cut_by_the_step_that_takes_its_permission() {
    let upstream = upstream(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    publish(&kit, [trial(0, [revoked(&kit)])]);
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"event");
    kit.publish(trial(100, [revoked(&kit)])).await;
    assert_eq!(client.rest().await, b"", "no false end");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
}

#[tokio::test]
async fn a_stream_that_only_the_change_allows_ends_with_it() {
    let upstream = upstream(EVENTS).await;
    let kit = Kit::start(&upstream.url()).await;
    publish(&kit, [revoked(&kit)]);
    let given = Grant { id: "g-2".parse().unwrap(), ..kit.state().grant };
    publish(&kit, [trial(100, [Change::Grant(given)])]);
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap();
    assert_eq!(client.chunk().await.unwrap(), b"event");
    publish(&kit, [Change::Rollout(None)]);
    assert_eq!(client.rest().await, b"", "no false end");
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::NoGrant)));
    assert_eq!(record.grant_ids, ["g-2".parse().unwrap()]);
    let mark = record.rollout.unwrap();
    assert_eq!(mark.difference, Some(RolloutDifference::NewlyAllowed));
}

#[tokio::test]
async fn in_shadow_no_body_is_read_for_the_change() {
    let upstream = upstream(ANSWER).await;
    let kit = Kit::start(&upstream.url()).await;
    let terms = Terms { writable: Some(vec!["note".to_owned()]), ..Terms::default() };
    let limited = Change::Grant(Grant { terms, ..kit.state().grant });
    let body = r#"{"price":1}"#;
    let length = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    publish(&kit, [trial(0, [limited.clone()])]);
    let (status, record) = ask(&kit, &kit.post(&length, body)).await;
    assert_eq!(status, 200);
    let undecided = Some(RolloutDifference::Undecided);
    assert_eq!(said(&record), (RolloutSide::Present, undecided, None));
    // Where it governs, it reads.
    publish(&kit, [trial(100, [limited])]);
    let (status, record) = ask(&kit, &kit.post(&length, body)).await;
    assert_eq!((status, record.reason), (403, Some(Reason::ObjectNotAllowed)));
    let reason = Some(Reason::ObjectNotAllowed);
    assert_eq!(said(&record), (RolloutSide::Candidate, REFUSED, reason));
}

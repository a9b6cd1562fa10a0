//! Changes of policy that are put in force step by step.

mod desk;

use std::sync::Arc;

use app::view::{
    AdvanceRollout, BoundView, ChangeSet, NarrowGrant, NewGrant, RolloutView, StartRollout,
};
use app::{App, Role};
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid, NotFound};
use base::{Problem, RequestId, Span};
use desk::Desk;
use portreeve_app as app;
use testkit::{Database, SeededEntropy};
use traffic::{CallRecord, Outcome, Reason, RolloutDifference, RolloutMark, RolloutSide};

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn refused(kind: ProblemKind, reason: &str) -> (ProblemKind, String) {
    (kind, reason.to_owned())
}

/// Takes reader's grant away and gives idle one.
fn change(desk: &Desk) -> ChangeSet {
    let new = NewGrant {
        subject: "idle".to_owned(),
        api: "orders".to_owned(),
        can: vec!["getOrder".to_owned()],
        ..NewGrant::default()
    };
    let why = Some("nobody reads orders any more".to_owned());
    ChangeSet { why, revoke: vec![desk.reader.clone()], give: vec![new], ..ChangeSet::default() }
}

async fn start(desk: &Desk, share: Option<u8>) -> Result<RolloutView, Problem> {
    let asked = StartRollout { change: change(desk), share, bound: None };
    desk.app.start_rollout(&desk.robin, asked).await
}

fn to(share: u8) -> AdvanceRollout {
    AdvanceRollout { share: Some(share), all: false, why: Some("quiet so far".to_owned()) }
}

fn to_all() -> AdvanceRollout {
    AdvanceRollout { share: None, all: true, why: None }
}

/// A call of reader's that the change refused now, as the gate records it.
fn refused_call(desk: &Desk, rollout: &str) -> CallRecord {
    let at = desk.now();
    CallRecord {
        request_id: RequestId::generate(at, &mut SeededEntropy::new(5)),
        at,
        duration_us: 10,
        identity_id: Some("reader".parse().unwrap()),
        credential_id: None,
        api_id: Some("orders".parse().unwrap()),
        operation: Some("listOrders".parse().unwrap()),
        method: "GET".to_owned(),
        path: "/orders".to_owned(),
        source_ip: [127, 0, 0, 1].into(),
        user_agent: None,
        outcome: Outcome::Refused,
        reason: Some(Reason::NoGrant),
        would_refuse: None,
        status: 403,
        grant_ids: vec![],
        fields_removed: vec![],
        violations: vec![],
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: desk.app.ruleset().load().version(),
        binding: None,
        rollout: Some(RolloutMark {
            id: rollout.parse().unwrap(),
            governed_by: RolloutSide::Candidate,
            difference: Some(RolloutDifference::NewlyRefused),
            reason: Some(Reason::NoGrant),
        }),
    }
}

/// Whether the ruleset that governs an identity lets it do something.
fn allows(app: &App, identity: &str, operation: &str) -> bool {
    let ruleset = app.ruleset().load();
    let (api, operation) = ("orders".parse().unwrap(), operation.parse().unwrap());
    let identity = identity.parse().unwrap();
    ruleset
        .governing(&identity)
        .probe_grants(&identity, &api, &operation, base::Timestamp::MIN)
        .is_ok()
}

#[tokio::test]
async fn what_is_no_rollout_is_refused() {
    let desk = Desk::new().await;
    for share in [0, 101] {
        assert_eq!(refusal(start(&desk, Some(share)).await), refused(Invalid, "bad_share"));
    }
    let empty = StartRollout::default();
    let empty = desk.app.start_rollout(&desk.robin, empty).await;
    assert_eq!(refusal(empty), refused(Invalid, "empty_change"));
    let bounds = [
        BoundView { window: Some("30s".to_owned()), ..BoundView::default() },
        BoundView { window: Some("2d".to_owned()), ..BoundView::default() },
        BoundView { percent: Some(0), ..BoundView::default() },
        BoundView { percent: Some(100), ..BoundView::default() },
    ];
    for bound in bounds {
        let asked = StartRollout { change: change(&desk), share: None, bound: Some(bound) };
        let answer = desk.app.start_rollout(&desk.robin, asked).await;
        assert_eq!(refusal(answer), refused(Invalid, "bad_bound"));
    }
    assert_eq!(refusal(desk.app.rollout(&desk.robin).await).0, NotFound);
    for wanted in [to(10), to_all()] {
        let answer = desk.app.advance_rollout(&desk.robin, wanted).await;
        assert_eq!(refusal(answer), refused(Conflict, "no_rollout"));
    }
    let answer = desk.app.return_rollout(&desk.robin, "why").await;
    assert_eq!(refusal(answer), refused(Conflict, "no_rollout"));
}

#[tokio::test]
async fn a_member_neither_sees_nor_moves_a_rollout_and_an_auditor_only_sees_it() {
    let desk = Desk::new().await;
    let asked = StartRollout { change: change(&desk), share: None, bound: None };
    assert_eq!(refusal(desk.app.start_rollout(&desk.kim, asked.clone()).await).0, Forbidden);
    start(&desk, None).await.unwrap();
    let auditor = testkit::world::actor("lee", Role::Auditor);
    assert!(desk.app.rollout(&auditor).await.is_ok());
    assert_eq!(desk.app.rollouts(&auditor).await.unwrap().len(), 1);
    assert_eq!(refusal(desk.app.rollout(&desk.kim).await).0, Forbidden);
    assert_eq!(refusal(desk.app.rollouts(&desk.kim).await).0, Forbidden);
    for actor in [&desk.kim, &auditor] {
        assert_eq!(refusal(desk.app.advance_rollout(actor, to(10)).await).0, Forbidden);
        assert_eq!(refusal(desk.app.advance_rollout(actor, to_all()).await).0, Forbidden);
        assert_eq!(refusal(desk.app.return_rollout(actor, "no").await).0, Forbidden);
        assert_eq!(refusal(desk.app.start_rollout(actor, asked.clone()).await).0, Forbidden);
    }
}

#[tokio::test]
async fn there_is_one_rollout_at_a_time_and_what_is_over_goes_no_further() {
    let desk = Desk::new().await;
    start(&desk, Some(10)).await.unwrap();
    assert_eq!(refusal(start(&desk, None).await), refused(Conflict, "rollout_open"));
    for share in [0, 101] {
        let answer = desk.app.advance_rollout(&desk.robin, to(share)).await;
        assert_eq!(refusal(answer), refused(Invalid, "bad_share"));
    }
    for share in [5, 10] {
        let answer = desk.app.advance_rollout(&desk.robin, to(share)).await;
        assert_eq!(refusal(answer), refused(Conflict, "not_further"));
    }
    let both = AdvanceRollout { share: Some(50), all: true, why: None };
    for unclear in [both, AdvanceRollout::default()] {
        let answer = desk.app.advance_rollout(&desk.robin, unclear).await;
        assert_eq!(refusal(answer), refused(Invalid, "bad_share"));
    }
    assert_eq!(refusal(desk.app.return_rollout(&desk.robin, " ").await), refused(Invalid, "empty"));
    let ended = desk.app.return_rollout(&desk.robin, "complaints").await.unwrap();
    assert_eq!((ended.stage.as_str(), ended.share), ("returned", 0));
    assert!(ended.receipt.is_some());
    for wanted in [to(50), to_all()] {
        let answer = desk.app.advance_rollout(&desk.robin, wanted).await;
        assert_eq!(refusal(answer), refused(Conflict, "rollout_over"));
    }
    let again = desk.app.return_rollout(&desk.robin, "again").await;
    assert_eq!(refusal(again), refused(Conflict, "rollout_over"));
    // The next one may begin.
    assert!(start(&desk, None).await.is_ok());
}

#[tokio::test]
async fn a_change_against_what_was_changed_since_is_refused_with_what_was() {
    let desk = Desk::new().await;
    let base = Some(desk.app.ruleset().load().version());
    let keep = ["getOrder".to_owned()];
    desk.app.narrow_grant(&desk.robin, &desk.reader, &keep, "less").await.unwrap();
    let stale = ChangeSet { base, ..change(&desk) };
    let asked = StartRollout { change: stale.clone(), share: None, bound: None };
    let problem = desk.app.start_rollout(&desk.robin, asked).await.unwrap_err();
    assert_eq!((problem.kind, problem.reason.as_str()), (Conflict, "stale_base"));
    assert!(problem.detail.contains("grant.narrowed by robin"), "{problem}");
    let publish = desk.app.publish_policy(&desk.robin, stale.clone(), false).await;
    assert_eq!(refusal(publish), refused(Conflict, "stale_base"));
    assert_eq!(desk.app.grant(&desk.robin, &desk.reader).await.unwrap().status, "active");
    let ahead = ChangeSet { base: base.map(|base| base + 1_000), ..stale.clone() };
    let publish = desk.app.publish_policy(&desk.robin, ahead, false).await;
    assert_eq!(refusal(publish), refused(Invalid, "unknown_base"));
    // What was changed elsewhere does not matter.
    let fresh = ChangeSet { base: base.map(|base| base + 1), ..stale };
    desk.app.revoke_grant(&desk.robin, &desk.idle, "").await.unwrap();
    let asked = StartRollout { change: fresh, share: None, bound: None };
    assert!(desk.app.start_rollout(&desk.robin, asked).await.is_ok());
}

/// From the records only to all, on either database.
async fn from_shadow_to_all(database: Database) {
    let desk = Desk::on(database).await;
    let shadow = start(&desk, None).await.unwrap();
    assert_eq!((shadow.stage.as_str(), shadow.share, shadow.edits.len()), ("shadow", 0, 2));
    assert_eq!(shadow.steps[0].why.as_deref(), Some("nobody reads orders any more"));
    assert!(allows(&desk.app, "reader", "listOrders") && !allows(&desk.app, "idle", "getOrder"));
    assert_eq!(desk.app.grant(&desk.robin, &desk.reader).await.unwrap().status, "active");
    desk.app.advance_rollout(&desk.robin, to(100)).await.unwrap();
    assert!(!allows(&desk.app, "reader", "listOrders") && allows(&desk.app, "idle", "getOrder"));
    // A process that starts now finds it as it was left.
    let next = desk.next_process("node-a").await;
    assert!(!allows(&next, "reader", "listOrders") && allows(&next, "idle", "getOrder"));
    let given = {
        let ruleset = next.ruleset().load();
        let candidate = ruleset.rollout().unwrap().candidate().unwrap();
        let (idle, api) = ("idle".parse().unwrap(), "orders".parse().unwrap());
        let operation = "getOrder".parse().unwrap();
        candidate.probe_grants(&idle, &api, &operation, base::Timestamp::MIN).unwrap().remove(0)
    };
    drop(next);
    let done = desk.app.advance_rollout(&desk.robin, to_all()).await.unwrap();
    assert_eq!((done.stage.as_str(), done.steps.len()), ("all", 3));
    assert!(desk.app.ruleset().load().rollout().is_none());
    assert!(!allows(&desk.app, "reader", "listOrders") && allows(&desk.app, "idle", "getOrder"));
    assert_eq!(desk.app.grant(&desk.robin, &desk.reader).await.unwrap().status, "revoked");
    let kept = desk.app.grant(&desk.robin, given.as_str()).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.subject.as_str()), ("active", "idle"));
    let listed = desk.app.rollouts(&desk.robin).await.unwrap();
    assert_eq!((listed[0].stage.as_str(), listed[0].started.by.as_str()), ("all", "robin"));
}

#[tokio::test]
async fn a_rollout_goes_from_the_records_to_all_on_sqlite() {
    from_shadow_to_all(Database::sqlite()).await;
}

#[tokio::test]
async fn a_rollout_goes_from_the_records_to_all_on_postgresql() {
    from_shadow_to_all(Database::postgres()).await;
}

/// The bound is passed by the calls of two nodes together.
async fn returned_by_itself(database: Database) {
    let desk = Desk::on(database).await;
    let id = start(&desk, Some(100)).await.unwrap().id;
    let other = desk.next_process("node-b").await;
    assert!(!allows(&desk.app, "reader", "listOrders") && !allows(&other, "reader", "listOrders"));
    let count = |app: &Arc<App>, calls: usize| {
        (0..calls).for_each(|_| app.rollout_tallies().count(&refused_call(&desk, &id)));
    };
    count(&desk.app, 5);
    count(&other, 5);
    desk.app.tend_rollout().await.unwrap();
    other.tend_rollout().await.unwrap();
    let seen = desk.app.rollout(&desk.robin).await.unwrap();
    assert_eq!((seen.stage.as_str(), seen.within_window.refused), ("share", 10), "at the bound");
    let [row] = seen.differences.as_slice() else { panic!("{seen:?}") };
    assert_eq!((row.identity_id.as_deref(), row.calls), (Some("reader"), 10));
    // One more, on the node that did not start it.
    count(&other, 1);
    other.tend_rollout().await.unwrap();
    assert!(allows(&other, "reader", "listOrders"), "the present ruleset governs at once");
    desk.app.catch_up().await.unwrap();
    assert!(allows(&desk.app, "reader", "listOrders"));
    let ended = desk.app.rollout(&desk.robin).await.unwrap();
    let last = ended.steps.last().unwrap();
    assert_eq!((ended.stage.as_str(), last.by.as_str()), ("returned", "system:rollout"));
    assert!(last.why.as_deref().unwrap().contains("11 calls"), "{last:?}");
    assert_eq!(ended.since_start.refused, 11);
    // Late calls are counted, and change nothing.
    count(&desk.app, 1);
    desk.app.tend_rollout().await.unwrap();
    assert_eq!(desk.app.rollout(&desk.robin).await.unwrap().since_start.refused, 12);
    let query =
        app::view::AuditQuery { event: Some("rollout.returned".to_owned()), ..Default::default() };
    let entries = desk.app.audit_events(&desk.robin, query).await.unwrap();
    assert_eq!(entries.items.len(), 1);
}

#[tokio::test]
async fn too_many_refusals_of_calls_that_passed_take_the_change_back_on_sqlite() {
    returned_by_itself(Database::sqlite()).await;
}

#[tokio::test]
async fn too_many_refusals_of_calls_that_passed_take_the_change_back_on_postgresql() {
    returned_by_itself(Database::postgres()).await;
}

#[tokio::test]
async fn refusals_outside_of_the_window_are_forgotten() {
    let desk = Desk::new().await;
    let id = start(&desk, Some(100)).await.unwrap().id;
    for _ in 0..4 {
        (0..10).for_each(|_| desk.app.rollout_tallies().count(&refused_call(&desk, &id)));
        desk.app.tend_rollout().await.unwrap();
        assert_eq!(desk.app.rollout(&desk.robin).await.unwrap().stage, "share");
        desk.clock.advance(Span::from_secs(620));
    }
    let seen = desk.app.rollout(&desk.robin).await.unwrap();
    assert_eq!((seen.within_window.refused, seen.since_start.refused), (0, 40));
}

#[tokio::test]
async fn in_shadow_nothing_counts_against_the_bound() {
    let desk = Desk::new().await;
    let id = start(&desk, None).await.unwrap().id;
    let mut call = refused_call(&desk, &id);
    if let Some(mark) = &mut call.rollout {
        mark.governed_by = RolloutSide::Present;
    }
    (0..1_000).for_each(|_| desk.app.rollout_tallies().count(&call));
    desk.app.tend_rollout().await.unwrap();
    let seen = desk.app.rollout(&desk.robin).await.unwrap();
    assert_eq!((seen.stage.as_str(), seen.since_start.refused), ("shadow", 0));
    assert_eq!((seen.since_start.judged, seen.differences[0].calls), (1_000, 1_000));
}

#[tokio::test]
async fn callers_beyond_the_room_are_counted_together() {
    let desk = Desk::new().await;
    let id = start(&desk, None).await.unwrap().id;
    let mut call = refused_call(&desk, &id);
    for caller in 0..10_050 {
        call.identity_id = Some(format!("svc-{caller}").parse().unwrap());
        desk.app.rollout_tallies().count(&call);
    }
    desk.app.tend_rollout().await.unwrap();
    let seen = desk.app.rollout(&desk.robin).await.unwrap();
    assert_eq!((seen.differences[0].identity_id.as_deref(), seen.differences[0].calls), (None, 50));
    assert_eq!(seen.differences.len(), 500);
}

#[tokio::test]
async fn what_is_revoked_during_a_rollout_is_refused_on_both_sides_at_once() {
    for share in [None, Some(100)] {
        let desk = Desk::new().await;
        let other = desk.next_process("node-b").await;
        start(&desk, share).await.unwrap();
        other.catch_up().await.unwrap();
        assert!(allows(&desk.app, "writer", "createOrder"));
        desk.app.revoke_grant(&desk.robin, &desk.writer, "gone").await.unwrap();
        other.catch_up().await.unwrap();
        for app in [&desk.app, &other] {
            assert!(!allows(app, "writer", "createOrder"));
            let ruleset = app.ruleset().load();
            let candidate = ruleset.rollout().unwrap().candidate().unwrap();
            let (writer, api) = ("writer".parse().unwrap(), "orders".parse().unwrap());
            let create = "createOrder".parse().unwrap();
            for side in [ruleset.as_ref(), candidate] {
                let found = side.probe_grants(&writer, &api, &create, base::Timestamp::MIN);
                assert_eq!(found, Err(Reason::NoGrant));
            }
        }
        assert!(allows(&desk.app, "idle", "getOrder") == share.is_some(), "it goes on");
    }
}

#[tokio::test]
async fn a_change_of_what_the_rollout_changes_returns_it_in_the_same_step() {
    let desk = Desk::new().await;
    let other = desk.next_process("node-b").await;
    start(&desk, Some(100)).await.unwrap();
    other.catch_up().await.unwrap();
    let revoked = desk.app.revoke_grant(&desk.robin, &desk.reader, "at once").await;
    // The other node is behind: what counts is that it is saved, and what each node says then.
    drop(revoked);
    assert!(desk.app.ruleset().load().rollout().is_none());
    other.catch_up().await.unwrap();
    for app in [&desk.app, &other, &desk.next_process("node-c").await] {
        assert!(app.ruleset().load().rollout().is_none());
        assert!(!allows(app, "reader", "listOrders"), "revoked at present");
        assert!(!allows(app, "idle", "getOrder"), "not given");
    }
    let ended = desk.app.rollout(&desk.robin).await.unwrap();
    let why = ended.steps.last().unwrap().why.clone().unwrap();
    assert_eq!(ended.stage, "returned");
    assert!(why.contains(&desk.reader) && why.contains("changed since"), "{why}");
}

#[tokio::test]
async fn a_test_that_the_change_breaks_refuses_it_at_every_step() {
    let desk = Desk::new().await;
    let test = "[[case]]\nname = \"reads\"\nidentity = \"reader\"\n\
                request = \"GET /orders/items\"\nexpect = \"allow\"\n";
    let files = [("t.toml".to_owned(), test.to_owned())].into();
    let set = ChangeSet { files, ..ChangeSet::default() };
    desk.app.publish_policy(&desk.robin, set, false).await.unwrap();
    assert_eq!(refusal(start(&desk, None).await), refused(Conflict, "policy_test_failed"));
    let narrow = NarrowGrant { id: desk.reader.clone(), operations: vec!["listOrders".to_owned()] };
    let change = ChangeSet { narrow: vec![narrow], ..ChangeSet::default() };
    let asked = StartRollout { change, share: Some(50), bound: None };
    desk.app.start_rollout(&desk.robin, asked).await.unwrap();
    assert_eq!(desk.app.advance_rollout(&desk.robin, to_all()).await.unwrap().stage, "all");
}

#[tokio::test]
async fn guardrails_are_rolled_out_like_grants_and_refused_like_everywhere() {
    let desk = Desk::new().await;
    let asked = |text: &str, share| StartRollout {
        change: ChangeSet {
            files: [("g.cedar".to_owned(), text.to_owned())].into(),
            why: Some("test".to_owned()),
            ..ChangeSet::default()
        },
        share,
        bound: None,
    };
    let wrong = "forbid(principal, action == Action::\"orders/nope\", resource);";
    let answer = desk.app.start_rollout(&desk.robin, asked(wrong, None)).await;
    assert_eq!(refusal(answer), refused(Invalid, "guardrail_invalid"));
    let right = "forbid(principal, action == Action::\"orders/purgeOrder\", resource);";
    desk.app.start_rollout(&desk.robin, asked(right, None)).await.unwrap();
    let guarded = || {
        let ruleset = desk.app.ruleset().load_full();
        let candidate = ruleset.rollout().and_then(|rollout| rollout.candidate());
        let judges = candidate.is_some_and(|candidate| candidate.guard().is_some());
        (ruleset.guard().is_some(), judges)
    };
    assert_eq!(guarded(), (false, true), "only the candidate forbids it");
    desk.app.advance_rollout(&desk.robin, to_all()).await.unwrap();
    assert_eq!(guarded(), (true, false), "it is the policy now");
}

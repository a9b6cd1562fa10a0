//! Access reviews from start to proof, as the doors see them.

mod desk;

use app::view::ReviewDefinition;
use app::{Actor, FindingQuery, Role};
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid, NotFound};
use base::{Problem, Span};
use desk::{Desk, grant, machines, note, plain};
use portreeve_app as app;
use testkit::databases;
use testkit::world::actor;

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn is(kind: ProblemKind, reason: &str) -> (ProblemKind, String) {
    (kind, reason.to_owned())
}

#[tokio::test]
async fn a_review_that_cannot_be_started_asks_nobody() {
    let desk = Desk::new().await;
    let auditor = actor("lee", Role::Auditor);
    let with = |change: fn(&mut ReviewDefinition)| {
        let mut definition = machines();
        change(&mut definition);
        definition
    };
    for who in [&desk.kim, &auditor] {
        let answer = desk.app.start_review(who, machines()).await;
        assert_eq!(refusal(answer), is(Forbidden, "not_allowed"));
    }
    let cases = [
        (with(|d| d.fallback = "ghost".to_owned()), is(Invalid, "unknown_fallback")),
        (with(|d| d.of.apis = vec!["ghost".to_owned()]), is(Invalid, "unknown_api")),
        (with(|d| d.of.kinds = vec!["ai_agent".to_owned()]), is(Conflict, "launch_failed")),
    ];
    for (definition, expected) in cases {
        let answer = desk.app.start_review(&desk.robin, definition).await;
        assert_eq!(refusal(answer), expected);
    }
    let reviews = desk.app.reviews(&desk.robin).await.unwrap();
    let states: Vec<_> = reviews.iter().map(|review| review.state.as_str()).collect();
    assert_eq!(states, ["LAUNCH_FAILED"], "the failed launch is on record");
    let status = desk.app.review_status(&desk.robin, &reviews[0].id).await.unwrap();
    assert_eq!(status.blocked_by, ["the scope covers no grant that is in force"]);
}

#[tokio::test]
async fn a_grant_without_an_independent_reviewer_stops_the_launch() {
    let desk = Desk::new().await;
    let own = grant(&desk.app, &desk.robin, "robin", &["getOrder"]).await;
    let answer = desk.app.start_review(&desk.robin, machines()).await;
    // kim owns the API and is independent of robin's access.
    assert_eq!(answer.unwrap().items, 4);
    let by_owner = ReviewDefinition { by: vec!["owner".to_owned()], ..machines() };
    let problem = desk.app.start_review(&desk.robin, by_owner).await.unwrap_err();
    assert_eq!(problem.reason, "launch_failed");
    let expected =
        format!("{own} has no independent reviewer; tried owner: nobody, fallback: robin");
    assert!(problem.detail.starts_with(&expected), "{problem}");
}

#[tokio::test]
async fn what_is_not_theirs_does_not_exist_for_members() {
    let desk = Desk::new().await;
    desk.review().await;
    let lee = actor("lee", Role::Member);
    assert_eq!(desk.app.reviews(&lee).await.unwrap(), vec![]);
    assert_eq!(refusal(desk.app.review_status(&lee, "machines").await), is(NotFound, "not_found"));
    assert_eq!(refusal(desk.app.review_items(&lee, "machines").await), is(NotFound, "not_found"));
    let decided = desk.app.decide(&lee, "machines-001", plain("remove")).await;
    assert_eq!(refusal(decided), is(NotFound, "not_found"));
    assert_eq!(refusal(desk.app.sign(&lee, "machines", None).await), is(NotFound, "not_found"));
    let ghost = desk.app.decide(&desk.robin, "machines-999", plain("remove")).await;
    assert_eq!(refusal(ghost), is(NotFound, "not_found"));
}

#[tokio::test]
async fn a_reviewer_sees_what_became_of_their_own_items_only() {
    let desk = Desk::new().await;
    let own = grant(&desk.app, &desk.robin, "robin", &["getOrder"]).await;
    let items = desk.review().await;
    for item in &items {
        let who = if item.reviewer == "kim" { &desk.kim } else { &desk.robin };
        desk.app.decide(who, &item.id, note("remove")).await.unwrap();
    }
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    let kims = desk.app.sign(&desk.kim, "machines", None).await.unwrap();
    assert_eq!((kims.review.state.as_str(), kims.removed), ("COMPLETED", 4));
    let grants: Vec<_> = kims.remediations.iter().map(|act| act.grant_id.as_str()).collect();
    assert_eq!(grants, [own.as_str()]);
    let robins = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!(robins.remediations.len(), 4);
}

#[tokio::test]
async fn decisions_are_refused_with_the_reason() {
    let desk = Desk::new().await;
    desk.review().await;
    let decide = |item: &'static str, decision| desk.app.decide(&desk.robin, item, decision);
    assert_eq!(refusal(decide("machines-001", plain("burn")).await), is(Invalid, "unknown_word"));
    assert_eq!(refusal(decide("machines-001", plain("keep")).await), is(Invalid, "note_needed"));
    let narrow = decide("machines-001", note("narrow")).await;
    assert_eq!(refusal(narrow), is(Invalid, "nothing_to_narrow"));
    let other = actor("lee", Role::Admin);
    let foreign = desk.app.decide(&other, "machines-001", plain("remove")).await;
    assert_eq!(refusal(foreign), is(Forbidden, "not_your_item"));
    let undone = desk.app.undo(&desk.robin, "machines-001").await;
    assert_eq!(refusal(undone), is(Conflict, "no_draft"));
    let signed = desk.app.sign(&desk.robin, "machines", None).await;
    assert_eq!(refusal(signed), is(Conflict, "nothing_to_sign"));
    desk.clock.advance(Span::from_days(15));
    assert_eq!(refusal(decide("machines-001", plain("remove")).await), is(Conflict, "late"));
    let status = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!(status.review.state, "ACTIVE", "silence decides nothing");
    desk.app.extend_review(&desk.robin, "machines", 20).await.unwrap();
    assert!(decide("machines-001", plain("remove")).await.is_ok());
}

#[tokio::test]
async fn items_show_use_recommendation_and_consequence() {
    let desk = Desk::new().await;
    let items = desk.review().await;
    let row = |n: usize| {
        let item = &items[n];
        let recommended = item.recommendation.verdict.as_str();
        (item.subject.as_str(), item.usage.calls, recommended, item.if_removed.refused)
    };
    assert_eq!(row(0), ("idle", 0, "remove", 0));
    // Nine of the ten calls lie in the last ninety days.
    assert_eq!(row(1), ("reader", 9, "narrow", 9));
    assert_eq!(row(2), ("writer", 9, "keep", 9));
    assert_eq!(items[1].recommendation.operations, ["listOrders"]);
    let narrowed = items[1].if_narrowed.as_ref().unwrap();
    assert_eq!((narrowed.calls, narrowed.refused), (9, 0));
    assert_eq!(narrowed.summary, "0 of 9 recorded calls refused");
    assert_eq!(items[1].reviewer, "robin");
    assert_eq!(items[1].reviewer_rule, "owner");
    assert!(items.iter().all(|item| item.usage.sufficient && item.mine));
}

#[tokio::test]
async fn decide_sign_enforce_and_prove() {
    for database in databases() {
        let kind = database.kind;
        let desk = Desk::on(database).await;
        desk.review().await;
        desk.decide_all().await;
        let summary = desk.app.sign_off(&desk.robin, "machines").await.unwrap();
        assert_eq!((summary.keep, summary.narrow, summary.remove, summary.open), (1, 1, 1, 0));
        let changes: Vec<_> = summary.changes.iter().map(|i| i.subject.as_str()).collect();
        assert_eq!(changes, ["idle", "reader"], "what is taken away is named");
        let stale = desk.app.sign(&desk.robin, "machines", Some(&"0".repeat(64))).await;
        assert_eq!(refusal(stale), is(Conflict, "drafts_changed"), "{kind}");
        let digest = Some(summary.drafts_digest.as_str());
        let status = desk.app.sign(&desk.robin, "machines", digest).await.unwrap();
        assert_eq!(status.review.state, "COMPLETED", "{kind}: {:?}", status.blocked_by);
        assert_eq!((status.kept, status.narrowed, status.removed), (1, 1, 1));
        assert_eq!((status.probe.as_str(), status.allowed_since), ("refused", 0));
        assert_eq!(status.applied_in_ms, Some(0));
        assert!(status.remediations.iter().all(|act| act.receipts.len() == 1));
        let items = desk.app.review_items(&desk.robin, "machines").await.unwrap();
        assert!(items.iter().all(|item| item.mine), "what was signed stays the signer's");

        let grant = |id: &str| {
            let id = id.to_owned();
            let app = desk.app.clone();
            let robin = desk.robin.clone();
            async move { app.grant(&robin, &id).await.unwrap() }
        };
        assert_eq!(grant(&desk.idle).await.status, "revoked");
        assert_eq!(grant(&desk.reader).await.operations, ["listOrders"]);
        assert_eq!(grant(&desk.reader).await.approved_by.as_deref(), Some("robin"));
        assert_eq!(grant(&desk.writer).await.version, 1, "certifying changes no permission");
        let ruleset = desk.app.ruleset().load();
        let orders = "orders".parse().unwrap();
        let may = |who: &str, op: &str| {
            ruleset.probe(&who.parse().unwrap(), &orders, &op.parse().unwrap(), desk.now()).is_ok()
        };
        assert!(!may("idle", "listOrders") && !may("reader", "getOrder"));
        assert!(may("reader", "listOrders") && may("writer", "createOrder"));
        let again = desk.app.decide(&desk.robin, "machines-001", note("keep")).await;
        assert_eq!(refusal(again), is(Conflict, "review_not_active"));
    }
}

#[tokio::test]
async fn a_grant_that_changes_meanwhile_leaves_the_review() {
    let desk = Desk::new().await;
    desk.review().await;
    desk.app.decide(&desk.robin, "machines-001", plain("remove")).await.unwrap();
    desk.app.revoke_grant(&desk.robin, &desk.idle, "by hand").await.unwrap();
    let decided = desk.app.decide(&desk.robin, "machines-001", plain("remove")).await;
    assert_eq!(refusal(decided), is(Conflict, "superseded"));
    let items = desk.app.review_items(&desk.robin, "machines").await.unwrap();
    assert_eq!(items[0].state, "superseded");
    for item in ["machines-002", "machines-003"] {
        desk.app.decide(&desk.robin, item, note("keep")).await.unwrap();
    }
    let status = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!((status.review.state.as_str(), status.superseded), ("COMPLETED", 1));
    assert_eq!(status.probe, "none", "nothing was removed by the review");
}

#[tokio::test]
async fn a_review_whose_last_open_item_is_overtaken_goes_on() {
    let desk = Desk::new().await;
    desk.review().await;
    for item in ["machines-002", "machines-003"] {
        desk.app.decide(&desk.robin, item, note("keep")).await.unwrap();
    }
    let status = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!(status.review.state, "ACTIVE");
    assert_eq!(status.blocked_by, ["1 item is for robin to decide and sign"]);
    desk.app.revoke_grant(&desk.robin, &desk.idle, "by hand").await.unwrap();
    desk.app.remediate().await.unwrap();
    let status = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!(status.review.state, "COMPLETED");
}

#[tokio::test]
async fn cancelling_needs_an_administrator_and_a_reason_and_stops_everything() {
    let desk = Desk::new().await;
    desk.review().await;
    desk.decide_all().await;
    let blank = desk.app.cancel_review(&desk.robin, "machines", " ").await;
    assert_eq!(refusal(blank), is(Invalid, "reason_needed"));
    let auditor = actor("lee", Role::Auditor);
    let not_allowed = desk.app.cancel_review(&auditor, "machines", "why").await;
    assert_eq!(refusal(not_allowed), is(Forbidden, "not_allowed"));
    desk.app.cancel_review(&desk.robin, "machines", "wrong scope").await.unwrap();
    let signed = desk.app.sign(&desk.robin, "machines", None).await;
    assert_eq!(refusal(signed), is(Conflict, "review_not_active"));
    assert_eq!(desk.app.grant(&desk.robin, &desk.idle).await.unwrap().status, "active");
}

#[tokio::test]
async fn findings_open_resolve_and_stay_with_their_owners() {
    let desk = Desk::new().await;
    let open = desk.app.detect_findings().await.unwrap();
    let findings = desk.app.findings(&desk.robin, FindingQuery::default()).await.unwrap();
    assert_eq!(findings.len() as u64, open);
    let unused = |f: &&app::view::FindingView| f.rule == "unused-grant";
    let found = findings.iter().find(unused).unwrap();
    assert_eq!((found.subject.id.as_str(), found.state.as_str()), (desk.idle.as_str(), "open"));
    assert_eq!(found.evidence["allowed_requests"], 0);
    assert_eq!(found.subject.holder.as_deref(), Some("idle"));
    // kim owns the API, so the grant on it is hers to see; lee owns nothing.
    let kims = desk.app.findings(&desk.kim, FindingQuery::default()).await.unwrap();
    assert!(kims.iter().any(|f| f.id == found.id));
    let lee = actor("lee", Role::Member);
    assert_eq!(desk.app.findings(&lee, FindingQuery::default()).await.unwrap(), vec![]);
    desk.app.revoke_grant(&desk.robin, &desk.idle, "unused").await.unwrap();
    desk.app.detect_findings().await.unwrap();
    let query = FindingQuery { state: Some("resolved".to_owned()), ..FindingQuery::default() };
    let resolved = desk.app.findings(&desk.robin, query).await.unwrap();
    assert!(resolved.iter().any(|f| f.id == found.id));
    let bad = FindingQuery { rule: Some("unused".to_owned()), ..FindingQuery::default() };
    assert_eq!(refusal(desk.app.findings(&desk.robin, bad).await), is(Invalid, "unknown_word"));
}

#[tokio::test]
async fn a_removal_by_a_review_resolves_its_finding_at_once() {
    let desk = Desk::new().await;
    desk.app.detect_findings().await.unwrap();
    let query = || FindingQuery { subject: Some(desk.idle.clone()), ..FindingQuery::default() };
    assert_eq!(desk.app.findings(&desk.robin, query()).await.unwrap().len(), 1);
    desk.review().await;
    desk.decide_all().await;
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!(desk.app.findings(&desk.robin, query()).await.unwrap(), vec![]);
}

#[tokio::test]
async fn suggestions_are_for_those_who_read_everything() {
    let desk = Desk::new().await;
    let refused = desk.app.suggestions(&desk.kim).await;
    assert_eq!(refusal(refused), is(Forbidden, "not_allowed"));
    let mut suggestions = desk.app.suggestions(&desk.robin).await.unwrap();
    suggestions.sort_by_key(|s| s.operations.len());
    let rows: Vec<_> =
        suggestions.iter().map(|s| (s.grant_id.as_str(), s.operations.len())).collect();
    assert_eq!(rows, [(desk.idle.as_str(), 0), (desk.reader.as_str(), 1)]);
}

#[tokio::test]
async fn today_shows_what_waits_for_whom() {
    let desk = Desk::new().await;
    desk.review().await;
    desk.call("reader", &desk.reader, "listOrders").await;
    let today = desk.app.today(&desk.robin).await.unwrap();
    assert_eq!(today.reviews.len(), 1);
    assert_eq!(today.reviews[0].mine, 3);
    // Removing idle's and narrowing reader's; writer's is to be kept and harmless.
    assert_eq!(today.items_needing_a_look, 2);
    assert!(today.calls_24h >= 1);
    desk.decide_all().await;
    assert_eq!(desk.app.today(&desk.robin).await.unwrap().items_needing_a_look, 0);
    let lee = desk.app.today(&actor("lee", Role::Member)).await.unwrap();
    assert!(lee.reviews.is_empty());
    assert_eq!((lee.calls_24h, lee.items_needing_a_look), (0, 0));
}

#[tokio::test]
async fn a_token_that_only_reads_decides_nothing_for_the_reviewer() {
    let desk = Desk::new().await;
    let items = desk.review().await;
    let reads = Actor { role: Role::Auditor, ..desk.robin.clone() };
    let decided = desk.app.decide(&reads, &items[0].id, note("remove")).await;
    assert_eq!(decided.unwrap_err().kind, Forbidden);
    desk.decide_all().await;
    assert_eq!(desk.app.undo(&reads, &items[0].id).await.unwrap_err().kind, Forbidden);
    let signed = desk.app.sign(&reads, "machines", None).await;
    assert_eq!(signed.unwrap_err().reason, "not_allowed");
    assert_eq!(desk.app.review_status(&desk.robin, "machines").await.unwrap().removed, 0);
}

/// As many members as the store has readers, at once: nobody holds one and waits for another.
#[tokio::test]
async fn many_members_look_at_today_at_once() {
    let desk = Desk::new().await;
    let looks = (0..8).map(|_| desk.app.today(&desk.kim));
    for today in futures_util::future::join_all(looks).await {
        today.unwrap();
    }
}

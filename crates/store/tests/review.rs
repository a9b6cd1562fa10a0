//! Findings and reviews on both databases: what binds is written once, and two writers cannot
//! both move the same thing.

use base::{ActorId, CampaignId, DecisionId, Digest, ItemId, Timestamp};
use portreeve_store::{
    Channel, FindingFilter, FindingRow, FindingState, Store, StoreError, Writer,
};
use review::item::{
    ApiFacts, Attention, Draft, FrozenUsage, OperationFacts, Risk, SubjectFacts, Verdict,
};
use review::reviewer::ReviewerRule;
use review::{
    Assignment, Campaign, Consequences, Decision, Definition, Evidence, Finding, FindingSubject,
    Item, ItemState, PopulationSeal, Recommendation, Remediation, RemediationState, ReviewItem,
    Rule, Scope, Severity, Tally,
};
use serde_json::json;
use testkit::databases;

mod sample;
use sample::grant;

fn writer() -> Writer {
    Writer { actor: ActorId::parse("robin").unwrap(), channel: Channel::Api }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_772_442_000 + seconds)
}

fn campaign() -> Campaign {
    let definition = Definition {
        name: "machines".to_owned(),
        scope: Scope::default(),
        reviewers: vec![ReviewerRule::Owner],
        fallback: "robin".parse().unwrap(),
        days: 14,
        instructions: Some("look twice".to_owned()),
    };
    let seal = PopulationSeal {
        digest: Digest::ZERO,
        items: 2,
        inventory: Digest::ZERO,
        ruleset_version: 7,
        as_of: at(0),
    };
    let id = CampaignId::parse("machines").unwrap();
    Campaign::staged(id, definition, seal, at(0)).launch(at(0)).unwrap()
}

fn item(number: u32, attention: Attention) -> ReviewItem {
    ReviewItem {
        id: ItemId::parse(&format!("machines-{number:03}")).unwrap(),
        campaign: CampaignId::parse("machines").unwrap(),
        grant: grant(&format!("g{number}"), "svc"),
        subject: SubjectFacts {
            name: "svc".to_owned(),
            kind: "service_account".to_owned(),
            purpose: None,
            owner: None,
            owner_name: None,
            owner_active: false,
        },
        api: ApiFacts { name: "orders".to_owned(), impact: catalog::Impact::High },
        operations: vec![OperationFacts {
            id: "getOrder".parse().unwrap(),
            title: "Get an order".to_owned(),
            calls: 3,
            dangerous: false,
        }],
        usage: FrozenUsage {
            window_days: 90,
            calls: 3,
            last_used_at: Some(at(-60)),
            weeks: [0; 13],
            operations_used: vec!["getOrder".parse().unwrap()],
            fields_seen: vec![],
            as_of: at(0),
            sufficient: true,
        },
        findings: vec![],
        recommendation: Recommendation { verdict: None, reasons: vec![], narrower: None },
        consequences: Consequences::default(),
        risk: Risk::High,
        attention,
        assignment: Assignment {
            reviewer: "robin".parse().unwrap(),
            rule: ReviewerRule::Owner,
            passed_over: vec![],
        },
    }
}

fn decision(number: u32) -> Decision {
    let draft = Draft {
        verdict: Verdict::Remove,
        note: Some("gone since spring".to_owned()),
        by: "robin".parse().unwrap(),
        at: at(5),
    };
    Decision {
        id: DecisionId::parse(&format!("dec_{number}")).unwrap(),
        draft,
        signed_at: at(9),
        against_recommendation: false,
    }
}

async fn with_campaign(url: &str) -> Store {
    let store = Store::open(url).await.unwrap();
    let mut tx = store.begin(&writer(), at(0)).await.unwrap();
    let items = [item(1, Attention::Quiet), item(2, Attention::NeedsALook)];
    tx.add_campaign(audit::Event::ReviewStarted, &campaign(), &items, json!({})).await.unwrap();
    tx.commit().await.unwrap();
    store
}

#[tokio::test]
async fn a_campaign_that_moved_meanwhile_is_not_moved_again() {
    for database in databases() {
        let store = with_campaign(&database.url).await;
        let (before, event) = (campaign(), audit::Event::ReviewSigned);
        let later = before.clone().decided(&Tally::default(), at(10)).unwrap();
        let mut tx = store.begin(&writer(), at(10)).await.unwrap();
        tx.save_campaign(event, &before, &later, json!({})).await.unwrap();
        let again = tx.save_campaign(event, &before, &later, json!({})).await.unwrap_err();
        assert!(matches!(again, StoreError::Stale { .. }), "{}: {again:?}", database.kind);
    }
}

#[tokio::test]
async fn a_decided_item_and_its_decision_never_change() {
    for database in databases() {
        let store = with_campaign(&database.url).await;
        let pending = Item { sealed: item(1, Attention::Quiet), state: ItemState::Pending };
        let decided = Item { state: ItemState::Decided(decision(1)), ..pending.clone() };
        let mut tx = store.begin(&writer(), at(9)).await.unwrap();
        tx.save_item(&pending.state, &decided).await.unwrap();
        tx.add_decision(&decided, &decision(1)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin(&writer(), at(11)).await.unwrap();
        let reopened = tx.save_item(&decided.state, &pending).await.unwrap_err();
        assert!(matches!(reopened, StoreError::Stale { .. }), "{}: {reopened:?}", database.kind);
        let second = tx.add_decision(&decided, &decision(2)).await.unwrap_err();
        assert!(matches!(second, StoreError::Duplicate { .. }), "{}: {second:?}", database.kind);
        drop(tx);
        let mut state = store.read().await.unwrap();
        assert_eq!(state.review_item("machines-001").await.unwrap(), Some(decided));
        assert_eq!(state.verdicts("machines").await.unwrap(), [0, 0, 1]);
    }
}

#[tokio::test]
async fn one_act_per_item_and_grant_version() {
    for database in databases() {
        let store = with_campaign(&database.url).await;
        let sealed = item(1, Attention::Quiet);
        let decided = Item { sealed, state: ItemState::Decided(decision(1)) };
        let act = Remediation::of(&decided).unwrap();
        let mut tx = store.begin(&writer(), at(9)).await.unwrap();
        tx.add_remediations(std::slice::from_ref(&act)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin(&writer(), at(10)).await.unwrap();
        let twice = tx.add_remediations(std::slice::from_ref(&act)).await.unwrap_err();
        assert!(matches!(twice, StoreError::Duplicate { .. }), "{}: {twice:?}", database.kind);
        drop(tx);
        let mut tx = store.begin(&writer(), at(10)).await.unwrap();
        let applied = act.clone().noted(RemediationState::Applied { change: 9, at: at(10) });
        tx.save_remediation(&act, &applied).await.unwrap();
        let stale = tx.save_remediation(&act, &applied).await.unwrap_err();
        assert!(matches!(stale, StoreError::Stale { .. }), "{}: {stale:?}", database.kind);
    }
}

#[tokio::test]
async fn counts_and_lists_are_those_of_the_reviewer() {
    for database in databases() {
        let store = with_campaign(&database.url).await;
        let mut state = store.read().await.unwrap();
        let all = state.review_counts("machines", None).await.unwrap();
        assert_eq!((all.tally.open, all.need_a_look), (2, 1), "{}", database.kind);
        let other = state.review_counts("machines", Some("alex")).await.unwrap();
        assert_eq!(other.tally, Tally::default());
        assert_eq!(state.review_items("machines", Some("alex")).await.unwrap(), vec![]);
        let items = state.review_items("machines", Some("robin")).await.unwrap();
        let sealed: Vec<_> = items.into_iter().map(|item| item.sealed).collect();
        assert_eq!(sealed, vec![item(1, Attention::Quiet), item(2, Attention::NeedsALook)]);
        // The grants under review are not in the store: both items are overtaken.
        assert_eq!(state.outdated_items().await.unwrap().len(), 2);
        assert_eq!(state.campaigns_in("ACTIVE", "STAGED").await.unwrap().len(), 1);
        assert_eq!(state.campaigns_in("COMPLETED", "STAGED").await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn what_has_a_draft_needs_no_look_any_more() {
    for database in databases() {
        let store = with_campaign(&database.url).await;
        let drafted = Item {
            sealed: item(2, Attention::NeedsALook),
            state: ItemState::Drafted(decision(2).draft),
        };
        let mut tx = store.begin(&writer(), at(5)).await.unwrap();
        tx.save_item(&ItemState::Pending, &drafted).await.unwrap();
        let counts = tx.review_counts("machines", None).await.unwrap();
        assert_eq!((counts.tally.drafted, counts.need_a_look), (1, 0), "{}", database.kind);
    }
}

fn finding(subject: &str) -> Finding {
    Finding {
        rule: Rule::Ownerless,
        subject: FindingSubject::Identity(subject.parse().unwrap()),
        severity: Severity::High,
        summary: "nobody".to_owned(),
        suggested_act: "name an owner".to_owned(),
        evidence: Evidence::Ownerless { owner: None },
    }
}

fn row(subject: &str, seconds: i64) -> FindingRow {
    FindingRow {
        finding: finding(subject),
        state: FindingState::Open,
        first_seen_at: at(seconds),
        resolved_at: None,
    }
}

#[tokio::test]
async fn a_finding_is_resolved_and_can_come_back() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), at(1)).await.unwrap();
        tx.open_findings_anew(&[row("svc", 1), row("bot", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin(&writer(), at(2)).await.unwrap();
        tx.resolve_findings(&[row("svc", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        let filter = FindingFilter { subject: Some("svc".to_owned()), ..FindingFilter::default() };
        let mut state = store.read().await.unwrap();
        let found = state.findings(&filter).await.unwrap();
        assert_eq!(found.first().unwrap().state, FindingState::Resolved, "{}", database.kind);
        assert_eq!(found.first().unwrap().resolved_at, Some(at(2)));
        assert_eq!(state.open_findings().await.unwrap(), [1, 0, 0]);
        drop(state);
        let mut tx = store.begin(&writer(), at(3)).await.unwrap();
        tx.open_findings_anew(&[row("svc", 3)]).await.unwrap();
        tx.commit().await.unwrap();
        let found = store.read().await.unwrap().findings(&filter).await.unwrap();
        assert_eq!(found, vec![row("svc", 3)], "{}", database.kind);
    }
}

#[tokio::test]
async fn open_findings_are_counted_for_each_identity() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin(&writer(), at(1)).await.unwrap();
        tx.open_findings_anew(&[row("svc", 1), row("bot", 1)]).await.unwrap();
        tx.resolve_findings(&[row("bot", 1)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut state = store.read().await.unwrap();
        let counts = state.open_findings_count(&["svc", "bot", "nobody"]).await.unwrap();
        assert_eq!(counts, [("svc".to_owned(), 1)].into(), "{}", database.kind);
    }
}

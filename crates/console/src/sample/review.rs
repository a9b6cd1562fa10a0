//! Sample reviews.

use app::view::{
    Consequence, ItemFinding, ItemUsage, ItemView, NamedOperation, NodeReceipt, Recommendation,
    RemediationView, ReviewStatus, ReviewView, SignOffView,
};

use super::{days_ago, hours_ago};

/// The waiting review.
pub fn review() -> ReviewView {
    let all = u64::try_from(items().len()).unwrap_or(0);
    ReviewView {
        id: "machines".to_owned(),
        name: "Machines of high-impact APIs".to_owned(),
        instructions: Some("Keep what it needs to do its work.\nAsk the owner first.".to_owned()),
        state: "ACTIVE".to_owned(),
        started_at: days_ago(5),
        deadline: days_ago(-9),
        items: all,
        mine: all,
        drafted: 2,
        decided: 1,
    }
}

/// The waiting review and two that are over.
pub fn reviews() -> Vec<ReviewView> {
    let past = |id: &str, name: &str, state: &str, days: i64| ReviewView {
        id: id.to_owned(),
        name: name.to_owned(),
        instructions: None,
        state: state.to_owned(),
        started_at: days_ago(days + 14),
        deadline: days_ago(days),
        items: 40,
        mine: 40,
        drafted: 0,
        decided: 40,
    };
    vec![
        review(),
        past("partners-autumn", "Third parties, autumn", "VERIFYING", 1),
        past("people-admin", "People with admin operations", "COMPLETED", 92),
    ]
}

struct Seed {
    id: &'static str,
    kind: &'static str,
    name: &'static str,
    owner: Option<(&'static str, &'static str, bool)>,
    api: (&'static str, &'static str, &'static str),
    operations: &'static [(&'static str, &'static str, u64)],
    weeks: [u64; 13],
    age_days: i64,
    last_hours: Option<i64>,
    finding: Option<(&'static str, &'static str)>,
    suggest: (&'static str, &'static [&'static str]),
    state: (&'static str, Option<&'static str>),
}

const DANA: Option<(&str, &str, bool)> = Some(("dana", "Dana Kovář", true));
const ROBIN: Option<(&str, &str, bool)> = Some(("robin", "Robin Hale", true));
const LEFT: Option<(&str, &str, bool)> = Some(("kim", "Kim Osei", false));
const ORDERS: (&str, &str, &str) = ("orders", "orders", "high");
const STOCK: (&str, &str, &str) = ("stock", "stock", "medium");

const SEEDS: [Seed; 7] = [
    Seed {
        id: "item_1",
        kind: "service_account",
        name: "svc-invoice-export",
        owner: DANA,
        api: ORDERS,
        operations: &[
            ("listOrders", "List orders", 388),
            ("getOrder", "Read an order", 24),
            ("refundOrder", "Refund an order", 0),
        ],
        weeks: [22, 30, 41, 38, 29, 31, 33, 30, 34, 28, 36, 31, 29],
        age_days: 212,
        last_hours: Some(43),
        finding: None,
        suggest: (
            "narrow",
            &[
                "Refund an order — never called in 90 days",
                "it reaches a change of high impact: Refund an order",
            ],
        ),
        state: ("open", None),
    },
    Seed {
        id: "item_2",
        kind: "ai_agent",
        name: "agent-returns",
        owner: LEFT,
        api: ORDERS,
        operations: &[("getOrder", "Read an order", 0), ("cancelOrder", "Cancel an order", 0)],
        weeks: [0; 13],
        age_days: 131,
        last_hours: None,
        finding: Some((
            "ownerless",
            "agent-returns is owned by group:returns, which has no active member",
        )),
        suggest: ("remove", &["No call in 90 days.", "The owner is no longer active."]),
        state: ("open", None),
    },
    Seed {
        id: "item_3",
        kind: "third_party",
        name: "partner-northwind",
        owner: ROBIN,
        api: STOCK,
        operations: &[("listStock", "List stock", 9)],
        weeks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 6],
        age_days: 12,
        last_hours: Some(5),
        finding: None,
        suggest: ("none", &["Recorded for 12 of 90 days."]),
        state: ("open", None),
    },
    Seed {
        id: "item_4",
        kind: "workload",
        name: "checkout-web",
        owner: ROBIN,
        api: ORDERS,
        operations: &[
            ("createOrder", "Place an order", 48_210),
            ("getOrder", "Read an order", 91_004),
        ],
        weeks: [
            9_800, 10_200, 10_950, 11_020, 10_400, 10_000, 10_900, 11_300, 10_800, 11_050, 10_700,
            11_094, 11_000,
        ],
        age_days: 402,
        last_hours: Some(0),
        finding: None,
        suggest: ("keep", &["Used every day.", "All granted operations are used."]),
        state: ("open", None),
    },
    Seed {
        id: "item_5",
        kind: "service_account",
        name: "svc-stock-sync",
        owner: DANA,
        api: STOCK,
        operations: &[("listStock", "List stock", 2_140), ("adjustStock", "Adjust stock", 310)],
        weeks: [180, 190, 201, 188, 176, 190, 185, 199, 187, 190, 186, 189, 189],
        age_days: 350,
        last_hours: Some(1),
        finding: None,
        suggest: ("keep", &["Used every week.", "All granted operations are used."]),
        state: ("drafted", Some("keep")),
    },
    Seed {
        id: "item_6",
        kind: "ci_pipeline",
        name: "ci-release",
        owner: ROBIN,
        api: ORDERS,
        operations: &[("purgeTestOrders", "Purge test orders", 3)],
        weeks: [1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0],
        age_days: 512,
        last_hours: Some(24 * 25),
        finding: None,
        suggest: ("remove", &["3 calls in 90 days.", "It is an admin operation."]),
        state: ("drafted", Some("remove")),
    },
    Seed {
        id: "item_7",
        kind: "application",
        name: "mobile-app",
        owner: ROBIN,
        api: STOCK,
        operations: &[("listStock", "List stock", 65_220)],
        weeks: [5_000; 13],
        age_days: 720,
        last_hours: Some(0),
        finding: None,
        suggest: ("keep", &["Used every day."]),
        state: ("decided", Some("keep")),
    },
];

/// The items of [`review`]: some of each kind of recommendation and each state.
pub fn items() -> Vec<ItemView> {
    SEEDS.iter().map(item).collect()
}

/// The items of [`review`], signed as was recommended.
pub fn signed_items() -> Vec<ItemView> {
    let mut items = items();
    for item in &mut items {
        let recommended = item.recommendation.verdict.as_str();
        let verdict = if recommended == "none" { "keep" } else { recommended };
        item.verdict = Some(verdict.to_owned());
        item.state = "decided".to_owned();
        item.decided_at = Some(hours_ago(1));
    }
    items
}

fn item(seed: &Seed) -> ItemView {
    let used = |(_, _, calls): &&(&str, &str, u64)| *calls > 0;
    let calls: u64 = seed.operations.iter().map(|(_, _, calls)| calls).sum();
    let last = seed.last_hours.map(hours_ago);
    let needs_a_look = seed.suggest.0 != "keep";
    ItemView {
        id: seed.id.to_owned(),
        review_id: "machines".to_owned(),
        subject: seed.name.to_owned(),
        subject_name: seed.name.to_owned(),
        subject_kind: seed.kind.to_owned(),
        purpose: Some("Does one thing for the shop".to_owned()),
        owner: seed.owner.map(|(id, _, _)| id.to_owned()),
        owner_name: seed.owner.map(|(_, name, _)| name.to_owned()),
        owner_active: seed.owner.is_some_and(|(_, _, active)| active),
        grant_id: format!("g_{}", seed.id),
        grant_version: 3,
        api_id: seed.api.0.to_owned(),
        api_name: seed.api.1.to_owned(),
        api_impact: seed.api.2.to_owned(),
        granted: seed.operations.iter().map(operation).collect(),
        grant_reason: "direct".to_owned(),
        granted_at: super::days_ago(seed.age_days),
        usage: ItemUsage {
            window_days: 90,
            calls,
            last_used_at: last.clone(),
            weeks: seed.weeks.to_vec(),
            operations_used: seed.operations.iter().filter(used).map(|o| o.0.to_owned()).collect(),
            fields_seen: Vec::new(),
            operations_granted: u64::try_from(seed.operations.len()).unwrap_or(0),
            as_of: super::days_ago(0),
            sufficient: seed.suggest.0 != "none",
        },
        findings: seed.finding.iter().map(|(rule, summary)| finding(rule, summary)).collect(),
        recommendation: Recommendation {
            verdict: seed.suggest.0.to_owned(),
            reasons: seed.suggest.1.iter().map(|reason| (*reason).to_owned()).collect(),
            operations: match seed.suggest.0 {
                "narrow" => seed.operations.iter().filter(used).map(|o| o.0.to_owned()).collect(),
                _ => Vec::new(),
            },
        },
        if_narrowed: (seed.suggest.0 == "narrow").then(|| consequence(calls, 0, &last)),
        if_removed: consequence(calls, calls, &last),
        state: seed.state.0.to_owned(),
        risk: if needs_a_look && seed.api.2 == "high" { "high" } else { "low" }.to_owned(),
        tab: if needs_a_look { "needs_a_look" } else { "quiet" }.to_owned(),
        reviewer: "robin".to_owned(),
        reviewer_name: "Robin Hale".to_owned(),
        reviewer_rule: "api owner".to_owned(),
        verdict: seed.state.1.map(str::to_owned),
        note: None,
        decided_at: (seed.state.0 == "decided").then(|| hours_ago(20)),
        mine: true,
    }
}

fn operation((id, title, calls): &(&str, &str, u64)) -> NamedOperation {
    let dangerous = ["refundOrder", "cancelOrder", "purgeTestOrders"].contains(id);
    NamedOperation { id: (*id).to_owned(), title: (*title).to_owned(), calls: *calls, dangerous }
}

fn finding(rule: &str, summary: &str) -> ItemFinding {
    ItemFinding { rule: rule.to_owned(), summary: summary.to_owned() }
}

fn consequence(calls: u64, refused: u64, last_at: &Option<String>) -> Consequence {
    let summary = match (calls, refused) {
        (0, _) => "no recorded call would have been refused".to_owned(),
        (calls, 0) => format!("0 of {} recorded calls refused", crate::words::number(calls)),
        (_, refused) => format!("{} recorded calls refused", crate::words::number(refused)),
    };
    Consequence {
        calls,
        refused,
        unknown: 0,
        callers: u64::from(calls > 0),
        last_at: last_at.clone(),
        summary,
    }
}

/// What signing the two drafts would do.
pub fn sign_off() -> SignOffView {
    let mut against: Vec<_> = items().into_iter().filter(|item| item.id == "item_1").collect();
    for item in &mut against {
        item.verdict = Some("keep".to_owned());
        item.note = Some("Refunds start in December.".to_owned());
        item.state = "drafted".to_owned();
    }
    SignOffView {
        review: review(),
        keep: 2,
        narrow: 0,
        remove: 1,
        open: 3,
        changes: changes(),
        against,
        drafts_digest: "5f1c".repeat(16),
        statement: "I have looked at each of these grants and decided to the best of my knowledge."
            .to_owned(),
    }
}

/// A narrowing and a removal, as drafts.
fn changes() -> Vec<ItemView> {
    let drafted = |mut item: ItemView| {
        item.state = "drafted".to_owned();
        item.verdict = Some(item.recommendation.verdict.clone());
        item
    };
    let wanted = |item: &ItemView| ["item_1", "item_6"].contains(&item.id.as_str());
    items().into_iter().filter(wanted).map(drafted).collect()
}

fn remediation(item: &str, act: &str, state: &str) -> RemediationView {
    let done = state == "verified";
    RemediationView {
        item_id: item.to_owned(),
        grant_id: format!("g_{item}"),
        act: act.to_owned(),
        state: state.to_owned(),
        change: done.then_some(812),
        receipts: if done {
            vec![NodeReceipt {
                node: "node-1".to_owned(),
                since: hours_ago(0),
                streams_cut: Some(2),
                streams_open: None,
            }]
        } else {
            Vec::new()
        },
        probe: done.then(|| "refused: no_grant".to_owned()),
        problem: (state == "failed").then(|| "node-2 has not answered since 08:58".to_owned()),
    }
}

/// A signed review whose removals are proved.
pub fn status_completed() -> ReviewStatus {
    let mut review = review();
    review.state = "COMPLETED".to_owned();
    review.decided = review.items;
    review.drafted = 0;
    ReviewStatus {
        review,
        kept: 4,
        narrowed: 1,
        removed: 2,
        superseded: 0,
        applied_in_ms: Some(412),
        probe: "refused".to_owned(),
        allowed_since: 0,
        population_digest: "9b3e".repeat(16),
        population_version: 807,
        blocked_by: Vec::new(),
        remediations: vec![
            remediation("item_1", "narrow", "verified"),
            remediation("item_2", "remove", "verified"),
            remediation("item_6", "remove", "verified"),
        ],
    }
}

/// A signed review that cannot complete yet.
pub fn status_verifying() -> ReviewStatus {
    let mut status = status_completed();
    status.review.state = "VERIFYING".to_owned();
    status.applied_in_ms = None;
    status.probe = "pending".to_owned();
    status.blocked_by = vec!["1 removal is not proved on node-2".to_owned()];
    status.remediations = vec![
        remediation("item_1", "narrow", "verified"),
        remediation("item_2", "remove", "planned"),
        remediation("item_6", "remove", "failed"),
    ];
    status
}

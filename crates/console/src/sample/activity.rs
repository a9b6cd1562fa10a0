//! Sample calls, findings and events.

use app::view::{
    AuditView, CallView, ChainStatus, ConsideredGrant, ExplainedGuardrail, ExplainedStage,
    Explanation, FindingSubject, FindingView, LookedUp, Today,
};
use serde_json::json;

use super::hours_ago;

fn title(operation: &str) -> &'static str {
    match operation {
        "refundOrder" => "Refund an order",
        "getOrder" => "Read an order",
        _ => "List orders",
    }
}

/// One recorded call.
pub fn call(outcome: &str, operation: &str, reason: Option<&str>, hours: i64) -> CallView {
    let refused = outcome == "refused";
    CallView {
        request_id: format!("r_01kafz9q{hours:04}{operation}"),
        at: hours_ago(hours),
        identity_id: Some("svc-invoice-export".to_owned()),
        credential_id: Some("cred_1".to_owned()),
        api_id: Some("orders".to_owned()),
        operation: Some(operation.to_owned()),
        operation_title: Some(title(operation).to_owned()),
        method: if operation == "refundOrder" { "POST" } else { "GET" }.to_owned(),
        path: "/orders/42".to_owned(),
        source_ip: "10.2.0.17".to_owned(),
        user_agent: Some("exporter/2.1".to_owned()),
        outcome: outcome.to_owned(),
        reason: reason.map(str::to_owned),
        status: if refused { 403 } else { 200 },
        grant_ids: if refused { Vec::new() } else { vec!["g_svc-invoice-export".to_owned()] },
        would_refuse: None,
        binding: None,
        rollout: None,
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        duration_us: 1_840,
        ruleset_version: 807,
    }
}

/// Calls of several outcomes, newest first.
pub fn calls() -> Vec<CallView> {
    vec![
        call("refused", "refundOrder", Some("no_grant"), 1),
        call("allowed", "getOrder", None, 2),
        call("failed", "listOrders", Some("upstream_timeout"), 3),
        call("allowed", "listOrders", None, 43),
    ]
}

fn stage(stage: &str, outcome: &str, detail: &str) -> ExplainedStage {
    ExplainedStage {
        stage: stage.to_owned(),
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
    }
}

/// Why a call passed.
pub fn explanation() -> Explanation {
    Explanation {
        call: call("allowed", "getOrder", None, 2),
        stages: vec![
            stage("target", "passed", "GET /orders/42 is canonical."),
            stage("credential", "passed", "API key pr_live_8fQm…7Q is active."),
            stage("identity", "passed", "svc-invoice-export is active."),
            stage("operation", "passed", "operation Read an order"),
            stage("grant", "passed", "allowed by g_svc-invoice-export"),
            stage("guardrail", "passed", "no guardrail forbids it"),
            stage("message", "passed", "the request is not refused for what it says"),
            stage("limit", "passed", "within the limits"),
            stage("upstream", "passed", "The upstream answered 200."),
        ],
        grants: vec![ConsideredGrant {
            grant_id: "g_svc-invoice-export".to_owned(),
            subject: "svc-invoice-export".to_owned(),
            operations: vec!["List orders".to_owned(), "Read an order".to_owned()],
            applies: true,
            why: "covers this operation".to_owned(),
        }],
        guardrails: vec![guardrail()],
        relations: Vec::new(),
        would_allow: None,
        would_allow_object: None,
        who_can_give: Vec::new(),
    }
}

/// Why a call was refused, and what would let it pass.
pub fn explanation_of_refusal() -> Explanation {
    let mut explanation = explanation();
    explanation.call = call("refused", "refundOrder", Some("no_grant"), 1);
    explanation.stages.truncate(4);
    explanation.stages.push(stage("grant", "refused", "no grant in force covers the operation"));
    for name in ["guardrail", "message", "limit", "upstream"] {
        explanation.stages.push(stage(name, "not_reached", ""));
    }
    explanation.grants = vec![ConsideredGrant {
        grant_id: "g_svc-invoice-export".to_owned(),
        subject: "svc-invoice-export".to_owned(),
        operations: vec!["List orders".to_owned(), "Read an order".to_owned()],
        applies: false,
        why: "covers other operations only".to_owned(),
    }];
    explanation.would_allow =
        Some("portreeve grant give svc-invoice-export --api orders --can refundOrder".to_owned());
    explanation.would_allow_object = explanation
        .would_allow
        .as_ref()
        .map(|command| format!("{command} --when 'path.id = \"42\"'"));
    explanation.who_can_give = vec!["Robin Hale".to_owned()];
    explanation
}

/// Why a request that is only written down would be refused.
pub fn explanation_of_written() -> Explanation {
    let mut explanation = explanation_of_refusal();
    explanation.call.request_id.clear();
    explanation.guardrails = vec![guardrail()];
    explanation.relations = vec![LookedUp {
        relation: "owner".to_owned(),
        object: "42".to_owned(),
        source: "directory".to_owned(),
        answer: "unrelated".to_owned(),
        asked_at: "2026-03-02T09:00:00Z".to_owned(),
        age_seconds: 12,
    }];
    explanation
}

/// Why a call without credential was refused.
pub fn explanation_without_credential() -> Explanation {
    let mut explanation = explanation_of_refusal();
    explanation.call = call("refused", "getOrder", Some("no_credential"), 1);
    (explanation.call.identity_id, explanation.call.credential_id) = (None, None);
    let why = "nothing was presented that could prove who calls";
    explanation.stages.truncate(1);
    explanation.stages.push(stage("credential", "refused", why));
    (explanation.grants, explanation.would_allow) = (Vec::new(), None);
    (explanation.guardrails, explanation.would_allow_object) = (Vec::new(), None);
    explanation
}

/// Findings of each severity.
pub fn findings() -> Vec<FindingView> {
    let finding =
        |rule: &str, kind: &str, id: &str, severity: &str, summary: &str, act: &str| FindingView {
            id: format!("fnd_{rule}_{id}"),
            rule: rule.to_owned(),
            subject: FindingSubject {
                kind: kind.to_owned(),
                id: id.to_owned(),
                holder: (kind != "identity").then(|| "agent-returns".to_owned()),
            },
            severity: severity.to_owned(),
            summary: summary.to_owned(),
            suggested_act: act.to_owned(),
            evidence: json!({"window_days": 90, "created_at": "2026-07-31T16:43:39.482179Z"}),
            first_seen_at: hours_ago(60),
            state: "open".to_owned(),
        };
    vec![
        finding(
            "ownerless",
            "identity",
            "agent-returns",
            "high",
            "agent-returns has no owner",
            "name an owner",
        ),
        finding(
            "unused-grant",
            "grant",
            "g_item_2",
            "medium",
            "agent-returns may use 2 operations of orders and used none in 90 days",
            "remove the grant",
        ),
        finding(
            "never-used-credential",
            "credential",
            "cred_1",
            "low",
            "pr_live_8fQm…7Q of agent-returns was issued 113 days ago and never used",
            "revoke the credential",
        ),
    ]
}

/// Administrative events, newest first.
pub fn audit_events() -> Vec<AuditView> {
    let event = |sequence: u64, event: &str, actor: &str, subject: &str, hours: i64| AuditView {
        sequence,
        at: hours_ago(hours),
        event: event.to_owned(),
        actor: actor.to_owned(),
        subject: subject.to_owned(),
        detail: json!({"before": {"status": "active"}, "after": {"status": "revoked"}}),
        digest: "c0de".repeat(16),
    };
    vec![
        event(812, "grant.revoked", "robin", "grant/g_item_6", 1),
        event(811, "review.signed", "robin", "review/machines", 1),
        event(790, "credential.issued", "dana", "credential/cred_1", 80),
        event(1, "installation.created", "system:setup", "installation/this", 900),
    ]
}

/// A ledger that holds.
pub fn chain_intact() -> ChainStatus {
    ChainStatus { size: 812, root: "ab12".repeat(16), intact: true, problem: None }
}

/// A ledger that somebody changed.
pub fn chain_broken() -> ChainStatus {
    ChainStatus {
        intact: false,
        problem: Some("entry 411 does not continue entry 410".to_owned()),
        ..chain_intact()
    }
}

/// A day with work.
pub fn today() -> Today {
    Today {
        reviews: vec![super::review()],
        items_needing_a_look: 3,
        expiring_credentials: vec![super::credential("cred_1", "active", 10)],
        ownerless: 1,
        findings: [1, 1, 1],
        refused_24h: 14,
        calls_24h: 8_204,
        removals_unproved: 0,
    }
}

/// A day without.
pub fn today_quiet() -> Today {
    Today {
        reviews: Vec::new(),
        items_needing_a_look: 0,
        expiring_credentials: Vec::new(),
        ownerless: 0,
        findings: [0, 0, 0],
        refused_24h: 0,
        calls_24h: 0,
        removals_unproved: 0,
    }
}

fn guardrail() -> ExplainedGuardrail {
    ExplainedGuardrail {
        id: "no-refunds-from-outside".to_owned(),
        place: "incidents.cedar:3".to_owned(),
        says: "does_not_apply".to_owned(),
        why: Some("INC-204".to_owned()),
        text: "forbid(principal, action == Action::\"orders/refundOrder\", resource);".to_owned(),
    }
}

//! Sample APIs, identities, credentials and grants.

use app::view::{
    ApiDetail, ApiView, CredentialView, GrantView, GrantedOperation, IdentityDetail, IdentityView,
    OperationView, SignalView, TimeoutsView,
};

use super::{days_ago, hours_ago};

fn api_named(id: &str, impact: &str, mode: &str, owner: Option<&str>) -> ApiView {
    ApiView {
        id: id.to_owned(),
        name: id.to_owned(),
        path: format!("/{id}"),
        mode: mode.to_owned(),
        impact: impact.to_owned(),
        owner: owner.map(str::to_owned),
        owner_name: owner.map(|_| "Robin Hale".to_owned()),
        upstream: format!("http://{id}.internal:9000"),
        protocol: "h1".to_owned(),
        accept: vec!["token".to_owned(), "key".to_owned()],
        environment: "production".to_owned(),
        hosts: Vec::new(),
        operations_count: 5,
        origin: "file".to_owned(),
        timeouts: TimeoutsView {
            connect: "5s".to_owned(),
            response: "60s".to_owned(),
            idle: "60s".to_owned(),
            call: None,
        },
        limits: vec!["200/s per identity".to_owned(), "10000/day per grant".to_owned()],
        costs: [("listOrders".to_owned(), 20)].into(),
    }
}

/// Three APIs.
pub fn apis() -> Vec<ApiView> {
    vec![
        api_named("orders", "high", "enforce", Some("robin")),
        api_named("stock", "medium", "enforce", Some("robin")),
        api_named("catalogue", "low", "observe", None),
    ]
}

/// The orders API.
pub fn api_detail() -> ApiDetail {
    let operation =
        |id: &str, method: &str, path: &str, summary: &str, impact: &str, calls: u64| {
            OperationView {
                id: id.to_owned(),
                method: method.to_owned(),
                path: format!("/orders{path}"),
                summary: Some(summary.to_owned()),
                impact: impact.to_owned(),
                mutating: method != "GET",
                admin: id == "purgeTestOrders",
                cost: if id == "listOrders" { 20 } else { 1 },
                calls_90d: calls,
                callers_90d: if calls == 0 { 0 } else { 3 },
                last_used_at: (calls > 0).then(|| hours_ago(2)),
            }
        };
    ApiDetail {
        api: api_named("orders", "high", "enforce", Some("robin")),
        operations: vec![
            operation("listOrders", "GET", "", "List orders", "low", 388),
            operation("createOrder", "POST", "", "Place an order", "medium", 48_210),
            operation("getOrder", "GET", "/{id}", "Read an order", "low", 91_028),
            operation("refundOrder", "POST", "/{id}/refund", "Refund an order", "high", 0),
            operation("purgeTestOrders", "DELETE", "/test", "Purge test orders", "high", 3),
        ],
        grants: vec![grant("svc-invoice-export", "active"), grant("checkout-web", "active")],
        checks: None,
    }
}

/// A grant on the orders API.
pub fn grant(subject: &str, status: &str) -> GrantView {
    GrantView {
        id: format!("g_{subject}"),
        version: 3,
        subject: subject.to_owned(),
        subject_name: subject.to_owned(),
        api_id: "orders".to_owned(),
        api_name: "orders".to_owned(),
        operations: vec!["listOrders".to_owned(), "getOrder".to_owned(), "refundOrder".to_owned()],
        named: vec![
            granted("listOrders", "List orders", true),
            granted("getOrder", "Read an order", true),
            granted("refundOrder", "Refund an order", false),
        ],
        operations_count: 3,
        roles: Vec::new(),
        fields: None,
        terms: None,
        withdrawal: None,
        status: status.to_owned(),
        reason: "review".to_owned(),
        approved_by: Some("dana".to_owned()),
        approved_by_name: Some("Dana Kovář".to_owned()),
        created_at: days_ago(212),
        expires_at: None,
        calls_90d: 412,
        operations_used: vec!["listOrders".to_owned(), "getOrder".to_owned()],
        fields_seen: Vec::new(),
        last_used_at: Some(hours_ago(43)),
    }
}

fn granted(id: &str, title: &str, used: bool) -> GrantedOperation {
    GrantedOperation { id: id.to_owned(), title: title.to_owned(), used }
}

/// A credential of the invoice exporter.
pub fn credential(id: &str, status: &str, expires_in_days: i64) -> CredentialView {
    CredentialView {
        id: id.to_owned(),
        identity_id: "svc-invoice-export".to_owned(),
        class: "api_key".to_owned(),
        label: "pr_live_8fQm…7Q".to_owned(),
        status: status.to_owned(),
        created_at: days_ago(80),
        expires_at: Some(days_ago(-expires_in_days)),
        last_used_at: Some(hours_ago(43)),
        calls_90d: 412,
    }
}

/// One identity.
pub fn identity(id: &str, kind: &str, owner: Option<(&str, bool)>, status: &str) -> IdentityView {
    IdentityView {
        seasonality: None,
        id: id.to_owned(),
        kind: kind.to_owned(),
        name: id.to_owned(),
        owner: owner.map(|(name, _)| name.to_lowercase().replace(' ', "-")),
        owner_name: owner.map(|(name, _)| name.to_owned()),
        owner_active: owner.is_some_and(|(_, active)| active),
        environment: "production".to_owned(),
        purpose: Some("Exports invoices to the ledger every night".to_owned()),
        status: status.to_owned(),
        last_seen_at: (status == "active").then(|| hours_ago(43)),
        grants_count: 2,
        credentials_count: 1,
        findings_count: u64::from(kind == "ai_agent"),
        created_at: days_ago(212),
    }
}

/// A page of identities of several kinds and states.
pub fn identities() -> Vec<IdentityView> {
    vec![
        identity("agent-returns", "ai_agent", Some(("Kim Osei", false)), "active"),
        identity("checkout-web", "workload", Some(("Robin Hale", true)), "active"),
        identity("ci-release", "ci_pipeline", None, "suspended"),
        identity("partner-northwind", "third_party", Some(("Robin Hale", true)), "active"),
        identity("svc-invoice-export", "service_account", Some(("Dana Kovář", true)), "active"),
    ]
}

/// The invoice exporter in full.
pub fn identity_detail() -> IdentityDetail {
    IdentityDetail {
        identity: identity(
            "svc-invoice-export",
            "service_account",
            Some(("Dana Kovář", true)),
            "active",
        ),
        grants: vec![grant("svc-invoice-export", "active"), grant("svc-invoice-old", "revoked")],
        credentials: vec![credential("cred_1", "active", 10), credential("cred_0", "revoked", -4)],
        groups: vec!["exporters".to_owned()],
        findings: super::findings().into_iter().take(1).collect(),
        signals: vec![signal()],
        recent_calls: super::calls(),
    }
}

fn signal() -> SignalView {
    SignalView {
        kind: "object-id-enumeration".to_owned(),
        identity_id: "svc-invoice".to_owned(),
        credential_id: "cred_1".to_owned(),
        start: hours_ago(5),
        end: hours_ago(5),
        detected_at: hours_ago(5),
        api_id: "orders".to_owned(),
        operation: "getOrder".to_owned(),
        objects: 214,
        misses: 61,
        in_order: 180,
        usual: 12,
    }
}

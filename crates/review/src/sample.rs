//! A small organisation for tests: people `ann`, `bob`, `cid`; the machine `svc` of `ann`; the
//! group `ops` of `bob` and `cid`; the API `orders` of `bob`, with two operations that read, one
//! that writes and one for administrators.

use std::collections::{BTreeMap, BTreeSet};

use base::{OperationId, Span, Timestamp};
use catalog::{Api, ApiMode, Impact, Method, Operation, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Terms};
use identity::{
    Credential, CredentialClass, CredentialStatus, Environment, Group, Identity, IdentityKind,
    IdentityStatus, Origin, Owner, Seasonality,
};
use traffic::{Usage, UsageKey};

use crate::plan::plan;
use crate::{
    Campaign, Definition, Inventory, InventoryParts, Item, ItemState, ReviewerRule, Rules, Scope,
    UsageFacts, Window,
};

pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Noon of the day on which everything is judged.
pub(crate) fn today() -> Timestamp {
    Timestamp::parse("2026-10-01T12:00:00Z").unwrap()
}

pub(crate) fn days_ago(days: i64) -> Timestamp {
    today() - Span::from_days(days)
}

pub(crate) fn operations(ids: &[&str]) -> BTreeSet<OperationId> {
    ids.iter().map(|text| id(text)).collect()
}

pub(crate) fn identity(name: &str, kind: IdentityKind, owner: Option<&str>) -> Identity {
    Identity {
        id: id(name),
        kind,
        name: name.to_owned(),
        owner: owner.map(|owner| owner.parse::<Owner>().unwrap()),
        environment: Environment::Production,
        purpose: None,
        email: None,
        manager: None,
        vendor: None,
        contract_end: None,
        status: IdentityStatus::Active,
        left_at: None,
        seasonality: Seasonality::None,
        attributes: BTreeMap::new(),
        origin: Origin::Console,
        created_at: days_ago(400),
    }
}

pub(crate) fn operation(name: &str, method: Method, impact: Impact, admin: bool) -> Operation {
    Operation {
        id: id(name),
        method,
        path: format!("/orders/{name}"),
        summary: Some(format!("Do {name}")),
        impact,
        mutating: method != Method::Get,
        admin,
        fields: vec![],
        cost: 1,
    }
}

pub(crate) fn api() -> Api {
    Api {
        id: id("orders"),
        name: "Orders".to_owned(),
        hosts: vec![],
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::High,
        owner: Some("bob".to_owned()),
        environment: "production".to_owned(),
        accept: vec![],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: std::collections::BTreeMap::new(),
        operations: vec![
            operation("get", Method::Get, Impact::High, false),
            operation("list", Method::Get, Impact::High, false),
            operation("purge", Method::Delete, Impact::High, true),
            operation("refund", Method::Post, Impact::High, false),
        ],
        origin: "console".to_owned(),
        created_at: days_ago(400),
    }
}

/// A grant, 200 days old, to an identity or `group:<id>`.
pub(crate) fn grant(name: &str, subject: &str, ops: &[&str]) -> Grant {
    Grant {
        id: id(name),
        version: 3,
        subject: subject.parse::<GrantSubject>().unwrap(),
        api: id("orders"),
        operations: match ops {
            ["*"] => OperationSet::ALL,
            ops => OperationSet::Only(operations(ops)),
        },
        roles: BTreeSet::new(),
        fields: None,
        terms: Terms::default(),
        created_at: days_ago(200),
        expires_at: None,
        status: GrantStatus::Active,
        reason: GrantReason::Direct,
        requested_by: None,
        approved_by: None,
        last_certified_at: None,
        last_certified_by: None,
        origin: Origin::Console,
    }
}

pub(crate) fn credential(name: &str, holder: &str) -> Credential {
    Credential {
        id: id(name),
        identity: id(holder),
        class: CredentialClass::ApiKey,
        label: format!("pr_{name}"),
        lookup: base::Digest::of(&[name.as_bytes()]),
        environment: Environment::Production,
        created_at: days_ago(200),
        expires_at: None,
        rotates: None,
        status: CredentialStatus::Active,
        revoked_at: None,
        created_by: "ann".to_owned(),
        last_used_before: None,
    }
}

/// The organisation, before it is sealed.
pub(crate) fn parts() -> InventoryParts {
    InventoryParts {
        as_of: today(),
        ruleset_version: 7,
        identities: vec![
            identity("ann", IdentityKind::Person, None),
            identity("bob", IdentityKind::Person, None),
            identity("cid", IdentityKind::Person, None),
            identity("svc", IdentityKind::ServiceAccount, Some("ann")),
        ],
        groups: vec![group("ops", &["bob", "cid"])],
        credentials: vec![credential("key", "svc")],
        apis: vec![api()],
        grants: vec![grant("g1", "svc", &["get", "list"])],
        usage: UsageFacts::empty(Window::ending(today(), 90, 1_000)),
        exceptions: vec![],
    }
}

pub(crate) fn group(name: &str, members: &[&str]) -> Group {
    Group {
        id: id(name),
        name: name.to_owned(),
        members: members.iter().map(|member| id(member)).collect(),
        groups: Vec::new(),
        origin: Origin::Console,
        created_at: days_ago(400),
    }
}

pub(crate) fn seal(parts: InventoryParts) -> Inventory {
    Inventory::seal(parts).unwrap()
}

/// Adds calls of `svc` with `key` under a grant.
pub(crate) fn used(parts: &mut InventoryParts, grant: &str, op: &str, at: Timestamp, calls: u64) {
    let key = UsageKey {
        grant_id: Some(id(grant)),
        identity_id: id("svc"),
        credential_id: id("key"),
        api_id: id("orders"),
        operation: Some(id(op)),
        day: at.day(),
    };
    parts.usage.add(&key, &Usage { calls, succeeded: calls, first_at: at, last_at: at });
}

pub(crate) fn definition() -> Definition {
    Definition {
        name: "machines".to_owned(),
        scope: Scope::default(),
        reviewers: vec![ReviewerRule::Owner, ReviewerRule::ApiOwner],
        fallback: id("cid"),
        days: 14,
        instructions: None,
    }
}

/// A campaign over the sample with these grants, active, and its items.
pub(crate) fn active(parts: InventoryParts) -> (Campaign, Vec<Item>) {
    let inventory = seal(parts);
    let campaign = id("machines");
    let rules = Rules::default();
    let draft = plan(&campaign, &definition(), &inventory, &[], &rules).unwrap();
    let consequences = draft.replay(std::sync::Arc::new(policy::Ruleset::empty())).finish();
    let population = draft.seal(consequences).unwrap();
    let staged = Campaign::staged(campaign, definition(), population.seal, today());
    let items = population.items.into_iter();
    let items = items.map(|sealed| Item { sealed, state: ItemState::Pending }).collect();
    (staged.launch(today()).unwrap(), items)
}

//! Objects with the members that a test does not care about filled in. A test says what it cares
//! about by `Grant { fields: …, ..sample::grant(…) }`, and a new member is added here alone.

use std::collections::{BTreeMap, BTreeSet};

use base::Timestamp;
use catalog::{Accept, Api, ApiMode, Impact, Method, Operation, Protocol, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, OperationSet, Terms};
use identity::{Environment, Group, Identity, IdentityKind, IdentityStatus, Origin, Seasonality};

/// When all of them were made.
pub const MADE_AT: Timestamp = Timestamp::from_secs(1_772_442_000);

/// An operation of low impact that changes something unless its method is GET.
pub fn operation(id: &str, method: Method, path: &str) -> Operation {
    Operation {
        id: id.parse().expect("an id"),
        method,
        path: path.to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating: method != Method::Get,
        admin: false,
        fields: Vec::new(),
        cost: 1,
    }
}

/// An API in enforce mode at `/<id>` that takes keys and tokens.
pub fn api(id: &str, mut operations: Vec<Operation>) -> Api {
    operations.sort_by(|one, other| one.id.cmp(&other.id));
    Api {
        id: id.parse().expect("an id"),
        name: id.to_owned(),
        hosts: Vec::new(),
        path: format!("/{id}"),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Token, Accept::Key],
        protocol: Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: BTreeMap::new(),
        operations,
        origin: "console".to_owned(),
        created_at: MADE_AT,
    }
}

/// An active service account without an owner.
pub fn identity(id: &str) -> Identity {
    Identity {
        id: id.parse().expect("an id"),
        kind: IdentityKind::ServiceAccount,
        name: id.to_owned(),
        owner: None,
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
        created_at: MADE_AT,
    }
}

/// A group of identities and of groups.
pub fn group(id: &str, members: &[&str], groups: &[&str]) -> Group {
    let members: BTreeSet<_> = members.iter().map(|id| id.parse().expect("an id")).collect();
    Group {
        id: id.parse().expect("an id"),
        name: id.to_owned(),
        members: members.into_iter().collect(),
        groups: groups.iter().map(|id| id.parse().expect("an id")).collect(),
        origin: Origin::Console,
        created_at: MADE_AT,
    }
}

/// A grant without terms. `subject` as text (`robin`, `group:clerks`); `operations` of `["*"]` is
/// all.
pub fn grant(id: &str, subject: &str, api: &str, operations: &[&str]) -> Grant {
    let operations = match operations {
        ["*"] => OperationSet::ALL,
        ids => OperationSet::Only(ids.iter().map(|id| id.parse().expect("an id")).collect()),
    };
    Grant {
        id: id.parse().expect("an id"),
        version: 1,
        subject: subject.parse().expect("a subject"),
        api: api.parse().expect("an id"),
        operations,
        roles: BTreeSet::new(),
        fields: None,
        terms: Terms::default(),
        created_at: MADE_AT,
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

//! Small worlds for tests and benches: objects with the members that decisions read, and defaults
//! for the rest.
#![allow(dead_code, unreachable_pub, reason = "each test and bench uses its part of it")]

use std::collections::{BTreeMap, BTreeSet};

use base::{Entropy, Timestamp};
use catalog::{Accept, Api, ApiMode, Impact, Method, Operation, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, OperationSet, Terms};
use identity::{
    Credential, CredentialClass, CredentialStatus, Environment, Group, Identity, IdentityKind,
    IdentityStatus, Origin, Seasonality,
};
use portreeve_policy::{Change, Decided, Facts, Permit, Refusal, Ruleset};
use token::{ApiKey, KeyLabel, Pepper, Verified, verify_key};
use traffic::Reason;

pub const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// A moment so many seconds after [`NOW`].
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

/// An API at `/<id>` with one GET operation per name, at `/<id>/<name>`.
pub fn api(id: &str, operations: &[&str]) -> Api {
    let mut operations: Vec<Operation> = operations
        .iter()
        .map(|name| operation(Method::Get, name, &format!("/{id}/{name}")))
        .collect();
    operations.sort_by(|one, other| one.id.cmp(&other.id));
    Api {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        hosts: Vec::new(),
        path: format!("/{id}"),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Token, Accept::Key],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: std::collections::BTreeMap::new(),
        operations,
        origin: "console".to_owned(),
        created_at: at(0),
    }
}

pub fn operation(method: Method, id: &str, path: &str) -> Operation {
    Operation {
        id: id.parse().unwrap(),
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

pub fn identity(id: &str) -> Identity {
    Identity {
        id: id.parse().unwrap(),
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
        created_at: at(0),
    }
}

pub fn group(id: &str, members: &[&str]) -> Group {
    let members: BTreeSet<_> = members.iter().map(|member| member.parse().unwrap()).collect();
    Group {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        members: members.into_iter().collect(),
        groups: Vec::new(),
        origin: Origin::Console,
        created_at: at(0),
    }
}

/// `subject` as text (`robin`, `group:clerks`); `operations` of `["*"]` is all.
pub fn grant(id: &str, subject: &str, api: &str, operations: &[&str]) -> Grant {
    let operations = match operations {
        ["*"] => OperationSet::ALL,
        ids => OperationSet::Only(ids.iter().map(|id| id.parse().unwrap()).collect()),
    };
    Grant {
        id: id.parse().unwrap(),
        version: 1,
        subject: subject.parse().unwrap(),
        api: api.parse().unwrap(),
        operations,
        roles: BTreeSet::new(),
        fields: None,
        terms: Terms::default(),
        created_at: at(0),
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

pub fn pepper() -> Pepper {
    Pepper::new(&[9; 32]).unwrap()
}

struct Named<'n>(&'n str);

impl Entropy for Named<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.bytes().cycle()).for_each(|(to, from)| *to = from);
    }
}

/// The one API key of an identity.
pub fn key(identity: &str) -> ApiKey {
    ApiKey::generate(KeyLabel::Test, &mut Named(identity))
}

pub fn credential(identity: &str) -> Credential {
    Credential {
        id: format!("key-of-{identity}").parse().unwrap(),
        identity: identity.parse().unwrap(),
        class: CredentialClass::ApiKey,
        label: key(identity).label(),
        lookup: key(identity).lookup(&pepper()),
        environment: Environment::Production,
        created_at: at(0),
        expires_at: None,
        rotates: None,
        status: CredentialStatus::Active,
        revoked_at: None,
        created_by: "robin".to_owned(),
        last_used_before: None,
    }
}

/// Authenticates an identity by its key.
pub fn caller(ruleset: &Ruleset, identity: &str) -> Result<Verified, Reason> {
    verify_key(key(identity).expose(), &pepper(), ruleset, NOW)
}

/// Decides `GET path` for the bearer of an identity's key, as the gate does it: the ids of the
/// grants that allow, or why not.
pub fn call(ruleset: &Ruleset, identity: &str, path: &str) -> Result<Vec<String>, Reason> {
    let who = caller(ruleset, identity)?;
    let located = ruleset.locate("GET", None, path);
    let api = located.api.ok_or(Reason::UnknownApi)?;
    let permit = permit(ruleset.decide(&who, api, located.operation, Facts::unknown(), NOW))?;
    Ok(permit.grants().iter().map(ToString::to_string).collect())
}

/// The permit of a decision that does not depend on a body.
pub fn permit(decided: Result<Decided, Refusal>) -> Result<Permit, Reason> {
    match decided.map_err(|refusal| refusal.reason)? {
        Decided::Permit(permit) => Ok(permit),
        Decided::NeedsBody => panic!("asks for a body"),
    }
}

/// `orders` with `get`, `list` and `cancel`; billing may do the first two, clerks all.
pub fn town() -> Vec<Change> {
    vec![
        Change::Api(api("orders", &["get", "list", "cancel"])),
        Change::Identity(identity("billing")),
        Change::Identity(identity("clerk")),
        Change::Identity(identity("stranger")),
        Change::Credential(credential("billing")),
        Change::Credential(credential("clerk")),
        Change::Credential(credential("stranger")),
        Change::Group(group("clerks", &["clerk"])),
        Change::Grant(grant("g_billing", "billing", "orders", &["get", "list"])),
        Change::Grant(grant("g_clerks", "group:clerks", "orders", &["*"])),
    ]
}

pub fn ruleset() -> Ruleset {
    Ruleset::build(1, town()).unwrap()
}

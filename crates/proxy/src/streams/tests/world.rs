//! An API and callers of it: `solo` by a grant of its own, `member` by its group's.

use base::{Entropy, Timestamp};
use catalog::{Accept, Api, ApiMode, Impact, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, OperationSet};
use identity::{
    Credential, CredentialClass, CredentialStatus, Environment, Group, Identity, IdentityKind,
    IdentityStatus, Origin, Seasonality,
};
use policy::{Change, Ruleset};
use token::{ApiKey, KeyLabel, Pepper, verify_key};
use traffic::StreamKind;

use crate::streams::{Entry, Facts};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

struct Named<'n>(&'n str);

impl Entropy for Named<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.bytes().cycle()).for_each(|(to, from)| *to = from);
    }
}

fn pepper() -> Pepper {
    Pepper::new(&[9; 32]).unwrap()
}

fn key(identity: &str) -> ApiKey {
    ApiKey::generate(KeyLabel::Test, &mut Named(identity))
}

pub(super) fn api() -> Api {
    Api {
        id: "orders".parse().unwrap(),
        name: "orders".to_owned(),
        hosts: Vec::new(),
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Key],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: std::collections::BTreeMap::new(),
        operations: vec![catalog::Operation {
            id: "get".parse().unwrap(),
            method: catalog::Method::Get,
            path: "/orders".to_owned(),
            summary: None,
            impact: Impact::Low,
            mutating: false,
            admin: false,
            fields: Vec::new(),
            cost: 1,
        }],
        origin: "console".to_owned(),
        created_at: NOW,
    }
}

pub(super) fn identity(id: &str) -> Identity {
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
        attributes: std::collections::BTreeMap::new(),
        origin: Origin::Console,
        created_at: NOW,
    }
}

pub(super) fn credential(identity: &str) -> Credential {
    Credential {
        id: format!("key-of-{identity}").parse().unwrap(),
        identity: identity.parse().unwrap(),
        class: CredentialClass::ApiKey,
        label: key(identity).label(),
        lookup: key(identity).lookup(&pepper()),
        environment: Environment::Production,
        created_at: NOW,
        expires_at: None,
        rotates: None,
        status: CredentialStatus::Active,
        revoked_at: None,
        created_by: "robin".to_owned(),
        last_used_before: None,
    }
}

pub(super) fn group(members: &[&str]) -> Group {
    Group {
        id: "clerks".parse().unwrap(),
        name: "clerks".to_owned(),
        members: members.iter().map(|member| member.parse().unwrap()).collect(),
        groups: Vec::new(),
        origin: Origin::Console,
        created_at: NOW,
    }
}

pub(super) fn grant(id: &str, subject: &str) -> Grant {
    Grant {
        id: id.parse().unwrap(),
        version: 1,
        subject: subject.parse().unwrap(),
        api: "orders".parse().unwrap(),
        operations: OperationSet::ALL,
        roles: std::collections::BTreeSet::new(),
        fields: None,
        terms: grant::Terms::default(),
        created_at: NOW,
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

pub(super) fn ruleset() -> Ruleset {
    let changes = vec![
        Change::Api(api()),
        Change::Identity(identity("solo")),
        Change::Identity(identity("member")),
        Change::Credential(credential("solo")),
        Change::Credential(credential("member")),
        Change::Group(group(&["member"])),
        Change::Grant(grant("g-solo", "solo")),
        Change::Grant(grant("g-clerks", "group:clerks")),
    ];
    Ruleset::build(1, changes).unwrap()
}

/// An open request of one of the two.
pub(super) fn entry(identity: &str, number: usize) -> Entry {
    let ruleset = ruleset();
    let who = verify_key(key(identity).expose(), &pepper(), &ruleset, NOW).unwrap();
    let (api, operation) = ("orders".parse().unwrap(), "get".parse().unwrap());
    let grants = ruleset.probe(who.identity(), &api, &operation, NOW).unwrap();
    let facts = Facts {
        who,
        api,
        operation: Some(operation),
        grants: grants.into_iter().collect(),
        request_id: format!("r-{number:04}").parse().unwrap(),
        since: NOW,
        source: "192.0.2.1".parse().unwrap(),
        draw: 0,
        read: Vec::new(),
        answers: policy::Answers::default(),
        rollout: None,
    };
    Entry::new(facts, StreamKind::Body)
}

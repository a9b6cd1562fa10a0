//! Values to store, every optional member set so that a lost column shows.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use base::{ApiId, CredentialId, Digest, GrantId, GroupId, IdentityId, OperationId, Timestamp};
use catalog::{Accept, Api, ApiMode, DataClass, Field, Impact, Method, Operation, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Terms};
use identity::{
    Credential, CredentialClass, CredentialStatus, Environment, Group, Identity, IdentityKind,
    IdentityStatus, Origin, Owner, Seasonality,
};

pub fn moment(day: i64) -> Timestamp {
    Timestamp::from_day(20_000 + day)
}

pub fn identity(id: &str) -> Identity {
    Identity {
        id: IdentityId::parse(id).unwrap(),
        kind: IdentityKind::ThirdParty,
        name: format!("{id} & söhne"),
        owner: Some(Owner::Group(GroupId::parse("commerce").unwrap())),
        environment: Environment::Staging,
        purpose: Some("it's \"quoted\"; -- \\ %".to_owned()),
        email: Some(format!("{id}@example.test")),
        manager: Some(IdentityId::parse("boss").unwrap()),
        vendor: Some("ACME".to_owned()),
        contract_end: Some(moment(400)),
        status: IdentityStatus::Suspended,
        left_at: Some(moment(300)),
        seasonality: Seasonality::Quarterly,
        attributes: BTreeMap::new(),
        origin: Origin::Import,
        created_at: moment(1),
    }
}

pub fn group(id: &str, members: &[&str]) -> Group {
    Group {
        id: GroupId::parse(id).unwrap(),
        name: format!("{id} people"),
        members: members.iter().map(|id| IdentityId::parse(id).unwrap()).collect(),
        groups: Vec::new(),
        origin: Origin::Scim,
        created_at: moment(2),
    }
}

pub fn credential(id: &str, identity: &str) -> Credential {
    Credential {
        id: CredentialId::parse(id).unwrap(),
        identity: IdentityId::parse(identity).unwrap(),
        class: CredentialClass::ApiKey,
        label: "pr_live_Qm9x…3f".to_owned(),
        lookup: Digest::of(&[id.as_bytes()]),
        environment: Environment::Production,
        created_at: moment(3),
        expires_at: Some(moment(93)),
        rotates: Some(CredentialId::parse("cred_0").unwrap()),
        status: CredentialStatus::Active,
        revoked_at: Some(moment(50)),
        created_by: "robin".to_owned(),
        last_used_before: Some(moment(2)),
    }
}

pub fn grant(id: &str, subject: &str) -> Grant {
    let operations = ["getOrder", "listOrders"].map(|id| OperationId::parse(id).unwrap());
    Grant {
        id: GrantId::parse(id).unwrap(),
        version: 1,
        subject: subject.parse::<GrantSubject>().unwrap(),
        api: ApiId::parse("orders").unwrap(),
        operations: OperationSet::Only(operations.into_iter().collect()),
        roles: BTreeSet::new(),
        fields: Some(vec!["id".to_owned(), "lines.sku".to_owned()]),
        terms: Terms::default(),
        created_at: moment(4),
        expires_at: Some(moment(94)),
        status: GrantStatus::Active,
        reason: GrantReason::Request,
        requested_by: Some("kim".to_owned()),
        approved_by: Some("robin".to_owned()),
        last_certified_at: Some(moment(40)),
        last_certified_by: Some("robin".to_owned()),
        origin: Origin::Console,
    }
}

pub fn api(id: &str) -> Api {
    Api {
        id: ApiId::parse(id).unwrap(),
        name: format!("{id} API"),
        hosts: vec!["api.example.test".to_owned()],
        path: format!("/{id}"),
        upstream: "http://127.0.0.1:9/base".to_owned(),
        mode: ApiMode::Observe,
        impact: Impact::High,
        owner: Some("group:commerce".to_owned()),
        environment: "production".to_owned(),
        accept: vec![Accept::Token, Accept::Key],
        protocol: catalog::Protocol::Http2,
        timeouts: Timeouts::default(),
        limits: vec!["5/s per identity".parse().unwrap(), "9/day per grant".parse().unwrap()],
        costs: [(OperationId::parse("getOrder").unwrap(), 3)].into(),
        operations: vec![Operation {
            id: OperationId::parse("getOrder").unwrap(),
            method: Method::Get,
            path: format!("/{id}/{{id}}"),
            summary: Some("One order".to_owned()),
            impact: Impact::Medium,
            mutating: false,
            admin: true,
            fields: vec![Field::new("lines.sku", DataClass::Pii)],
            cost: 7,
        }],
        origin: "file".to_owned(),
        created_at: moment(0),
    }
}

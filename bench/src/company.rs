//! An organisation of any size, the same each time: services that may use operations of APIs.
//!
//! Identity `n` holds its grants on consecutive APIs, three operations in each, so that grants are
//! spread evenly and every API has many holders.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use base::{GrantId, IdentityId, Timestamp};
use catalog::{Accept, Api, ApiMode, Impact, Method, Operation, Timeouts};
use grant::{Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Terms};
use identity::{Environment, Identity, IdentityKind, IdentityStatus, Origin, Seasonality};

/// APIs of every company.
pub const APIS: usize = 50;
/// Operations of every API.
pub const OPERATIONS: usize = 20;
const GRANTED_OPERATIONS: usize = 3;

/// Anything that keeps a bench from running.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Everything came to be then.
pub const BEGINNING: Timestamp = Timestamp::from_secs(1_700_000_000);

/// API number `number`.
pub fn api(number: usize, upstream: &str) -> Result<Api, Failure> {
    let operations: Result<Vec<Operation>, Failure> =
        (0..OPERATIONS).map(|n| operation(number, n)).collect();
    let mut operations = operations?;
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Api {
        id: format!("api-{number}").parse()?,
        name: format!("api-{number}"),
        hosts: Vec::new(),
        path: format!("/api-{number}"),
        upstream: upstream.to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Key, Accept::Token],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: std::collections::BTreeMap::new(),
        operations,
        origin: "import".to_owned(),
        created_at: BEGINNING,
    })
}

fn operation(api: usize, number: usize) -> Result<Operation, Failure> {
    Ok(Operation {
        id: format!("read-{number}").parse()?,
        method: Method::Get,
        path: format!("/api-{api}/things-{number}/{{id}}"),
        summary: None,
        impact: Impact::Medium,
        mutating: false,
        admin: false,
        fields: Vec::new(),
        cost: 1,
    })
}

/// The path of a request for one operation of one API.
pub fn path(api: usize, operation: usize) -> String {
    format!("/api-{api}/things-{operation}/42")
}

/// Id of identity number `number`.
pub fn identity_id(number: usize) -> Result<IdentityId, Failure> {
    Ok(format!("service-{number}").parse()?)
}

/// Identity number `number`.
pub fn identity(number: usize) -> Result<Identity, Failure> {
    Ok(Identity {
        id: identity_id(number)?,
        kind: IdentityKind::ServiceAccount,
        name: format!("service-{number}"),
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
        origin: Origin::Import,
        created_at: BEGINNING,
    })
}

/// Id of grant number `number` of an identity.
pub fn grant_id(identity: usize, number: usize) -> Result<GrantId, Failure> {
    Ok(format!("grant-{identity}-{number}").parse()?)
}

/// Grant number `number` of an identity: the API and the operations that it covers.
pub fn covers(identity: usize, number: usize) -> (usize, [usize; GRANTED_OPERATIONS]) {
    let first = identity * 7 + number;
    (first % APIS, std::array::from_fn(|n| (first + n * 5) % OPERATIONS))
}

/// Grant number `number` of an identity.
pub fn grant(identity: usize, number: usize) -> Result<Grant, Failure> {
    let (api, operations) = covers(identity, number);
    let named: Result<BTreeSet<_>, _> =
        operations.iter().map(|operation| format!("read-{operation}").parse()).collect();
    Ok(Grant {
        id: grant_id(identity, number)?,
        version: 1,
        subject: GrantSubject::Identity(identity_id(identity)?),
        api: format!("api-{api}").parse()?,
        operations: OperationSet::Only(named?),
        roles: BTreeSet::new(),
        fields: None,
        terms: Terms::default(),
        created_at: BEGINNING,
        expires_at: None,
        status: GrantStatus::Active,
        reason: GrantReason::Import,
        requested_by: None,
        approved_by: None,
        last_certified_at: None,
        last_certified_by: None,
        origin: Origin::Import,
    })
}

#[cfg(test)]
mod tests;

//! Small worlds for tests and benches: objects with the members that decisions read, and defaults
//! for the rest.
#![allow(dead_code, unreachable_pub, reason = "each test and bench uses its part of it")]

use base::{Entropy, Timestamp};
use catalog::{Api, Method, Operation};
use identity::{Credential, CredentialClass, CredentialStatus, Environment, Group};
use portreeve_policy::{Change, Decided, Facts, Permit, Refusal, Ruleset};
use testkit::sample;
pub use testkit::sample::{grant, identity};
use token::{ApiKey, KeyLabel, Pepper, Verified, verify_key};
use traffic::Reason;

pub const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// A moment so many seconds after [`NOW`].
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

/// An API at `/<id>` with one GET operation per name, at `/<id>/<name>`.
pub fn api(id: &str, operations: &[&str]) -> Api {
    let operation = |name: &&str| operation(Method::Get, name, &format!("/{id}/{name}"));
    sample::api(id, operations.iter().map(operation).collect())
}

pub fn operation(method: Method, id: &str, path: &str) -> Operation {
    sample::operation(id, method, path)
}

pub fn group(id: &str, members: &[&str]) -> Group {
    sample::group(id, members, &[])
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
        Decided::NeedsBody | Decided::NeedsRelations(_) => panic!("asks for more"),
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

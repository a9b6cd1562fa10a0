//! The terms of grants, roles, relations and guardrails, as the doors show them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a grant allows under. Empty lists and absent members ask nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TermsView {
    /// The caller belongs to one of these: `production`, `staging`, `test`, `development`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// It is within one of these hours: `mon-fri 08:00-18:00`, `sat 09:00-12:00 +02:00`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<String>,
    /// The caller's address is in one of these networks: `10.0.0.0/8`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The credential is of one of these kinds: `api_key`, `issuer_subject`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// The proof is at least this strong: `shared_secret`, `signed_token`, `sender_constrained`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<String>,
    /// The proof is bound to its sender by one of these: `mtls`, `dpop`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<String>,
    /// What ties the object to the caller, all of them: `path.tenant = identity.tenant`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<String>,
    /// Dotted names of the properties that a request's JSON body may have; absent = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writable: Option<Vec<String>>,
    /// It allows until then unless a review keeps it; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified_until: Option<String>,
}

/// How far a grant has been taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalView {
    /// `log_only`: nothing is refused, records say what would be. `share`: part is refused.
    pub stage: String,
    /// The share of requests that is refused, in hundredths of a percent.
    pub share: u16,
    /// Since when, RFC 3339.
    pub since: String,
    /// Whose act it was.
    pub by: String,
}

/// Takes a grant back step by step, or stops doing so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// `log_only`, a share such as `10%`, or `stop`. The last step is to revoke the grant.
    pub stage: String,
    /// Why; kept in the ledger.
    pub reason: String,
}

/// A named set of operations of one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleView {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// The API's id.
    pub api_id: String,
    /// Operations that it covers itself, or `["*"]`.
    pub operations: Vec<String>,
    /// Roles whose operations it covers too.
    pub includes: Vec<String>,
    /// All operations that it covers, with those of the roles that it includes.
    pub covers: Vec<String>,
    /// Who maintains it.
    pub origin: String,
}

/// Makes or replaces a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PutRole {
    /// Display name; absent = the id.
    pub name: Option<String>,
    /// The API's id or name.
    pub api: String,
    /// `read`, `write`, `all` or operation ids.
    pub can: Vec<String>,
    /// Ids of roles of the same API whose operations it covers too.
    pub includes: Vec<String>,
}

/// The objects that somebody has a relation to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelationView {
    /// An identity's id or `group:<id>`.
    pub subject: String,
    /// What it is called.
    pub name: String,
    /// The objects, sorted.
    pub objects: Vec<String>,
    /// When it was last set, RFC 3339.
    pub updated_at: String,
}

/// Sets a relation, or adds to it and takes from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PutRelation {
    /// All its objects; absent = those it has.
    pub objects: Option<Vec<String>>,
    /// Objects to add.
    pub add: Vec<String>,
    /// Objects to take away.
    pub remove: Vec<String>,
}

/// Sets what is known of an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutAttributes {
    /// Each name with all its values; a name that is not here is gone.
    pub attributes: BTreeMap<String, Vec<String>>,
}

//! Views of APIs and their operations, and the forms that add and limit them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChecksView, GrantView, PutChecks};

/// One API in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiView {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Path prefix.
    pub path: String,
    /// `observe` or `enforce`.
    pub mode: String,
    /// `low`, `medium` or `high`.
    pub impact: String,
    /// A person's id or `group:<id>`.
    pub owner: Option<String>,
    /// The owner's display name.
    #[serde(default)]
    pub owner_name: Option<String>,
    /// Where requests go.
    pub upstream: String,
    /// `h1` or `h2`: how the upstream is spoken to.
    #[serde(default)]
    pub protocol: String,
    /// What callers may present: `token`, `key`, `certificate`.
    #[serde(default)]
    pub accept: Vec<String>,
    /// `production`, `staging`, …
    pub environment: String,
    /// Host names; empty = any.
    pub hosts: Vec<String>,
    /// How many operations it has.
    pub operations_count: u64,
    /// Who maintains it.
    pub origin: String,
    /// Its limits in time.
    pub timeouts: TimeoutsView,
    /// How much may be used of it, each in one line (`200/s per identity`).
    #[serde(default)]
    pub limits: Vec<String>,
    /// What requests of operations cost under limits whatever the document says.
    #[serde(default)]
    pub costs: BTreeMap<String, u32>,
}

/// How long the gate waits for an API's upstream, each as a duration (`5s`, `250ms`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeoutsView {
    /// To connect.
    pub connect: String,
    /// From the end of the request to the first byte of the answer.
    pub response: String,
    /// Between two reads of a body, either way.
    pub idle: String,
    /// A whole gRPC call, whatever its caller gives it; absent without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationView {
    /// Unique within the API.
    pub id: String,
    /// HTTP method.
    pub method: String,
    /// Full path template.
    pub path: String,
    /// In the document's words.
    pub summary: Option<String>,
    /// `low`, `medium` or `high`.
    pub impact: String,
    /// Changes something.
    pub mutating: bool,
    /// Tagged `admin`.
    pub admin: bool,
    /// What a request of it costs under limits.
    #[serde(default = "one")]
    pub cost: u32,
    /// Calls let through in the last 90 days.
    pub calls_90d: u64,
    /// Distinct identities that called it in the last 90 days.
    pub callers_90d: u64,
    /// Last call let through, RFC 3339.
    pub last_used_at: Option<String>,
}

const fn one() -> u32 {
    1
}

/// Everything on one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiDetail {
    /// The list row.
    #[serde(flatten)]
    pub api: ApiView,
    /// Sorted by path, then method.
    pub operations: Vec<OperationView>,
    /// Grants on it that are not revoked.
    pub grants: Vec<GrantView>,
    /// What is checked of its messages; absent while there is no document to check against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<ChecksView>,
}

/// How long to wait for an API's upstream; what is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTimeouts {
    /// To connect; `5s` by default, at most `1h` like the others.
    #[serde(default)]
    pub connect: Option<String>,
    /// From the end of the request to the first byte of the answer; `60s` by default.
    #[serde(default)]
    pub response: Option<String>,
    /// Between two reads of a body, either way; `60s` by default.
    #[serde(default)]
    pub idle: Option<String>,
    /// A whole gRPC call; by default as long as its caller gives it (`grpc-timeout`).
    #[serde(default)]
    pub call: Option<String>,
}

/// Adds an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApi {
    /// Display name; the id is the same unless given.
    pub name: String,
    /// Id, if it is not to be the name.
    #[serde(default)]
    pub id: Option<String>,
    /// Path prefix.
    pub path: String,
    /// `http://host:port`.
    pub upstream: String,
    /// `h1` (default) or `h2`: how the upstream is spoken to.
    #[serde(default)]
    pub protocol: Option<String>,
    /// Host names; empty = any.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// A person's id or `group:<id>`.
    #[serde(default)]
    pub owner: Option<String>,
    /// `low`, `medium` (default) or `high`.
    #[serde(default)]
    pub impact: Option<String>,
    /// `observe` or `enforce` (default).
    #[serde(default)]
    pub mode: Option<String>,
    /// `production` (default), `staging`, `test`, `development`.
    #[serde(default)]
    pub environment: Option<String>,
    /// `token`, `key`, `certificate`; the first two by default.
    #[serde(default)]
    pub accept: Vec<String>,
    /// Limits in time.
    #[serde(default)]
    pub timeouts: NewTimeouts,
    /// How much may be used of it, each in one line: `200/s per identity`, `10000/day per grant`,
    /// `20 concurrent per credential`. At most 8.
    #[serde(default)]
    pub limits: Vec<String>,
    /// What requests of operations cost under limits, by operation id, where it is not what the
    /// document says (`x-cost`), which is 1 unless it says so.
    #[serde(default)]
    pub costs: BTreeMap<String, u32>,
    /// Operations without a document: `/package.Service/Method` of gRPC, or `METHOD /path`.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The OpenAPI or Swagger document itself, JSON or YAML.
    #[serde(default)]
    pub document: Option<String>,
    /// Where the server fetches the document, `http://` or `https://`.
    #[serde(default)]
    pub document_url: Option<String>,
    /// Where the document came from, for error messages (a file name).
    #[serde(default)]
    pub document_name: Option<String>,
    /// What is checked of its messages against the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<PutChecks>,
}

/// Sets the limits of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// All limits, each in one line; none = nothing is limited.
    #[serde(default)]
    pub limits: Vec<String>,
    /// What requests of operations cost, by operation id, where it is not what the document says.
    #[serde(default)]
    pub costs: BTreeMap<String, u32>,
}

//! Changes of policy as one value, what they would do, and tests of policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NewGrant, PutRole};

/// Several changes that are tried out and published together, all or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeSet {
    /// Why; kept in the ledger.
    pub why: Option<String>,
    /// The ruleset version that the change was written against: refused when what it changes was
    /// changed since. Absent = whatever holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Grants to give.
    pub give: Vec<NewGrant>,
    /// Grants of which only some operations stay.
    pub narrow: Vec<NarrowGrant>,
    /// Ids of grants to revoke.
    pub revoke: Vec<String>,
    /// Roles to make or replace, by id.
    pub roles: BTreeMap<String, PutRole>,
    /// `observe` or `enforce`, by API.
    pub modes: BTreeMap<String, String>,
    /// Files of the policy set by name: guardrails (`….cedar`) and tests (`….toml`). An empty text
    /// takes a file out.
    pub files: BTreeMap<String, String>,
}

/// Keeps some operations of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NarrowGrant {
    /// The grant.
    pub id: String,
    /// Operation ids that remain.
    pub operations: Vec<String>,
}

/// Asks what a change would have done to recorded calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayRequest {
    /// Calls not before: RFC 3339, or a duration back from now (default `90d`).
    pub since: Option<String>,
    /// The change; absent = compare what the records say with what holds now.
    pub change: Option<ChangeSet>,
}

/// What a change would have done to the calls that this node recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// Calls since then, RFC 3339.
    pub since: String,
    /// Calls that were judged.
    pub judged: u64,
    /// Of these, calls whose answer depends on what no record keeps: query, headers, body, claims.
    pub unknown: u64,
    /// How many calls would newly be refused.
    pub newly_refused_calls: u64,
    /// How many calls would newly be allowed.
    pub newly_allowed_calls: u64,
    /// The calls that would newly be refused, by caller and operation, most first, at most 200.
    pub newly_refused: Vec<ShiftView>,
    /// The calls that would newly be allowed, likewise.
    pub newly_allowed: Vec<ShiftView>,
}

/// Calls of one caller and one operation that change sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftView {
    /// Who called.
    pub identity_id: String,
    /// Which API.
    pub api_id: String,
    /// Which operation.
    pub operation: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// The last of them, RFC 3339.
    pub last_at: String,
    /// Why they would be refused, or were.
    pub reason: Option<String>,
}

/// A request that is written down, to be explained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenRequest {
    /// Who calls.
    pub identity: String,
    /// By which kind of proof (default `api_key`).
    pub credential: Option<String>,
    /// `mtls` or `dpop`, where the proof is bound.
    pub binding: Option<String>,
    /// `GET /orders/42?tenant=acme`.
    pub request: String,
    /// The host that is asked, where APIs differ by it.
    pub host: Option<String>,
    /// Header fields by name.
    pub headers: BTreeMap<String, String>,
    /// Claims of the token.
    pub claims: BTreeMap<String, Vec<String>>,
    /// The JSON body, as text.
    pub body: Option<String>,
    /// The caller's address.
    pub from: Option<String>,
    /// When, RFC 3339 (default now).
    pub at: Option<String>,
}

impl From<&PolicyCase> for WrittenRequest {
    fn from(case: &PolicyCase) -> Self {
        Self {
            identity: case.identity.clone(),
            credential: case.credential.clone(),
            binding: case.binding.clone(),
            request: case.request.clone(),
            host: case.host.clone(),
            headers: case.headers.clone(),
            claims: case.claims.clone(),
            body: case.body.clone(),
            from: case.from.clone(),
            at: case.at.clone(),
        }
    }
}

/// What one test of policy says must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyCase {
    /// What it is about, for the report.
    pub name: String,
    /// Who calls.
    pub identity: String,
    /// By which kind of proof (default `api_key`).
    pub credential: Option<String>,
    /// `mtls` or `dpop`, where the proof is bound.
    pub binding: Option<String>,
    /// `GET /orders/42?tenant=acme`.
    pub request: String,
    /// The host that is asked, where APIs differ by it.
    pub host: Option<String>,
    /// Header fields by name.
    pub headers: BTreeMap<String, String>,
    /// Claims of the token.
    pub claims: BTreeMap<String, Vec<String>>,
    /// What sources say, where a relation is looked up: its objects, by its name. Tests ask nobody;
    /// what is not said here is not known.
    pub related: BTreeMap<String, Vec<String>>,
    /// The JSON body, as text.
    pub body: Option<String>,
    /// The caller's address.
    pub from: Option<String>,
    /// When, RFC 3339 (default now).
    pub at: Option<String>,
    /// `allow` or `refuse`.
    pub expect: String,
    /// The reason that a refusal must have. A refusal because the identity, the API or the operation
    /// does not exist only counts where it is named here (`identity_inactive`, `unknown_api`,
    /// `unknown_operation`).
    pub reason: Option<String>,
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    /// The file it stands in, or nothing.
    pub file: String,
    /// What it is about.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was found: `allow`, or `refuse` and the reason; and what does not exist, where that is why
    /// a test does not hold.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// The grants that allow.
    pub grants: Vec<String>,
}

/// The policy set as published last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Grows by one with each publication; 0 = never published.
    pub version: u32,
    /// Files by name.
    pub files: BTreeMap<String, String>,
    /// When it was published, RFC 3339.
    pub updated_at: Option<String>,
    /// Who published it.
    pub updated_by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// Runs tests of policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TestRequest {
    /// Tests to run; empty = those of the published set.
    pub cases: Vec<PolicyCase>,
    /// Run them as if this change were in force.
    pub change: Option<ChangeSet>,
}

/// What publishing came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishView {
    /// The change sequence, and who enforces it since when; absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<super::ChangeReceipt>,
    /// What it does to the calls of the last 90 days.
    pub replay: ReplayView,
    /// The tests that were run.
    pub tests: Vec<CaseView>,
    /// What it ends of what was open at the node that answers, when it was asked.
    #[serde(default)]
    pub open: OpenView,
}

/// What a change ends of what is open at one node, as far as who asks sees its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenView {
    /// Open requests: WebSockets, event streams, gRPC calls, long bodies.
    pub streams: u64,
    /// Of these, how many would end.
    pub ending: u64,
    /// The latter by reason. `policy_error`: a guardrail looks at what is not kept of a request that
    /// was let in before there was a guardrail that looked at it.
    pub reasons: BTreeMap<String, u64>,
}

/// A question about all requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProveRequest {
    /// `no_more`: after the change nothing is allowed that is not allowed now. `same`: the change
    /// allows what is allowed now. `never_sees`: no grant shows fields of a data class.
    pub question: String,
    /// The change; absent = what holds now.
    pub change: Option<ChangeSet>,
    /// The data class that is not seen.
    pub class: Option<String>,
    /// By whom it is not seen; none named = by nobody.
    pub identities: Vec<String>,
    /// How long the solver may take (default 60, at most 600).
    pub seconds: Option<u32>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// Whether it is so, for all requests.
    pub holds: bool,
    /// How many different cases of caller and operation were asked about.
    pub cases: u64,
    /// What solved it; `none` = nothing was left to solve.
    pub solver: String,
    /// A request for which it is not so; Cedar was asked and decided it so.
    pub counterexample: Option<CounterexampleView>,
}

/// A request that is allowed by one of two states and refused by the other, or that shows what is
/// not to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CounterexampleView {
    /// The whole of it, in one line.
    pub text: String,
    /// `present` or `changed`: which allows it.
    pub allowed_by: String,
    /// Who calls.
    pub identity: String,
    /// Which API.
    pub api: String,
    /// Which operation; absent = one that the catalogue does not know.
    pub operation: Option<String>,
    /// When, RFC 3339.
    pub at: String,
    /// From where.
    pub source: Option<String>,
    /// By which kind of credential.
    pub credential: String,
    /// Values of the request by place.
    pub values: BTreeMap<String, BTreeSet<String>>,
    /// Claims of the token.
    pub claims: BTreeMap<String, BTreeSet<String>>,
}

/// What decides, written down in Cedar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportView {
    /// The policies. Any evaluation error refuses, and so does a caller without an entity.
    pub policies: String,
    /// Their schema.
    pub schema: String,
    /// Identities, groups and APIs, in Cedar's JSON form.
    pub entities: serde_json::Value,
    /// The schema that guardrails are written by.
    pub vocabulary: String,
}

//! Bodies, parameters and answers that belong to the API alone; everything else is an
//! [`app::view`].

use app::view::{ChainStatus, PutRelation};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Why an act is done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words; kept in the ledger.
    pub reason: String,
}

/// What happens to requests that no grant covers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMode {
    /// `observe` or `enforce`.
    pub mode: String,
}

/// Replaces the operations of an API.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportDocument {
    /// The OpenAPI or Swagger document itself, JSON or YAML.
    pub document: String,
    /// Where it came from, for error messages (a file name).
    #[serde(default)]
    pub document_name: Option<String>,
}

/// Gives an identity an owner.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwner {
    /// A person's id or `group:<id>`.
    pub owner: String,
}

/// Makes or replaces a group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutGroup {
    /// Display name.
    pub name: String,
    /// Ids of its members.
    pub members: Vec<String>,
    /// Ids of groups whose members are members here too.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Whether to change anything.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
}

/// Goes back to an earlier version of the policy set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// The version.
    pub version: u32,
    /// Why; kept in the ledger.
    pub reason: String,
}

/// Whose relations.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RelationFilter {
    /// An identity's id or `group:<id>`.
    pub subject: String,
}

/// Sets one relation of a subject.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRelation {
    /// An identity's id or `group:<id>`.
    pub subject: String,
    /// What conditions name as `related.<name>`.
    pub name: String,
    /// What becomes of its objects.
    pub wanted: PutRelation,
}

/// Keeps some operations of a grant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    /// Operation ids that remain.
    pub operations: Vec<String>,
    /// Why; kept in the ledger.
    pub reason: String,
}

/// Signs the caller's drafts of a review.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sign {
    /// The digest that the preview showed: signing names what was seen.
    pub drafts_digest: Option<String>,
}

/// Moves the end of a review.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    /// The new end, in days from now.
    pub days: u32,
}

/// Issues an admin token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdminToken {
    /// The person for whom it acts.
    pub identity: String,
    /// `admin`, `auditor` or `member`.
    pub role: String,
}

/// An admin token, shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AdminToken {
    /// The token.
    pub token: String,
}

/// Asks for a sign-in link.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSignInLink {
    /// The person whom it signs in.
    pub identity: String,
}

/// A link that signs one person in, once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// Path and query at the console.
    pub link: String,
}

/// Who the token acts for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    /// The person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `admin`, `auditor` or `member`.
    pub role: String,
}

/// The server about itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Of the program.
    pub version: String,
    /// Where callers reach the proxy.
    pub proxy: String,
    /// The ruleset that the gate enforces.
    pub ruleset_version: u64,
    /// The state of the ledger.
    pub ledger: ChainStatus,
    /// Verifies checkpoints and evidence; to be published.
    pub verifier_key: String,
    /// Who asks.
    pub actor: Whoami,
}

/// Filter of identities.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct IdentityFilter {
    /// In the id or the name.
    pub text: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only those of this owner.
    pub owner: Option<String>,
    /// Only this status.
    pub status: Option<String>,
    /// At most so many rows.
    pub limit: Option<u32>,
    /// Where the last page ended (`next`).
    pub after: Option<String>,
}

/// Filter of credentials.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KeyFilter {
    /// Only those of this identity.
    pub identity: Option<String>,
}

/// Filter of grants.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct GrantFilter {
    /// Only those of this identity or `group:<id>`.
    pub subject: Option<String>,
    /// Only those on this API.
    pub api: Option<String>,
    /// Only this status.
    pub status: Option<String>,
    /// At most so many, sorted by id (default 1,000).
    pub limit: Option<u32>,
    /// Only those after this id.
    pub after: Option<String>,
}

/// Filter of call records.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CallFilter {
    /// Not before: RFC 3339, or a duration back from now (`90d`).
    pub since: Option<String>,
    /// Before: RFC 3339.
    pub until: Option<String>,
    /// Only this identity.
    pub identity: Option<String>,
    /// Only this credential.
    pub credential: Option<String>,
    /// Only this API, by id or name.
    pub api: Option<String>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this outcome.
    pub outcome: Option<String>,
    /// Only this reason.
    pub reason: Option<String>,
    /// Only from this address.
    pub source: Option<String>,
    /// Only paths that begin so.
    pub path: Option<String>,
    /// Only this grant.
    pub grant: Option<String>,
    /// Only this request.
    pub request_id: Option<String>,
    /// At most so many, newest first (default 100, at most 10,000).
    pub limit: Option<u32>,
}

/// Filter of open requests.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct StreamFilter {
    /// Only of this identity.
    pub identity: Option<String>,
    /// Only to this API, by id or name.
    pub api: Option<String>,
    /// At most so many, the oldest first (default 1,000, at most 10,000).
    pub limit: Option<u32>,
}

impl From<StreamFilter> for app::view::StreamQuery {
    fn from(filter: StreamFilter) -> Self {
        let StreamFilter { identity, api, limit } = filter;
        Self { identity, api, limit }
    }
}

/// Filter of signals.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SignalFilter {
    /// Only of this identity.
    pub identity: Option<String>,
    /// Only those that began within this time (default `90d`).
    pub since: Option<String>,
}

impl From<SignalFilter> for app::view::SignalQuery {
    fn from(filter: SignalFilter) -> Self {
        let SignalFilter { identity, since } = filter;
        Self { identity, since }
    }
}

/// Filter of findings.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FindingFilter {
    /// Only this rule.
    pub rule: Option<String>,
    /// Only on this object.
    pub subject: Option<String>,
    /// `open` or `resolved`.
    pub state: Option<String>,
}

/// Filter of administrative events.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Only about this, `kind/id`.
    pub subject: Option<String>,
    /// Only this event code.
    pub event: Option<String>,
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only before this sequence.
    pub before: Option<u64>,
    /// At most so many rows.
    pub limit: Option<u32>,
}

/// What to search for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchFor {
    /// In ids and names.
    pub text: String,
}

impl From<IdentityFilter> for app::view::IdentityQuery {
    fn from(filter: IdentityFilter) -> Self {
        let IdentityFilter { text, kind, owner, status, limit, after } = filter;
        Self { text, kind, owner, status, limit, after }
    }
}

impl From<GrantFilter> for app::view::GrantQuery {
    fn from(filter: GrantFilter) -> Self {
        let GrantFilter { subject, api, status, limit, after } = filter;
        Self { subject, api, status, limit, after }
    }
}

impl From<CallFilter> for app::view::CallQuery {
    fn from(filter: CallFilter) -> Self {
        let CallFilter {
            since,
            until,
            identity,
            credential,
            api,
            operation,
            outcome,
            reason,
            source,
            path,
            grant,
            request_id,
            limit,
        } = filter;
        Self {
            since,
            until,
            identity,
            credential,
            api,
            operation,
            outcome,
            reason,
            source,
            path,
            grant,
            request_id,
            limit,
        }
    }
}

impl From<FindingFilter> for app::FindingQuery {
    fn from(filter: FindingFilter) -> Self {
        let FindingFilter { rule, subject, state } = filter;
        Self { rule, subject, state }
    }
}

impl From<AuditFilter> for app::view::AuditQuery {
    fn from(filter: AuditFilter) -> Self {
        let AuditFilter { subject, event, actor, before, limit } = filter;
        Self { subject, event, actor, before, limit }
    }
}

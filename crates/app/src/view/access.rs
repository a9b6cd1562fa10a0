//! Views of identities, credentials and grants, and the forms that create them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One identity in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// Stable id.
    pub id: String,
    /// `person`, `service_account`, …
    pub kind: String,
    /// Display name.
    pub name: String,
    /// A person's id or `group:<id>`.
    pub owner: Option<String>,
    /// The owner's display name.
    pub owner_name: Option<String>,
    /// False when there is an owner who is not active.
    pub owner_active: bool,
    /// `production`, …
    pub environment: String,
    /// Why it exists.
    pub purpose: Option<String>,
    /// How often it works, where that is seldom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seasonality: Option<String>,
    /// `active`, `suspended`, `disabled`.
    pub status: String,
    /// Last call let through, RFC 3339.
    pub last_seen_at: Option<String>,
    /// Grants that are in force for it directly.
    pub grants_count: u64,
    /// Credentials that are accepted now.
    pub credentials_count: u64,
    /// Open findings on it, its credentials and its grants.
    pub findings_count: u64,
    /// RFC 3339.
    pub created_at: String,
}

/// Everything on one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityDetail {
    /// The list row.
    #[serde(flatten)]
    pub identity: IdentityView,
    /// Direct grants, newest first, revoked ones last.
    pub grants: Vec<GrantView>,
    /// Its credentials, newest first.
    pub credentials: Vec<CredentialView>,
    /// Groups it is a member of.
    pub groups: Vec<String>,
    /// Open findings.
    pub findings: Vec<super::FindingView>,
    /// Signals of the last 90 days, the latest first.
    #[serde(default)]
    pub signals: Vec<super::SignalView>,
    /// Latest calls, newest first, at most 20.
    pub recent_calls: Vec<super::CallView>,
}

/// Adds an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIdentity {
    /// Display name; the id is the same unless given.
    pub name: String,
    /// Id, if it is not to be the name.
    #[serde(default)]
    pub id: Option<String>,
    /// `person`, `service_account`, `application`, `workload`, `ai_agent`, `ci_pipeline`,
    /// `third_party`.
    pub kind: String,
    /// A person's id or `group:<id>`.
    #[serde(default)]
    pub owner: Option<String>,
    /// `production` (default), `staging`, `test`, `development`.
    #[serde(default)]
    pub environment: Option<String>,
    /// Why it exists.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Mail address of a person.
    #[serde(default)]
    pub email: Option<String>,
    /// How often it works, where that is seldom: `monthly`, `quarterly`, `annual`. Verdicts on
    /// disuse wait for long seasons.
    #[serde(default)]
    pub seasonality: Option<String>,
    /// What else is known of it, for conditions: each name with its values.
    #[serde(default)]
    pub attributes: std::collections::BTreeMap<String, Vec<String>>,
}

/// One credential. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialView {
    /// Stable id.
    pub id: String,
    /// Whom it proves.
    pub identity_id: String,
    /// `api_key`, `issuer_subject`, …
    pub class: String,
    /// What a person recognises it by.
    pub label: String,
    /// `active`, `suspended`, `revoked`.
    pub status: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// Last call let through, RFC 3339.
    pub last_used_at: Option<String>,
    /// Calls let through in the last 90 days.
    pub calls_90d: u64,
}

/// Issues a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// Whom it proves.
    pub identity: String,
    /// `api_key` (default), `issuer_subject` or `certificate`.
    #[serde(default)]
    pub class: Option<String>,
    /// How long it lives (`90d`, the default); a certificate never longer than it says itself.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// The configured issuer, for `issuer_subject`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The `sub` of its tokens, for `issuer_subject`.
    #[serde(default)]
    pub subject: Option<String>,
    /// The certificate itself, PEM, for `certificate`; without its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The credential it replaces.
    #[serde(default)]
    pub rotates: Option<String>,
}

/// A new credential, with the secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedCredential {
    /// The credential, without secret.
    #[serde(flatten)]
    pub credential: CredentialView,
    /// The API key; absent for classes without a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl std::fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { credential, .. } = self;
        f.debug_struct("IssuedCredential").field("credential", credential).finish_non_exhaustive()
    }
}

/// One grant with its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// Stable id.
    pub id: String,
    /// Grows with each change.
    pub version: u32,
    /// An identity's id or `group:<id>`.
    pub subject: String,
    /// The subject's display name.
    pub subject_name: String,
    /// The API's id.
    pub api_id: String,
    /// The API's display name.
    pub api_name: String,
    /// Operation ids, or `["*"]`.
    pub operations: Vec<String>,
    /// The operations in words. Of `["*"]` only those used: it covers all, also later ones.
    #[serde(default)]
    pub named: Vec<GrantedOperation>,
    /// How many operations that is now.
    pub operations_count: u64,
    /// Ids of the roles whose operations it covers too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What may be seen of responses: dotted names, `no <data class>`; absent = all.
    pub fields: Option<Vec<String>>,
    /// Under which circumstances it allows; absent = any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<super::TermsView>,
    /// How far it has been taken back; absent = not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<super::WithdrawalView>,
    /// `active`, `suspended`, `revoked`.
    pub status: String,
    /// Why it exists.
    pub reason: String,
    /// Who gave it, or decided that it stays as it is.
    pub approved_by: Option<String>,
    /// Their display name.
    #[serde(default)]
    pub approved_by_name: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// Calls that it let through in the last 90 days.
    pub calls_90d: u64,
    /// Operations used in the last 90 days.
    pub operations_used: Vec<String>,
    /// Fields of answers that were received in the last 90 days, as far as answers were looked at.
    /// Only where one grant, or those of one identity, are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields_seen: Vec<super::ReceivedFieldView>,
    /// The last such call, RFC 3339.
    pub last_used_at: Option<String>,
}

/// An operation that a grant covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantedOperation {
    /// Operation id.
    pub id: String,
    /// Summary from the document, or the id.
    pub title: String,
    /// Called under the grant in the last 90 days.
    pub used: bool,
}

/// Gives a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// An identity's id or `group:<id>`.
    pub subject: String,
    /// The API's id or name.
    pub api: String,
    /// `read` (the operations that change nothing, as they are now), `write` (these, and those
    /// that change something but are not administration), `all` (also what is added later),
    /// operation ids, or `role:<id>` (what the role covers at the time of the request).
    pub can: Vec<String>,
    /// What may be seen of responses: dotted names, or `no` and a data class (`no phi`); absent =
    /// all.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
    /// Under which circumstances it allows; absent = any.
    #[serde(default)]
    pub terms: Option<super::TermsView>,
    /// RFC 3339.
    #[serde(default)]
    pub until: Option<String>,
}

/// A narrower form of a grant that recorded use supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionView {
    /// The grant.
    pub grant_id: String,
    /// Operations to keep; empty = the grant can go.
    pub operations: Vec<String>,
    /// Fields to keep; null = as they are.
    pub fields: Option<Vec<String>>,
}

/// Which identities to list. All given conditions hold together; empty ones do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct IdentityQuery {
    /// Part of the id or name.
    pub text: Option<String>,
    /// `person`, `service_account`, …
    pub kind: Option<String>,
    /// A person's id or `group:<id>`; `none` for those without an owner.
    pub owner: Option<String>,
    /// `active`, `suspended`, `disabled`.
    pub status: Option<String>,
    /// At most so many (default 50, at most 1,000).
    pub limit: Option<u32>,
    /// The `next` of an earlier page.
    pub after: Option<String>,
}

/// Which grants to list. All given conditions hold together; empty ones do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GrantQuery {
    /// An identity's id or `group:<id>`.
    pub subject: Option<String>,
    /// The API's id or name.
    pub api: Option<String>,
    /// `active`, `suspended`, `revoked`.
    pub status: Option<String>,
    /// At most so many, sorted by id (default 1,000, at most 10,000).
    pub limit: Option<u32>,
    /// Only those after this id.
    pub after: Option<String>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Stable id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Ids of the members, sorted.
    pub members: Vec<String>,
    /// Ids of the groups whose members are members here too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Who maintains it.
    pub origin: String,
}

/// Something that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// `api`, `identity`, `group`, `grant`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What a person knows it as.
    pub name: String,
}

/// One token of the admin API. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminTokenView {
    /// Stable id.
    pub id: String,
    /// For whom it acts.
    pub identity_id: String,
    /// `admin`, `auditor`, `member`.
    pub role: String,
    /// What a person recognises it by.
    pub label: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// RFC 3339; absent while it is accepted.
    pub revoked_at: Option<String>,
}

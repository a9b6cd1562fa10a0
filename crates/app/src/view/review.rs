//! Views of access reviews.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One campaign in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewView {
    /// The campaign's id.
    pub id: String,
    /// The definition's name.
    pub name: String,
    /// What the reviewers are told.
    #[serde(default)]
    pub instructions: Option<String>,
    /// `STAGED`, `ACTIVE`, `REMEDIATING`, `VERIFYING`, `COMPLETED`, `CANCELLED`.
    pub state: String,
    /// RFC 3339.
    pub started_at: String,
    /// Decisions are taken until then, RFC 3339.
    pub deadline: String,
    /// Items in the sealed population (that the viewer may see).
    pub items: u64,
    /// Of these, the viewer's own to decide.
    pub mine: u64,
    /// Of these, with a draft.
    pub drafted: u64,
    /// Of these, signed.
    pub decided: u64,
}

/// Progress and proof of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewStatus {
    /// The list row.
    #[serde(flatten)]
    pub review: ReviewView,
    /// Signed decisions by verdict.
    pub kept: u64,
    /// Narrowed.
    pub narrowed: u64,
    /// Removed.
    pub removed: u64,
    /// Items whose grant changed or went before the decision.
    pub superseded: u64,
    /// Time from sign-off until the last change was enforced, milliseconds.
    pub applied_in_ms: Option<u64>,
    /// `refused` when every probe was refused, `pending`, `allowed` when one was not, `none` when
    /// nothing was to be probed.
    pub probe: String,
    /// Calls that a removed permission let through after it was applied.
    pub allowed_since: u64,
    /// Digest of the sealed population.
    pub population_digest: String,
    /// The ruleset that the population was read from.
    pub population_version: u64,
    /// What keeps it from completing, in words.
    pub blocked_by: Vec<String>,
    /// Per removal or narrowing.
    pub remediations: Vec<RemediationView>,
}

/// One act of the remediation plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemediationView {
    /// The item.
    pub item_id: String,
    /// The grant.
    pub grant_id: String,
    /// `remove` or `narrow`.
    pub act: String,
    /// `planned`, `applied`, `verified`, `failed`, `superseded`.
    pub state: String,
    /// Ruleset version that holds it.
    pub change: Option<u64>,
    /// Per live node.
    pub receipts: Vec<super::NodeReceipt>,
    /// What the probe with the revoked permission got.
    pub probe: Option<String>,
    /// Why it failed.
    pub problem: Option<String>,
}

/// Defines and starts a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDefinition {
    /// Name, used as the campaign's id when free.
    pub name: String,
    /// Which grants; everything when empty.
    #[serde(default)]
    pub of: ReviewScope,
    /// Reviewer rules in order: `owner`, `api owner`. Default: both.
    #[serde(default)]
    pub by: Vec<String>,
    /// Who reviews when no rule gives an independent reviewer: a person's id or `group:<id>`.
    pub fallback: String,
    /// Days until the deadline (default 14).
    #[serde(default)]
    pub days: Option<u32>,
    /// What the reviewers are told.
    #[serde(default)]
    pub instructions: Option<String>,
}

/// Which grants a campaign covers. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewScope {
    /// Kinds of identity; empty = all.
    pub kinds: Vec<String>,
    /// APIs by id; empty = all.
    pub apis: Vec<String>,
    /// Impacts of APIs; empty = all.
    pub impacts: Vec<String>,
    /// Environments of identities; empty = all.
    pub environments: Vec<String>,
}

/// One grant under review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
    /// The item's id.
    pub id: String,
    /// Its campaign.
    pub review_id: String,
    /// Who has the access: id or `group:<id>`.
    pub subject: String,
    /// Display name.
    pub subject_name: String,
    /// `service_account`, …, or `group`.
    pub subject_kind: String,
    /// What the subject is for, where stated.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Who answers for the subject.
    pub owner: Option<String>,
    /// Display name of the owner.
    pub owner_name: Option<String>,
    /// The owner is active.
    pub owner_active: bool,
    /// The grant.
    pub grant_id: String,
    /// The version under review.
    pub grant_version: u32,
    /// The API.
    pub api_id: String,
    /// Its display name.
    pub api_name: String,
    /// Impact of the API.
    pub api_impact: String,
    /// Operations granted, in words (summary, or id).
    pub granted: Vec<NamedOperation>,
    /// Why the grant exists.
    pub grant_reason: String,
    /// RFC 3339.
    pub granted_at: String,
    /// Frozen at the seal.
    pub usage: ItemUsage,
    /// Findings on the grant or the subject.
    pub findings: Vec<ItemFinding>,
    /// Never pre-selected.
    pub recommendation: Recommendation,
    /// If narrowed to what the recommendation says; absent when there is nothing to narrow.
    pub if_narrowed: Option<Consequence>,
    /// If removed.
    pub if_removed: Consequence,
    /// `open`, `drafted`, `decided`, `superseded`.
    pub state: String,
    /// `low` or `high`.
    pub risk: String,
    /// `needs_a_look` or `quiet`.
    pub tab: String,
    /// Who decides.
    pub reviewer: String,
    /// Display name of the reviewer.
    pub reviewer_name: String,
    /// By which rule: `owner`, `api owner`, `fallback`.
    pub reviewer_rule: String,
    /// `keep`, `narrow`, `remove`: the draft or the signed verdict.
    pub verdict: Option<String>,
    /// The note to it.
    pub note: Option<String>,
    /// When it was signed, RFC 3339.
    pub decided_at: Option<String>,
    /// The viewer is its reviewer.
    pub mine: bool,
}

/// An operation with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedOperation {
    /// Operation id.
    pub id: String,
    /// Summary from the document, or the id.
    pub title: String,
    /// Calls in the window.
    pub calls: u64,
    /// Administration, or a change of high impact: what makes the risk of an item high.
    #[serde(default)]
    pub dangerous: bool,
}

/// Use of a grant in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemUsage {
    /// Days looked at.
    pub window_days: u32,
    /// Calls let through.
    pub calls: u64,
    /// Last of them, RFC 3339.
    pub last_used_at: Option<String>,
    /// Calls per week, oldest first, 13 values.
    pub weeks: Vec<u64>,
    /// Operations used.
    pub operations_used: Vec<String>,
    /// Operations granted.
    pub operations_granted: u64,
    /// Fields of answers that were received, as far as answers were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields_seen: Vec<super::ReceivedFieldView>,
    /// Evidence as of, RFC 3339.
    pub as_of: String,
    /// The records cover the whole window.
    pub sufficient: bool,
}

/// A finding on an item's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemFinding {
    /// Rule id.
    pub rule: String,
    /// One sentence.
    pub summary: String,
}

/// What portreeve suggests, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recommendation {
    /// `keep`, `narrow`, `remove`, or `none` (too little data).
    pub verdict: String,
    /// Up to three sentences.
    pub reasons: Vec<String>,
    /// For `narrow`: the operations to keep.
    pub operations: Vec<String>,
}

/// What a decision would have done to recorded calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consequence {
    /// Recorded calls under this grant in the window.
    pub calls: u64,
    /// Of these, those that would have been refused.
    pub refused: u64,
    /// Identities they came from.
    pub callers: u64,
    /// The last one, RFC 3339.
    pub last_at: Option<String>,
    /// In one sentence.
    pub summary: String,
}

/// One operation on an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// `keep`, `narrow`, `remove`.
    pub verdict: String,
    /// Needed against the recommendation and to keep high risk.
    #[serde(default)]
    pub note: Option<String>,
}

/// What signing would do, shown before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOffView {
    /// The campaign.
    pub review: ReviewView,
    /// Drafts by verdict.
    pub keep: u64,
    /// To narrow.
    pub narrow: u64,
    /// To remove.
    pub remove: u64,
    /// Items without a draft.
    pub open: u64,
    /// Drafts that narrow or remove: what signing takes away.
    #[serde(default)]
    pub changes: Vec<ItemView>,
    /// Drafts against the recommendation.
    pub against: Vec<ItemView>,
    /// Digest over the drafts: signing names what was seen.
    pub drafts_digest: String,
    /// The statement to accept.
    pub statement: String,
}

//! Views of calls, explanations, findings and administrative events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One call record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallView {
    /// The id that the caller was told.
    pub request_id: String,
    /// RFC 3339.
    pub at: String,
    /// Who called.
    pub identity_id: Option<String>,
    /// With what.
    pub credential_id: Option<String>,
    /// What bound it to its sender: `mtls`, `dpop`; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// Which API.
    pub api_id: Option<String>,
    /// Which operation.
    pub operation: Option<String>,
    /// Its summary from the document as it is now.
    #[serde(default)]
    pub operation_title: Option<String>,
    /// Method as sent.
    pub method: String,
    /// Canonical path, without query.
    pub path: String,
    /// Address of the peer.
    pub source_ip: String,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `allowed`, `observed`, `refused`, `failed`, `cancelled`.
    pub outcome: String,
    /// Reason code.
    pub reason: Option<String>,
    /// In observe mode, the reason for which enforce mode would have refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse: Option<String>,
    /// What a change of policy that was being rolled out has to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<super::CallRollout>,
    /// The guardrails that forbade it, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<String>,
    /// Status that the caller saw.
    pub status: u16,
    /// The grants that let it pass.
    pub grant_ids: Vec<String>,
    /// Response fields removed.
    pub fields_removed: Vec<String>,
    /// How its messages break the API's document: rules and places, no values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// Response fields that the caller received; absent when the answer was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_seen: Option<FieldsSeenView>,
    /// Microseconds from the complete head to the end of the answer.
    pub duration_us: u64,
    /// The ruleset that decided.
    pub ruleset_version: u64,
}

/// What of an answer its caller received, without any value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldsSeenView {
    /// Fields that the API's document describes, dotted, sorted, at most 64.
    pub paths: Vec<String>,
    /// There were others, which the document does not describe; their names are not kept.
    pub other: bool,
    /// There were more than are listed, or the answer was not read to its end.
    pub more: bool,
}

/// A field of answers that was received under a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedFieldView {
    /// Of which operation.
    pub operation: String,
    /// Dotted, as the API's document has it; `*` stands for fields that it does not have, `[more]`
    /// for some that are not listed.
    pub path: String,
    /// The last time, as far as answers were looked at, RFC 3339.
    pub last_at: String,
}

/// One request that is open at the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamView {
    /// The id that the caller was, or will be, told.
    pub request_id: String,
    /// The node whose gate it is open at.
    pub node: String,
    /// RFC 3339.
    pub since: String,
    /// `websocket`, `event_stream`, `grpc` or `body` (any other body or answer on its way).
    pub kind: String,
    /// Who calls.
    pub identity_id: String,
    /// With what.
    pub credential_id: String,
    /// Which API.
    pub api_id: String,
    /// Which operation.
    pub operation: Option<String>,
    /// The grants that let it in.
    pub grant_ids: Vec<String>,
}

/// Which signals to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SignalQuery {
    /// Only of this identity.
    pub identity: Option<String>,
    /// Only those that began within this time (default `90d`).
    pub since: Option<String>,
}

/// Behaviour of an identity that wants attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalView {
    /// `object-id-enumeration`: a walk through objects outside the caller's usual range.
    pub kind: String,
    /// Whose.
    pub identity_id: String,
    /// With what, when it was noticed.
    pub credential_id: String,
    /// The first call of it, RFC 3339.
    pub start: String,
    /// The last so far.
    pub end: String,
    /// The call by which it was noticed.
    pub detected_at: String,
    /// On which API.
    pub api_id: String,
    /// By which operation.
    pub operation: String,
    /// Objects that the caller had not asked for in the month before.
    pub objects: u64,
    /// Of these, how many were not there, or were refused.
    pub misses: u64,
    /// Of these, how many had the id that follows the one before.
    pub in_order: u64,
    /// The most such objects in an hour of the month before.
    pub usual: u64,
}

/// Which open requests to show. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StreamQuery {
    /// Only of this identity.
    pub identity: Option<String>,
    /// Only to this API, by id or name.
    pub api: Option<String>,
    /// At most so many, the oldest first (default 1,000, at most 10,000).
    pub limit: Option<u32>,
}

/// Which calls to show. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CallQuery {
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

/// Why one request was decided as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The record; of a request that is only written down, what it would be, without an id.
    pub call: CallView,
    /// In order: target, credential, identity, operation, grant, guardrail, message, limit, upstream;
    /// of a call that was let through and then ended before it was done, `cut` last.
    pub stages: Vec<ExplainedStage>,
    /// Grants of the identity (and its groups) on the API, as they stand now.
    pub grants: Vec<ConsideredGrant>,
    /// The guardrails that are for the API, and what they say now; for who may not read the policy
    /// set, those that refuse.
    #[serde(default)]
    pub guardrails: Vec<ExplainedGuardrail>,
    /// Relations that were looked up for this explanation: what their sources say now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<LookedUp>,
    /// The smallest grant that would allow it, as a command; absent where it would be allowed now,
    /// and where no grant is what was missing.
    pub would_allow: Option<String>,
    /// The same for this object alone, where the path names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_allow_object: Option<String>,
    /// Who can give it, by name.
    pub who_can_give: Vec<String>,
}

/// A relation that was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookedUp {
    /// The relation.
    pub relation: String,
    /// The object, as the request names it.
    pub object: String,
    /// The source that answers for the relation; empty = none does.
    pub source: String,
    /// `related`, `unrelated`, or `unknown` where the source did not say.
    pub answer: String,
    /// When the source was asked, RFC 3339.
    pub asked_at: String,
    /// How old the answer is, in seconds; 0 = it was asked for this.
    pub age_seconds: u64,
}

/// One stage of the request path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedStage {
    /// `target`, `credential`, `identity`, `operation`, `grant`, `guardrail`, `message`, `limit`,
    /// `upstream`, `cut`.
    pub stage: String,
    /// `passed`, `refused`, `not_reached`; of `cut` `cancelled`.
    pub outcome: String,
    /// In words.
    pub detail: String,
}

/// A grant that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsideredGrant {
    /// The grant.
    pub grant_id: String,
    /// Who holds it: an identity's id or `group:<id>`.
    #[serde(default)]
    pub subject: String,
    /// What it covers, in words; `*` is every operation.
    #[serde(default)]
    pub operations: Vec<String>,
    /// It covers this operation now.
    pub applies: bool,
    /// Why, or why not.
    pub why: String,
}

/// A guardrail that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedGuardrail {
    /// Its id.
    pub id: String,
    /// Where it stands: file and line. Empty for who may not read the policy set, like `text`.
    pub place: String,
    /// `forbids`, `does_not_apply`, `unknown` (it depends on what is not known of the request),
    /// `fails` (it refuses because it cannot be evaluated), or `forbade`: the record says so, and
    /// it cannot be told from the rest of the record, or is not so any more.
    pub says: String,
    /// Why it is there, or why it fails.
    pub why: Option<String>,
    /// Its text.
    pub text: String,
}

/// A detected problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// Stable for a rule and a subject.
    pub id: String,
    /// Rule id, e.g. `unused-grant`.
    pub rule: String,
    /// What it is about.
    pub subject: FindingSubject,
    /// `low`, `medium`, `high`.
    pub severity: String,
    /// One sentence for a person.
    pub summary: String,
    /// What to do.
    pub suggested_act: String,
    /// Facts that the rule looked at.
    pub evidence: serde_json::Value,
    /// RFC 3339.
    pub first_seen_at: String,
    /// `open` or `resolved`.
    pub state: String,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingSubject {
    /// `grant`, `identity`, `credential`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Whose grant or credential it is: an identity's id or `group:<id>`.
    #[serde(default)]
    pub holder: Option<String>,
}

/// One administrative event, as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Position in the ledger.
    pub sequence: u64,
    /// RFC 3339.
    pub at: String,
    /// Event code, e.g. `grant.revoked`.
    pub event: String,
    /// Who.
    pub actor: String,
    /// About what, `kind/id`.
    pub subject: String,
    /// The change in full.
    pub detail: serde_json::Value,
    /// Digest of the entry, chained to its predecessor.
    pub digest: String,
}

/// Which administrative events to show. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AuditQuery {
    /// Only about this: an id, or `kind/id`.
    pub subject: Option<String>,
    /// Only this event code.
    pub event: Option<String>,
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only before this position: the `sequence` of the last row of the page before.
    pub before: Option<u64>,
    /// At most so many, newest first (default 50, at most 1,000).
    pub limit: Option<u32>,
}

/// The state of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainStatus {
    /// Entries.
    pub size: u64,
    /// Merkle root over them, hexadecimal.
    pub root: String,
    /// The whole chain was checked and holds.
    pub intact: bool,
    /// What is wrong where, when it does not.
    pub problem: Option<String>,
}

/// What waits for the signed-in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Today {
    /// Their open reviews.
    pub reviews: Vec<super::ReviewView>,
    /// Items of these that need a look and have no draft.
    pub items_needing_a_look: u64,
    /// Credentials that expire within 14 days.
    pub expiring_credentials: Vec<super::CredentialView>,
    /// Active identities without an active owner.
    pub ownerless: u64,
    /// Open findings by severity: high, medium, low.
    pub findings: [u64; 3],
    /// Requests refused in the last 24 hours.
    pub refused_24h: u64,
    /// Requests in the last 24 hours.
    pub calls_24h: u64,
    /// Removals that are not proved yet.
    pub removals_unproved: u64,
}

//! The call record: the one record that every request leaves, whatever became of it.

use std::net::IpAddr;

use base::{ApiId, CredentialId, GrantId, IdentityId, OperationId, RequestId, Timestamp, words};
use identity::Binding;
use serde::{Deserialize, Serialize};

use crate::{FieldsSeen, Reason, RolloutMark};

words! {
    /// What became of a request.
    Outcome {
        /// Forwarded because of a grant.
        Allowed = "allowed",
        /// Forwarded because the API is in observe mode; `reason` says what enforce mode would do.
        Observed = "observed",
        /// Answered by the gate itself.
        Refused = "refused",
        /// Allowed, but the upstream failed; `reason` says how.
        Failed = "failed",
        /// Allowed and forwarded, but the answer, or its end, was withheld: the caller may not see
        /// it, or nobody can tell; `reason` says which.
        Withheld = "withheld",
        /// Allowed, but the caller went away, or lost its permission on the way; `reason` says
        /// which.
        Cancelled = "cancelled",
    }
}

impl Outcome {
    /// The gate let the request through. (An upstream that failed afterwards, or a caller that
    /// left, does not undo the permission.)
    pub const fn was_let_through(self) -> bool {
        !matches!(self, Self::Refused)
    }
}

/// How many violations a record keeps.
pub const VIOLATIONS_MAX: usize = 20;
/// The longest that each is kept, in bytes.
pub const VIOLATION_BYTES_MAX: usize = 256;

/// How many guardrails a record names.
pub const GUARDRAILS_MAX: usize = 4;
/// The longest id of a guardrail that is kept, in bytes.
pub const GUARDRAIL_BYTES_MAX: usize = 128;

/// The ids of guardrails, as many and as much of each as a record keeps.
pub fn guardrails_kept(ids: &[String]) -> Vec<String> {
    let cut = |id: &String| {
        let end = id.floor_char_boundary(GUARDRAIL_BYTES_MAX);
        id.get(..end).unwrap_or_default().to_owned()
    };
    ids.iter().take(GUARDRAILS_MAX).map(cut).collect()
}

/// What is known of one request when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The id that the caller was told.
    pub request_id: RequestId,
    /// When its head was complete.
    pub at: Timestamp,
    /// From then to the end of the answer, in microseconds.
    pub duration_us: u64,
    /// Who called, when that was proved.
    pub identity_id: Option<IdentityId>,
    /// With what.
    pub credential_id: Option<CredentialId>,
    /// Which API, when it is known.
    pub api_id: Option<ApiId>,
    /// Which operation, when it is known.
    pub operation: Option<OperationId>,
    /// Method as sent.
    pub method: String,
    /// Canonical path, without query (queries carry secrets), cut to 2,048 bytes.
    pub path: String,
    /// Address of the peer.
    pub source_ip: IpAddr,
    /// `User-Agent`, cut to 200 bytes.
    pub user_agent: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was refused or failed; in observe mode, why it would have been refused.
    pub reason: Option<Reason>,
    /// Why enforce mode would have refused it, where the API is in observe mode; also when the
    /// upstream or the caller failed afterwards, and `reason` is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse: Option<Reason>,
    /// The guardrails that forbade it, by their ids: at most [`GUARDRAILS_MAX`], each cut to
    /// [`GUARDRAIL_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<String>,
    /// Status that the caller saw; 0 when none was sent.
    pub status: u16,
    /// The grants that let it pass.
    pub grant_ids: Vec<GrantId>,
    /// Names of response fields that were removed.
    pub fields_removed: Vec<String>,
    /// How its messages break the API's document: rules and places, no values. At most
    /// [`VIOLATIONS_MAX`], each cut to [`VIOLATION_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// Properties of the answer that the caller received; `None` when the answer was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_seen: Option<FieldsSeen>,
    /// Body bytes from the caller.
    pub bytes_in: u64,
    /// Body bytes to the caller.
    pub bytes_out: u64,
    /// The ruleset that decided.
    pub ruleset_version: u64,
    /// What bound the proof of the caller to its sender, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// What a change of policy that is being rolled out has to do with it; absent when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutMark>,
}

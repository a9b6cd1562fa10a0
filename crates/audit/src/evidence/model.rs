//! What a bundle holds, as typed values. Unknown members are refused: nobody would look at them.

use base::canonical::{self, NotCanonical};
use base::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Entry;

/// The campaign as it was defined and how far it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `REMEDIATING`, `VERIFYING`, `COMPLETED`, …
    pub state: String,
    /// The definition in full: scope, reviewer rules, fallback, deadline, instructions.
    pub definition: Value,
    /// Who started it.
    pub started_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When every removal was proved.
    pub completed_at: Option<Timestamp>,
}

/// The population that was sealed when the campaign started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// The ruleset that it was read from.
    pub ruleset_version: u64,
    /// When.
    pub sealed_at: Timestamp,
    /// [`population_digest`] of the items.
    pub digest: Digest,
    /// How many grants the scope matched: items and exclusions must add up to it.
    pub matched: u64,
    /// What the scope matched but the review leaves out, each with its reason.
    pub excluded: Vec<Excluded>,
}

/// A grant that the scope matched and the review leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// The grant.
    pub grant_id: String,
    /// Why.
    pub why: String,
}

/// One item of the population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The grant under review.
    pub grant_id: String,
    /// All that was frozen at the seal: subject, grant, usage, findings, recommendation, reviewer.
    pub sealed: Value,
    /// `open`, `drafted`, `decided` or `superseded`.
    pub state: String,
}

/// The digest that seals a population: over what was frozen of each item, in order.
pub fn population_digest<'a>(
    sealed: impl IntoIterator<Item = &'a Value>,
) -> Result<Digest, NotCanonical> {
    canonical::digest(&sealed.into_iter().collect::<Vec<_>>())
}

/// A signed decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The item.
    pub item_id: String,
    /// `keep`, `narrow` or `remove`.
    pub verdict: String,
    /// For `narrow`: the operations that stay.
    pub operations: Vec<String>,
    /// Why, in the reviewer's words.
    pub note: Option<String>,
    /// Who decided.
    pub reviewer: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// One act that carried a decision out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remediation {
    /// The item.
    pub item_id: String,
    /// The grant.
    pub grant_id: String,
    /// `narrow` or `remove`.
    pub act: String,
    /// `planned`, `applied`, `verified`, `failed` or `superseded`.
    pub state: String,
    /// The ruleset version that holds it.
    pub change: Option<u64>,
    /// Who enforces it since when.
    pub receipts: Vec<Receipt>,
    /// What the gate answered to the permission that was taken away.
    pub probes: Vec<Probe>,
    /// Why nothing was probed, where nobody holds the access (a group without members).
    pub unprobed: Option<String>,
    /// Why it failed.
    pub problem: Option<String>,
}

/// One node's statement that it enforces a ruleset version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The node.
    pub node: String,
    /// Since when.
    pub since: Timestamp,
    /// Open streams that the node ended because of the act; absent where that was not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_cut: Option<u64>,
    /// Streams that were told to end and had not when the node counted; absent = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_open: Option<u64>,
}

/// One try of a permission that was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// When.
    pub at: Timestamp,
    /// `refused`; `allowed_otherwise` when another grant of the same caller lets it pass; or
    /// `allowed`.
    pub result: String,
    /// What was tried, and the reason code or the other grants that it got.
    pub detail: String,
}

/// A ledger entry with the sibling hashes up to the checkpoint's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEntry {
    /// The entry.
    pub entry: Entry,
    /// RFC 6962 audit path.
    pub path: Vec<Digest>,
}

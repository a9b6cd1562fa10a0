//! What the doors show: plain values with text ids, the wire form of the admin API, the CLI's
//! `--json` and the data of the console's pages. Member names are stable.

pub mod access;
pub mod activity;
pub mod api;
pub mod ask;
pub mod checks;
pub mod policy;
pub mod review;
pub mod rollout;
pub mod terms;

pub use access::*;
pub use activity::*;
pub use api::*;
pub use ask::*;
pub use checks::*;
pub use policy::*;
pub use review::*;
pub use rollout::*;
pub use terms::*;

use base::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};
use traffic::CutCount;
use utoipa::ToSchema;

/// Calls are counted so far; a total of so many says that there are so many or more.
pub const CALLS_COUNTED_MAX: u64 = decision_log::COUNTED_MAX;

/// A part of a longer list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many rows the filter matches in all. Calls are counted to 10,000: that many or more.
    pub total: u64,
    /// Ask for the next part with this; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something after it was set, and who enforces that since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed<T> {
    /// What it is now.
    #[serde(flatten)]
    pub now: T,
    /// The change, or the last one before it when there was nothing to change.
    #[serde(flatten)]
    pub receipt: ChangeReceipt,
}

/// What an act changed and who enforces it since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeReceipt {
    /// The change sequence, which is the ruleset version that holds it.
    pub change: u64,
    /// One per live node.
    pub receipts: Vec<NodeReceipt>,
    /// The change of policy that was being rolled out and was taken back by this one, because it
    /// changes the same objects; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout_returned: Option<ReturnedRollout>,
}

/// A change of policy that another change took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedRollout {
    /// Which rollout.
    pub id: String,
    /// Why it could not go on.
    pub why: String,
}

/// One node's statement that it enforces a ruleset version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeReceipt {
    /// The node.
    pub node: String,
    /// RFC 3339.
    pub since: String,
    /// Open streams that the node ended because of the change; absent in receipts from before they
    /// were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_cut: Option<u64>,
    /// Streams that lost their permission and had not ended when the node counted, about a second
    /// after it began to end them. It goes on ending them. Absent when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_open: Option<u64>,
}

impl NodeReceipt {
    /// With what the node cut.
    pub(crate) fn new(node: &NodeId, since: Timestamp, count: CutCount) -> Self {
        Self {
            node: node.to_string(),
            since: since.to_string(),
            streams_cut: Some(count.cut),
            streams_open: Some(count.open).filter(|open| *open > 0),
        }
    }
}

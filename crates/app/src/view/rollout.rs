//! Changes of policy that are put in force step by step.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChangeReceipt, ChangeSet};

/// Begins to put a change in force step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StartRollout {
    /// The change.
    pub change: ChangeSet,
    /// The share of callers that it governs at first, 1 to 100 percent; absent = none (shadow).
    pub share: Option<u8>,
    /// When it is taken back by itself; absent = more than 10 refusals within 10 minutes.
    pub bound: Option<BoundView>,
}

/// How many calls that passed before may be refused. What is absent asks nothing; both are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoundView {
    /// At most so many within the window.
    pub refusals: Option<u64>,
    /// At most so many of a hundred calls that the change governed within the window, asked from
    /// the hundredth call on; 1 to 99.
    pub percent: Option<u8>,
    /// How long calls count, `1m` to `1d` (default `10m`).
    pub window: Option<String>,
}

/// Takes a rollout further.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdvanceRollout {
    /// The share of callers that it governs from now on, in percent; more than before.
    pub share: Option<u8>,
    /// Publish the change: it governs everybody, and the rollout is over.
    pub all: bool,
    /// Why; kept in the ledger.
    pub why: Option<String>,
}

/// A change of policy on its way, or at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutView {
    /// Its id.
    pub id: String,
    /// `shadow`, `share`, `all` or `returned`.
    pub stage: String,
    /// The share of callers that it governs, in percent.
    pub share: u8,
    /// The change.
    pub change: ChangeSet,
    /// The objects that it changes, `kind/id`.
    pub edits: Vec<String>,
    /// The change sequence that it was made against.
    pub base: u64,
    /// When it is taken back by itself.
    pub bound: BoundView,
    /// Every step, with who and why, the first one first.
    pub steps: Vec<RolloutStep>,
    /// What counts against the bound: calls of all nodes within its window.
    pub within_window: RolloutCounts,
    /// Calls of all nodes since it began.
    pub since_start: RolloutCounts,
    /// Calls of which the present ruleset and the change say different things, by caller and
    /// operation, most first, at most 500.
    pub differences: Vec<RolloutDifference>,
    /// What the last step changed and who enforces it since when; absent where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ChangeReceipt>,
}

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutStep {
    /// To which stage.
    pub stage: String,
    /// The share of callers from here on, in percent.
    pub share: u8,
    /// When, RFC 3339.
    pub at: String,
    /// Who; `system:rollout` = the bound.
    pub by: String,
    /// Why.
    pub why: Option<String>,
}

/// Calls that were decided while a rollout was open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutCounts {
    /// Calls that both sides were asked about.
    pub judged: u64,
    /// Of these, those that the change governed.
    pub governed: u64,
    /// Of these, those that it refused and that would have passed without it.
    pub refused: u64,
}

/// Calls of one caller and one operation that the change turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutDifference {
    /// Who called; absent = the rest, which is not kept by caller.
    pub identity_id: Option<String>,
    /// Which API.
    pub api_id: Option<String>,
    /// Which operation; absent = one that the catalogue does not know.
    pub operation: Option<String>,
    /// `present` or `candidate`: which side decided.
    pub governed_by: String,
    /// `newly_refused`, `newly_allowed` or `undecided`.
    pub difference: String,
    /// Why the side that refuses does.
    pub reason: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// The last of them, RFC 3339.
    pub last_at: String,
}

/// A rollout in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolloutRow {
    /// Its id.
    pub id: String,
    /// `shadow`, `share`, `all` or `returned`.
    pub stage: String,
    /// The share of callers that it governs, in percent.
    pub share: u8,
    /// How many objects it changes.
    pub edits: usize,
    /// Its first step.
    pub started: RolloutStep,
    /// Its last step.
    pub last: RolloutStep,
}

/// What a record says of the rollout that was open when the call came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallRollout {
    /// Which rollout.
    pub id: String,
    /// `present` or `candidate`: which side decided.
    pub governed_by: String,
    /// `newly_refused`, `newly_allowed` or `undecided`; absent = both say the same.
    pub difference: Option<String>,
    /// Why the side that refuses does.
    pub reason: Option<String>,
}

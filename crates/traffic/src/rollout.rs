//! What a record says of a change of policy that was being rolled out when the call came.

use base::{RolloutId, words};
use serde::{Deserialize, Serialize};

use crate::Reason;

words! {
    /// Which of two rulesets.
    RolloutSide {
        /// The one that holds without the change.
        Present = "present",
        /// The one with the change.
        Candidate = "candidate",
    }
}

words! {
    /// How the answer with the change differs from the one without it.
    RolloutDifference {
        /// Without the change it passes, with it it is refused.
        NewlyRefused = "newly_refused",
        /// Without the change it is refused, with it it passes.
        NewlyAllowed = "newly_allowed",
        /// The side that did not govern would have had to read the body, which was not read.
        Undecided = "undecided",
    }
}

/// What a rollout has to do with one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutMark {
    /// Which rollout.
    pub id: RolloutId,
    /// Which ruleset decided.
    pub governed_by: RolloutSide,
    /// How the two differ; absent when they say the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<RolloutDifference>,
    /// Why the side that refuses does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl RolloutMark {
    /// A call that would have passed, and did not because of the change.
    pub fn is_refused_by_change(&self) -> bool {
        self.governed_by == RolloutSide::Candidate
            && self.difference == Some(RolloutDifference::NewlyRefused)
    }
}

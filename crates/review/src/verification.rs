//! Whether an executed act has taken effect: every live node enforces it, the product's own probe
//! is not let through by the removed permission, and no call was since.

use base::{ApiId, GrantId, IdentityId, NodeId, OperationId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::remediation::{Remediation, RemediationState};
use crate::wording::counted;

/// A question to the gate: may this identity use this operation?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Probe {
    /// Who asks.
    pub identity: IdentityId,
    /// The API.
    pub api: ApiId,
    /// The operation that is to be gone.
    pub operation: OperationId,
}

/// What the gate answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// No.
    Refused {
        /// The gate's reason code.
        reason: String,
    },
    /// Yes, because of these grants.
    Allowed {
        /// The grants; none where the gate lets pass what no grant covers (observe mode).
        grants: Vec<GrantId>,
    },
}

/// One node's statement that it enforces a ruleset version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The node.
    pub node: NodeId,
    /// The version that it enforces now; at least the one asked about once it caught up.
    pub version: u64,
    /// Since when.
    pub since: Timestamp,
    /// Open streams that the node ended because of the act; `None` where that was not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_cut: Option<u64>,
    /// Streams that were told to end and had not when the node counted; `None` = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_open: Option<u64>,
}

/// Everything observed about one executed act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// One per live node.
    pub receipts: Vec<Receipt>,
    /// What was asked and answered.
    pub answers: Vec<Answer>,
    /// Calls on the operations that are to be gone which the grant let through after every node
    /// enforced the act.
    pub allowed_since: u64,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked.
    pub probe: Probe,
    /// What the gate answered.
    pub outcome: ProbeOutcome,
}

/// What proves an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Every live node's receipt.
    pub receipts: Vec<Receipt>,
    /// Every probe. None passed by the removed permission; those that passed at all did so by
    /// other grants. Empty only when the subject has nobody to ask as.
    pub answers: Vec<Answer>,
    /// When it was complete.
    pub at: Timestamp,
}

impl Proof {
    /// The other grants by which some probes still pass, sorted, each once.
    pub fn still_reachable_by(&self) -> Vec<GrantId> {
        let others = self.answers.iter().filter_map(|answer| match &answer.outcome {
            ProbeOutcome::Allowed { grants } => Some(grants),
            ProbeOutcome::Refused { .. } => None,
        });
        let mut grants: Vec<_> = others.flatten().cloned().collect();
        grants.sort();
        grants.dedup();
        grants
    }
}

/// What an observation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The removed permission is gone.
    Proved(Proof),
    /// Not yet: a node has to catch up.
    Pending(String),
    /// The removed permission still works or was used.
    Disproved(String),
}

/// Judges an observation of an act that was executed with ruleset version `change`.
pub fn judge(
    act: &Remediation,
    change: u64,
    observed: &Observation,
    now: Timestamp,
) -> Verification {
    if observed.receipts.is_empty() {
        return Verification::Pending("no node has confirmed the change".to_owned());
    }
    if let Some(late) = observed.receipts.iter().find(|receipt| receipt.version < change) {
        let (node, version) = (&late.node, late.version);
        return Verification::Pending(format!(
            "node {node} enforces version {version}, not yet {change}"
        ));
    }
    for Answer { probe, outcome } in &observed.answers {
        if matches!(outcome, ProbeOutcome::Allowed { grants } if grants.is_empty()) {
            return Verification::Disproved(format!(
                "{} may still use {} without any grant: API {} is in observe mode",
                probe.identity, probe.operation, probe.api
            ));
        }
        if matches!(outcome, ProbeOutcome::Allowed { grants } if grants.contains(&act.grant)) {
            return Verification::Disproved(format!(
                "{} may still use {} by {}",
                probe.identity, probe.operation, act.grant
            ));
        }
    }
    if observed.allowed_since > 0 {
        return Verification::Disproved(format!(
            "{} let through by {} after it was applied",
            counted(observed.allowed_since, "call"),
            act.grant
        ));
    }
    Verification::Proved(Proof {
        receipts: observed.receipts.clone(),
        answers: observed.answers.clone(),
        at: now,
    })
}

impl Remediation {
    /// Moves an executed act on by what was observed. One that is not executed, or is settled,
    /// stays as it is; one that failed can still be proved by a later observation.
    #[must_use]
    pub fn observed(self, observation: &Observation, now: Timestamp) -> Self {
        let (change, at) = match self.state {
            RemediationState::Applied { change, at }
            | RemediationState::Failed { change, at, .. } => (change, at),
            _ => return self,
        };
        let state = match judge(&self, change, observation, now) {
            Verification::Proved(proof) => RemediationState::Verified { change, at, proof },
            Verification::Pending(_) => RemediationState::Applied { change, at },
            Verification::Disproved(problem) => {
                let allowed_since = observation.allowed_since;
                RemediationState::Failed { change, at, allowed_since, problem }
            }
        };
        Self { state, ..self }
    }
}

#[cfg(test)]
mod tests;

//! A campaign of one stage, from its launch to the proof of its removals.
//!
//! ```text
//! Staged ──launch──► Active ──decided──► Remediating ──applied──► Verifying ──proved──► Completed
//!    │                 │  (LaunchFailed: never left the ground)
//!    └──── cancel ─────┴──────────────────────────► Cancelled
//! ```
//! Silence decides nothing: a campaign whose deadline passes with open items stays active until
//! somebody extends or cancels it.

use base::{CampaignId, Digest, IdentityId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::refusal::Refusal;
use crate::remediation::Remediation;

/// What a population was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationSeal {
    /// Over the sealed parts of all items.
    pub digest: Digest,
    /// How many items.
    pub items: u64,
    /// Digest of the inventory.
    pub inventory: Digest,
    /// The ruleset version that the inventory was read at.
    pub ruleset_version: u64,
    /// When that was.
    pub as_of: Timestamp,
}

/// Items by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Nobody chose yet.
    pub open: u64,
    /// Chosen, not signed.
    pub drafted: u64,
    /// Signed.
    pub decided: u64,
    /// Nothing left to decide.
    pub superseded: u64,
}

impl Tally {
    /// Items that still need a decision.
    pub const fn undecided(&self) -> u64 {
        self.open + self.drafted
    }
}

/// Where a campaign stands, with what belongs to that state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CampaignState {
    /// The population is sealed; nobody was asked yet.
    Staged {
        /// Since when.
        at: Timestamp,
    },
    /// Decisions are taken.
    Active {
        /// Since when.
        started_at: Timestamp,
        /// Until when.
        deadline: Timestamp,
    },
    /// Everything is decided; changes are being executed.
    Remediating {
        /// Since when decisions were taken.
        started_at: Timestamp,
        /// When the last decision was signed.
        decided_at: Timestamp,
    },
    /// Changes are executed; their effect is being proved.
    Verifying {
        /// Since when decisions were taken.
        started_at: Timestamp,
        /// When the last decision was signed.
        decided_at: Timestamp,
        /// When the last change was executed.
        applied_at: Timestamp,
    },
    /// Every removal is proved.
    Completed {
        /// Since when decisions were taken.
        started_at: Timestamp,
        /// When the last decision was signed.
        decided_at: Timestamp,
        /// When the last change was executed.
        applied_at: Timestamp,
        /// When the last proof was complete.
        completed_at: Timestamp,
    },
    /// Stopped. What was signed before stays on record and has no effect.
    Cancelled {
        /// When.
        at: Timestamp,
        /// By whom.
        by: IdentityId,
        /// Why.
        reason: String,
    },
    /// Never started.
    LaunchFailed {
        /// When.
        at: Timestamp,
        /// Why, one sentence each.
        reasons: Vec<String>,
    },
}

impl CampaignState {
    /// The state's name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Staged { .. } => "STAGED",
            Self::Active { .. } => "ACTIVE",
            Self::Remediating { .. } => "REMEDIATING",
            Self::Verifying { .. } => "VERIFYING",
            Self::Completed { .. } => "COMPLETED",
            Self::Cancelled { .. } => "CANCELLED",
            Self::LaunchFailed { .. } => "LAUNCH_FAILED",
        }
    }
}

/// One run of an access review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// What was ordered.
    pub definition: Definition,
    /// What is reviewed; `None` only when the launch failed.
    pub seal: Option<PopulationSeal>,
    /// Where it stands.
    pub state: CampaignState,
}

impl Campaign {
    /// A sealed population that nobody was asked about yet.
    pub fn staged(
        id: CampaignId,
        definition: Definition,
        seal: PopulationSeal,
        now: Timestamp,
    ) -> Self {
        Self { id, definition, seal: Some(seal), state: CampaignState::Staged { at: now } }
    }

    /// The record of a launch that failed.
    pub fn launch_failed(
        id: CampaignId,
        definition: Definition,
        reasons: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let state = CampaignState::LaunchFailed { at: now, reasons };
        Self { id, definition, seal: None, state }
    }

    fn wrong_state(&self, needed: &'static str) -> Refusal {
        Refusal::WrongState { state: self.state.as_str(), needed }
    }

    /// Asks the reviewers.
    pub fn launch(self, now: Timestamp) -> Result<Self, Refusal> {
        let CampaignState::Staged { .. } = self.state else {
            return Err(self.wrong_state("STAGED"));
        };
        let deadline = self.definition.deadline(now);
        Ok(Self { state: CampaignState::Active { started_at: now, deadline }, ..self })
    }

    /// Until when decisions are taken, when they are.
    pub fn deadline(&self) -> Result<Timestamp, Refusal> {
        match self.state {
            CampaignState::Active { deadline, .. } => Ok(deadline),
            _ => Err(Refusal::NotActive { state: self.state.as_str() }),
        }
    }

    /// Moves the deadline to a later moment.
    pub fn extend(self, to: Timestamp, now: Timestamp) -> Result<Self, Refusal> {
        let CampaignState::Active { started_at, deadline } = self.state else {
            return Err(self.wrong_state("ACTIVE"));
        };
        if to <= deadline || to <= now {
            return Err(Refusal::DeadlineNotLater);
        }
        Ok(Self { state: CampaignState::Active { started_at, deadline: to }, ..self })
    }

    /// Ends the decisions once every item is decided or superseded.
    pub fn decided(self, tally: &Tally, now: Timestamp) -> Result<Self, Refusal> {
        let CampaignState::Active { started_at, .. } = self.state else {
            return Err(self.wrong_state("ACTIVE"));
        };
        if tally.undecided() > 0 {
            return Err(Refusal::Undecided { open: tally.undecided() });
        }
        Ok(Self { state: CampaignState::Remediating { started_at, decided_at: now }, ..self })
    }

    /// Ends the execution once no act is left to execute.
    pub fn applied(self, acts: &[Remediation], now: Timestamp) -> Result<Self, Refusal> {
        let CampaignState::Remediating { started_at, decided_at } = self.state else {
            return Err(self.wrong_state("REMEDIATING"));
        };
        match count(acts, |act| act.state.is_planned()) {
            0 => {
                let state = CampaignState::Verifying { started_at, decided_at, applied_at: now };
                Ok(Self { state, ..self })
            }
            open => Err(Refusal::NotApplied { open }),
        }
    }

    /// Completes, once every act is proved.
    pub fn proved(self, acts: &[Remediation], now: Timestamp) -> Result<Self, Refusal> {
        let CampaignState::Verifying { started_at, decided_at, applied_at } = self.state else {
            return Err(self.wrong_state("VERIFYING"));
        };
        match count(acts, |act| !act.state.is_settled()) {
            0 => {
                let completed_at = now;
                let state =
                    CampaignState::Completed { started_at, decided_at, applied_at, completed_at };
                Ok(Self { state, ..self })
            }
            unproved => Err(Refusal::Unproved { unproved }),
        }
    }

    /// Stops a campaign before its decisions take effect.
    pub fn cancel(self, by: IdentityId, reason: &str, now: Timestamp) -> Result<Self, Refusal> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Refusal::ReasonNeeded);
        }
        match self.state {
            CampaignState::Staged { .. } | CampaignState::Active { .. } => {
                Ok(Self { state: CampaignState::Cancelled { at: now, by, reason }, ..self })
            }
            _ => Err(self.wrong_state("STAGED or ACTIVE")),
        }
    }
}

fn count(acts: &[Remediation], which: impl Fn(&Remediation) -> bool) -> u64 {
    u64::try_from(acts.iter().filter(|act| which(act)).count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

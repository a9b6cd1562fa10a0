//! A change of policy that is put in force step by step: only in the records, for a share of the
//! callers, for all. Each step is a value made of the one before, or a refusal.

use base::{GrantId, RolloutId, Span, Timestamp, words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The share that stands for every caller, in percent.
pub const SHARE_ALL: u8 = 100;
/// A percentage of fewer calls than this says nothing.
pub const CALLS_MIN: u64 = 100;

words! {
    /// How far a rollout is.
    Stage {
        /// Nothing is decided by the change; records say what it would do.
        Shadow = "shadow",
        /// The change governs a share of the callers.
        Share = "share",
        /// It was published: it governs everybody, and is a rollout no more.
        All = "all",
        /// It was taken back.
        Returned = "returned",
    }
}

impl Stage {
    /// Still beside the present ruleset.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Shadow | Self::Share)
    }
}

/// One object as the change makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Kind of the object, as the change log has it: `grant`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The object after the change.
    pub after: Value,
}

/// How many calls may be refused that passed before, until the change is taken back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// At most so many within the window; `None` = any number.
    pub refusals: Option<u64>,
    /// At most so many of a hundred calls that the change governed within the window, asked from
    /// the hundredth call on; `None` = any part.
    pub percent: Option<u8>,
    /// How long calls count.
    pub window: Span,
}

impl Default for Bound {
    fn default() -> Self {
        Self { refusals: Some(10), percent: None, window: Span::from_secs(600) }
    }
}

/// Calls within the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that the change governed.
    pub governed: u64,
    /// Of these, those that would have passed without it and were refused.
    pub refused: u64,
}

impl Bound {
    /// Whether so many refusals are too many, and which part of the bound says so.
    pub fn passed_by(&self, tally: Tally) -> Option<String> {
        let Tally { governed, refused } = tally;
        if let Some(most) = self.refusals.filter(|most| refused > *most) {
            return Some(format!(
                "{refused} calls that passed before were refused within {}, at most {most} may be",
                self.window
            ));
        }
        let percent = self.percent?;
        let is_over = governed >= CALLS_MIN
            && u128::from(refused) * 100 > u128::from(governed) * u128::from(percent);
        is_over.then(|| {
            format!(
                "{refused} of {governed} calls that passed before were refused within {}, at most \
                 {percent} % may be",
                self.window
            )
        })
    }
}

/// One step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// To which stage.
    pub stage: Stage,
    /// The share of callers that it governs from here on, in percent.
    pub share: u8,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub why: Option<String>,
}

/// A change of policy on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Stable id.
    pub id: RolloutId,
    /// Grows by one with each step.
    pub version: u32,
    /// The change as it was written.
    pub change: Value,
    /// The ids of the grants that it gives, in its order: the same from the first step to the last.
    pub given: Vec<GrantId>,
    /// What it makes of each object that it changes.
    pub edits: Vec<Edit>,
    /// The sequence of the change log that it was made against.
    pub base: u64,
    /// When it is taken back by itself.
    pub bound: Bound,
    /// Every step, the first one first; never empty.
    pub steps: Vec<Step>,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoStep {
    /// It is over.
    #[error("the rollout is over: {0}")]
    Over(Stage),
    /// Not a share.
    #[error("a share is 1 to 100 percent")]
    BadShare,
    /// Forward means more callers.
    #[error("it governs {0} % of the callers already")]
    NotFurther(u8),
}

impl Rollout {
    /// How far it is.
    pub fn stage(&self) -> Stage {
        // INVARIANT: there is a first step; were there none, nothing would be open.
        self.steps.last().map_or(Stage::Returned, |step| step.stage)
    }

    /// The share of callers that it governs, in percent.
    pub fn share(&self) -> u8 {
        self.steps.last().map_or(0, |step| step.share)
    }

    /// When it began.
    pub fn started_at(&self) -> Timestamp {
        self.steps.first().map_or(Timestamp::MIN, |step| step.at)
    }

    /// When it ended, if it did.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.steps.last().filter(|step| !step.stage.is_open()).map(|step| step.at)
    }

    /// The next step: a larger share, publication, or the way back.
    pub fn step(&self, step: Step) -> Result<Self, NoStep> {
        if !self.stage().is_open() {
            return Err(NoStep::Over(self.stage()));
        }
        if matches!(step.stage, Stage::Share | Stage::Shadow) {
            check_share(step.stage, step.share)?;
            if step.share <= self.share() {
                return Err(NoStep::NotFurther(self.share()));
            }
        }
        let mut next = Self { version: self.version + 1, ..self.clone() };
        next.steps.push(step);
        Ok(next)
    }
}

/// Whether a rollout may begin, or go on, at this stage.
pub fn check_share(stage: Stage, share: u8) -> Result<(), NoStep> {
    let is_right = match stage {
        Stage::Shadow => share == 0,
        Stage::Share => (1..=SHARE_ALL).contains(&share),
        Stage::All | Stage::Returned => true,
    };
    if is_right { Ok(()) } else { Err(NoStep::BadShare) }
}

#[cfg(test)]
mod tests;

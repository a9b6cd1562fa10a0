//! Access reviews as plain values: an inventory sealed at a moment, findings and suggestions read
//! from it, the population of a campaign with its reviewers, drafts and signed decisions, the
//! remediation plan, and the proof that what was removed is gone.
//!
//! No I/O, no clock, no randomness, no store: the shell reads the inventory, keeps the values and
//! executes the plans. Nothing here can change a grant; a plan only says what the grant is to be.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod campaign;
pub mod definition;
pub mod finding;
pub mod inventory;
pub mod item;
pub mod plan;
pub mod recommendation;
pub mod refusal;
pub mod remediation;
pub mod replay;
pub mod reviewer;
pub mod rules;
#[cfg(test)]
mod sample;
pub mod sign;
pub mod suggestion;
pub mod usage;
pub mod verification;
pub mod window;
mod wording;

pub use campaign::{Campaign, CampaignState, PopulationSeal, Tally};
pub use definition::{Definition, Scope};
pub use finding::{Evidence, Finding, FindingSubject, Rule, Severity};
pub use inventory::{Exception, Inventory, InventoryParts};
pub use item::{
    Attention, Decision, Draft, Item, ItemState, ReviewItem, Risk, Verdict, VerdictKind,
};
pub use plan::{LaunchFailure, Population, PopulationDraft};
pub use recommendation::{ReasonCode, Recommendation};
pub use refusal::Refusal;
pub use remediation::{Act, Applied, Remediation, RemediationState};
pub use replay::{Consequence, Consequences, Replay};
pub use reviewer::{Assignment, ReviewerRule};
pub use rules::{Detection, Rules, detect};
pub use suggestion::{Suggestion, suggest};
pub use usage::UsageFacts;
pub use verification::{Answer, Observation, Probe, ProbeOutcome, Proof, Receipt};
pub use window::Window;

//! Why a step of a review is refused. One reason each; the code is stable.

use base::{IdentityId, Timestamp};

use crate::item::Supersession;

/// Why a transition did not happen. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The access under review is the reviewer's own.
    #[error("nobody decides on their own access")]
    SelfReview,
    /// Somebody else reviews the item.
    #[error("the item is for {reviewer} to decide")]
    NotYours {
        /// Who reviews it.
        reviewer: IdentityId,
    },
    /// The deadline has passed.
    #[error("decisions ended at {deadline}")]
    Late {
        /// When they ended.
        deadline: Timestamp,
    },
    /// The campaign takes no decisions in its state.
    #[error("the review is {state} and takes no decisions")]
    NotActive {
        /// Its state.
        state: &'static str,
    },
    /// The verdict goes against the recommendation and says no reason.
    #[error("a decision against the recommendation ({recommended}) needs a note")]
    NoteNeededAgainstRecommendation {
        /// What was recommended.
        recommended: &'static str,
    },
    /// High-risk access is kept and no reason given.
    #[error("keeping access of high risk needs a note")]
    NoteNeededForHighRisk,
    /// The decision is signed.
    #[error("the decision was signed at {at} and cannot change; a correction is a new review")]
    AlreadySigned {
        /// When.
        at: Timestamp,
    },
    /// There is no smaller set of operations to narrow to.
    #[error("there is nothing narrower to narrow to")]
    NothingToNarrow,
    /// The operations are not fewer than those granted.
    #[error("narrowing must leave fewer operations than granted, and at least one")]
    NotNarrower,
    /// The grant changed or went since the population was sealed.
    #[error("{0}")]
    Superseded(Supersession),
    /// The item has no draft.
    #[error("there is no draft")]
    NoDraft,
    /// The reviewer has no drafts.
    #[error("there are no drafts to sign")]
    NothingToSign,
    /// The drafts are not those that the signer saw.
    #[error("the drafts changed since they were shown")]
    DraftsChanged,
    /// Items are still undecided.
    #[error("items not decided yet: {open}")]
    Undecided {
        /// How many.
        open: u64,
    },
    /// The campaign is not in the state that the step starts from.
    #[error("the review is {state}, not {needed}")]
    WrongState {
        /// Its state.
        state: &'static str,
        /// The state needed.
        needed: &'static str,
    },
    /// Some acts are not executed yet.
    #[error("changes not applied yet: {open}")]
    NotApplied {
        /// How many.
        open: u64,
    },
    /// Some acts are not proved, or were disproved.
    #[error("removals not proved yet: {unproved}")]
    Unproved {
        /// How many.
        unproved: u64,
    },
    /// Something that needs a reason has none.
    #[error("a reason is needed")]
    ReasonNeeded,
    /// The new deadline is not later than the old one, or not in the future.
    #[error("a deadline can only move to a later moment")]
    DeadlineNotLater,
}

impl Refusal {
    /// The stable code, in `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SelfReview => "self_review",
            Self::NotYours { .. } => "not_your_item",
            Self::Late { .. } => "late",
            Self::NotActive { .. } => "review_not_active",
            Self::NoteNeededAgainstRecommendation { .. } | Self::NoteNeededForHighRisk => {
                "note_needed"
            }
            Self::AlreadySigned { .. } => "already_signed",
            Self::NothingToNarrow => "nothing_to_narrow",
            Self::NotNarrower => "not_narrower",
            Self::Superseded(_) => "superseded",
            Self::NoDraft => "no_draft",
            Self::NothingToSign => "nothing_to_sign",
            Self::DraftsChanged => "drafts_changed",
            Self::Undecided { .. } => "undecided",
            Self::WrongState { .. } => "wrong_state",
            Self::NotApplied { .. } => "not_applied",
            Self::Unproved { .. } => "unproved",
            Self::ReasonNeeded => "reason_needed",
            Self::DeadlineNotLater => "deadline_not_later",
        }
    }
}

//! One grant under review: the sealed facts, and the state that a reviewer moves forward.
//!
//! ```text
//! Pending ──draft──► Drafted ──sign──► Decided
//!    ▲                 │  │
//!    └──────undo───────┘  └─ the grant went, or gives more ─► Superseded
//! ```
//! A decided or superseded item never changes again. Drafts bind nobody.

use std::collections::BTreeSet;
use std::fmt;

use base::{CampaignId, DecisionId, GrantId, IdentityId, ItemId, OperationId, Timestamp, words};
use grant::{Grant, GrantStatus, GrantSubject, OperationSet};
use identity::Owner;
use serde::{Deserialize, Serialize};

use crate::finding::Rule;
use crate::recommendation::Recommendation;
use crate::refusal::Refusal;
use crate::replay::Consequences;
use crate::reviewer::Assignment;
use crate::window::WEEKS;

words! {
    /// How bad a wrong keep would be.
    Risk {
        /// Ordinary.
        Low = "low",
        /// Reaches administration or changes of high impact.
        High = "high",
    }
}

words! {
    /// Which list the item is in.
    Attention {
        /// The recommendation is not keep, or the risk is high, or nobody owns the subject, or
        /// evidence is missing.
        NeedsALook = "needs_a_look",
        /// None of these.
        Quiet = "quiet",
    }
}

words! {
    /// A verdict without its data.
    VerdictKind {
        /// The grant stays.
        Keep = "keep",
        /// Fewer operations stay.
        Narrow = "narrow",
        /// The grant goes.
        Remove = "remove",
    }
}

/// What is to become of the grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "operations", rename_all = "snake_case")]
pub enum Verdict {
    /// It stays.
    Keep,
    /// Only these operations stay.
    Narrow(BTreeSet<OperationId>),
    /// It goes.
    Remove,
}

impl Verdict {
    /// The verdict without its data.
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Keep => VerdictKind::Keep,
            Self::Narrow(_) => VerdictKind::Narrow,
            Self::Remove => VerdictKind::Remove,
        }
    }
}

/// Who has the access, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectFacts {
    /// Display name.
    pub name: String,
    /// The kind of identity, or `group`.
    pub kind: String,
    /// What it is for, where stated. Left out of the sealed form when absent, so that populations
    /// sealed before it was shown keep their digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Who answers for it.
    pub owner: Option<Owner>,
    /// The owner's display name.
    pub owner_name: Option<String>,
    /// The owner, or one of the group that owns, is active.
    pub owner_active: bool,
}

/// What may be called, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiFacts {
    /// Display name.
    pub name: String,
    /// How bad misuse would be.
    pub impact: catalog::Impact,
}

/// One operation granted, with its words and its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationFacts {
    /// Operation id.
    pub id: OperationId,
    /// Summary from the document, or the id.
    pub title: String,
    /// Calls in the window.
    pub calls: u64,
    /// Its misuse would be expensive. Left out of the sealed form when not, like the purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerous: bool,
}

/// Use of the grant, frozen when the population was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenUsage {
    /// Days looked at.
    pub window_days: u32,
    /// Calls let through.
    pub calls: u64,
    /// The last of them.
    pub last_used_at: Option<Timestamp>,
    /// Calls per week, oldest first.
    pub weeks: [u64; WEEKS],
    /// Operations used, sorted.
    pub operations_used: Vec<OperationId>,
    /// Properties of answers that were received, at most [`RECEIVED_MAX`], sorted by operation and
    /// path. Left out of the sealed form when there are none, like the purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields_seen: Vec<SeenField>,
    /// The moment that all this is true for.
    pub as_of: Timestamp,
    /// The records cover the window.
    pub sufficient: bool,
}

/// The most properties that an item lists.
pub const RECEIVED_MAX: usize = 256;

/// A property of answers that was received under a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenField {
    /// Of which operation.
    pub operation: OperationId,
    /// As the catalogue writes it; `*` for what it does not have, `[more]` for what is not listed.
    pub path: String,
    /// The last time, as far as answers were looked at.
    pub last_at: Timestamp,
}

/// A finding on the grant or on its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingNote {
    /// The rule.
    pub rule: Rule,
    /// One sentence.
    pub summary: String,
}

/// The part of an item that is sealed with the population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItem {
    /// The item.
    pub id: ItemId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The grant in the version under review.
    pub grant: Grant,
    /// Who has the access.
    pub subject: SubjectFacts,
    /// To what.
    pub api: ApiFacts,
    /// Operations granted, sorted by id.
    pub operations: Vec<OperationFacts>,
    /// What was used.
    pub usage: FrozenUsage,
    /// Open findings on the grant or the subject.
    pub findings: Vec<FindingNote>,
    /// What is suggested.
    pub recommendation: Recommendation,
    /// What removing or narrowing would have done to recorded calls.
    pub consequences: Consequences,
    /// How bad a wrong keep would be.
    pub risk: Risk,
    /// Which list it is in.
    pub attention: Attention,
    /// Who decides, and why they do.
    pub assignment: Assignment,
}

/// A choice that binds nobody yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What is to become of the grant.
    pub verdict: Verdict,
    /// Why.
    pub note: Option<String>,
    /// Who chose.
    pub by: IdentityId,
    /// When.
    pub at: Timestamp,
}

/// A signed choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The decision's own id.
    pub id: DecisionId,
    /// What was signed.
    pub draft: Draft,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The verdict differs from what was recommended.
    pub against_recommendation: bool,
}

/// What became of the grant before a decision on it could be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supersession {
    /// The grant.
    pub grant: GrantId,
    /// The version under review.
    pub reviewed: u32,
    /// The version that stands now; `None` when the grant is gone.
    pub now: Option<u32>,
    /// When that was noticed.
    pub at: Timestamp,
}

impl fmt::Display for Supersession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grant, reviewed, now, .. } = self;
        match now {
            Some(now) => write!(f, "{grant} changed from version {reviewed} to {now} meanwhile"),
            None => write!(f, "{grant} version {reviewed} was removed meanwhile"),
        }
    }
}

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ItemState {
    /// Nobody chose yet.
    Pending,
    /// Chosen, not signed.
    Drafted(Draft),
    /// Signed.
    Decided(Decision),
    /// Nothing left to decide.
    Superseded(Supersession),
}

impl ItemState {
    /// `open`, `drafted`, `decided` or `superseded`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "open",
            Self::Drafted(_) => "drafted",
            Self::Decided(_) => "decided",
            Self::Superseded(_) => "superseded",
        }
    }

    /// Nothing more can happen to it.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Decided(_) | Self::Superseded(_))
    }
}

/// What the shell knows at the moment of a step on one item.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Who acts.
    pub actor: &'a IdentityId,
    /// Decisions are taken until then.
    pub deadline: Timestamp,
    /// The grant as it stands now; `None` when there is none.
    pub grant: Option<&'a Grant>,
    /// Who holds the access now: the identity, or the members of the group.
    pub holders: &'a [IdentityId],
    /// The present.
    pub now: Timestamp,
}

/// One grant under review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What was sealed.
    pub sealed: ReviewItem,
    /// Where it stands.
    pub state: ItemState,
}

impl Item {
    /// Chooses a verdict, or another one than before.
    pub fn draft(
        self,
        verdict: Verdict,
        note: Option<String>,
        around: &Circumstances<'_>,
    ) -> Result<Self, Refusal> {
        self.may_be_decided(around)?;
        self.check_verdict(&verdict)?;
        let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        self.check_note(verdict.kind(), note.is_some())?;
        let draft = Draft { verdict, note, by: around.actor.clone(), at: around.now };
        Ok(Self { state: ItemState::Drafted(draft), ..self })
    }

    /// Takes a draft back.
    pub fn undo(self, around: &Circumstances<'_>) -> Result<Self, Refusal> {
        // A reviewer who came to hold the access meanwhile must be able to step back from it.
        self.may_be_moved(around)?;
        match self.state {
            ItemState::Drafted(_) => Ok(Self { state: ItemState::Pending, ..self }),
            _ => Err(Refusal::NoDraft),
        }
    }

    /// Turns the draft into a decision that cannot change.
    pub fn sign(self, id: DecisionId, around: &Circumstances<'_>) -> Result<Self, Refusal> {
        self.may_be_decided(around)?;
        let ItemState::Drafted(draft) = self.state else { return Err(Refusal::NoDraft) };
        let recommended = self.sealed.recommendation.verdict;
        let against = recommended.is_some_and(|kind| kind != draft.verdict.kind());
        let decision =
            Decision { id, draft, signed_at: around.now, against_recommendation: against };
        Ok(Self { state: ItemState::Decided(decision), ..self })
    }

    /// Closes the item when its grant is gone or gives more than what is under review; else gives
    /// it back as it was. What is final stays.
    #[must_use]
    pub fn reconcile(self, grant: Option<&Grant>, now: Timestamp) -> Self {
        match self.supersession(grant, now) {
            Some(supersession) if !self.state.is_final() => {
                Self { state: ItemState::Superseded(supersession), ..self }
            }
            _ => self,
        }
    }

    /// What became of the grant under review, when a decision about it would not cover the one that
    /// stands now. A grant that was only narrowed stays under review: else its holder could take it
    /// out of there.
    pub fn supersession(&self, grant: Option<&Grant>, now: Timestamp) -> Option<Supersession> {
        let reviewed = &self.sealed.grant;
        let current = grant.filter(|grant| grant.status != GrantStatus::Revoked);
        if current.is_some_and(|now| gives_no_more(now, reviewed)) {
            return None;
        }
        Some(Supersession {
            grant: reviewed.id.clone(),
            reviewed: reviewed.version,
            now: current.map(|grant| grant.version),
            at: now,
        })
    }

    fn may_be_decided(&self, around: &Circumstances<'_>) -> Result<(), Refusal> {
        self.is_open()?;
        let is_own = match &self.sealed.grant.subject {
            GrantSubject::Identity(id) => id == around.actor,
            GrantSubject::Group(_) => false,
        };
        if is_own || around.holders.contains(around.actor) {
            return Err(Refusal::SelfReview);
        }
        self.may_be_moved(around)
    }

    fn is_open(&self) -> Result<(), Refusal> {
        match &self.state {
            ItemState::Decided(decision) => Err(Refusal::AlreadySigned { at: decision.signed_at }),
            ItemState::Superseded(supersession) => Err(Refusal::Superseded(supersession.clone())),
            ItemState::Pending | ItemState::Drafted(_) => Ok(()),
        }
    }

    /// By its reviewer, in time, about the grant that was sealed.
    fn may_be_moved(&self, around: &Circumstances<'_>) -> Result<(), Refusal> {
        self.is_open()?;
        let reviewer = &self.sealed.assignment.reviewer;
        if reviewer != around.actor {
            return Err(Refusal::NotYours { reviewer: reviewer.clone() });
        }
        if around.now > around.deadline {
            return Err(Refusal::Late { deadline: around.deadline });
        }
        match self.supersession(around.grant, around.now) {
            Some(supersession) => Err(Refusal::Superseded(supersession)),
            None => Ok(()),
        }
    }

    fn check_verdict(&self, verdict: &Verdict) -> Result<(), Refusal> {
        let Verdict::Narrow(operations) = verdict else { return Ok(()) };
        let granted: BTreeSet<_> = self.sealed.operations.iter().map(|op| &op.id).collect();
        let is_part = operations.iter().all(|op| granted.contains(op));
        let names_all = matches!(&self.sealed.grant.operations, OperationSet::Only(_))
            && operations.len() >= granted.len();
        if operations.is_empty() || !is_part || names_all {
            return Err(Refusal::NotNarrower);
        }
        Ok(())
    }

    fn check_note(&self, verdict: VerdictKind, has_note: bool) -> Result<(), Refusal> {
        let recommendation = &self.sealed.recommendation;
        if has_note {
            return Ok(());
        }
        if recommendation.verdict.is_some_and(|recommended| recommended != verdict) {
            let recommended = recommendation.verdict_str();
            return Err(Refusal::NoteNeededAgainstRecommendation { recommended });
        }
        if verdict == VerdictKind::Keep && self.sealed.risk == Risk::High {
            return Err(Refusal::NoteNeededForHighRisk);
        }
        Ok(())
    }

    /// The verdict that a word stands for on this item: `narrow` means what is recommended.
    pub fn verdict_of(&self, kind: VerdictKind) -> Result<Verdict, Refusal> {
        match kind {
            VerdictKind::Keep => Ok(Verdict::Keep),
            VerdictKind::Remove => Ok(Verdict::Remove),
            VerdictKind::Narrow => {
                let narrower = self.sealed.recommendation.narrower.clone();
                narrower.map(Verdict::Narrow).ok_or(Refusal::NothingToNarrow)
            }
        }
    }
}

/// Whoever has `now` may do nothing that `reviewed` does not allow.
fn gives_no_more(now: &Grant, reviewed: &Grant) -> bool {
    let ends_no_later = match (now.expires_at, reviewed.expires_at) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(now), Some(reviewed)) => now <= reviewed,
    };
    let shows_no_more = match (&now.fields, &reviewed.fields) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(now), Some(reviewed)) => now.iter().all(|field| reviewed.contains(field)),
    };
    let was_in_force = reviewed.status == GrantStatus::Active || now.status == reviewed.status;
    now.version == reviewed.version
        || (now.subject == reviewed.subject
            && now.api == reviewed.api
            && reviewed.operations.covers(&now.operations)
            && ends_no_later
            && shows_no_more
            && was_in_force)
}

#[cfg(test)]
mod tests;

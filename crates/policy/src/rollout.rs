//! A change of policy beside the ruleset that holds: the candidate, which is the present ruleset
//! with the change on top, made anew with every change of the present one. What is revoked,
//! suspended or taken away at present is so in both, at the same swap.
//!
//! The candidate shares with the present ruleset all that the change does not touch.

use std::sync::Arc;

use base::{
    ApiId, CredentialId, GrantId, GroupId, IdentityId, OperationId, Problem, RoleId, RolloutId,
    Timestamp,
};
use catalog::Operation;
use grant::{Bound, GrantSubject};
use token::Verified;
use traffic::{Reason, RolloutDifference, RolloutMark, RolloutSide};

use crate::absorb::Change;
use crate::confirm::Kept;
use crate::facts::draw_of_parts;
use crate::permit::{Decided, Refusal};
use crate::{ApiEntry, Facts, Ruleset};

/// A change that is tried out, and how far.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which rollout.
    pub id: RolloutId,
    /// The share of callers that it governs, in percent; 0 = it only speaks in the records.
    pub share: u8,
    /// How many calls it may refuse that pass without it.
    pub bound: Bound,
    /// What it makes of each object that it changes.
    pub edits: Arc<[Change]>,
}

/// A change that is being rolled out, with the ruleset that it comes to.
#[derive(Debug)]
pub struct Rollout {
    pub(crate) trial: Trial,
    /// `Err`: the change no longer applies, and why. The present ruleset governs everybody.
    candidate: Result<Ruleset, String>,
}

/// Which object a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touched {
    Api(ApiId),
    Identity(IdentityId),
    Group(GroupId),
    Credential(CredentialId),
    Grant(GrantId),
    Role(RoleId),
    Relation(GrantSubject, String),
    Guard,
}

impl Touched {
    /// `None`: about a rollout itself, or about what no change set edits.
    pub(crate) fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Api(api) => Self::Api(api.id.clone()),
            Change::ApiRemoved(id) => Self::Api(id.clone()),
            Change::Identity(identity) => Self::Identity(identity.id.clone()),
            Change::Group(group) => Self::Group(group.id.clone()),
            Change::Credential(credential) => Self::Credential(credential.id.clone()),
            Change::Grant(grant) => Self::Grant(grant.id.clone()),
            Change::Role(role) => Self::Role(role.id.clone()),
            Change::Relation(one) => Self::Relation(one.subject.clone(), one.name.clone()),
            Change::Guard(_) => Self::Guard,
            Change::Contract(..) | Change::Rollout(_) => return None,
        })
    }
}

impl std::fmt::Display for Touched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Api(id) => write!(f, "API `{id}`"),
            Self::Identity(id) => write!(f, "identity `{id}`"),
            Self::Group(id) => write!(f, "group `{id}`"),
            Self::Credential(id) => write!(f, "credential `{id}`"),
            Self::Grant(id) => write!(f, "grant `{id}`"),
            Self::Role(id) => write!(f, "role `{id}`"),
            Self::Relation(subject, name) => write!(f, "relation `{name}` of `{subject}`"),
            Self::Guard => f.write_str("the policy set"),
        }
    }
}

impl Trial {
    pub(crate) fn edits(&self, touched: &Touched) -> bool {
        self.edits.iter().any(|edit| Touched::of(edit).as_ref() == Some(touched))
    }
}

impl Rollout {
    /// Puts the change on top of `present`. `broken`: it is known not to apply, and why.
    pub(crate) fn over(present: &Ruleset, trial: Trial, broken: Option<String>) -> Self {
        let edits = || trial.edits.iter().cloned();
        let candidate = match broken {
            Some(why) => Err(why),
            None => Ruleset { rollout: None, ..present.clone() }
                .apply(present.version, edits())
                .map_err(|problem: Problem| problem.to_string()),
        };
        Self { trial, candidate }
    }

    /// Which rollout.
    pub fn id(&self) -> &RolloutId {
        &self.trial.id
    }

    /// How many calls it may refuse that pass without it.
    pub fn bound(&self) -> Bound {
        self.trial.bound
    }

    /// The ruleset with the change; `None` when the change no longer applies.
    pub fn candidate(&self) -> Option<&Ruleset> {
        self.candidate.as_ref().ok()
    }

    /// Why the change no longer applies.
    pub fn broken(&self) -> Option<&str> {
        self.candidate.as_ref().err().map(String::as_str)
    }

    /// Whether the change governs the calls of this identity. The same caller sees one behaviour,
    /// on every node, and one who is in a share stays in every larger one.
    pub fn governs(&self, identity: &IdentityId) -> bool {
        if self.trial.share == 0 || self.candidate.is_err() {
            return false;
        }
        let draw = draw_of_parts([self.trial.id.as_str(), identity.as_str()]);
        draw < u16::from(self.trial.share) * 100
    }
}

impl Ruleset {
    /// The change that is being rolled out, if any.
    pub fn rollout(&self) -> Option<&Rollout> {
        self.rollout.as_deref()
    }

    /// The ruleset that governs an identity: this one, or the candidate of a rollout.
    pub fn governing(&self, identity: &IdentityId) -> &Self {
        let Some(rollout) = &self.rollout else { return self };
        match &rollout.candidate {
            Ok(candidate) if rollout.governs(identity) => candidate,
            _ => self,
        }
    }

    /// The same without the change that is being rolled out: what a node falls back to when it has
    /// to act before the store says so.
    #[must_use]
    pub fn without_rollout(&self, why: &str) -> Self {
        let mut next = Self { edition: self.edition + 1, ..self.clone() };
        if let Some(rollout) = &self.rollout {
            let trial = rollout.trial.clone();
            next.rollout = Some(Arc::new(Rollout { trial, candidate: Err(why.to_owned()) }));
        }
        next
    }

    /// Decides one request as [`Ruleset::decide`] does, by the side that governs the caller, and
    /// says how the other side would have decided.
    pub fn decide_rolled_out(
        &self,
        who: &Verified,
        api: &ApiEntry,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> (Result<Decided, Refusal>, Option<RolloutMark>) {
        let present = || self.decide(who, api, operation, facts, now);
        let Some(rollout) = &self.rollout else { return (present(), None) };
        let Ok(candidate) = &rollout.candidate else { return (present(), None) };
        let with_change = || {
            let Some(entry) = candidate.entry(&api.api().id) else {
                return Err(Refusal {
                    reason: Reason::UnknownApi,
                    guardrails: Vec::new(),
                    ruleset_version: self.version,
                });
            };
            let operation = operation.and_then(|one| entry.operation_by_id(&one.id));
            candidate.decide(who, entry, operation, facts, now)
        };
        let (governed_by, decided, other) = match rollout.governs(who.identity()) {
            true => (RolloutSide::Candidate, with_change(), present()),
            false => (RolloutSide::Present, present(), with_change()),
        };
        let (before, after) = match governed_by {
            RolloutSide::Candidate => (&other, &decided),
            RolloutSide::Present => (&decided, &other),
        };
        let (difference, reason) = differ(before, after);
        let mark = RolloutMark { id: rollout.trial.id.clone(), governed_by, difference, reason };
        (with_reads(decided, other), Some(mark))
    }
}

/// With what either side looked at: a stream that both let in is judged again by both, and by what
/// was kept when it began.
fn with_reads(
    mut decided: Result<Decided, Refusal>,
    other: Result<Decided, Refusal>,
) -> Result<Decided, Refusal> {
    if let (Ok(Decided::Permit(mine)), Ok(Decided::Permit(theirs))) = (&mut decided, other) {
        for (place, values) in theirs.read {
            if !mine.read.iter().any(|(known, _)| *known == place) {
                mine.read.push((place, values));
            }
        }
    }
    decided
}

impl Ruleset {
    /// Judges again as [`Ruleset::confirm`] does, by the side that governs the caller, and says how
    /// the other side would have judged. What is open when a rollout begins or goes on was let in by
    /// neither of the two: this is where both are asked about it.
    pub fn confirm_rolled_out(
        &self,
        who: &Verified,
        api: &ApiId,
        operation: Option<&OperationId>,
        kept: Kept<'_>,
        now: Timestamp,
    ) -> (Result<(), Reason>, Option<RolloutMark>) {
        let confirm = |side: &Self| side.confirm(who, api, operation, kept, now);
        let present = confirm(self);
        let Some(rollout) = &self.rollout else { return (present, None) };
        let Ok(candidate) = &rollout.candidate else { return (present, None) };
        let with_change = confirm(candidate);
        let (difference, reason) = match (present, with_change) {
            (Ok(()), Err(reason)) => (Some(RolloutDifference::NewlyRefused), Some(reason)),
            (Err(reason), Ok(())) => (Some(RolloutDifference::NewlyAllowed), Some(reason)),
            (Ok(()), Ok(())) | (Err(_), Err(_)) => (None, None),
        };
        let (governed_by, confirmed) = match rollout.governs(who.identity()) {
            true => (RolloutSide::Candidate, with_change),
            false => (RolloutSide::Present, present),
        };
        let mark = RolloutMark { id: rollout.trial.id.clone(), governed_by, difference, reason };
        (confirmed, Some(mark))
    }
}

type Answer = Result<Decided, Refusal>;

fn differ(before: &Answer, after: &Answer) -> (Option<RolloutDifference>, Option<Reason>) {
    use RolloutDifference::{NewlyAllowed, NewlyRefused, Undecided};
    match (before, after) {
        (Ok(Decided::NeedsBody), Ok(Decided::NeedsBody))
        | (Ok(Decided::NeedsRelations(_)), Ok(Decided::NeedsRelations(_))) => (None, None),
        (Ok(Decided::NeedsBody | Decided::NeedsRelations(_)), _)
        | (_, Ok(Decided::NeedsBody | Decided::NeedsRelations(_))) => (Some(Undecided), None),
        (Ok(Decided::Permit(_)), Err(refusal)) => (Some(NewlyRefused), Some(refusal.reason)),
        (Err(refusal), Ok(Decided::Permit(_))) => (Some(NewlyAllowed), Some(refusal.reason)),
        (Ok(_), Ok(_)) | (Err(_), Err(_)) => (None, None),
    }
}

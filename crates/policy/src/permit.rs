//! What a decision says when it allows.

use std::collections::BTreeSet;

use base::GrantId;
use grant::Place;
use smallvec::SmallVec;
use traffic::Reason;
use traffic::record::guardrails_kept;

use crate::lookup::Lookup;
use crate::shown::Visible;

/// Permission for one request. Only [`crate::Ruleset::decide`] constructs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pub(crate) grants: SmallVec<[GrantId; 2]>,
    pub(crate) shows: Shows,
    pub(crate) ruleset_version: u64,
    pub(crate) observed: Option<Reason>,
    pub(crate) withdrawn: bool,
    pub(crate) read: Vec<(Place, Vec<String>)>,
}

/// What of the response the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// All of it.
    Everything,
    /// What at least one of these shows: of the whole, and of each item of a list.
    Parts(Vec<Part>),
}

/// What one grant shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The visible properties; `None` = all.
    pub fields: Option<Visible>,
    /// Where a value stands (`tenant_id`, `items[].tenant`), and what it must be one of, or the
    /// object or item that it is in is not shown.
    pub ties: Vec<(String, BTreeSet<String>)>,
}

impl Permit {
    /// The grants that allow it, each of them alone, sorted. Empty only in observe mode.
    pub fn grants(&self) -> &[GrantId] {
        &self.grants
    }

    /// What of the response may be seen.
    pub fn shows(&self) -> &Shows {
        &self.shows
    }

    /// The ruleset that decided.
    pub fn ruleset_version(&self) -> u64 {
        self.ruleset_version
    }

    /// Observe mode: why enforce mode would have refused.
    pub fn observed(&self) -> Option<Reason> {
        self.observed
    }

    /// Why it would have been refused if what is only tried out were in force: observe mode, or
    /// grants whose withdrawal is only logged so far.
    pub fn would_refuse(&self) -> Option<Reason> {
        self.observed.or(self.withdrawn.then_some(Reason::NoGrant))
    }

    /// The values of the request that conditions looked at: enough to ask the same again later,
    /// without the request.
    pub fn read(&self) -> &[(Place, Vec<String>)] {
        &self.read
    }
}

/// An answer that allows, or that cannot be given yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// The request may pass.
    Permit(Permit),
    /// It depends on the body: ask again with facts that have it.
    NeedsBody,
    /// It depends on relations that are looked up: ask again with the answers. Sorted, each once,
    /// at most [`crate::LOOKUPS_MAX`].
    NeedsRelations(Vec<Lookup>),
}

/// What a decision would be. Opens nothing: there is no way from it to a [`Permit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supposed(pub(crate) Decided);

impl Supposed {
    /// The grants that would allow it; `None` when it depends on the body or on a relation.
    pub fn grants(&self) -> Option<&[GrantId]> {
        self.permit().map(Permit::grants)
    }

    /// What of the response would be visible.
    pub fn shows(&self) -> Option<&Shows> {
        self.permit().map(Permit::shows)
    }

    /// Observe mode: why enforce mode would refuse.
    pub fn observed(&self) -> Option<Reason> {
        self.permit().and_then(Permit::observed)
    }

    /// What sources have to be asked before it can be told.
    pub fn lookups(&self) -> &[Lookup] {
        match &self.0 {
            Decided::NeedsRelations(lookups) => lookups,
            Decided::Permit(_) | Decided::NeedsBody => &[],
        }
    }

    fn permit(&self) -> Option<&Permit> {
        match &self.0 {
            Decided::Permit(permit) => Some(permit),
            Decided::NeedsBody | Decided::NeedsRelations(_) => None,
        }
    }
}

/// The request must not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The guardrails that forbid it, or the one that could not be evaluated and why.
    pub guardrails: Vec<String>,
    /// The ruleset that decided.
    pub ruleset_version: u64,
}

impl Refusal {
    /// The guardrails that forbid it, as a record keeps them. Why one could not be evaluated is not
    /// kept: it may have values of the request in it.
    pub fn forbidden_by(&self) -> Vec<String> {
        match self.reason {
            Reason::ForbiddenByPolicy => guardrails_kept(&self.guardrails),
            _ => Vec::new(),
        }
    }
}

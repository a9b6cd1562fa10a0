//! Recorded calls, judged again: by the ruleset as it is, or as a change would make it.
//!
//! A record keeps no query, no header, no body and no answer of a source. Where the answer depends on
//! one of them, or on the claims of a token, it is not guessed: such calls are counted apart. Where it
//! is certain without them (no grant is left, a guardrail forbids by the address alone), it is told:
//! what could not be told of the ruleset before a change is then taken from the record.

mod judge;

use std::cmp::Reverse;
use std::sync::Arc;

use base::{ApiId, IdentityId, OperationId, Timestamp};
use rustc_hash::FxHashMap;
use traffic::{CallRecord, Reason};

use crate::Ruleset;
use judge::Answers;
pub use judge::Judge;

/// Callers and operations whose calls are kept apart on either side; what is beyond counts
/// together.
const KEYS_MAX: usize = 100_000;

/// What a ruleset says of a recorded call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejudged {
    /// It would pass.
    Allowed,
    /// It would not.
    Refused(Reason),
    /// It depends on what no record keeps.
    Unknown,
}

/// Calls that change sides, of one caller and one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who called.
    pub identity: IdentityId,
    /// Which API.
    pub api: ApiId,
    /// Which operation; `None` = one that the catalogue does not know.
    pub operation: Option<OperationId>,
    /// How many calls.
    pub calls: u64,
    /// The last of them.
    pub last_at: Timestamp,
    /// Why they are refused after the change, or were before it.
    pub reason: Option<Reason>,
}

/// What a change does to recorded calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Calls that were judged: those whose caller and API are known.
    pub judged: u64,
    /// Of these, how many depend on what no record keeps.
    pub unknown: u64,
    /// Calls that would newly be refused, most first.
    pub newly_refused: Vec<Shift>,
    /// Calls that would newly be allowed, most first.
    pub newly_allowed: Vec<Shift>,
    /// Calls that would newly be refused, of callers and operations beyond the first 100,000.
    pub newly_refused_others: u64,
    /// Calls that would newly be allowed, likewise.
    pub newly_allowed_others: u64,
}

/// Judges recorded calls before and after a change.
#[derive(Debug)]
pub struct Rejudge {
    sides: Sides,
    refused: Side,
    allowed: Side,
    judged: u64,
    unknown: u64,
}

/// What is compared.
#[derive(Debug)]
enum Sides {
    /// What the records say became of the calls, and the ruleset after the change.
    Recorded(Answers<1>),
    /// The ruleset before and after the change.
    Both(Answers<2>),
}

type Key = (IdentityId, ApiId, Option<OperationId>);

/// Calls that change sides in one direction.
#[derive(Debug, Default)]
struct Side {
    tallies: FxHashMap<Key, Tally>,
    others: u64,
}

#[derive(Debug)]
struct Tally {
    calls: u64,
    last_at: Timestamp,
    reason: Option<Reason>,
}

impl Sides {
    /// Whether what became of a call holds for the ruleset before a change: a grant that let it pass
    /// is still there, or nothing did.
    fn still_lets(&self, record: &CallRecord) -> bool {
        match self {
            Self::Recorded(_) => true,
            Self::Both(both) => both.still_let(record),
        }
    }
}

impl Rejudge {
    /// `before` = `None` compares with what the records say became of the calls.
    pub fn new(before: Option<Arc<Ruleset>>, after: Arc<Ruleset>, now: Timestamp) -> Self {
        let sides = match before {
            None => Sides::Recorded(Answers::new([after], now)),
            Some(before) => Sides::Both(Answers::new([before, after], now)),
        };
        Self { sides, refused: Side::default(), allowed: Side::default(), judged: 0, unknown: 0 }
    }

    /// Takes one record.
    pub fn take(&mut self, record: &CallRecord) {
        let (Some(identity), Some(api)) = (&record.identity_id, &record.api_id) else { return };
        let answers = match &mut self.sides {
            Sides::Recorded(after) => recorded(record).zip(after.judge(record, None)),
            Sides::Both(both) => both.judge(record, None).map(|[one, other]| (one, [other])),
        };
        let Some((before, [after])) = answers else { return };
        self.judged += 1;
        // What became of it is on record: that is known also where no one could tell from the rest.
        let before = match before {
            Rejudged::Unknown if self.sides.still_lets(record) => {
                recorded(record).unwrap_or(before)
            }
            known => known,
        };
        let (side, reason) = match (before, after) {
            (Rejudged::Unknown, _) | (_, Rejudged::Unknown) => {
                self.unknown += 1;
                return;
            }
            (Rejudged::Allowed, Rejudged::Refused(reason)) => (&mut self.refused, reason),
            (Rejudged::Refused(reason), Rejudged::Allowed) => (&mut self.allowed, reason),
            _ => return,
        };
        side.add(identity, api, record, reason);
    }

    /// What it came to.
    pub fn finish(self) -> Outlook {
        Outlook {
            judged: self.judged,
            unknown: self.unknown,
            newly_refused_others: self.refused.others,
            newly_allowed_others: self.allowed.others,
            newly_refused: shifts(self.refused.tallies),
            newly_allowed: shifts(self.allowed.tallies),
        }
    }
}

impl Side {
    fn add(&mut self, identity: &IdentityId, api: &ApiId, record: &CallRecord, reason: Reason) {
        // Ids are shared texts: this copies no characters.
        let key = (identity.clone(), api.clone(), record.operation.clone());
        if self.tallies.len() >= KEYS_MAX && !self.tallies.contains_key(&key) {
            self.others += 1;
            return;
        }
        let fresh = || Tally { calls: 0, last_at: record.at, reason: Some(reason) };
        let tally = self.tallies.entry(key).or_insert_with(fresh);
        tally.calls += 1;
        tally.last_at = tally.last_at.max(record.at);
    }
}

fn shifts(side: FxHashMap<Key, Tally>) -> Vec<Shift> {
    let shift = |((identity, api, operation), tally): (Key, Tally)| Shift {
        identity,
        api,
        operation,
        calls: tally.calls,
        last_at: tally.last_at,
        reason: tally.reason,
    };
    let mut shifts: Vec<Shift> = side.into_iter().map(shift).collect();
    shifts.sort_by(|a, b| {
        let order =
            |s: &Shift| (Reverse(s.calls), s.identity.clone(), s.api.clone(), s.operation.clone());
        order(a).cmp(&order(b))
    });
    shifts
}

/// What became of a call, as far as permission goes. `None`: it never came so far.
fn recorded(record: &CallRecord) -> Option<Rejudged> {
    if record.outcome.was_let_through() {
        return Some(Rejudged::Allowed);
    }
    record.reason.filter(|reason| is_about_permission(*reason)).map(Rejudged::Refused)
}

/// Whether a change of grants, roles or guardrails can turn such a refusal.
fn is_about_permission(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::UnknownOperation
            | Reason::IdentityInactive
            | Reason::NoGrant
            | Reason::TermsNotMet
            | Reason::ProofTooWeak
            | Reason::ObjectNotAllowed
            | Reason::RelationUnknown
            | Reason::ForbiddenByPolicy
            | Reason::PolicyError
    )
}

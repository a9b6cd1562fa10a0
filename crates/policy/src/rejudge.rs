//! Recorded calls, judged again: by the ruleset as it is, or as a change would make it.
//!
//! A record keeps no query, no header and no body. Where the answer depends on one of them, or on
//! the claims of a token, it is not guessed: such calls are counted apart.

use std::cmp::Reverse;
use std::sync::Arc;

use base::{ApiId, IdentityId, OperationId, Timestamp};
use catalog::{Operation, capture};
use grant::{Place, Source};
use identity::CredentialClass;
use rustc_hash::FxHashMap;
use traffic::{CallRecord, Reason};

use crate::caller::Caller;
use crate::decide::Asked;
use crate::facts::{Facts, Reading, Request, Writes, draw_of};
use crate::permit::Decided;
use crate::{ApiEntry, Ruleset};

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
}

/// Judges recorded calls before and after a change.
#[derive(Debug)]
pub struct Rejudge {
    before: Option<Arc<Ruleset>>,
    after: Arc<Ruleset>,
    now: Timestamp,
    refused: FxHashMap<Key, Tally>,
    allowed: FxHashMap<Key, Tally>,
    judged: u64,
    unknown: u64,
}

type Key = (IdentityId, ApiId, Option<OperationId>);

#[derive(Debug)]
struct Tally {
    calls: u64,
    last_at: Timestamp,
    reason: Option<Reason>,
}

impl Rejudge {
    /// `before` = `None` compares with what the records say became of the calls.
    pub fn new(before: Option<Arc<Ruleset>>, after: Arc<Ruleset>, now: Timestamp) -> Self {
        Self {
            before,
            after,
            now,
            refused: FxHashMap::default(),
            allowed: FxHashMap::default(),
            judged: 0,
            unknown: 0,
        }
    }

    /// Takes one record.
    pub fn take(&mut self, record: &CallRecord) {
        let (Some(identity), Some(api)) = (&record.identity_id, &record.api_id) else { return };
        let before = match &self.before {
            Some(ruleset) => ruleset.rejudge(record, self.now),
            None => recorded(record),
        };
        let Some(before) = before else { return };
        let Some(after) = self.after.rejudge(record, self.now) else { return };
        self.judged += 1;
        let (side, reason) = match (before, after) {
            (Rejudged::Unknown, _) | (_, Rejudged::Unknown) => {
                self.unknown += 1;
                return;
            }
            (Rejudged::Allowed, Rejudged::Refused(reason)) => (&mut self.refused, reason),
            (Rejudged::Refused(reason), Rejudged::Allowed) => (&mut self.allowed, reason),
            _ => return,
        };
        // Ids are shared texts: this copies no characters.
        let key = (identity.clone(), api.clone(), record.operation.clone());
        let fresh = || Tally { calls: 0, last_at: record.at, reason: Some(reason) };
        let tally = side.entry(key).or_insert_with(fresh);
        tally.calls += 1;
        tally.last_at = tally.last_at.max(record.at);
    }

    /// What it came to.
    pub fn finish(self) -> Outlook {
        Outlook {
            judged: self.judged,
            unknown: self.unknown,
            newly_refused: shifts(self.refused),
            newly_allowed: shifts(self.allowed),
        }
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
            | Reason::ForbiddenByPolicy
            | Reason::PolicyError
    )
}

impl Ruleset {
    /// What this ruleset says of a recorded call: whether grants are in force is asked of `now`,
    /// their hours of the time of the call. `None` for calls that were never about permission.
    pub fn rejudge(&self, record: &CallRecord, now: Timestamp) -> Option<Rejudged> {
        recorded(record)?;
        let (identity, api) = (record.identity_id.as_ref()?, record.api_id.as_ref()?);
        let Some(entry) = self.entry(api) else {
            return Some(Rejudged::Refused(Reason::UnknownApi));
        };
        let operation = match &record.operation {
            Some(id) => entry.operation_by_id(id),
            None => entry.operation(&record.method, &record.path),
        };
        let class = record.credential_id.as_ref().and_then(|id| self.class_of(id));
        let class = class.unwrap_or(CredentialClass::ApiKey);
        let remembered = Remembered { record, operation };
        let facts = Facts {
            source: Some(record.source_ip),
            draw: draw_of(record.request_id.as_str()),
            request: &remembered,
        };
        let asked = Asked {
            who: Caller::supposed(identity, class),
            api: entry.api(),
            operation,
            facts,
            now,
            hour: record.at,
        };
        Some(match self.judge(asked) {
            Ok(Decided::Permit(_)) => Rejudged::Allowed,
            Ok(Decided::NeedsBody) => Rejudged::Unknown,
            Err(_) if self.depends_on_more(asked, entry) => Rejudged::Unknown,
            Err(refusal) => Rejudged::Refused(refusal.reason),
        })
    }

    /// Whether a grant that covers the call, or a guardrail of the API, looks at what no record
    /// keeps: then a refusal says nothing.
    fn depends_on_more(&self, asked: Asked<'_>, entry: &ApiEntry) -> bool {
        let guarded = self.guard.as_ref().is_some_and(|guard| {
            guard.reads(&entry.api().id).iter().any(|place| !matches!(place, Place::Path(_)))
        });
        let Some(operation) = asked.operation else { return guarded };
        let Some(subject) = self.subjects.get(asked.who.identity()) else { return guarded };
        let covering = self.covering(subject, &entry.api().id, &operation.id, asked.now);
        let unknowable = covering.iter().filter_map(|held| held.terms()).any(|terms| {
            terms.writable.is_some()
                || !terms.bindings.is_empty()
                || terms.ties.iter().any(|tie| {
                    let by_claim = tie.sources.iter().any(|one| matches!(one, Source::Claim(_)));
                    let kept = matches!(tie.place, Place::Path(_) | Place::Response(_));
                    by_claim || !kept
                })
        });
        guarded || unknowable
    }
}

/// What a record keeps of a request.
struct Remembered<'a> {
    record: &'a CallRecord,
    operation: Option<&'a Operation>,
}

impl Request for Remembered<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        let Place::Path(name) = place else { return Reading::Unreadable };
        let template = self.operation.map(|operation| operation.path.as_str());
        let value = template.and_then(|path| capture::parameter(path, &self.record.path, name));
        value.map_or(Reading::Unreadable, Reading::one)
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        if self.record.bytes_in == 0 { Writes::Within } else { Writes::Unreadable }
    }
}

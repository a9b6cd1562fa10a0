//! One ruleset asked about one recorded call after the other.
//!
//! Most answers depend on nothing but who called what with which credential: no guardrail speaks,
//! and no grant that covers the operation has terms. These are asked for once and remembered. What
//! is remembered is bounded, whatever the length of the log.

use std::sync::Arc;

use base::{ApiId, GrantId, IdentityId, Timestamp};
use catalog::{ApiMode, Operation};
use rustc_hash::FxHashMap;
use traffic::{CallRecord, Outcome, Reason};

use super::{Rejudged, recorded};
use crate::decide::Asked;
use crate::facts::{Facts, draw_of};
use crate::holdings::{Held, Narrowed};
use crate::permit::Decided;
use crate::recorded::RecordedRequest;
use crate::{ApiEntry, Ruleset};

/// Answers that are remembered at a time; some 150 bytes each.
const ANSWERS_MAX: usize = 1 << 17;

/// Judges recorded calls by one ruleset.
#[derive(Debug)]
pub struct Judge(Answers<1>);

impl Judge {
    /// `now`: when grants are to be in force. Their hours are asked of the time of the call.
    pub fn new(ruleset: Arc<Ruleset>, now: Timestamp) -> Self {
        Self(Answers::new([ruleset], now))
    }

    /// The same, as if no API were in observe mode.
    #[must_use]
    pub fn enforced(self) -> Self {
        Self(Answers { enforced: true, ..self.0 })
    }

    /// What the ruleset says of a call, and what it would say without one grant. `None` for calls
    /// that were never about permission.
    pub fn judge(&mut self, record: &CallRecord, without: Option<&GrantId>) -> Option<Rejudged> {
        self.0.judge(record, without).map(|[answer]| answer)
    }
}

/// What so many rulesets say: asked together, a call is looked up once.
#[derive(Debug)]
pub(super) struct Answers<const N: usize> {
    rulesets: [Arc<Ruleset>; N],
    now: Timestamp,
    /// Observe mode is no permission: calls that pass by it alone count as refused.
    enforced: bool,
    /// By what they are about, in one text: of five apart, each is a miss of the processor's cache.
    /// `None` where one of them varies from call to call.
    answers: FxHashMap<Box<str>, Option<[Rejudged; N]>>,
    /// What the present call is about.
    about: String,
}

impl<const N: usize> Answers<N> {
    pub(super) fn new(rulesets: [Arc<Ruleset>; N], now: Timestamp) -> Self {
        let (answers, about) = (FxHashMap::default(), String::new());
        Self { rulesets, now, enforced: false, answers, about }
    }

    /// Whether what let a call pass, if anything did, does so by the first ruleset.
    pub(super) fn still_let(&self, record: &CallRecord) -> bool {
        let Some(ruleset) = self.rulesets.first() else { return false };
        let (Some(identity), Some(api)) = (&record.identity_id, &record.api_id) else {
            return false;
        };
        if record.outcome == Outcome::Observed {
            return ruleset.entry(api).is_some_and(|one| one.api().mode == ApiMode::Observe);
        }
        if record.grant_ids.is_empty() {
            return !record.outcome.was_let_through();
        }
        let Some(operation) = &record.operation else { return false };
        let Some(subject) = ruleset.subjects.get(identity) else { return false };
        let covering = ruleset.covering(subject, api, operation, self.now);
        covering.iter().any(|held| record.grant_ids.contains(&held.id))
    }

    pub(super) fn judge(
        &mut self,
        record: &CallRecord,
        without: Option<&GrantId>,
    ) -> Option<[Rejudged; N]> {
        let question = Again::of(record, without, self.now)?;
        let Some(operation) = &record.operation else { return Some(self.ask(question)) };
        let parts = [
            question.identity.as_str(),
            question.api.as_str(),
            operation.as_str(),
            record.credential_id.as_ref().map_or("", |id| id.as_str()),
            without.map_or("", |id| id.as_str()),
        ];
        self.about.clear();
        for part in parts {
            self.about.push_str(part);
            // No id has one in it, and none is empty.
            self.about.push(' ');
        }
        match self.answers.get(self.about.as_str()) {
            Some(Some(answers)) => return Some(*answers),
            Some(None) => return Some(self.ask(question)),
            None => {}
        }
        let answers = self.ask(question);
        let is_fixed = self.rulesets.iter().all(|ruleset| ruleset.is_fixed(question));
        if self.answers.len() >= ANSWERS_MAX {
            // All at once: to find the least used one would cost every call, and asking is cheap.
            self.answers.clear();
        }
        self.answers.insert(self.about.as_str().into(), is_fixed.then_some(answers));
        Some(answers)
    }

    fn ask(&self, question: Again<'_>) -> [Rejudged; N] {
        std::array::from_fn(|side| match self.rulesets.get(side) {
            Some(ruleset) => ruleset.judge_again(question, self.enforced),
            None => Rejudged::Unknown,
        })
    }
}

/// A recorded call that was about permission.
#[derive(Clone, Copy)]
struct Again<'a> {
    record: &'a CallRecord,
    identity: &'a IdentityId,
    api: &'a ApiId,
    without: Option<&'a GrantId>,
    now: Timestamp,
}

impl<'a> Again<'a> {
    fn of(record: &'a CallRecord, without: Option<&'a GrantId>, now: Timestamp) -> Option<Self> {
        recorded(record)?;
        let (identity, api) = (record.identity_id.as_ref()?, record.api_id.as_ref()?);
        Some(Self { record, identity, api, without, now })
    }

    fn operation<'e>(&self, entry: &'e ApiEntry) -> Option<&'e Operation> {
        match &self.record.operation {
            Some(id) => entry.operation_by_id(id),
            None => entry.operation(&self.record.method, &self.record.path),
        }
    }
}

impl Ruleset {
    /// What this ruleset says of a recorded call: whether grants are in force is asked of `now`,
    /// their hours of the time of the call. `None` for calls that were never about permission.
    pub fn rejudge(&self, record: &CallRecord, now: Timestamp) -> Option<Rejudged> {
        Again::of(record, None, now).map(|question| self.judge_again(question, false))
    }

    fn judge_again(&self, question: Again<'_>, enforced: bool) -> Rejudged {
        let Again { record, identity, api, without, now } = question;
        let Some(entry) = self.entry(api) else { return Rejudged::Refused(Reason::UnknownApi) };
        let operation = question.operation(entry);
        let remembered = RecordedRequest::new(record, operation);
        let draw = draw_of(record.request_id.as_str());
        let facts = Facts::of(Some(record.source_ip), draw, &remembered);
        let asked = Asked {
            who: self.recorded_caller(record, identity, entry.api()),
            entry,
            operation,
            facts,
            now,
            hour: record.at,
            without,
        };
        match self.judge(asked) {
            Ok(Decided::Permit(permit)) => match permit.observed() {
                Some(reason) if enforced => Rejudged::Refused(reason),
                _ => Rejudged::Allowed,
            },
            Ok(Decided::NeedsBody | Decided::NeedsRelations(_)) => {
                match self.passes_anyhow(asked, !enforced) {
                    true => Rejudged::Allowed,
                    false => Rejudged::Unknown,
                }
            }
            Err(refusal) => Rejudged::Refused(refusal.reason),
        }
    }

    /// Whether no circumstance of a call has a say, so that every call of this caller, credential
    /// and operation has the same answer: no guardrail, and no terms on what covers it.
    fn is_fixed(&self, question: Again<'_>) -> bool {
        let limited = |entry| self.any_covering(question, entry, |held| held.limits.is_some());
        self.guard.is_none() && !self.entry(question.api).is_some_and(limited)
    }

    /// Whether this is so of any grant that covers the call.
    fn any_covering(
        &self,
        question: Again<'_>,
        entry: &ApiEntry,
        is_so: impl Fn(&Held) -> bool,
    ) -> bool {
        let Some(operation) = question.operation(entry) else { return false };
        let Some(subject) = self.subjects.get(question.identity) else { return false };
        let numbers = entry.numbered(operation);
        let covering = self.covering_numbers(subject, numbers, question.now, Narrowed::Not);
        covering.iter().any(|held| Some(&held.id) != question.without && is_so(held))
    }
}

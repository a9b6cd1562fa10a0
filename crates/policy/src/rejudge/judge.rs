//! One ruleset asked about one recorded call after the other.
//!
//! Most answers depend on nothing but who called what with which credential: no guardrail speaks,
//! and no grant that covers the operation has terms. These are asked for once and remembered. What
//! is remembered is bounded, whatever the length of the log.

use std::sync::Arc;

use base::{ApiId, GrantId, IdentityId, Timestamp};
use catalog::{Accept, Operation};
use grant::{Place, Source};
use identity::{Binding, CredentialClass};
use rustc_hash::FxHashMap;
use traffic::{CallRecord, Reason};

use super::{Rejudged, recorded};
use crate::caller::Caller;
use crate::decide::Asked;
use crate::facts::{Facts, Reading, Request, Writes, draw_of};
use crate::holdings::Held;
use crate::permit::Decided;
use crate::{ApiEntry, Ruleset, reading};

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
        let class = record.credential_id.as_ref().and_then(|id| self.class_of(id));
        let class = class.unwrap_or_else(|| accepted_by(entry));
        let remembered = Remembered { record, operation };
        let draw = draw_of(record.request_id.as_str());
        let facts = Facts::of(Some(record.source_ip), draw, &remembered);
        let asked = Asked {
            who: Caller::supposed(identity, class).bound(bound(record, class)),
            entry,
            operation,
            facts,
            now,
            hour: record.at,
            without,
        };
        match self.judge(asked) {
            Ok(_) if self.hangs_on_claims(class, entry) => Rejudged::Unknown,
            Ok(Decided::Permit(permit)) => match permit.observed() {
                Some(reason) if enforced => Rejudged::Refused(reason),
                _ => Rejudged::Allowed,
            },
            Ok(Decided::NeedsBody | Decided::NeedsRelations(_)) => Rejudged::Unknown,
            Err(refusal) if self.depends_on_more(question, class, entry, refusal.reason) => {
                Rejudged::Unknown
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

    /// Whether a guardrail of the API looks at the claims of a token, which no record keeps: then that
    /// it forbids nothing says nothing either.
    fn hangs_on_claims(&self, class: CredentialClass, entry: &ApiEntry) -> bool {
        let guard = self.guard.as_ref().filter(|_| class == CredentialClass::IssuerSubject);
        guard.is_some_and(|guard| guard.reads_claims(&entry.api().id))
    }

    /// Whether what refuses the call, a guardrail of the API or the terms of a grant that covers it,
    /// looks at what no record keeps: then the refusal says nothing.
    fn depends_on_more(
        &self,
        question: Again<'_>,
        class: CredentialClass,
        entry: &ApiEntry,
        reason: Reason,
    ) -> bool {
        let not_kept = |place: &Place| !matches!(place, Place::Path(_));
        let unknowable = |held: &Held| held.terms().is_some_and(is_unknowable);
        match reason {
            Reason::ForbiddenByPolicy | Reason::PolicyError | Reason::AmbiguousBody => {
                let guard = self.guard.as_ref();
                self.hangs_on_claims(class, entry)
                    || guard.is_some_and(|g| g.reads(&entry.api().id).iter().any(not_kept))
            }
            _ => self.any_covering(question, entry, unknowable),
        }
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
        let covering = self.covering_numbers(subject, numbers, question.now);
        covering.iter().any(|held| Some(&held.id) != question.without && is_so(held))
    }
}

/// The kind of a credential that is not known any more: one that got so far was of an accepted kind.
fn accepted_by(entry: &ApiEntry) -> CredentialClass {
    match entry.api().accept.as_slice() {
        [Accept::Token] => CredentialClass::IssuerSubject,
        [Accept::Certificate] => CredentialClass::Certificate,
        _ => CredentialClass::ApiKey,
    }
}

/// What bound the proof of a call: a certificate always is bound to its connection.
fn bound(record: &CallRecord, class: CredentialClass) -> Option<Binding> {
    record.binding.or((class == CredentialClass::Certificate).then_some(Binding::Mtls))
}

fn is_unknowable(terms: &grant::Terms) -> bool {
    terms.writable.is_some()
        || terms.ties.iter().any(|tie| {
            let by_claim = tie.sources.iter().any(|one| matches!(one, Source::Claim(_)));
            by_claim || !matches!(tie.place, Place::Path(_) | Place::Response(_))
        })
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
        reading::path(template, &self.record.path, name)
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        if self.record.bytes_in == 0 { Writes::Within } else { Writes::Unreadable }
    }
}

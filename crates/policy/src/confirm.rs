//! What stays open is asked again: may a caller that was permitted go on?

use std::net::IpAddr;

use base::{ApiId, OperationId, Timestamp};
use grant::Place;
use token::Verified;
use traffic::Reason;

use crate::caller::Caller;
use crate::decide::Asked;
use crate::facts::{Reading, Request, Writes};
use crate::lookup::Answers;
use crate::permit::Decided;
use crate::{Facts, Ruleset, reading};

/// What is kept of a request that was permitted: enough to judge it again without its head or body.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// What it drew.
    pub draw: u16,
    /// What conditions looked at ([`crate::Permit::read`]).
    pub read: &'a [(Place, Vec<String>)],
    /// What sources had said when it was permitted.
    pub answers: &'a Answers,
}

/// What is kept, as a request to an operation.
struct Again<'a> {
    kept: Kept<'a>,
    template: Option<&'a str>,
}

impl Request for Again<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        match (self.kept.read.iter().find(|(known, _)| known == place), place) {
            (Some((_, values)), _) => {
                Reading::Values(values.iter().map(|value| value.as_str().into()).collect())
            }
            (None, Place::Path(name)) if !reading::is_in_path(self.template, name) => {
                Reading::absent()
            }
            (None, _) => Reading::Unreadable,
        }
    }

    /// What it writes was judged when it came, and is written by now.
    fn writes(&self, _allowed: &[String]) -> Writes {
        Writes::Within
    }
}

impl Ruleset {
    /// Whether a request that was permitted before may go on, by what has been revoked, suspended
    /// or narrowed since. That the proof of the caller has run out since does not end it: the
    /// proof was in date when it was presented.
    pub fn confirm(
        &self,
        who: &Verified,
        api: &ApiId,
        operation: Option<&OperationId>,
        kept: Kept<'_>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let entry = self.entry(api).ok_or(Reason::UnknownApi)?;
        if !self.accepts(who.credential()) {
            return Err(Reason::CredentialRevoked);
        }
        let operation = operation.and_then(|id| entry.operation_by_id(id));
        let Kept { source, draw, answers, .. } = kept;
        let again = Again { kept, template: operation.map(|one| one.path.as_str()) };
        let facts = Facts { source, draw, request: &again, answers };
        match self.judge(Asked {
            who: Caller::proved(who).in_date(),
            entry,
            operation,
            facts,
            now,
            hour: now,
            without: None,
        }) {
            Ok(Decided::Permit(_)) => Ok(()),
            // What was judged with its body is not judged without it.
            Ok(Decided::NeedsBody) => Err(Reason::ObjectNotAllowed),
            // Nobody is asked again, and nothing is guessed.
            Ok(Decided::NeedsRelations(_)) => Err(Reason::RelationUnknown),
            Err(refusal) => Err(match refusal.reason {
                // It was read when it came, and is not kept: that is nobody's fault who sent it.
                Reason::AmbiguousBody => Reason::PolicyError,
                reason => reason,
            }),
        }
    }
}

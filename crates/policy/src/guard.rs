//! Guardrails, as the decision sees them: something that may forbid what grants allow, and never
//! allows anything itself. What they are written in is another crate's matter.

use std::fmt;

use base::{ApiId, GroupId, Timestamp};
use catalog::{Api, Operation};
use grant::Place;

use crate::holdings::About;
use crate::{Caller, Facts, Related};

/// What guardrails are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who calls, by which proof.
    pub who: Caller<'a>,
    /// What is known of the caller.
    pub about: &'a About,
    /// The groups that the caller is in, also by other groups.
    pub groups: &'a [GroupId],
    /// The objects that the caller has to do with.
    pub related: Related<'a>,
    /// For which API.
    pub api: &'a Api,
    /// For which operation; `None` = one that the catalogue does not know.
    pub operation: Option<&'a Operation>,
    /// What is known of the request.
    pub facts: Facts<'a>,
    /// When.
    pub now: Timestamp,
}

/// What guardrails answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// None of them forbids it.
    Pass,
    /// These forbid it, by their ids, sorted.
    Forbid(Vec<String>),
    /// One of them could not be evaluated: which, and why. Refuses.
    Error(String),
    /// One of them looks at the body, which was not read yet.
    Later,
}

/// A set of guardrails.
pub trait Guard: fmt::Debug + Send + Sync {
    /// Judges one request.
    fn judge(&self, question: &Question<'_>) -> Judgement;

    /// What of a request the guardrails of an API look at: kept of a request that stays open, so
    /// that it can be judged again.
    fn reads(&self, api: &ApiId) -> &[Place];

    /// Which version of the set it is, for records and explanations.
    fn version(&self) -> u64;
}

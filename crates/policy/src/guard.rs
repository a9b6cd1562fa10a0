//! Guardrails, as the decision sees them: something that may forbid what grants allow, and never
//! allows anything itself. What they are written in is another crate's matter.

use std::collections::BTreeMap;
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
    /// One of them looks at the body, and what it looks at cannot be read there: which. Refuses, and
    /// whoever sent the body can mend it.
    UnreadableBody(String),
    /// One of them looks at what was not read yet (the body), or what no record keeps.
    Later,
}

/// A set of guardrails.
pub trait Guard: fmt::Debug + Send + Sync {
    /// Judges one request.
    fn judge(&self, question: &Question<'_>) -> Judgement;

    /// What of a request the guardrails of an API look at: kept of a request that stays open, so
    /// that it can be judged again.
    fn reads(&self, api: &ApiId) -> &[Place];

    /// What each guardrail that is for the API of a question says about it, sorted by id.
    fn explain(&self, question: &Question<'_>) -> Vec<Explained>;

    /// Why it judges nothing and refuses everything; `None` = it judges.
    fn fault(&self) -> Option<&str> {
        None
    }

    /// Which version of the set it is, for records and explanations.
    fn version(&self) -> u64;
}

/// What one guardrail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It forbids the request.
    Forbids,
    /// It does not.
    DoesNotApply,
    /// It looks at the body, which was not read.
    NeedsBody,
    /// It could not be evaluated, and refuses: why.
    Error(String),
}

/// One guardrail and what it says, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Its id.
    pub id: String,
    /// What it says.
    pub verdict: Verdict,
    /// Where it stands: file and line.
    pub place: String,
    /// Its text, as written.
    pub text: String,
    /// Why it is there: its `@reason`.
    pub reason: Option<String>,
    /// All its annotations.
    pub annotations: BTreeMap<String, String>,
}

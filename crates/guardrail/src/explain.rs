//! What each guardrail says about one request, for people.

use std::collections::BTreeMap;

use crate::rails::Rail;

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

/// One guardrail and what it says.
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

impl Explained {
    pub(crate) fn new(rail: &Rail, verdict: Verdict) -> Self {
        let annotations = rail.policy.annotations();
        Self {
            id: rail.id.clone(),
            verdict,
            place: crate::rails::at(&rail.file, rail.line),
            text: rail.policy.to_string(),
            reason: rail.policy.annotation("reason").map(str::to_owned),
            annotations: annotations.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }
}

//! What every boundary says when it refuses: what happened, where, why, and what to do next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A refusal or failure, ready to be shown to a person or rendered as RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable machine-readable reason in `snake_case`, e.g. `no_grant`.
    pub reason: String,
    /// What happened, one sentence.
    pub detail: String,
    /// Where: file and line, field, object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do about it, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Which HTTP status and which exit code fit.
    #[serde(default)]
    pub kind: ProblemKind,
}

/// Who has to act for the problem to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The input is wrong (400, exit 3).
    #[default]
    Invalid,
    /// Nobody is signed in (401, exit 4).
    Unauthenticated,
    /// The signed-in actor may not do this (403, exit 4).
    Forbidden,
    /// There is no such thing, or the viewer may not know of it (404, exit 1).
    NotFound,
    /// The state does not allow this now (409, exit 1).
    Conflict,
    /// Something that is needed is down; nothing was changed (503, exit 1).
    Unavailable,
    /// A fault of portreeve's own (500, exit 1).
    Internal,
}

impl Problem {
    /// A problem of a kind, with its reason code and sentence.
    pub fn new(kind: ProblemKind, reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason: reason.into(), detail: detail.into(), place: None, hint: None, kind }
    }

    /// Wrong input.
    pub fn invalid(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Invalid, reason, detail)
    }

    /// The state does not allow it.
    pub fn conflict(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Conflict, reason, detail)
    }

    /// Not there, for this viewer.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(ProblemKind::NotFound, "not_found", format!("there is no {what} `{id}`"))
    }

    /// Not allowed.
    pub fn forbidden(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Forbidden, reason, detail)
    }

    /// A fault of our own; `detail` is for the log and for administrators.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Internal, "internal", detail)
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.detail)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

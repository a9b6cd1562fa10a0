//! How far a request got, stage by stage.

use std::cmp::Ordering;

use policy::Ruleset;
use traffic::{CallRecord, Outcome, Reason, RolloutSide};

use crate::calls::operation_title;
use crate::policies::written::Parts;
use crate::view::{ExplainedStage, Explanation};

/// The stages of the request path, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Target,
    Credential,
    Identity,
    Operation,
    Grant,
    Guardrail,
    /// What is said in the request: against the API's document, and whether it has one reading.
    Message,
    /// What the gate takes: limits of the caller's, and its own.
    Limit,
    Upstream,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Target,
        Self::Credential,
        Self::Identity,
        Self::Operation,
        Self::Grant,
        Self::Guardrail,
        Self::Message,
        Self::Limit,
        Self::Upstream,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Credential => "credential",
            Self::Identity => "identity",
            Self::Operation => "operation",
            Self::Grant => "grant",
            Self::Guardrail => "guardrail",
            Self::Message => "message",
            Self::Limit => "limit",
            Self::Upstream => "upstream",
        }
    }

    /// Where a request with this reason ended.
    fn of(reason: Reason, record: &CallRecord) -> Self {
        let is_known = record.identity_id.is_some();
        match reason {
            // Noticed when the body was read: a form that names another method, too much, too slow.
            Reason::MalformedRequest
            | Reason::ForbiddenHeader
            | Reason::TooLarge
            | Reason::RequestTimeout
                if is_known =>
            {
                Self::Message
            }
            Reason::MalformedRequest
            | Reason::NonCanonicalTarget
            | Reason::AuthorityMismatch
            | Reason::ForbiddenHeader
            | Reason::TooLarge
            | Reason::RequestTimeout
            | Reason::UnknownApi => Self::Target,
            Reason::NoCredential
            | Reason::InvalidCredential
            | Reason::InvalidProof
            | Reason::CertificateMismatch
            | Reason::CredentialExpired
            | Reason::CredentialRevoked
            | Reason::CredentialNotAccepted => Self::Credential,
            Reason::IdentityInactive => Self::Identity,
            Reason::UnknownOperation => Self::Operation,
            Reason::NoGrant
            | Reason::TermsNotMet
            | Reason::ProofTooWeak
            | Reason::ObjectNotAllowed
            | Reason::InsufficientScope
            | Reason::RelationUnknown => Self::Grant,
            Reason::ForbiddenByPolicy | Reason::PolicyError => Self::Guardrail,
            Reason::AmbiguousBody | Reason::ContractViolation => Self::Message,
            // It went while its body was awaited.
            Reason::Cancelled if record.outcome == Outcome::Refused && is_known => Self::Message,
            Reason::Cancelled if record.outcome == Outcome::Refused => Self::Target,
            Reason::UpstreamUnreachable
            | Reason::UpstreamTimeout
            | Reason::DeadlineExceeded
            | Reason::UpstreamInvalid
            | Reason::ResponseInvalid
            | Reason::ResponseUnreadable
            | Reason::Cancelled => Self::Upstream,
            // The gate itself refused, at whatever stage the request was: before it was known who
            // calls, or after everything was granted.
            Reason::RateLimited
            | Reason::QuotaExceeded
            | Reason::ConcurrencyLimited
            | Reason::Overloaded
            | Reason::LogUnavailable
            | Reason::Stale
            | Reason::ShuttingDown => match is_known {
                true => Self::Limit,
                false => Self::Target,
            },
        }
    }
}

/// What is told of each stage. What was forwarded and then cut has passed all of them.
pub(super) fn stages(record: &CallRecord, ruleset: &Ruleset) -> Vec<ExplainedStage> {
    // Of an observed call the reason is what enforce mode would say; nothing ended there.
    let observed = record.outcome == Outcome::Observed;
    let reason = record.reason.filter(|_| !observed);
    let cut = reason.filter(|_| record.outcome == Outcome::Cancelled);
    let ended = reason.filter(|_| cut.is_none()).map(|reason| Stage::of(reason, record));
    let told = |stage: Stage| {
        let (outcome, detail) = match ended.map_or(Ordering::Less, |ended| stage.cmp(&ended)) {
            Ordering::Less => ("passed", passed(stage, record, ruleset)),
            Ordering::Equal => ("refused", refused(reason, record)),
            Ordering::Greater => ("not_reached", String::new()),
        };
        let is_ruled = stage == Stage::Grant && outcome != "not_reached";
        let by_change = rolled_out(record).filter(|_| is_ruled);
        let detail = format!("{detail}{}", by_change.unwrap_or_default());
        explained(stage.name(), outcome, detail)
    };
    let mut stages: Vec<_> = Stage::ALL.into_iter().map(told).collect();
    stages.extend(cut.map(|reason| explained("cut", "cancelled", why(reason).to_owned())));
    stages
}

fn refused(reason: Option<Reason>, record: &CallRecord) -> String {
    let why = reason.map(why).unwrap_or_default();
    match record.guardrails.as_slice() {
        [] => why.to_owned(),
        ids => format!("{why}: {}", ids.join(", ")),
    }
}

fn explained(stage: &str, outcome: &str, detail: String) -> ExplainedStage {
    ExplainedStage { stage: stage.to_owned(), outcome: outcome.to_owned(), detail }
}

/// Of a request that never came, no credential was seen, nothing was counted and nothing answered.
pub(super) fn as_written(explanation: &mut Explanation, parts: &Parts) {
    explanation.call.request_id.clear();
    if parts.source.is_none() {
        explanation.call.source_ip.clear();
    }
    for stage in &mut explanation.stages {
        let unasked = match (stage.stage.as_str(), stage.outcome.as_str()) {
            ("credential", "passed") => {
                stage.detail = format!("supposed: {}", parts.class);
                continue;
            }
            ("message" | "limit", "passed") => "not asked of a request that did not come",
            ("upstream", "passed") => "it would be forwarded",
            _ => continue,
        };
        "not_reached".clone_into(&mut stage.outcome);
        unasked.clone_into(&mut stage.detail);
    }
}

/// What is to be said of a call that a change decided before it held for all.
fn rolled_out(record: &CallRecord) -> Option<String> {
    let mark = record.rollout.as_ref()?;
    let decided = mark.governed_by == RolloutSide::Candidate;
    decided.then(|| format!("; decided with the change of rollout {}", mark.id))
}

fn passed(stage: Stage, record: &CallRecord, ruleset: &Ruleset) -> String {
    fn or_none(id: Option<&impl ToString>) -> String {
        id.map_or_else(|| "none".to_owned(), ToString::to_string)
    }
    match stage {
        Stage::Target => {
            let api = or_none(record.api_id.as_ref());
            format!("{} {} is of API {api}", record.method, record.path)
        }
        Stage::Credential => format!("credential {}", or_none(record.credential_id.as_ref())),
        Stage::Identity => format!("identity {}", or_none(record.identity_id.as_ref())),
        Stage::Operation => match operation_title(record, ruleset) {
            Some(operation) => format!("operation {operation}"),
            None => "no operation of the catalogue; the API is in observe mode".to_owned(),
        },
        Stage::Grant => granted(record),
        Stage::Guardrail => "no guardrail forbids it".to_owned(),
        Stage::Message => "the request is not refused for what it says".to_owned(),
        Stage::Limit => "within the limits".to_owned(),
        Stage::Upstream => match record.status {
            // Nothing came back, or the gate answered in its place.
            0 => "forwarded".to_owned(),
            own if record.reason.is_some_and(|reason| reason.status() == own) => {
                "forwarded".to_owned()
            }
            status => format!("answered with {status}"),
        },
    }
}

/// The grants are on record once a call is let through; of one that is refused later they are not.
fn granted(record: &CallRecord) -> String {
    if let Some(reason) = record.would_refuse {
        return format!("let through in observe mode; enforce mode would refuse: {}", why(reason));
    }
    if record.grant_ids.is_empty() {
        return "not what refused it; by which grants it would pass is not on record".to_owned();
    }
    let grants: Vec<_> = record.grant_ids.iter().map(|id| id.as_str()).collect();
    format!("allowed by {}", grants.join(", "))
}

/// A reason in words.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::MalformedRequest => "the request is not canonical HTTP",
        Reason::NonCanonicalTarget => "the target has two readings",
        Reason::AuthorityMismatch => "host, target and TLS server name do not agree",
        Reason::ForbiddenHeader => "a header came twice, or overrides the method",
        Reason::TooLarge => "the header block or the body is too large",
        Reason::RequestTimeout => "the caller took too long to send it",
        Reason::UnknownApi => "no API has this host and path",
        Reason::UnknownOperation => "the API has no operation with this method and path",
        Reason::NoCredential => "nothing was presented that could prove who calls",
        Reason::InvalidCredential => "what was presented proves nobody",
        Reason::InvalidProof => {
            "nothing proves, for this request, the key that the token is bound to"
        }
        Reason::CertificateMismatch => "the token is bound to another client certificate",
        Reason::CredentialExpired => "the credential has expired",
        Reason::CredentialRevoked => "the credential was revoked or is suspended",
        Reason::CredentialNotAccepted => "the API does not take this kind of credential",
        Reason::IdentityInactive => "the identity is suspended or disabled",
        Reason::NoGrant => "no grant in force covers the operation",
        Reason::TermsNotMet => "a grant covers the operation, under terms that were not met",
        Reason::ProofTooWeak => "a grant covers the operation with a stronger proof",
        Reason::ObjectNotAllowed => "a grant covers the operation on other objects or properties",
        Reason::InsufficientScope => "the token's own scope is narrower than the operation",
        Reason::ForbiddenByPolicy => "a guardrail forbids it",
        Reason::PolicyError => "a policy could not be evaluated",
        Reason::RelationUnknown => {
            "a grant covers it on related objects, and their source did not say"
        }
        Reason::AmbiguousBody => "the body has no one reading as JSON",
        Reason::ContractViolation => "the request breaks the API's document",
        Reason::RateLimited => "too many requests in too short a time",
        Reason::QuotaExceeded => "the quota of the day or month is used up",
        Reason::ConcurrencyLimited => "too many requests at the same time",
        Reason::Overloaded => "the gate had more to do than it could",
        Reason::UpstreamUnreachable => "the upstream refused or broke the connection",
        Reason::UpstreamTimeout => "the upstream did not answer in time",
        Reason::DeadlineExceeded => "the deadline that the caller gave its call passed",
        Reason::UpstreamInvalid => "the upstream's answer is not valid HTTP or ended early",
        Reason::ResponseInvalid => "the upstream's answer breaks the API's document",
        Reason::ResponseUnreadable => "the answer could not be shown in part",
        Reason::LogUnavailable => "the decision log is full and is set to refuse then",
        Reason::Stale => "what the gate knows is older than it may be",
        Reason::ShuttingDown => "the gate was shutting down",
        Reason::Cancelled => "the caller closed the connection before the answer was complete",
    }
}

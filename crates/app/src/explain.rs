//! Why a request was decided as it was: how far it got, which grants were looked at, the smallest
//! grant that would let it pass, and who can give that.
//!
//! Stages tell what the record says, which is what happened. Grants are shown as they stand now,
//! because now is when somebody acts on the answer.

use base::Problem;
use catalog::Api;
use grant::{Grant, OperationSet};
use identity::Identity;
use policy::Ruleset;
use policy::{Considered, Standing};
use traffic::{CallRecord, Outcome, Reason};

use crate::calls::{operation_title, view};
use crate::render::title;
use crate::view::{ConsideredGrant, ExplainedStage, Explanation};
use crate::{Actor, App};

/// The stages of the request path, in order.
const STAGES: [&str; 6] = ["target", "credential", "identity", "operation", "grant", "upstream"];

impl App {
    /// Explains a request that the actor may see.
    pub async fn explain(&self, actor: &Actor, request_id: &str) -> Result<Explanation, Problem> {
        let record = self.call(actor, request_id).await?;
        let ruleset = self.ruleset().load_full();
        let considered = considered(&record, &ruleset, self.now());
        let allowed_now = considered.iter().any(|one| one.standing == Standing::Allows);
        let would_allow = if allowed_now { None } else { would_allow(&record, &ruleset) };
        let who_can_give = match &would_allow {
            None => Vec::new(),
            Some(_) => self.who_can_give(&record, &ruleset).await?,
        };
        Ok(Explanation {
            call: view(&record, &ruleset),
            stages: stages(&record, &ruleset),
            grants: self.considered_grants(&record, &considered, &ruleset).await?,
            would_allow,
            who_can_give,
        })
    }

    /// The grants that were looked at, with whose they are and what they cover.
    async fn considered_grants(
        &self,
        record: &CallRecord,
        considered: &[Considered],
        ruleset: &Ruleset,
    ) -> Result<Vec<ConsideredGrant>, Problem> {
        let api = record.api_id.as_ref().and_then(|id| ruleset.api(id)).map(AsRef::as_ref);
        let mut state = self.read().await?;
        let mut views = Vec::with_capacity(considered.len());
        for one in considered {
            let grant = state.grant(one.grant.as_str()).await?;
            views.push(considered_grant(one, grant.as_ref(), api));
        }
        Ok(views)
    }

    /// The API's owner, unless the access would be their own, and the administrators.
    async fn who_can_give(
        &self,
        record: &CallRecord,
        ruleset: &Ruleset,
    ) -> Result<Vec<String>, Problem> {
        let mut who = Vec::new();
        let api = record.api_id.as_ref().and_then(|id| ruleset.api(id));
        if let (Some(owner), Some(id)) =
            (api.and_then(|api| api.owner.clone()), &record.identity_id)
        {
            let identity = self.read().await?.identity(id.as_str()).await?;
            let own = identity.is_some_and(|identity| is_own(&identity, &owner));
            who.extend((!own).then_some(owner));
        }
        who.extend(self.settings.admins.iter().cloned());
        who.dedup();
        let names = self.read().await?.names(&who).await?;
        let name = |id: String| names.get(&id).map_or(id, |named| named.name.clone());
        Ok(who.into_iter().map(name).collect())
    }
}

/// Whether giving access to `identity` would be giving it to the owner themselves.
fn is_own(identity: &Identity, owner: &str) -> bool {
    let answers = identity.owner.as_ref().is_some_and(|other| other.to_string() == owner);
    identity.id.as_str() == owner || answers
}

fn considered(record: &CallRecord, ruleset: &Ruleset, now: base::Timestamp) -> Vec<Considered> {
    match (&record.identity_id, &record.api_id) {
        (Some(identity), Some(api)) => {
            ruleset.explain(identity, api, record.operation.as_ref(), now)
        }
        _ => Vec::new(),
    }
}

fn considered_grant(one: &Considered, grant: Option<&Grant>, api: Option<&Api>) -> ConsideredGrant {
    let says = match one.standing {
        Standing::Allows => "covers this operation",
        Standing::NeedsBody => "covers this operation; whether its terms hold depends on the body",
        Standing::Withdrawn => "covers this operation, but is being taken back",
        Standing::OtherEnvironment => "covers this operation for callers of another environment",
        Standing::OtherHours => "covers this operation at other hours",
        Standing::OtherNetwork => "covers this operation from other networks",
        Standing::OtherCredential => "covers this operation with another kind of credential",
        Standing::TooWeak => "covers this operation with a stronger proof",
        Standing::OtherProperties => "covers this operation, but not all properties of the body",
        Standing::OtherObject => "covers this operation on other objects",
        Standing::Uncertified => "covers this operation, but no review has kept it in time",
        Standing::OtherOperations => "covers other operations only",
        Standing::Expired => "covers this operation, but has expired",
        Standing::Suspended => "covers this operation, but is suspended",
        Standing::Revoked => "covers this operation, but was revoked",
    };
    let why = match &one.via {
        Some(group) => format!("{says} (through group {group})"),
        None => says.to_owned(),
    };
    let applies = one.standing == Standing::Allows;
    ConsideredGrant {
        grant_id: one.grant.to_string(),
        subject: grant.map(|grant| grant.subject.to_string()).unwrap_or_default(),
        operations: grant.map(|grant| titles(grant, api)).unwrap_or_default(),
        applies,
        why,
    }
}

fn titles(grant: &Grant, api: Option<&Api>) -> Vec<String> {
    match &grant.operations {
        OperationSet::All(_) => vec!["*".to_owned()],
        OperationSet::Only(ids) => ids.iter().map(|id| title(api, id.as_str())).collect(),
    }
}

/// The command that gives no more than this request needs; `None` where a grant is not what was
/// missing.
fn would_allow(record: &CallRecord, ruleset: &Ruleset) -> Option<String> {
    if record.would_refuse.or(record.reason) != Some(Reason::NoGrant) {
        return None;
    }
    let (identity, operation) = (record.identity_id.as_ref()?, record.operation.as_ref()?);
    let api: &Api = ruleset.api(record.api_id.as_ref()?)?;
    // The catalogue may have changed since; what is not in it cannot be granted.
    api.operations.iter().find(|known| known.id == *operation)?;
    Some(format!("portreeve grant give {identity} --api {} --can {operation}", api.id))
}

/// At which stage a request with this reason ended.
fn stage_of(reason: Reason, record: &CallRecord) -> usize {
    match reason {
        Reason::MalformedRequest
        | Reason::NonCanonicalTarget
        | Reason::AuthorityMismatch
        | Reason::ForbiddenHeader
        | Reason::TooLarge
        | Reason::RequestTimeout
        | Reason::UnknownApi => 0,
        Reason::NoCredential
        | Reason::InvalidCredential
        | Reason::CredentialExpired
        | Reason::CredentialRevoked
        | Reason::CredentialNotAccepted => 1,
        Reason::IdentityInactive => 2,
        Reason::UnknownOperation => 3,
        Reason::NoGrant
        | Reason::TermsNotMet
        | Reason::ProofTooWeak
        | Reason::ObjectNotAllowed
        | Reason::InsufficientScope
        | Reason::ForbiddenByPolicy
        | Reason::PolicyError => 4,
        // After everything was granted.
        Reason::AmbiguousBody | Reason::ContractViolation => 5,
        Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::DeadlineExceeded
        | Reason::UpstreamInvalid
        | Reason::ResponseInvalid
        | Reason::ResponseUnreadable
        | Reason::Cancelled => 5,
        // The gate itself refused, at whatever stage the request was: before it was known who
        // calls, or after everything was granted.
        Reason::RateLimited
        | Reason::QuotaExceeded
        | Reason::ConcurrencyLimited
        | Reason::Overloaded
        | Reason::LogUnavailable
        | Reason::Stale
        | Reason::ShuttingDown => {
            if record.identity_id.is_some() {
                5
            } else {
                0
            }
        }
    }
}

fn stages(record: &CallRecord, ruleset: &Ruleset) -> Vec<ExplainedStage> {
    // Of an observed call the reason is what enforce mode would say; nothing ended there.
    let observed = record.outcome == Outcome::Observed;
    let reason = record.reason.filter(|_| !observed);
    let ended = reason.map_or(STAGES.len(), |reason| stage_of(reason, record));
    let stage = |(index, name): (usize, &&str)| {
        let (outcome, detail) = match index.cmp(&ended) {
            std::cmp::Ordering::Less => ("passed", passed(index, record, ruleset)),
            std::cmp::Ordering::Equal => {
                ("refused", reason.map(why).unwrap_or_default().to_owned())
            }
            std::cmp::Ordering::Greater => ("not_reached", String::new()),
        };
        ExplainedStage { stage: (*name).to_owned(), outcome: outcome.to_owned(), detail }
    };
    STAGES.iter().enumerate().map(stage).collect()
}

fn passed(stage: usize, record: &CallRecord, ruleset: &Ruleset) -> String {
    fn or_none(id: Option<&impl ToString>) -> String {
        id.map_or_else(|| "none".to_owned(), ToString::to_string)
    }
    match stage {
        0 => format!(
            "{} {} is of API {}",
            record.method,
            record.path,
            or_none(record.api_id.as_ref())
        ),
        1 => format!("credential {}", or_none(record.credential_id.as_ref())),
        2 => format!("identity {}", or_none(record.identity_id.as_ref())),
        3 => match operation_title(record, ruleset) {
            Some(operation) => format!("operation {operation}"),
            None => "no operation of the catalogue; the API is in observe mode".to_owned(),
        },
        4 => match record.would_refuse {
            Some(reason) => {
                format!("let through in observe mode; enforce mode would refuse: {}", why(reason))
            }
            None => {
                let grants: Vec<_> = record.grant_ids.iter().map(|id| id.as_str()).collect();
                format!("allowed by {}", grants.join(", "))
            }
        },
        _ => format!("answered with {}", record.status),
    }
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
        Reason::AmbiguousBody => "the body is JSON with two readings",
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

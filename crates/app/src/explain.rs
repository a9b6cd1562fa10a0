//! Why a request was decided as it was: how far it got, which grants were looked at, the smallest
//! grant that would let it pass, and who can give that.
//!
//! Stages tell what the record says, which is what happened. Grants are shown as they stand now,
//! because now is when somebody acts on the answer.

mod minimal;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base::{GrantId, Problem, RequestId, Timestamp};
use catalog::{Api, Operation};
use grant::{Grant, OperationSet};
use identity::{CredentialClass, Identity};
use policy::{
    Answers, Caller, Considered, Facts, RecordedRequest, Ruleset, Standing, Told, Verdict, draw_of,
};
use traffic::{CallRecord, Outcome, Reason, RolloutMark, RolloutSide};

use crate::calls::{operation_title, view};
use crate::lookup::Asked;
use crate::policies::written::{Parts, Posed};
use crate::render::title;
use crate::view::{
    ConsideredGrant, ExplainedGuardrail, ExplainedStage, Explanation, LookedUp, WrittenRequest,
};
use crate::{Actor, App};
use minimal::Minimal;

/// The stages of the request path, in order.
const STAGES: [&str; 6] = ["target", "credential", "identity", "operation", "grant", "upstream"];

/// What is explained: a record, the request as far as it is known, and what is told about it.
struct Subject<'a> {
    /// The guardrails' texts are told too.
    tells_policy: bool,
    record: &'a CallRecord,
    ruleset: &'a Arc<Ruleset>,
    told: Told,
    relations: Vec<LookedUp>,
    minimal: Option<Minimal>,
}

impl App {
    /// Explains a request that the actor may see.
    pub async fn explain(&self, actor: &Actor, request_id: &str) -> Result<Explanation, Problem> {
        let record = self.call(actor, request_id).await?;
        let ruleset = self.ruleset().load_full();
        let now = self.now();
        let mut asked = Asked::default();
        let wants = |answers: &Answers| {
            let wants = |posed: &Posed<'_>| posed.wants(&ruleset);
            with_posed(&record, &ruleset, answers, wants).unwrap_or(Ok(()))
        };
        self.with_answers(&mut asked, wants).await;
        let answers = &asked.answers;
        let told = with_posed(&record, &ruleset, answers, |posed| told(posed, &ruleset, now));
        let told = told.unwrap_or_default();
        let near = match is_for_grants(&record) {
            true => self.nearest(record.identity_id.as_ref(), &told).await?,
            false => None,
        };
        let minimal = near.and_then(|near| {
            let id = self.draw(GrantId::generate);
            with_posed(&record, &ruleset, answers, |posed| {
                minimal::smallest(posed, &ruleset, &near, &id)
            })?
        });
        let (tells_policy, relations) = (actor.reads_all(), asked.views(now));
        let (record, ruleset) = (&record, &ruleset);
        self.explained(Subject { tells_policy, record, ruleset, told, relations, minimal }).await
    }

    /// Explains a request that is only written down, as if it came. Nothing is forwarded, and no
    /// record is left.
    pub async fn explain_written(
        &self,
        actor: &Actor,
        request: WrittenRequest,
    ) -> Result<Explanation, Problem> {
        let ruleset = self.ruleset().load_full();
        let now = self.now();
        let parts = Parts::read(&request, now)?;
        let mut record = self.unrecorded(&parts);
        let sight = self.sight(actor).await?;
        let mut asked = Asked::default();
        let mut wants = |answers: &Answers| {
            let wants = |posed: &Posed<'_>| {
                judge(&mut record, posed, &ruleset);
                // For those who are told nothing, nobody is asked either.
                if sight.covers(&record) { posed.wants(&ruleset) } else { Ok(()) }
            };
            parts.pose(&request, &ruleset, answers, wants).unwrap_or(Ok(()))
        };
        self.with_answers(&mut asked, &mut wants).await;
        let answers = &asked.answers;
        let ask = |posed: &Posed<'_>| {
            judge(&mut record, posed, &ruleset);
            (told(posed, &ruleset, posed.at), sight.covers(&record))
        };
        let (told, is_seen) = match parts.pose(&request, &ruleset, answers, ask) {
            Ok(found) => found,
            Err(reason) => {
                (record.outcome, record.reason) = (Outcome::Refused, Some(reason));
                record.status = reason.status();
                (Told::default(), sight.covers(&record))
            }
        };
        if !is_seen {
            // Who may not see the caller or the API learns no more than that.
            return Err(Problem::not_found("identity or API of yours", &request.identity)
                .hint("explain requests of identities or to APIs that you answer for"));
        }
        let near = match is_for_grants(&record) {
            true => self.nearest(record.identity_id.as_ref(), &told).await?,
            false => None,
        };
        let minimal = near.and_then(|near| {
            let id = self.draw(GrantId::generate);
            let ask = |posed: &Posed<'_>| minimal::smallest(posed, &ruleset, &near, &id);
            parts.pose(&request, &ruleset, answers, ask).ok().flatten()
        });
        let (tells_policy, relations) = (actor.reads_all(), asked.views(now));
        let (record, ruleset) = (&record, &ruleset);
        let subject = Subject { tells_policy, record, ruleset, told, relations, minimal };
        let mut explanation = self.explained(subject).await?;
        as_written(&mut explanation, &parts);
        Ok(explanation)
    }

    async fn explained(&self, subject: Subject<'_>) -> Result<Explanation, Problem> {
        let Subject { tells_policy, record, ruleset, told, relations, minimal } = subject;
        let who_can_give = match &minimal {
            None => Vec::new(),
            Some(_) => self.who_can_give(record, ruleset).await?,
        };
        let (would_allow, would_allow_object) = match minimal {
            None => (None, None),
            Some(Minimal { command, object }) => (Some(command), object),
        };
        Ok(Explanation {
            call: view(record, ruleset),
            stages: stages(record, ruleset),
            grants: self.considered_grants(record, &told.grants, ruleset).await?,
            guardrails: guardrails(told.guardrails, tells_policy),
            relations,
            would_allow,
            would_allow_object,
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

    /// A record of a request that never came.
    fn unrecorded(&self, parts: &Parts) -> CallRecord {
        CallRecord {
            request_id: self.draw(RequestId::generate),
            at: parts.at,
            duration_us: 0,
            identity_id: Some(parts.identity.clone()),
            credential_id: None,
            api_id: None,
            operation: None,
            method: parts.method.clone(),
            path: parts.target.as_ref().map(|target| target.path().to_owned()).unwrap_or_default(),
            source_ip: parts.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            user_agent: None,
            outcome: Outcome::Refused,
            reason: None,
            would_refuse: None,
            status: 0,
            grant_ids: Vec::new(),
            fields_removed: Vec::new(),
            fields_seen: None,
            violations: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            ruleset_version: self.ruleset().load().version(),
            binding: None,
            rollout: None,
        }
    }
}

/// The operation of a record, as the catalogue knows it now.
fn recorded_operation<'r>(record: &CallRecord, ruleset: &'r Ruleset) -> Option<&'r Operation> {
    let entry = ruleset.entry(record.api_id.as_ref()?)?;
    match &record.operation {
        Some(id) => entry.operation_by_id(id),
        None => entry.operation(&record.method, &record.path),
    }
}

/// Poses a record to the ruleset; `None` where it was not proved who called which API.
fn with_posed<R>(
    record: &CallRecord,
    ruleset: &Ruleset,
    answers: &Answers,
    ask: impl FnOnce(&Posed<'_>) -> R,
) -> Option<R> {
    let entry = ruleset.entry(record.api_id.as_ref()?)?;
    let operation = recorded_operation(record, ruleset);
    let class = record.credential_id.as_ref().and_then(|id| ruleset.class_of(id));
    let class = class.unwrap_or(CredentialClass::ApiKey);
    let who = Caller::supposed(record.identity_id.as_ref()?, class).bound(record.binding);
    let draw = draw_of(record.request_id.as_str());
    let request = RecordedRequest::new(record, operation);
    let facts = Facts { source: Some(record.source_ip), draw, request: &request, answers };
    Some(ask(&Posed { who, entry, operation, facts, at: record.at }))
}

fn told(posed: &Posed<'_>, ruleset: &Ruleset, now: Timestamp) -> Told {
    ruleset.explain_call(posed.who, posed.entry, posed.operation, posed.facts, (now, posed.at))
}

/// Writes down what would become of a request.
fn judge(record: &mut CallRecord, posed: &Posed<'_>, ruleset: &Ruleset) {
    record.api_id = Some(posed.entry.api().id.clone());
    record.operation = posed.operation.map(|operation| operation.id.clone());
    let supposed = ruleset.suppose(posed.who, posed.entry, posed.operation, posed.facts, posed.at);
    match supposed {
        Err(refusal) => {
            (record.outcome, record.reason) = (Outcome::Refused, Some(refusal.reason));
            record.status = refusal.reason.status();
        }
        Ok(supposed) => {
            record.outcome = match supposed.observed() {
                Some(_) => Outcome::Observed,
                None => Outcome::Allowed,
            };
            (record.reason, record.would_refuse) = (supposed.observed(), supposed.observed());
            record.grant_ids = supposed.grants().unwrap_or_default().to_vec();
            if !supposed.lookups().is_empty() {
                (record.outcome, record.reason) = (Outcome::Refused, Some(Reason::RelationUnknown));
                record.status = Reason::RelationUnknown.status();
            }
        }
    }
}

/// Of a request that never came, no credential was seen and nothing was answered.
fn as_written(explanation: &mut Explanation, parts: &Parts) {
    explanation.call.request_id.clear();
    if parts.source.is_none() {
        explanation.call.source_ip.clear();
    }
    for stage in &mut explanation.stages {
        match (stage.stage.as_str(), stage.outcome.as_str()) {
            ("credential", "passed") => stage.detail = format!("supposed: {}", parts.class),
            ("upstream", "passed") => {
                "not_reached".clone_into(&mut stage.outcome);
                "it would be forwarded".clone_into(&mut stage.detail);
            }
            _ => {}
        }
    }
}

/// Whether a grant is what was missing.
fn is_for_grants(record: &CallRecord) -> bool {
    // At present it is granted: what refused it is a change on its way.
    if record.rollout.as_ref().is_some_and(RolloutMark::is_refused_by_change) {
        return false;
    }
    matches!(
        record.would_refuse.or(record.reason),
        Some(Reason::NoGrant | Reason::TermsNotMet | Reason::ObjectNotAllowed)
    )
}

/// Whoever may not read the policy set is told which guardrails refuse, and not how they are
/// written.
fn guardrails(all: Vec<policy::Explained>, tells_policy: bool) -> Vec<ExplainedGuardrail> {
    let refuses =
        |one: &policy::Explained| matches!(one.verdict, Verdict::Forbids | Verdict::Error(_));
    let told = all.into_iter().filter(|one| tells_policy || refuses(one)).map(guardrail_view);
    told.map(|view| match tells_policy {
        true => view,
        false => {
            ExplainedGuardrail { place: String::new(), why: None, text: String::new(), ..view }
        }
    })
    .collect()
}

fn guardrail_view(one: policy::Explained) -> ExplainedGuardrail {
    let (says, why) = match one.verdict {
        Verdict::Forbids => ("forbids", one.reason),
        Verdict::DoesNotApply => ("does_not_apply", one.reason),
        Verdict::NeedsBody => ("unknown", one.reason),
        Verdict::Error(why) => ("fails", Some(why)),
    };
    let (id, place, says) = (one.id, one.place, says.to_owned());
    ExplainedGuardrail { id, place, says, why, text: one.text }
}

/// Whether giving access to `identity` would be giving it to the owner themselves.
fn is_own(identity: &Identity, owner: &str) -> bool {
    let answers = identity.owner.as_ref().is_some_and(|other| other.to_string() == owner);
    identity.id.as_str() == owner || answers
}

fn considered_grant(one: &Considered, grant: Option<&Grant>, api: Option<&Api>) -> ConsideredGrant {
    let says = match one.standing {
        Standing::Allows => "covers this operation",
        Standing::NeedsRelation => "covers this operation on related objects; nobody was asked",
        Standing::RelationUnknown => {
            "covers this operation on related objects; their source does not say"
        }
        Standing::NeedsBody => "covers this operation; whether its terms hold is not known here",
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
        | Reason::InvalidProof
        | Reason::CertificateMismatch
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
        | Reason::PolicyError
        | Reason::RelationUnknown => 4,
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
        let by_change = rolled_out(record).filter(|_| index == 4 && outcome != "not_reached");
        let detail = format!("{detail}{}", by_change.unwrap_or_default());
        ExplainedStage { stage: (*name).to_owned(), outcome: outcome.to_owned(), detail }
    };
    STAGES.iter().enumerate().map(stage).collect()
}

/// What is to be said of a call that a change decided before it held for all.
fn rolled_out(record: &CallRecord) -> Option<String> {
    let mark = record.rollout.as_ref()?;
    let decided = mark.governed_by == RolloutSide::Candidate;
    decided.then(|| format!("; decided with the change of rollout {}", mark.id))
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

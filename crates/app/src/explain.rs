//! Why a request was decided as it was: how far it got, which grants were looked at, the smallest
//! grant that would let it pass, and who can give that.
//!
//! Stages tell what the record says, which is what happened. Grants are shown as they stand now,
//! because now is when somebody acts on the answer.

mod command;
mod considered;
mod minimal;
mod stages;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base::{GrantId, Problem, RequestId, Timestamp};
use catalog::Operation;
use identity::Identity;
use policy::{Answers, Facts, RecordedRequest, Ruleset, Told, Verdict, draw_of};
use traffic::record::GUARDRAIL_BYTES_MAX;
use traffic::{CallRecord, Outcome, Reason, RolloutMark};

use crate::authority::Authority;
use crate::calls::view;
use crate::identity::seen_identity;
use crate::lookup::Asked;
use crate::policies::written::{Parts, Posed};
use crate::view::{ExplainedGuardrail, Explanation, LookedUp, WrittenRequest};
use crate::{Actor, App};
use minimal::Minimal;
use stages::{as_written, stages};

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
        if actor.reads_all() {
            // Others are told no more of an identity that is not there than of one that is not theirs.
            let mut state = self.read().await?;
            let authority = Authority::of(&mut state, actor).await?;
            let known = seen_identity(&mut state, &authority, parts.identity.as_str()).await;
            known.map_err(|problem| problem.at("identity"))?;
        }
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
        // Whether somebody who is not theirs is there, or suspended, is not told by their APIs.
        let is_other = !sight.sees(record.identity_id.as_ref(), None);
        let mut told = told;
        if is_other && record.reason == Some(Reason::IdentityInactive) {
            (record.reason, record.status) = (Some(Reason::NoGrant), Reason::NoGrant.status());
            told = Told::default();
        }
        let is_unknown = is_other && told.grants.is_empty();
        let near = match is_for_grants(&record) && !is_unknown {
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
            guardrails: guardrails(told.guardrails, &record.guardrails, tells_policy),
            relations,
            would_allow,
            would_allow_object,
            who_can_give,
        })
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
            guardrails: Vec::new(),
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
    let who = ruleset.recorded_caller(record, record.identity_id.as_ref()?, entry.api());
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
            record.guardrails = refusal.forbidden_by();
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
/// written. What the record says forbade the call is told also where it says otherwise now, or is
/// gone.
fn guardrails(
    all: Vec<policy::Explained>,
    forbade: &[String],
    tells_policy: bool,
) -> Vec<ExplainedGuardrail> {
    let mut views: Vec<_> = all.into_iter().map(guardrail_view).collect();
    for id in forbade {
        match views.iter_mut().find(|view| guardrail_id(view) == id) {
            Some(view) if view.says == "forbids" => {}
            Some(view) => "forbade".clone_into(&mut view.says),
            None => views.push(ExplainedGuardrail {
                id: id.clone(),
                place: String::new(),
                says: "forbade".to_owned(),
                why: None,
                text: String::new(),
            }),
        }
    }
    if !tells_policy {
        views.retain(|view| matches!(view.says.as_str(), "forbids" | "forbade" | "fails"));
        for view in &mut views {
            (view.place, view.why, view.text) = (String::new(), None, String::new());
        }
    }
    views
}

/// Its id as records keep it.
fn guardrail_id(view: &ExplainedGuardrail) -> &str {
    let end = view.id.floor_char_boundary(GUARDRAIL_BYTES_MAX);
    view.id.get(..end).unwrap_or_default()
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

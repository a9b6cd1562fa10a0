//! Questions of applications: would the gate let this pass? Answered by the ruleset that the gate
//! decides by, with the gate's own decision, so that an application and the gate cannot disagree.
//! An answer opens nothing and leaves no call record.
//!
//! What a question does not tell is not known, and no condition holds by it. Administrators and
//! auditors ask about everybody. A member asks about the identities that it sees, and about the
//! APIs that it owns; everything else answers as if nobody had ever heard of it: no, and no more.

mod facts;
mod judge;
mod page;
mod pass;
mod question;
mod search;

use base::Problem;
use base::problem::ProblemKind;
use policy::reading::json;
use policy::{Answers, Ruleset};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use traffic::Reason;

use crate::calls::Sight;
use crate::lookup::Asked;
use crate::view::{
    AskedAction, AskedResource, AskedSubject, Decision, DecisionContext, Evaluated, Evaluation,
    Evaluations, Properties, QuestionError,
};
use crate::{Actor, App, input};
use question::Question;

/// Questions in one request.
const QUESTIONS_MAX: usize = 1_000;

base::words! {
    /// How far several questions are gone through.
    Semantic {
        /// To the end.
        ExecuteAll = "execute_all",
        /// To the first that is refused, or is no question.
        DenyOnFirstDeny = "deny_on_first_deny",
        /// To the first that is allowed.
        PermitOnFirstPermit = "permit_on_first_permit",
    }
}

impl Semantic {
    fn ends_after(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// Reads a question of any form. A member that comes twice means one thing to the asker and
/// another here, so it is refused (RFC 7493 §2.3).
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let bad = |why: String| Problem::invalid("bad_question", why).at("body");
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("a question is a JSON object".to_owned()));
    }
    let question = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    match json::parse(body) {
        Some(_) => Ok(question),
        None => Err(bad("a member comes twice, or values are too deep in each other".to_owned())),
    }
}

/// One of several questions, as far as it is told.
#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    subject: Option<AskedSubject>,
    #[serde(default)]
    action: Option<AskedAction>,
    #[serde(default)]
    resource: Option<AskedResource>,
    #[serde(default)]
    context: Option<Properties>,
}

impl Part {
    fn of(value: Value) -> Result<Self, Problem> {
        let bad = |why: String| Problem::invalid("bad_question", why);
        if !value.is_object() {
            return Err(bad("a question is a JSON object".to_owned()));
        }
        serde_json::from_value(value).map_err(|error| bad(error.to_string()))
    }

    /// The question, with what holds for all of them where it has nothing of its own.
    fn complete(self, all: &Part) -> Result<Evaluation, Problem> {
        Ok(Evaluation {
            subject: given("subject", self.subject.or_else(|| all.subject.clone()))?,
            action: given("action", self.action.or_else(|| all.action.clone()))?,
            resource: given("resource", self.resource.or_else(|| all.resource.clone()))?,
            context: self.context.or_else(|| all.context.clone()),
        })
    }
}

fn given<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::invalid("bad_question", format!("missing field `{name}`")))
}

impl Decision {
    /// There is no decision, and so nothing passes.
    pub(crate) fn none(status: u16, message: String) -> Self {
        let error = Some(QuestionError { status, message });
        let context = DecisionContext { error, ..DecisionContext::default() };
        Self { decision: false, context: Some(context) }
    }
}

impl App {
    /// Answers one question.
    pub async fn evaluate(&self, actor: &Actor, asked: &Evaluation) -> Result<Decision, Problem> {
        let question = Question::read(asked, self.now())?;
        let sight = self.sight(actor).await?;
        Ok(self.answer(&question, &self.ruleset().load_full(), &sight).await)
    }

    /// Answers with what sources say, as the gate would.
    async fn answer(&self, question: &Question, ruleset: &Ruleset, sight: &Sight) -> Decision {
        let judge = |answers: &Answers| question.answer(ruleset, sight, answers);
        let answered = self.with_answers(&mut Asked::default(), judge).await;
        answered.unwrap_or_else(|| {
            let status = Reason::RelationUnknown.status();
            Decision::none(status, Reason::RelationUnknown.to_string())
        })
    }

    /// Answers several questions by one ruleset, or one that is asked in their form.
    pub async fn evaluate_all(
        &self,
        actor: &Actor,
        asked: Evaluations,
    ) -> Result<Evaluated, Problem> {
        let Evaluations { subject, action, resource, context, evaluations, options } = asked;
        let word = options.and_then(|options| options.evaluations_semantic);
        let semantic =
            input::word_or("options.evaluations_semantic", word.as_deref(), Semantic::ExecuteAll)?;
        let all = Part { subject, action, resource, context };
        let parts = evaluations.unwrap_or_default();
        if parts.is_empty() {
            let one = Part::of(Value::Object(Properties::new()))?.complete(&all)?;
            return Ok(Evaluated::One(self.evaluate(actor, &one).await?));
        }
        if parts.len() > QUESTIONS_MAX {
            let detail = format!("more than {QUESTIONS_MAX} questions");
            return Err(Problem::invalid("too_many", detail).at("evaluations"));
        }
        let (sight, ruleset, now) =
            (self.sight(actor).await?, self.ruleset().load_full(), self.now());
        let mut evaluations = Vec::with_capacity(parts.len());
        for part in parts {
            let question = Part::of(part).and_then(|part| part.complete(&all));
            let question = question.and_then(|question| Question::read(&question, now));
            let decision = match question {
                Ok(question) => self.answer(&question, &ruleset, &sight).await,
                Err(problem) => unasked(&problem),
            };
            let ends = semantic.ends_after(decision.decision);
            evaluations.push(decision);
            if ends {
                break;
            }
        }
        Ok(Evaluated::Several { evaluations })
    }
}

/// One of several questions that is none.
fn unasked(problem: &Problem) -> Decision {
    let status = if problem.kind == ProblemKind::Invalid { 400 } else { 500 };
    Decision::none(status, problem.to_string())
}

#[cfg(test)]
mod tests;

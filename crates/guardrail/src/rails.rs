//! Guardrails as they are read from their files: each a `forbid`, with its place and what it looks
//! at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{ApiId, Problem};
use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityUID, Expr, Literal, ResourceConstraint,
    StaticPolicy, Template, Var,
};
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, pst};
use miette::Diagnostic;

use crate::swift::Swift;
use crate::uses::{Opaque, Uses};
use crate::{bounds, names};

/// The member of the context that names what cannot be read.
const UNREADABLE: &str = "unreadable";
/// The annotation that only exports write.
pub(crate) const MARK: &str = "portreeve";

/// One guardrail.
#[derive(Debug, Clone)]
pub(crate) struct Rail {
    /// Its `@id`, else its file and number: `payments.cedar#1`.
    pub(crate) id: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) policy: Policy,
    pub(crate) uses: Uses,
    /// The policy up to the first condition that reads a value of the request. Where this does not
    /// hold, the whole cannot, whatever the value: conditions are judged from left to right.
    pub(crate) prelude: Policy,
    /// The APIs that its scope names; `None` = all.
    pub(crate) apis: Option<BTreeSet<ApiId>>,
    /// The same without Cedar, where all that it says is known there.
    pub(crate) swift: Option<Swift>,
}

/// Reads all files. Whatever is no guardrail is a problem.
pub(crate) fn parse(files: &BTreeMap<String, String>) -> (Vec<Rail>, Vec<Problem>) {
    let (mut rails, mut problems) = (Vec::<Rail>::new(), Vec::new());
    for (file, text) in files {
        if let Err(problem) = bounds::check(file, text) {
            problems.push(problem);
            continue;
        }
        match text.parse::<PolicySet>() {
            Ok(set) => read(file, text, &set, &mut rails, &mut problems),
            Err(errors) => {
                problems.extend(errors.iter().map(|error| syntax(file, text, error)));
            }
        }
    }
    let mut seen: BTreeMap<&str, &Rail> = BTreeMap::new();
    for rail in &rails {
        if let Some(first) = seen.insert(&rail.id, rail) {
            let detail = format!(
                "`{}` is already the id of a guardrail, at {}:{}",
                rail.id, first.file, first.line
            );
            let problem = Problem::invalid("guardrail_id_twice", detail);
            problems.push(problem.at(at(&rail.file, rail.line)).hint("choose another `@id`"));
        }
    }
    (rails, problems)
}

fn read(
    file: &str,
    text: &str,
    set: &PolicySet,
    rails: &mut Vec<Rail>,
    problems: &mut Vec<Problem>,
) {
    let start = |policy: &Policy| policy.as_ref().loc().map_or(0, |loc| loc.start());
    let mut policies: Vec<(usize, &Policy)> = set.policies().map(|one| (start(one), one)).collect();
    policies.sort_by_key(|(start, _)| *start);
    if policies.is_empty() && set.templates().next().is_none() {
        let problem = Problem::invalid("guardrail_file_empty", "the file has no guardrail in it");
        problems.push(problem.at(file).hint("write a `forbid`, or take the file away"));
    }
    for template in set.templates() {
        let line = template.as_ref().loc().map_or(1, |loc| line_of(text, loc.start()));
        let problem = Problem::invalid("guardrail_template", "a guardrail has no slots to fill");
        problems.push(problem.at(at(file, line)).hint("name the principal and the resource"));
    }
    let (mut line, mut counted) = (1, 0);
    for (number, (start, policy)) in (1..).zip(policies) {
        line += text.bytes().take(start).skip(counted).filter(|byte| *byte == b'\n').count();
        counted = start;
        match rail(file, number, line, policy) {
            Ok(rail) => rails.push(rail),
            Err(problem) => problems.push(problem.at(at(file, line))),
        }
    }
}

fn rail(file: &str, number: usize, line: usize, policy: &Policy) -> Result<Rail, Problem> {
    if policy.effect() == Effect::Permit {
        return Err(Problem::invalid("guardrail_permits", "a guardrail only forbids")
            .hint("grants allow: give one, and keep `forbid` for what no grant may override"));
    }
    if policy.annotation(MARK).is_some() {
        let detail = format!("`@{MARK}` is written by exports");
        return Err(Problem::invalid("guardrail_annotation", detail).hint("use another name"));
    }
    let id = match policy.annotation("id") {
        Some("") => return Err(Problem::invalid("guardrail_id", "`@id` is empty")),
        Some(id) => id.to_owned(),
        None => format!("{file}#{number}"),
    };
    let policy = policy.new_id(PolicyId::new(&id));
    let body = match policy.to_pst() {
        Ok(pst::Policy::Static(body)) => body.body().clone(),
        Ok(_) => return Err(Problem::invalid("guardrail_template", "this is no policy by itself")),
        Err(e) => return Err(Problem::invalid("guardrail_syntax", e.to_string())),
    };
    let unclear = |why: Opaque| Problem::invalid("guardrail_unclear", why.detail).hint(why.hint);
    let mut uses = Uses::default();
    uses.add(body.clauses()).map_err(unclear)?;
    let prelude = prelude(&body).map_err(|why| Problem::invalid("guardrail_syntax", why))?;
    let (apis, swift) = (apis(&body), Swift::of(&body, &uses));
    Ok(Rail { apis, id, file: file.to_owned(), line, policy, uses, prelude, swift })
}

/// The policy with the conditions that come before the first one that reads the request.
fn prelude(body: &Template) -> Result<Policy, String> {
    let parts = body.clauses().iter().flat_map(conjuncts);
    let before = parts.take_while(|clause| {
        let mut uses = Uses::default();
        uses.add(std::slice::from_ref(clause)).is_ok() && uses.places.is_empty()
    });
    let (principal, action) = (body.principal.clone(), body.action.clone());
    let scope =
        Template::new(body.id.clone(), body.effect, principal, action, body.resource.clone());
    let part = scope.try_with_clauses(before).map_err(|e| e.to_string())?;
    let part = StaticPolicy::try_from(part).map_err(|e| e.to_string())?;
    Policy::from_pst(pst::Policy::Static(part)).map_err(|e| e.to_string())
}

/// `a && b && c` as three.
fn conjuncts(clause: &Clause) -> Vec<Clause> {
    let Clause::When(whole) = clause else { return vec![clause.clone()] };
    let (mut parts, mut rest) = (Vec::new(), whole);
    while let Expr::BinaryOp { op: BinaryOp::And, left, right } = rest.as_ref() {
        parts.push(Clause::When(Arc::clone(right)));
        rest = left;
    }
    parts.push(Clause::When(Arc::clone(rest)));
    parts.reverse();
    parts
}

/// The APIs that a scope names.
fn apis(body: &Template) -> Option<BTreeSet<ApiId>> {
    let of_action = |uid: &EntityUID| names::api_of(uid.eid.as_str());
    let by_action = match &body.action {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(uid) => of_action(uid).map(|api| BTreeSet::from([api])),
        ActionConstraint::In(uids) => uids.iter().map(of_action).collect(),
    };
    let by_resource = match &body.resource {
        ResourceConstraint::Eq(EntityOrSlot::Entity(uid))
        | ResourceConstraint::In(EntityOrSlot::Entity(uid))
        | ResourceConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => {
            ApiId::parse(uid.eid.as_str()).ok().map(|api| BTreeSet::from([api]))
        }
        _ => None,
    };
    match (by_action, by_resource) {
        (Some(one), Some(other)) => Some(&one & &other),
        (one, other) => one.or(other),
    }
}

fn syntax(file: &str, text: &str, error: &impl Diagnostic) -> Problem {
    let problem = Problem::invalid("guardrail_syntax", error.to_string());
    explained(problem.at(at(file, line_in(text, error).unwrap_or(1))), error)
}

/// With what Cedar advises.
pub(crate) fn explained(problem: Problem, error: &impl Diagnostic) -> Problem {
    match error.help() {
        Some(help) => problem.hint(help.to_string()),
        None => problem,
    }
}

/// The line of the text that an error points to.
pub(crate) fn line_in(text: &str, error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| line_of(text, label.offset()))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

pub(crate) fn at(file: &str, line: usize) -> String {
    format!("{file}:{line}")
}

impl Rail {
    /// What this refuses where a value that it looks at cannot be read: a policy for exports.
    pub(crate) fn unreadable(&self) -> Result<Policy, String> {
        let Ok(pst::Policy::Static(prelude)) = self.prelude.to_pst() else {
            return Err(format!("{}: its first part is no policy", self.id));
        };
        let text = |place: &grant::Place| {
            Arc::new(Expr::Literal(Literal::String(place.to_string().into())))
        };
        let left =
            Expr::GetAttr { expr: Arc::new(Expr::Var(Var::Context)), attr: UNREADABLE.into() };
        let right = Expr::Set(self.uses.places.iter().map(text).collect());
        let (left, right) = (Arc::new(left), Arc::new(right));
        let any = Expr::BinaryOp { op: BinaryOp::ContainsAny, left, right };
        let mark = BTreeMap::from([(MARK.to_owned(), format!("unreadable:{}", self.id).into())]);
        let mut body = prelude.body().clone().with_annotations(mark);
        body.try_add_clause(Clause::When(Arc::new(any))).map_err(|e| e.to_string())?;
        let body = StaticPolicy::try_from(body).map_err(|e| e.to_string())?;
        Policy::from_pst(pst::Policy::Static(body)).map_err(|e| e.to_string())
    }
}

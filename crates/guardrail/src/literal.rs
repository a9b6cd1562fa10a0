//! What guardrails write out: the entities that they name, and the words and numbers that they compare
//! with. Cedar's types know neither which entities there are nor which words a text can be; a
//! guardrail about a misspelled one would forbid nothing, and nobody would know.

use base::{Problem, nearest};
use catalog::{Accept, ApiMode, Impact};
use cedar_policy::pst::{
    self, BinaryOp, Clause, EntityOrSlot, EntityUID, Expr, Literal, PrincipalConstraint,
    ResourceConstraint, Template, Var,
};
use identity::{Binding, CredentialClass, Environment, IdentityKind, Strength};

use crate::rails::{Rail, at};

/// An entity that a guardrail names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Its type.
    pub kind: NamedKind,
    /// Its id, as written.
    pub id: String,
    /// Where: file and line.
    pub place: String,
}

/// What a guardrail can name beside operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKind {
    /// An API.
    Api,
    /// A group.
    Group,
    /// An identity.
    Identity,
}

impl Named {
    /// That there is no such thing. `known`: what there is.
    pub fn unknown<'k>(&self, known: impl IntoIterator<Item = &'k str>) -> Problem {
        let (word, hint) = match self.kind {
            NamedKind::Api => ("API", "`portreeve api list` lists them"),
            NamedKind::Group => ("group", "groups are named by their ids"),
            NamedKind::Identity => ("identity", "`portreeve identity list` lists them"),
        };
        let detail = format!("there is no {word} `{}`, so this forbids nothing", self.id);
        let problem = Problem::invalid("guardrail_unknown_name", detail).at(&self.place);
        match nearest(&self.id, known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(hint),
        }
    }
}

/// What a member that guardrails compare can be.
enum Range {
    Words(Vec<&'static str>),
    Numbers(i64, i64),
}

/// What is known of members: `None` = any text or number.
fn range(expr: &Expr) -> Option<(String, Range)> {
    let Expr::GetAttr { expr, attr } = expr else { return None };
    let Expr::Var(var) = expr.as_ref() else { return None };
    fn words<T>(all: &'static [T], word: fn(&T) -> &'static str) -> Range {
        Range::Words(all.iter().map(word).collect())
    }
    let (of, range) = match (var, attr.as_str()) {
        (Var::Principal, "kind") => ("principal", words(IdentityKind::ALL, |one| one.as_str())),
        (Var::Principal, "environment") => {
            ("principal", words(Environment::ALL, |one| one.as_str()))
        }
        (Var::Resource, "impact") => ("resource", words(Impact::ALL, |one| one.as_str())),
        (Var::Resource, "mode") => ("resource", words(ApiMode::ALL, |one| one.as_str())),
        (Var::Resource, "accept") => ("resource", words(Accept::ALL, crate::asked::class_of)),
        (Var::Context, "credential_class") => {
            ("context", words(CredentialClass::ALL, |one| one.as_str()))
        }
        (Var::Context, "strength") => ("context", words(Strength::ALL, |one| one.as_str())),
        (Var::Context, "binding") => ("context", words(Binding::ALL, |one| one.as_str())),
        // The end of the last minute is written by whoever means `before the end`.
        (Var::Context, "week_minute") => ("context", Range::Numbers(0, 10_080)),
        (Var::Context, "draw") => ("context", Range::Numbers(0, 10_000)),
        (Var::Context, "now_us") => ("context", Range::Numbers(0, 1_000)),
        _ => return None,
    };
    Some((format!("{of}.{attr}"), range))
}

/// Every entity that a guardrail names, and what it compares with what can never be.
#[derive(Default)]
struct Found {
    entities: Vec<EntityUID>,
    impossible: Vec<(String, String)>,
}

impl Found {
    fn of(rail: &Rail) -> Self {
        let mut found = Self::default();
        if let Ok(pst::Policy::Static(body)) = rail.policy.to_pst() {
            found.scope(body.body());
            for clause in body.body().clauses() {
                let (Clause::When(expr) | Clause::Unless(expr)) = clause;
                found.walk(expr);
            }
        }
        found
    }

    fn scope(&mut self, body: &Template) {
        let principal = match &body.principal {
            PrincipalConstraint::Eq(one)
            | PrincipalConstraint::In(one)
            | PrincipalConstraint::IsIn(_, one) => Some(one),
            _ => None,
        };
        let resource = match &body.resource {
            ResourceConstraint::Eq(one)
            | ResourceConstraint::In(one)
            | ResourceConstraint::IsIn(_, one) => Some(one),
            _ => None,
        };
        for one in [principal, resource].into_iter().flatten() {
            if let EntityOrSlot::Entity(uid) = one {
                self.entities.push(uid.clone());
            }
        }
    }

    /// No deeper than a guardrail may be.
    fn walk(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(Literal::EntityUID(uid)) => self.entities.push(uid.clone()),
            Expr::UnaryOp { expr, .. }
            | Expr::GetAttr { expr, .. }
            | Expr::HasAttr { expr, .. }
            | Expr::Like { expr, .. } => self.walk(expr),
            Expr::BinaryOp { op, left, right } => {
                self.compare(*op, left, right);
                self.compare(*op, right, left);
                self.walk(left);
                self.walk(right);
            }
            Expr::Is { expr, in_expr, .. } => {
                self.walk(expr);
                in_expr.iter().for_each(|within| self.walk(within));
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                [cond, then_expr, else_expr].into_iter().for_each(|part| self.walk(part));
            }
            Expr::Set(items) => items.iter().for_each(|item| self.walk(item)),
            Expr::Record(members) => members.values().for_each(|value| self.walk(value)),
            _ => {}
        }
    }

    /// `member == literal`, `[literals].contains(member)` and the like.
    fn compare(&mut self, op: BinaryOp, member: &Expr, with: &Expr) {
        let is_comparison = matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::NotEq
                | BinaryOp::Less
                | BinaryOp::LessEq
                | BinaryOp::Greater
                | BinaryOp::GreaterEq
                | BinaryOp::Contains
                | BinaryOp::ContainsAll
                | BinaryOp::ContainsAny
        );
        let Some((name, range)) = range(member).filter(|_| is_comparison) else { return };
        let literals: Vec<&Expr> = match with {
            Expr::Set(items) => items.iter().map(AsRef::as_ref).collect(),
            other => vec![other],
        };
        for literal in literals {
            let Expr::Literal(literal) = literal else { continue };
            match (literal, &range) {
                (Literal::String(text), Range::Words(words)) if !words.contains(&text.as_str()) => {
                    let near = nearest(text, words.iter().copied());
                    let hint = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it is one of {}", words.join(", ")),
                    };
                    self.impossible.push((format!("`{name}` is never `{text}`"), hint));
                }
                (Literal::Long(number), Range::Numbers(least, most))
                    if !(least..=most).contains(&number) =>
                {
                    let detail = format!("`{name}` is compared with {number}, which it never is");
                    let hint = format!("it is from {least} to {}", most - 1);
                    self.impossible.push((detail, hint));
                }
                _ => {}
            }
        }
    }
}

/// The entities that guardrails name, sorted.
pub(crate) fn named(rails: &[Rail]) -> Vec<Named> {
    let mut all = Vec::new();
    for rail in rails {
        for uid in Found::of(rail).entities {
            let kind = match uid.ty.to_string().as_str() {
                "Api" => NamedKind::Api,
                "Group" => NamedKind::Group,
                "Identity" => NamedKind::Identity,
                _ => continue,
            };
            all.push(Named { kind, id: uid.eid.to_string(), place: at(&rail.file, rail.line) });
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What can never hold, whoever calls and whatever exists.
pub(crate) fn impossible(rails: &[Rail]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rail in rails {
        let place = at(&rail.file, rail.line);
        for (detail, hint) in Found::of(rail).impossible {
            let problem = Problem::invalid("guardrail_unknown_word", detail).at(&place);
            problems.push(problem.hint(hint));
        }
        if rail.apis.as_ref().is_some_and(|apis| apis.is_empty()) {
            let detail =
                "the action is of one API and the resource is another: this forbids nothing";
            let problem = Problem::invalid("guardrail_impossible", detail).at(&place);
            problems.push(problem.hint("name the API that the operation belongs to"));
        }
    }
    problems
}

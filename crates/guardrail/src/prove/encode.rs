//! Policies as formulas, for one caller and one operation: what is known of these is worked out,
//! what a request brings stays open. Of Cedar this takes what exports write and what guardrails
//! mostly are; the rest is told as such, and nothing is claimed about it.

use std::net::IpAddr;

use catalog::{Api, Operation};
use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityUID, Expr, Literal, ResourceConstraint, Template,
    UnaryOp, Var,
};
use identity::Identity;
use ipnet::IpNet;
use policy::About;

use super::names::{Names, v6};
use super::subject::Subject;
use super::term::Term;
use crate::{moment, names};

/// Something that is not in the fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outside(pub(super) String);

pub(super) type Encoded<T> = Result<T, Outside>;

/// What an expression comes to.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A truth, a number, a text, a time or a set of these.
    Plain(Term),
    /// The caller's address.
    Address,
    Network(IpNet),
    /// Milliseconds.
    Duration(i64),
    Entity(String, String),
    Entities(Vec<(String, String)>),
    /// The lists that cover all that is written.
    Within,
}

/// One caller and what it asks for.
pub(super) struct Case<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) identity: &'a Identity,
    pub(super) about: &'a About,
    pub(super) api: &'a Api,
    pub(super) operation: Option<&'a Operation>,
}

pub(super) fn outside<T>(what: impl Into<String>) -> Encoded<T> {
    Err(Outside(what.into()))
}

impl Case<'_> {
    /// When a policy whose principal fits holds.
    pub(super) fn policy(&self, policy: &Template, names: &mut Names) -> Encoded<Term> {
        if !self.fits(policy) {
            return Ok(Term::FALSE);
        }
        let mut parts = Vec::new();
        for clause in policy.clauses() {
            let part = match clause {
                Clause::When(expr) => self.truth(expr, names)?,
                Clause::Unless(expr) => Term::not(self.truth(expr, names)?),
            };
            if part == Term::FALSE {
                return Ok(part);
            }
            parts.push(part);
        }
        Ok(Term::and(parts))
    }

    fn fits(&self, policy: &Template) -> bool {
        let acts = |uid: &EntityUID| self.acts_in(uid.eid.as_str());
        let action = match &policy.action {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => *uid.eid == *self.action(),
            ActionConstraint::In(uids) => uids.iter().any(acts),
        };
        let on = |text: String| text == format!("Api::\"{}\"", self.api.id);
        action
            && match &policy.resource {
                ResourceConstraint::Any => true,
                ResourceConstraint::Is(kind) => kind.to_string() == "Api",
                ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) => on(uid.to_string()),
                ResourceConstraint::IsIn(kind, uid) => {
                    kind.to_string() == "Api" && on(uid.to_string())
                }
            }
    }

    pub(super) fn action(&self) -> String {
        names::action_of(self.api, self.operation)
    }

    fn acts_in(&self, group: &str) -> bool {
        self.subject.is_within("Action", &self.action(), "Action", group)
    }

    fn truth(&self, expr: &Expr, names: &mut Names) -> Encoded<Term> {
        self.plain(expr, names)
    }

    fn plain(&self, expr: &Expr, names: &mut Names) -> Encoded<Term> {
        match self.value(expr, names)? {
            Value::Plain(term) => Ok(term),
            _ => outside(format!("`{expr}` is compared")),
        }
    }

    fn value(&self, expr: &Expr, names: &mut Names) -> Encoded<Value> {
        match expr {
            Expr::Literal(literal) => Ok(self.literal(literal, names)),
            Expr::Var(Var::Principal) => {
                Ok(Value::Entity("Identity".to_owned(), self.identity.id.to_string()))
            }
            Expr::Var(Var::Action) => Ok(Value::Entity("Action".to_owned(), self.action())),
            Expr::Var(Var::Resource) => {
                Ok(Value::Entity("Api".to_owned(), self.api.id.to_string()))
            }
            Expr::GetAttr { expr: base, attr } => {
                let (var, path) = chain(base, vec![attr.as_str()])?;
                self.member(var, &path, names).map(|(_, value)| value)
            }
            Expr::HasAttr { expr: base, attrs } => {
                let (var, path) = chain(base, attrs.iter().map(|attr| attr.as_str()).collect())?;
                self.member(var, &path, names).map(|(there, _)| Value::Plain(there))
            }
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, names),
            Expr::BinaryOp { op, left, right } => self.binary(*op, left, right, names),
            Expr::Is { expr, entity_type, in_expr } => {
                let Value::Entity(kind, _) = self.value(expr, names)? else {
                    return outside(format!("`{expr} is`"));
                };
                let is = Value::Plain(Term::Bool(kind == entity_type.to_string()));
                match in_expr {
                    Some(within) if kind == entity_type.to_string() => {
                        self.binary(BinaryOp::In, expr, within, names)
                    }
                    _ => Ok(is),
                }
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => match self.truth(cond, names)? {
                Term::Bool(true) => self.value(then_expr, names),
                Term::Bool(false) => self.value(else_expr, names),
                open => {
                    let then = self.plain(then_expr, names)?;
                    let otherwise = self.plain(else_expr, names)?;
                    Ok(Value::Plain(Term::choose(open, then, otherwise)))
                }
            },
            Expr::Set(items) => self.set(items, names),
            other => outside(format!("`{other}`")),
        }
    }

    fn literal(&self, literal: &Literal, names: &mut Names) -> Value {
        match literal {
            Literal::Bool(value) => Value::Plain(Term::Bool(*value)),
            Literal::Long(value) => Value::Plain(Term::Int((*value).into())),
            Literal::String(text) => Value::Plain(names.text(text)),
            Literal::EntityUID(uid) => Value::Entity(uid.ty.to_string(), uid.eid.to_string()),
            _ => Value::Entity(String::new(), String::new()),
        }
    }

    fn set(&self, items: &[std::sync::Arc<Expr>], names: &mut Names) -> Encoded<Value> {
        let (mut plain, mut open, mut entities) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match self.value(item, names)? {
                Value::Plain(Term::Int(number)) => plain.push(number),
                Value::Plain(term) => open.push(term),
                Value::Entity(kind, id) => entities.push((kind, id)),
                _ => return outside(format!("`{item}` in a set")),
            }
        }
        if !open.is_empty() {
            return outside("a set of what is not known before");
        }
        if entities.is_empty() {
            return Ok(Value::Plain(Term::Set(plain.into_iter().collect())));
        }
        Ok(Value::Entities(entities))
    }

    fn unary(&self, op: UnaryOp, expr: &Expr, names: &mut Names) -> Encoded<Value> {
        let text = || match expr {
            Expr::Literal(Literal::String(text)) => Ok(text.as_str()),
            _ => outside(format!("`{op}` of what is no literal")),
        };
        match op {
            UnaryOp::Not => self.truth(expr, names).map(|term| Value::Plain(Term::not(term))),
            UnaryOp::IsEmpty => {
                let set = self.plain(expr, names)?;
                Ok(Value::Plain(Term::equal(set, Term::empty())))
            }
            UnaryOp::Ip => network(text()?).map(Value::Network),
            UnaryOp::Datetime => {
                let text = text()?;
                moment::read(text).map_or_else(
                    || outside(format!("the time `{text}`")),
                    |millis| Ok(Value::Plain(Term::Int(millis.into()))),
                )
            }
            UnaryOp::Duration => {
                let millis = text()?.strip_suffix("ms").and_then(|text| text.parse().ok());
                millis.map_or_else(|| outside("such a duration"), |ms| Ok(Value::Duration(ms)))
            }
            UnaryOp::IsIPv4 => Ok(Value::Plain(Term::var("v4"))),
            UnaryOp::IsIPV6 => Ok(Value::Plain(Term::not(Term::var("v4")))),
            other => outside(format!("`{other}`")),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, names: &mut Names) -> Encoded<Value> {
        if let Some(term) = self.logic(op, left, right, names)? {
            return Ok(Value::Plain(term));
        }
        let pair = (self.value(left, names)?, self.value(right, names)?);
        let term = match (op, pair) {
            (BinaryOp::Eq | BinaryOp::NotEq, (Value::Entity(a, b), Value::Entity(c, d))) => {
                let same = a == c && b == d;
                Term::Bool(same == (op == BinaryOp::Eq))
            }
            (BinaryOp::In, (Value::Entity(kind, id), Value::Entity(of, group))) => {
                Term::Bool(self.subject.is_within(&kind, &id, &of, &group))
            }
            (BinaryOp::In, (Value::Entity(kind, id), Value::Entities(groups))) => {
                let within =
                    |(of, group): &(String, String)| self.subject.is_within(&kind, &id, of, group);
                Term::Bool(groups.iter().any(within))
            }
            (BinaryOp::Contains, (Value::Entities(all), Value::Entity(kind, id))) => {
                Term::Bool(all.contains(&(kind, id)))
            }
            (BinaryOp::Contains, (Value::Within, Value::Plain(Term::Int(key)))) => {
                self.writes_within(key, names)?
            }
            (BinaryOp::IsInRange, (Value::Address, Value::Network(network))) => in_range(&network),
            (BinaryOp::Offset, (Value::Plain(Term::Int(at)), Value::Duration(millis))) => {
                Term::Int(at + i128::from(millis))
            }
            (op, (Value::Plain(one), Value::Plain(other))) => plain(op, one, other)?,
            _ => return outside(format!("`{left} {op} {right}`")),
        };
        Ok(Value::Plain(term))
    }

    /// `&&` and `||`, judged from left to right.
    fn logic(
        &self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        names: &mut Names,
    ) -> Encoded<Option<Term>> {
        let settles = match op {
            BinaryOp::And => Term::FALSE,
            BinaryOp::Or => Term::TRUE,
            _ => return Ok(None),
        };
        let first = self.truth(left, names)?;
        if first == settles {
            return Ok(Some(first));
        }
        let second = self.truth(right, names)?;
        Ok(Some(match op {
            BinaryOp::And => Term::and([first, second]),
            _ => Term::or([first, second]),
        }))
    }

    fn writes_within(&self, key: i128, names: &mut Names) -> Encoded<Term> {
        let key = names.word(key);
        let Some(list) = self.subject.uses().writable.get(&key) else {
            return outside(format!("the list `{key}`"));
        };
        let list = names.set(list.iter().map(String::as_str));
        Ok(Term::and([Term::var("readable"), Term::subset(Term::var("writes"), list)]))
    }
}

fn chain<'e>(base: &'e Expr, path: Vec<&'e str>) -> Encoded<(&'e Var, Vec<&'e str>)> {
    match base {
        Expr::Var(var) => Ok((var, path)),
        Expr::GetAttr { expr, attr } => {
            chain(expr, std::iter::once(attr.as_str()).chain(path).collect())
        }
        other => outside(format!("a member of `{other}`")),
    }
}

fn plain(op: BinaryOp, one: Term, other: Term) -> Encoded<Term> {
    Ok(match op {
        BinaryOp::Eq => Term::equal(one, other),
        BinaryOp::NotEq => Term::not(Term::equal(one, other)),
        BinaryOp::Less => Term::less(one, other),
        BinaryOp::LessEq => Term::at_most(one, other),
        BinaryOp::Greater => Term::less(other, one),
        BinaryOp::GreaterEq => Term::at_most(other, one),
        BinaryOp::Contains => Term::member(other, one),
        BinaryOp::ContainsAll => Term::subset(other, one),
        BinaryOp::ContainsAny => Term::meets(one, other),
        other => return outside(format!("`{other}`")),
    })
}

fn network(text: &str) -> Encoded<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single);
    network.map_or_else(|| outside(format!("the network `{text}`")), Ok)
}

fn in_range(network: &IpNet) -> Term {
    let (is_v4, low, high) = match network {
        IpNet::V4(net) => {
            (true, u32::from(net.network()).into(), u32::from(net.broadcast()).into())
        }
        IpNet::V6(net) => (false, v6(net.network().into()), v6(net.broadcast().into())),
    };
    let address = || Term::var("address");
    let kind = if is_v4 { Term::var("v4") } else { Term::not(Term::var("v4")) };
    let above = Term::at_most(Term::Int(low), address());
    Term::and([kind, above, Term::at_most(address(), Term::Int(high))])
}

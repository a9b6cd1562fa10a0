//! From Cedar's syntax tree. `None` for whatever is not certain to mean the same.

use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityType, EntityUID, Expr, Literal,
    PrincipalConstraint, ResourceConstraint, Template, UnaryOp, Var,
};
use ipnet::IpNet;

use super::{
    Action, Number, OfApi, OfPrincipal, Order, Principal, Resource, Set, Swift, Text, Truth,
};
use crate::moment;
use crate::uses::{self, Uses};

impl Swift {
    /// `uses`: what the policy looks at.
    pub(crate) fn of(body: &Template, uses: &Uses) -> Option<Self> {
        let conditions = body.clauses().iter().map(|clause| match clause {
            Clause::When(expr) => Some((true, truth(expr)?)),
            Clause::Unless(expr) => Some((false, truth(expr)?)),
        });
        Some(Self {
            principal: principal(&body.principal)?,
            action: match &body.action {
                ActionConstraint::Any => Action::Any,
                ActionConstraint::Eq(uid) => Action::Is(id(uid, "Action")?),
                ActionConstraint::In(uids) => {
                    let ids: Option<Box<[String]>> =
                        uids.iter().map(|uid| id(uid, "Action")).collect();
                    Action::In(ids?)
                }
            },
            resource: match &body.resource {
                ResourceConstraint::Any => Resource::Any,
                ResourceConstraint::Is(kind) => of_kind(kind, "Api").then_some(Resource::Any)?,
                // Nothing is in an API but itself.
                ResourceConstraint::Eq(EntityOrSlot::Entity(uid))
                | ResourceConstraint::In(EntityOrSlot::Entity(uid)) => {
                    Resource::Is(id(uid, "Api")?)
                }
                ResourceConstraint::IsIn(kind, EntityOrSlot::Entity(uid)) => {
                    of_kind(kind, "Api").then_some(Resource::Is(id(uid, "Api")?))?
                }
                _ => return None,
            },
            places: uses.places.iter().cloned().collect(),
            conditions: conditions.collect::<Option<_>>()?,
        })
    }
}

fn principal(constraint: &PrincipalConstraint) -> Option<Principal> {
    match constraint {
        PrincipalConstraint::Any => Some(Principal::Any),
        PrincipalConstraint::Is(kind) => of_kind(kind, "Identity").then_some(Principal::Any),
        PrincipalConstraint::Eq(EntityOrSlot::Entity(uid)) => {
            Some(Principal::Is(id(uid, "Identity")?))
        }
        PrincipalConstraint::In(EntityOrSlot::Entity(uid)) => within(uid),
        PrincipalConstraint::IsIn(kind, EntityOrSlot::Entity(uid)) => {
            of_kind(kind, "Identity").then(|| within(uid))?
        }
        _ => None,
    }
}

/// Whoever is in a group, or the one identity, which is in itself.
fn within(uid: &EntityUID) -> Option<Principal> {
    id(uid, "Group").map(Principal::In).or_else(|| id(uid, "Identity").map(Principal::Is))
}

fn of_kind(kind: &EntityType, wanted: &str) -> bool {
    kind.0.namespace.is_empty() && kind.0.id.as_str() == wanted
}

fn id(uid: &EntityUID, kind: &str) -> Option<String> {
    of_kind(&uid.ty, kind).then(|| uid.eid.as_str().to_owned())
}

fn truth(expr: &Expr) -> Option<Truth> {
    Some(match expr {
        Expr::Literal(Literal::Bool(value)) => Truth::Known(*value),
        Expr::UnaryOp { op: UnaryOp::Not, expr } => Truth::Not(Box::new(truth(expr)?)),
        Expr::UnaryOp { op: UnaryOp::IsEmpty, expr } => Truth::IsEmpty(set(expr)?),
        Expr::BinaryOp { op: op @ (BinaryOp::And | BinaryOp::Or), .. } => {
            let parts = spine(expr, *op).into_iter().map(truth).collect::<Option<_>>()?;
            if *op == BinaryOp::And { Truth::All(parts) } else { Truth::Any(parts) }
        }
        Expr::BinaryOp { op, left, right } => binary(*op, left, right)?,
        Expr::HasAttr { expr, attrs } => {
            has(expr, attrs.iter().map(|attr| attr.as_str()).collect())?
        }
        Expr::Like { expr, pattern } => Truth::Like(text(expr)?, pattern.clone().into()),
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            Truth::Choose(Box::new([truth(cond)?, truth(then_expr)?, truth(else_expr)?]))
        }
        _ => return None,
    })
}

/// `a && b && c` leans to the left: its parts in order.
fn spine(expr: &Expr, wanted: BinaryOp) -> Vec<&Expr> {
    let (mut parts, mut rest) = (Vec::new(), expr);
    while let Expr::BinaryOp { op, left, right } = rest {
        if *op != wanted {
            break;
        }
        parts.push(right.as_ref());
        rest = left;
    }
    parts.push(rest);
    parts.reverse();
    parts
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Truth> {
    let not = |truth| Truth::Not(Box::new(truth));
    Some(match op {
        BinaryOp::Eq => same(left, right)?,
        BinaryOp::NotEq => not(same(left, right)?),
        BinaryOp::Less => compare(Order::Less, left, right)?,
        BinaryOp::LessEq => compare(Order::AtMost, left, right)?,
        BinaryOp::Greater => compare(Order::Less, right, left)?,
        BinaryOp::GreaterEq => compare(Order::AtMost, right, left)?,
        BinaryOp::Contains => Truth::Contains(set(left)?, text(right)?),
        BinaryOp::ContainsAll => Truth::ContainsAll(set(left)?, set(right)?),
        BinaryOp::ContainsAny => Truth::ContainsAny(set(left)?, set(right)?),
        BinaryOp::IsInRange => Truth::InRange(range(left, right)?),
        BinaryOp::In => belongs(left, right)?,
        _ => return None,
    })
}

fn same(left: &Expr, right: &Expr) -> Option<Truth> {
    if let (Some(one), Some(other)) = (text(left), text(right)) {
        return Some(Truth::Same(one, other));
    }
    if let Some(compared) = compare(Order::Equal, left, right) {
        return Some(compared);
    }
    match (left, right) {
        (Expr::Var(var), Expr::Literal(Literal::EntityUID(uid)))
        | (Expr::Literal(Literal::EntityUID(uid)), Expr::Var(var)) => match var {
            Var::Principal => Some(Truth::Principal(Principal::Is(id(uid, "Identity")?))),
            Var::Action => Some(Truth::Action(Action::Is(id(uid, "Action")?))),
            Var::Resource => Some(Truth::Resource(Resource::Is(id(uid, "Api")?))),
            Var::Context => None,
        },
        _ => None,
    }
}

/// Numbers with numbers, times with times. That both are of one kind was checked by the schema; here
/// it is known of each by itself.
fn compare(order: Order, left: &Expr, right: &Expr) -> Option<Truth> {
    let (one, other) = (number(left)?, number(right)?);
    (is_time(left) == is_time(right)).then_some(Truth::Compare(order, one, other))
}

fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::UnaryOp { op: UnaryOp::Datetime, .. } => true,
        Expr::GetAttr { attr, .. } => attr.as_str() == "now",
        _ => false,
    }
}

fn number(expr: &Expr) -> Option<Number> {
    match expr {
        Expr::Literal(Literal::Long(value)) => Some(Number::Literal(*value)),
        Expr::UnaryOp { op: UnaryOp::Datetime, expr } => match expr.as_ref() {
            Expr::Literal(Literal::String(text)) => moment::read(text).map(Number::Literal),
            _ => None,
        },
        Expr::GetAttr { expr, attr } => match (chain(expr, vec![attr.as_str()])?, ()) {
            ((Var::Context, names), ()) => match names.as_slice() {
                ["now"] => Some(Number::Now),
                ["now_us"] => Some(Number::NowMicros),
                ["week_minute"] => Some(Number::WeekMinute),
                ["draw"] => Some(Number::Draw),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<Text> {
    match expr {
        Expr::Literal(Literal::String(text)) => Some(Text::Literal(text.as_str().to_owned())),
        Expr::GetAttr { expr, attr } => {
            let (var, names) = chain(expr, vec![attr.as_str()])?;
            member(&var, &names)
        }
        _ => None,
    }
}

fn member(var: &Var, names: &[&str]) -> Option<Text> {
    Some(match (var, names) {
        (Var::Context, ["credential_class"]) => Text::CredentialClass,
        (Var::Context, ["strength"]) => Text::Strength,
        (Var::Context, ["binding"]) => Text::Binding,
        (Var::Principal, [name]) => Text::OfPrincipal(match *name {
            "id" => OfPrincipal::Id,
            "kind" => OfPrincipal::Kind,
            "environment" => OfPrincipal::Environment,
            "owner" => OfPrincipal::Owner,
            "vendor" => OfPrincipal::Vendor,
            "email" => OfPrincipal::Email,
            _ => return None,
        }),
        (Var::Resource, [name]) => Text::OfApi(match *name {
            "name" => OfApi::Name,
            "impact" => OfApi::Impact,
            "mode" => OfApi::Mode,
            "environment" => OfApi::Environment,
            "owner" => OfApi::Owner,
            _ => return None,
        }),
        _ => return None,
    })
}

fn set(expr: &Expr) -> Option<Set> {
    match expr {
        Expr::Set(items) => {
            let texts = items.iter().map(|item| match item.as_ref() {
                Expr::Literal(Literal::String(text)) => Some(text.as_str().to_owned()),
                _ => None,
            });
            texts.collect::<Option<_>>().map(Set::Literal)
        }
        Expr::GetAttr { expr, attr } => {
            let (var, names) = chain(expr, vec![attr.as_str()])?;
            values(&var, &names)
        }
        _ => None,
    }
}

fn values(var: &Var, names: &[&str]) -> Option<Set> {
    Some(match (var, names) {
        (Var::Context, [part @ ("path" | "query" | "header" | "body"), name]) => {
            Set::Place(uses::place(part, name).ok()?)
        }
        (Var::Context, ["claims", name]) => Set::Claim((*name).to_owned()),
        (Var::Principal, ["attributes", name]) => Set::Attribute((*name).to_owned()),
        (Var::Principal, ["related", name]) => Set::Related((*name).to_owned()),
        (Var::Resource, ["accept"]) => Set::Accept,
        _ => return None,
    })
}

fn has(expr: &Expr, names: Vec<&str>) -> Option<Truth> {
    let (var, names) = chain(expr, names)?;
    if let Some(set) = values(&var, &names) {
        return Some(Truth::HasSet(set));
    }
    if let Some(text) = member(&var, &names) {
        return Some(Truth::HasText(text));
    }
    match (&var, names.as_slice()) {
        (Var::Context, ["source"]) => Some(Truth::HasSource),
        (Var::Context, ["path" | "query" | "header" | "body" | "claims"])
        | (Var::Context, ["now" | "now_us" | "week_minute" | "draw"])
        | (Var::Principal, ["attributes" | "related"]) => Some(Truth::Known(true)),
        _ => None,
    }
}

/// Of the caller's address; of no other.
fn range(left: &Expr, right: &Expr) -> Option<IpNet> {
    let Expr::GetAttr { expr, attr } = left else { return None };
    let (Var::Context, names) = chain(expr, vec![attr.as_str()])? else { return None };
    let Expr::UnaryOp { op: UnaryOp::Ip, expr } = right else { return None };
    let Expr::Literal(Literal::String(text)) = expr.as_ref() else { return None };
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single);
    network.filter(|_| names.as_slice() == ["source"])
}

/// `principal in …` and `action in …`, of one or of a list.
fn belongs(left: &Expr, right: &Expr) -> Option<Truth> {
    let one = |expr: &Expr| match expr {
        Expr::Literal(Literal::EntityUID(uid)) => Some(uid.clone()),
        _ => None,
    };
    let uids: Vec<EntityUID> = match right {
        Expr::Set(items) => {
            items.iter().map(|item: &Arc<Expr>| one(item)).collect::<Option<_>>()?
        }
        single => vec![one(single)?],
    };
    match left {
        Expr::Var(Var::Principal) => {
            let any = uids.iter().map(|uid| within(uid).map(Truth::Principal));
            any.collect::<Option<_>>().map(Truth::Any)
        }
        Expr::Var(Var::Action) => {
            let ids: Option<Box<[String]>> = uids.iter().map(|uid| id(uid, "Action")).collect();
            Some(Truth::Action(Action::In(ids?)))
        }
        _ => None,
    }
}

/// A variable and the names of its members, one within the other.
fn chain<'e>(base: &'e Expr, names: Vec<&'e str>) -> Option<(Var, Vec<&'e str>)> {
    match base {
        Expr::Var(var) => Some((var.clone(), names)),
        Expr::GetAttr { expr, attr } => {
            chain(expr, std::iter::once(attr.as_str()).chain(names).collect())
        }
        _ => None,
    }
}

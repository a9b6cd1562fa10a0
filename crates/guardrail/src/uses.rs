//! What a policy looks at, read from its syntax tree. Names are always written out in these
//! policies (`context.body.amount`, never a computed one), so that what has to be read of a request
//! is known before one comes.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::pst::{BinaryOp, Clause, Expr, Var};
use grant::{Place, Source, Tie};

/// What policies look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Members of the caller's entity.
    pub principal: BTreeSet<String>,
    /// Members of the API's entity.
    pub resource: BTreeSet<String>,
    /// Members of the context.
    pub context: BTreeSet<String>,
    /// Attributes that identities were given.
    pub attributes: BTreeSet<String>,
    /// Relations of identities.
    pub related: BTreeSet<String>,
    /// Claims of tokens.
    pub claims: BTreeSet<String>,
    /// Values of the request.
    pub places: BTreeSet<Place>,
    /// Sources of a tie that are more than one, by their text: Cedar knows no union of sets.
    pub unions: BTreeMap<String, Vec<Source>>,
    /// What may be written, each list by its canonical text.
    pub writable: BTreeMap<String, Vec<String>>,
}

/// Why what a policy looks at cannot be told, or must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opaque {
    pub(crate) detail: String,
    pub(crate) hint: &'static str,
}

const BY_NAME: &str = "name the value itself: `context.body has amount && context.body.amount…`";
const OF_REQUEST: &str = "only the principal, the action, the resource and the context are known";
const LOWER: &str = "header fields are named in lower case: `context.header[\"x-tenant\"]`";
const PLAIN: &str = "write a dotted name as one: `context.body[\"customer.id\"]`";

impl Uses {
    /// Adds what these clauses look at.
    pub(crate) fn add(&mut self, clauses: &[Clause]) -> Result<(), Opaque> {
        clauses.iter().try_for_each(|clause| match clause {
            Clause::When(expr) | Clause::Unless(expr) => self.visit(expr),
        })
    }

    /// Adds what another looks at.
    pub(crate) fn merge(&mut self, other: &Self) {
        let names = |mine: &mut BTreeSet<String>, theirs: &BTreeSet<String>| {
            mine.extend(theirs.iter().cloned());
        };
        names(&mut self.principal, &other.principal);
        names(&mut self.resource, &other.resource);
        names(&mut self.context, &other.context);
        names(&mut self.attributes, &other.attributes);
        names(&mut self.related, &other.related);
        names(&mut self.claims, &other.claims);
        self.places.extend(other.places.iter().cloned());
        self.unions.extend(other.unions.clone());
        self.writable.extend(other.writable.clone());
    }

    fn visit(&mut self, expr: &Expr) -> Result<(), Opaque> {
        match expr {
            Expr::GetAttr { expr, attr } => self.chain(expr, &[attr.as_str()]),
            Expr::HasAttr { expr, attrs } => {
                let names: Vec<&str> = attrs.iter().map(|attr| attr.as_str()).collect();
                self.chain(expr, &names)
            }
            Expr::Var(Var::Context) => Err(opaque("the context as a whole is compared", BY_NAME)),
            Expr::Literal(_) | Expr::Var(_) => Ok(()),
            Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => self.visit(expr),
            Expr::BinaryOp { op: BinaryOp::In, left, right } => {
                variable(left)?;
                self.visit(right)
            }
            Expr::BinaryOp { .. } => self.spine(expr),
            Expr::Is { expr, in_expr, .. } => {
                variable(expr)?;
                in_expr.as_ref().map_or(Ok(()), |within| self.visit(within))
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                self.visit(cond)?;
                self.visit(then_expr)?;
                self.visit(else_expr)
            }
            Expr::Set(items) => items.iter().try_for_each(|item| self.visit(item)),
            Expr::Record(members) => members.values().try_for_each(|value| self.visit(value)),
            _ => Err(opaque("an expression of this kind is not known here", OF_REQUEST)),
        }
    }

    /// `a || b || c …` leans to the left: a long list is walked, not descended into.
    fn spine(&mut self, expr: &Expr) -> Result<(), Opaque> {
        let mut rest = expr;
        while let Expr::BinaryOp { op, left, right } = rest {
            if *op == BinaryOp::In {
                break;
            }
            self.visit(right)?;
            rest = left;
        }
        self.visit(rest)
    }

    /// `base.a.b.c`, where `names` ends it.
    fn chain(&mut self, base: &Expr, names: &[&str]) -> Result<(), Opaque> {
        match base {
            Expr::GetAttr { expr, attr } => {
                let longer: Vec<&str> =
                    std::iter::once(attr.as_str()).chain(names.iter().copied()).collect();
                self.chain(expr, &longer)
            }
            Expr::Var(var) => self.note(var, names),
            // Entities other than those of the request are not there when it is judged.
            _ => Err(opaque("a member of something else is looked at", OF_REQUEST)),
        }
    }

    fn note(&mut self, var: &Var, names: &[&str]) -> Result<(), Opaque> {
        match (var, names) {
            (Var::Principal, ["attributes"] | ["related"]) => {
                Err(opaque("what is known of the principal is taken as a whole", BY_NAME))
            }
            (Var::Principal, ["attributes", name, ..]) => add(&mut self.attributes, name),
            (Var::Principal, ["related", name, ..]) => add(&mut self.related, name),
            (Var::Principal, [name, ..]) => add(&mut self.principal, name),
            (Var::Resource, [name, ..]) => add(&mut self.resource, name),
            (Var::Context, [part @ ("path" | "query" | "header" | "body" | "claims")]) => {
                Err(opaque(format!("`context.{part}` is taken as a whole"), BY_NAME))
            }
            (Var::Context, ["claims", name, ..]) => add(&mut self.claims, name),
            (Var::Context, [part @ ("path" | "query" | "header" | "body"), name, rest @ ..]) => {
                if !rest.is_empty() {
                    return Err(opaque(format!("`{name}` of the {part} has no members"), PLAIN));
                }
                self.places.insert(place(part, name)?);
                Ok(())
            }
            // Its names are not places: they are told by whoever exports.
            (Var::Context, ["brings", ..]) => Ok(()),
            (Var::Context, [name, ..]) => add(&mut self.context, name),
            _ => Err(opaque("an action has no members", OF_REQUEST)),
        }
    }
}

fn add(names: &mut BTreeSet<String>, name: &str) -> Result<(), Opaque> {
    names.insert(name.to_owned());
    Ok(())
}

fn opaque(detail: impl Into<String>, hint: &'static str) -> Opaque {
    Opaque { detail: detail.into(), hint }
}

/// What groups an entity is in is only known of the caller and of what is asked.
fn variable(expr: &Expr) -> Result<(), Opaque> {
    match expr {
        Expr::Var(Var::Principal | Var::Action | Var::Resource) => Ok(()),
        _ => Err(opaque("`in` and `is` are asked of something else", OF_REQUEST)),
    }
}

/// A place by the rules of ties, which know what names there can be.
pub(crate) fn place(part: &str, name: &str) -> Result<Place, Opaque> {
    let unnamed = || opaque(format!("`{name}` cannot be a name in the {part}"), PLAIN);
    if part == "header" && name != name.to_ascii_lowercase() {
        return Err(opaque(format!("there is no header field `{name}`"), LOWER));
    }
    format!("{part}.{name} = \"\"").parse::<Tie>().map(|tie| tie.place).map_err(|_| unnamed())
}

/// The part of the context and the name that a place stands under; `None` in the response.
pub(crate) fn member(place: &Place) -> Option<(&'static str, &str)> {
    match place {
        Place::Path(name) => Some(("path", name)),
        Place::Query(name) => Some(("query", name)),
        Place::Header(name) => Some(("header", name)),
        Place::Body(name) => Some(("body", name)),
        Place::Response(_) => None,
    }
}

#[cfg(test)]
mod tests;

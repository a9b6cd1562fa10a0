//! Formulas, as far as exports need them: truth, whole numbers, and sets of numbers. Texts are
//! numbers. What is constant is worked out while a formula is built, so that most of them come out
//! small.

use std::collections::BTreeSet;
use std::fmt;

/// A formula, a number or a set. Equal terms mean the same; others may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Term {
    Bool(bool),
    Int(i128),
    Set(BTreeSet<i128>),
    /// An unknown, by its name.
    Var(String),
    Not(Box<Self>),
    /// Sorted, at least two.
    And(BTreeSet<Self>),
    /// Sorted, at least two.
    Or(BTreeSet<Self>),
    Less(Box<(Self, Self)>),
    Equal(Box<(Self, Self)>),
    /// An element and a set.
    Member(Box<(Self, Self)>),
    /// The first is within the second.
    Subset(Box<(Self, Self)>),
    /// They have an element in common.
    Meets(Box<(Self, Self)>),
    Union(BTreeSet<Self>),
    If(Box<(Self, Self, Self)>),
}

impl Term {
    pub(super) const TRUE: Self = Self::Bool(true);
    pub(super) const FALSE: Self = Self::Bool(false);

    pub(super) fn var(name: &str) -> Self {
        Self::Var(name.to_owned())
    }

    pub(super) fn empty() -> Self {
        Self::Set(BTreeSet::new())
    }

    pub(super) fn not(one: Self) -> Self {
        match one {
            Self::Bool(value) => Self::Bool(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn and(all: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = BTreeSet::new();
        for one in all {
            match one {
                Self::Bool(true) => {}
                Self::Bool(false) => return Self::FALSE,
                Self::And(inner) => parts.extend(inner),
                other => drop(parts.insert(other)),
            }
        }
        if parts.iter().any(|part| parts.contains(&Self::not(part.clone()))) {
            return Self::FALSE;
        }
        match (parts.len(), parts.pop_first()) {
            (_, None) => Self::TRUE,
            (1, Some(only)) => only,
            (_, Some(first)) => {
                parts.insert(first);
                Self::And(parts)
            }
        }
    }

    pub(super) fn or(any: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = BTreeSet::new();
        for one in any {
            match one {
                Self::Bool(false) => {}
                Self::Bool(true) => return Self::TRUE,
                Self::Or(inner) => parts.extend(inner),
                other => drop(parts.insert(other)),
            }
        }
        match (parts.len(), parts.pop_first()) {
            (_, None) => Self::FALSE,
            (1, Some(only)) => only,
            (_, Some(first)) => {
                parts.insert(first);
                Self::Or(parts)
            }
        }
    }

    pub(super) fn less(one: Self, other: Self) -> Self {
        match (&one, &other) {
            (Self::Int(a), Self::Int(b)) => Self::Bool(a < b),
            _ => Self::Less(Box::new((one, other))),
        }
    }

    pub(super) fn at_most(one: Self, other: Self) -> Self {
        Self::not(Self::less(other, one))
    }

    pub(super) fn equal(one: Self, other: Self) -> Self {
        let is_constant = |term: &Self| matches!(term, Self::Bool(_) | Self::Int(_) | Self::Set(_));
        if one == other {
            return Self::TRUE;
        }
        match (one, other) {
            (a, b) if is_constant(&a) && is_constant(&b) => Self::FALSE,
            (Self::Bool(true), one) | (one, Self::Bool(true)) => one,
            (Self::Bool(false), one) | (one, Self::Bool(false)) => Self::not(one),
            (a, b) => Self::Equal(Box::new(if a < b { (a, b) } else { (b, a) })),
        }
    }

    pub(super) fn member(element: Self, set: Self) -> Self {
        match (element, set) {
            (Self::Int(element), Self::Set(set)) => Self::Bool(set.contains(&element)),
            (element, Self::Set(set)) => {
                Self::or(set.into_iter().map(|one| Self::equal(element.clone(), Self::Int(one))))
            }
            (element, set) => Self::Member(Box::new((element, set))),
        }
    }

    pub(super) fn subset(inner: Self, outer: Self) -> Self {
        match (inner, outer) {
            (Self::Set(a), Self::Set(b)) => Self::Bool(a.is_subset(&b)),
            (Self::Set(inner), outer) => {
                Self::and(inner.into_iter().map(|one| Self::member(Self::Int(one), outer.clone())))
            }
            (a, b) if a == b => Self::TRUE,
            (a, b) => Self::Subset(Box::new((a, b))),
        }
    }

    pub(super) fn meets(one: Self, other: Self) -> Self {
        match (one, other) {
            (Self::Set(set), other) | (other, Self::Set(set)) => {
                Self::or(set.into_iter().map(|one| Self::member(Self::Int(one), other.clone())))
            }
            (a, b) => Self::Meets(Box::new(if a < b { (a, b) } else { (b, a) })),
        }
    }

    pub(super) fn union(all: impl IntoIterator<Item = Self>) -> Self {
        let (mut known, mut parts) = (BTreeSet::new(), BTreeSet::new());
        for one in all {
            match one {
                Self::Set(set) => known.extend(set),
                other => drop(parts.insert(other)),
            }
        }
        if !known.is_empty() {
            parts.insert(Self::Set(known));
        }
        match (parts.len(), parts.pop_first()) {
            (_, None) => Self::empty(),
            (1, Some(only)) => only,
            (_, Some(first)) => {
                parts.insert(first);
                Self::Union(parts)
            }
        }
    }

    pub(super) fn choose(condition: Self, then: Self, otherwise: Self) -> Self {
        match (condition, then, otherwise) {
            (Self::Bool(true), then, _) => then,
            (Self::Bool(false), _, otherwise) => otherwise,
            (_, then, otherwise) if then == otherwise => then,
            (condition, Self::Bool(true), Self::Bool(false)) => condition,
            (condition, Self::Bool(true), otherwise) => Self::or([condition, otherwise]),
            (condition, then, Self::Bool(true)) => Self::or([Self::not(condition), then]),
            (condition, then, otherwise) => Self::If(Box::new((condition, then, otherwise))),
        }
    }
}

const EMPTY: &str = "(as set.empty (Set Int))";

/// SMT-LIB 2, with the sets of cvc5.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) if *value < 0 => write!(f, "(- {})", value.unsigned_abs()),
            Self::Int(value) => write!(f, "{value}"),
            Self::Set(values) => {
                values.iter().try_for_each(|_| f.write_str("(set.union "))?;
                f.write_str(EMPTY)?;
                values
                    .iter()
                    .try_for_each(|value| write!(f, " (set.singleton {}))", Self::Int(*value)))
            }
            Self::Var(name) => f.write_str(name),
            Self::Not(inner) => write!(f, "(not {inner})"),
            Self::And(parts) => list(f, "and", parts),
            Self::Or(parts) => list(f, "or", parts),
            Self::Less(pair) => write!(f, "(< {} {})", pair.0, pair.1),
            Self::Equal(pair) => write!(f, "(= {} {})", pair.0, pair.1),
            Self::Member(pair) => write!(f, "(set.member {} {})", pair.0, pair.1),
            Self::Subset(pair) => write!(f, "(set.subset {} {})", pair.0, pair.1),
            Self::Meets(pair) => {
                write!(f, "(not (= (set.inter {} {}) {EMPTY}))", pair.0, pair.1)
            }
            Self::Union(parts) => {
                parts.iter().try_for_each(|_| f.write_str("(set.union "))?;
                f.write_str(EMPTY)?;
                parts.iter().try_for_each(|part| write!(f, " {part})"))
            }
            Self::If(parts) => write!(f, "(ite {} {} {})", parts.0, parts.1, parts.2),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, word: &str, parts: &BTreeSet<Term>) -> fmt::Result {
    write!(f, "({word}")?;
    parts.iter().try_for_each(|part| write!(f, " {part}"))?;
    f.write_str(")")
}

#[cfg(test)]
mod tests;

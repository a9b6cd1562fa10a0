//! What the grants of a caller show, brought into as few alternatives as say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::path::{self, Step};
use super::{Alternative, Fields, PlanError};

/// The fields of an alternative, read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    All,
    Only(BTreeSet<Vec<Step>>),
}

impl View {
    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Only(mine), Self::Only(theirs)) => mine.extend(theirs),
        }
    }
}

/// Where a tie's value stands, and what it may be.
pub(super) type Ties = BTreeMap<Vec<Step>, BTreeSet<String>>;

/// Reads the alternatives and merges those that together show what one would. Fewer alternatives
/// mean fewer items whose visible part depends on which of them matches.
pub(super) fn merge(alternatives: &[Alternative]) -> Result<Vec<(View, Ties)>, PlanError> {
    // The same conditions: what they show adds up.
    let mut by_ties: BTreeMap<Ties, View> = BTreeMap::new();
    for alternative in alternatives {
        let (view, ties) = read(alternative)?;
        by_ties.entry(ties).and_modify(|known| known.add(view.clone())).or_insert(view);
    }
    // The same view under one condition on the same value: one that allows the values of both.
    let mut merged: BTreeMap<(View, Vec<Step>), BTreeSet<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for (ties, view) in by_ties {
        if ties.len() == 1 {
            for (path, allowed) in ties {
                merged.entry((view.clone(), path)).or_default().extend(allowed);
            }
        } else {
            others.push((view, ties));
        }
    }
    let merged = merged.into_iter();
    others.extend(merged.map(|((view, path), allowed)| (view, Ties::from([(path, allowed)]))));
    Ok(others)
}

fn read(alternative: &Alternative) -> Result<(View, Ties), PlanError> {
    let wrong = |path: &str, what| PlanError::Path { path: path.to_owned(), what };
    let view = match &alternative.fields {
        Fields::All => View::All,
        Fields::Only(paths) => {
            let read = |path: &String| path::field(path).map_err(|what| wrong(path, what));
            View::Only(paths.iter().map(read).collect::<Result<_, _>>()?)
        }
        Fields::Described { shown, others } => {
            let read = |paths: &BTreeSet<String>| {
                let read = |path: &String| path::field(path).map_err(|what| wrong(path, what));
                paths.iter().map(read).collect::<Result<Vec<_>, _>>()
            };
            View::Only(path::described(read(shown)?, &read(others)?))
        }
    };
    let mut ties = Ties::new();
    for tie in &alternative.ties {
        let steps = path::tie(&tie.path).map_err(|what| wrong(&tie.path, what))?;
        // Two ties on one value must both hold: what both allow.
        ties.entry(steps)
            .and_modify(|known| known.retain(|value| tie.allowed.contains(value)))
            .or_insert_with(|| tie.allowed.clone());
    }
    Ok((view, ties))
}

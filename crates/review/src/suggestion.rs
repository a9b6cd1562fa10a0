//! Suggestions: the narrower form of a grant that recorded use supports. A suggestion never adds
//! anything, and is withheld wherever ninety days of records do not show the whole need.

use std::collections::BTreeSet;

use base::{GrantId, OperationId};
use grant::Grant;

use crate::finding::{FindingSubject, Rule};
use crate::inventory::Inventory;
use crate::rules::Rules;

/// What a grant could be cut to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The grant.
    pub grant: GrantId,
    /// The operations to keep: those used in the window. Empty: the grant can go.
    pub operations: BTreeSet<OperationId>,
}

/// A suggestion for every grant that gives more than was used, sorted by grant.
pub fn suggest(inventory: &Inventory, rules: &Rules) -> Vec<Suggestion> {
    let grants = inventory.grants().iter();
    grants.filter_map(|grant| suggestion_for(grant, inventory, rules)).collect()
}

/// Why there is no verdict on the use of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It allows nothing now.
    NotLive,
    /// It is younger than the window.
    TooYoung,
    /// The records do not cover the window.
    ThinRecords,
    /// The subject works quarterly or annually.
    LongSeason,
    /// Somebody accepted the excess until a date.
    Excepted,
}

/// Whether the use of a grant may be judged.
pub fn judge(grant: &Grant, inventory: &Inventory, rules: &Rules) -> Result<(), Withheld> {
    let subject = FindingSubject::Grant(grant.id.clone());
    let excepted = |rule| inventory.is_excepted(rule, &subject);
    if !inventory.is_grant_live(grant) {
        Err(Withheld::NotLive)
    } else if !inventory.window().is_sufficient() {
        Err(Withheld::ThinRecords)
    } else if !rules.is_old_enough(grant.created_at, inventory) {
        Err(Withheld::TooYoung)
    } else if inventory.season_of(grant).is_long() {
        Err(Withheld::LongSeason)
    } else if excepted(Rule::UnusedGrant) || excepted(Rule::OverPrivileged) {
        Err(Withheld::Excepted)
    } else {
        Ok(())
    }
}

/// The suggestion for one grant, if its use may be judged and it gives more than was used.
pub fn suggestion_for(grant: &Grant, inventory: &Inventory, rules: &Rules) -> Option<Suggestion> {
    judge(grant, inventory, rules).ok()?;
    let used = inventory.usage().grant(&grant.id);
    let granted = inventory.operations_of(grant);
    let operations: BTreeSet<_> = granted
        .iter()
        .filter(|op| used.is_some_and(|used| used.operations.contains_key(**op)))
        .map(|op| (*op).clone())
        .collect();
    let is_narrower = operations.is_empty() || operations.len() < granted.len();
    is_narrower.then(|| Suggestion { grant: grant.id.clone(), operations })
}

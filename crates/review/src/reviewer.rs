//! Who reviews an item: the first rule that gives an active person who is independent of the
//! access under review.

use base::{Digest, IdentityId, words};
use grant::{Grant, GrantSubject};
use identity::{IdentityKind, Owner};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::inventory::Inventory;

words! {
    /// How a reviewer is found.
    ReviewerRule {
        /// Who answers for the subject: its owner, or of a person the manager.
        Owner = "owner",
        /// Who answers for the API.
        ApiOwner = "api owner",
        /// Whom the definition names for the rest.
        Fallback = "fallback",
    }
}

words! {
    /// Why a candidate was passed over.
    Passed {
        /// The rule names nobody.
        Nobody = "nobody",
        /// Not active, or no active member.
        Inactive = "inactive",
        /// Holds the access under review.
        OwnAccess = "own_access",
        /// Not a person.
        NotAPerson = "not_a_person",
    }
}

/// A rule that gave no reviewer, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The rule.
    pub rule: ReviewerRule,
    /// Whom it named.
    pub named: Option<Owner>,
    /// Why not.
    pub why: Passed,
}

/// The reviewer of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who decides.
    pub reviewer: IdentityId,
    /// By which rule.
    pub rule: ReviewerRule,
    /// The rules before it that gave nobody.
    pub passed_over: Vec<PassedOver>,
}

/// Finds the reviewer of a grant, or says why every rule fails.
pub fn assign(
    grant: &Grant,
    definition: &Definition,
    inventory: &Inventory,
) -> Result<Assignment, Vec<PassedOver>> {
    let mut passed_over = Vec::new();
    let rules = definition.reviewers.iter().copied().filter(|rule| *rule != ReviewerRule::Fallback);
    for rule in rules.chain([ReviewerRule::Fallback]) {
        let named = named_by(rule, grant, definition, inventory);
        match choose(named.as_ref(), grant, inventory) {
            Ok(reviewer) => return Ok(Assignment { reviewer, rule, passed_over }),
            Err(why) => passed_over.push(PassedOver { rule, named, why }),
        }
    }
    Err(passed_over)
}

/// `person` holds the access itself, directly or as a member of the group it was given to.
pub fn holds(person: &IdentityId, grant: &Grant, inventory: &Inventory) -> bool {
    match &grant.subject {
        GrantSubject::Identity(id) => id == person,
        GrantSubject::Group(id) => {
            inventory.group(id).is_some_and(|group| group.members.contains(person))
        }
    }
}

fn named_by(
    rule: ReviewerRule,
    grant: &Grant,
    definition: &Definition,
    inventory: &Inventory,
) -> Option<Owner> {
    match rule {
        ReviewerRule::Owner => match &grant.subject {
            GrantSubject::Group(_) => None,
            GrantSubject::Identity(id) => {
                let identity = inventory.identity(id)?;
                identity.owner.clone().or_else(|| identity.manager.clone().map(Owner::Person))
            }
        },
        // An owner that is not an id names nobody, which is what `None` says.
        ReviewerRule::ApiOwner => inventory.api(&grant.api)?.owner.as_ref()?.parse().ok(),
        ReviewerRule::Fallback => Some(definition.fallback.clone()),
    }
}

fn choose(
    named: Option<&Owner>,
    grant: &Grant,
    inventory: &Inventory,
) -> Result<IdentityId, Passed> {
    let candidates = match named.ok_or(Passed::Nobody)? {
        Owner::Person(id) => vec![id],
        Owner::Group(id) => inventory.active_members(id),
    };
    let mut why = Passed::Inactive;
    let mut fit = Vec::new();
    for candidate in candidates {
        match fitness(candidate, grant, inventory) {
            Ok(()) => fit.push(candidate),
            Err(reason) => why = reason,
        }
    }
    one_of(&fit, grant).cloned().ok_or(why)
}

fn fitness(person: &IdentityId, grant: &Grant, inventory: &Inventory) -> Result<(), Passed> {
    let known = inventory.identity(person).ok_or(Passed::Inactive)?;
    if !known.is_active(inventory.as_of()) {
        Err(Passed::Inactive)
    } else if known.kind != IdentityKind::Person {
        Err(Passed::NotAPerson)
    } else if holds(person, grant, inventory) {
        Err(Passed::OwnAccess)
    } else {
        Ok(())
    }
}

/// Spreads a group's work over its members by the subject, so that all access of one subject comes
/// to one person, and the same inventory always gives the same answer.
fn one_of<'a>(fit: &[&'a IdentityId], grant: &Grant) -> Option<&'a IdentityId> {
    let spread = Digest::of(&[grant.subject.to_string().as_bytes()]);
    let [first, second, ..] = spread.0;
    let turn = usize::from(u16::from_be_bytes([first, second]));
    fit.get(turn.checked_rem(fit.len())?).copied()
}

#[cfg(test)]
mod tests;

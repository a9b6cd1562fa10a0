//! Rules about identities that are not people: people are nobody's property, and what they may do
//! is reviewed grant by grant.

use std::collections::BTreeSet;

use ::identity::{Identity, Owner};
use base::{ApiId, OperationId};

use crate::finding::{Evidence, Finding, FindingSubject, Rule, Severity};
use crate::inventory::Inventory;
use crate::rules::Rules;

/// An active identity without a long season that works regularly (enough calls on enough days)
/// and uses less than a fifth of at least ten operations that its live grants of enough age give.
pub(super) fn over_privileged(
    identity: &Identity,
    inventory: &Inventory,
    rules: &Rules,
) -> Option<Finding> {
    if !is_judged(identity, inventory) || identity.seasonality.is_long() {
        return None;
    }
    let used = inventory.usage().identity(&identity.id)?;
    if used.calls < rules.excess_calls_min || used.active_days() < rules.excess_days_min {
        return None;
    }
    let granted = granted(identity, inventory, rules);
    let count = u64::try_from(granted.len()).unwrap_or(u64::MAX);
    let needed = granted
        .iter()
        .filter(|(api, op)| used.operations.contains_key(&((*api).clone(), (*op).clone())))
        .count();
    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let is_small_part =
        needed.saturating_mul(1_000) < count.saturating_mul(rules.excess_used_permille);
    if count < rules.excess_granted_min || !is_small_part {
        return None;
    }
    Some(Finding {
        rule: Rule::OverPrivileged,
        subject: FindingSubject::Identity(identity.id.clone()),
        severity: severity(identity, inventory),
        summary: format!(
            "{} uses {needed} of the {count} operations that it may use",
            identity.name
        ),
        suggested_act: "narrow its grants to the operations used".to_owned(),
        evidence: Evidence::Excess {
            granted: count,
            used: needed,
            calls: used.calls,
            active_days: used.active_days(),
        },
    })
}

/// An active identity that names no owner, or only a group without an active member. (A person who
/// left is another problem: somebody is named and can be asked who took over.)
pub(super) fn ownerless(identity: &Identity, inventory: &Inventory) -> Option<Finding> {
    let owner = identity.owner.as_ref();
    let is_owned = owner.is_some_and(|owner| match owner {
        Owner::Person(_) => true,
        Owner::Group(id) => inventory.is_group_active(id),
    });
    if is_owned || !is_judged(identity, inventory) {
        return None;
    }
    let why = match owner {
        None => "has no owner".to_owned(),
        Some(owner) => format!("is owned by {owner}, which has no active member"),
    };
    Some(Finding {
        rule: Rule::Ownerless,
        subject: FindingSubject::Identity(identity.id.clone()),
        severity: severity(identity, inventory),
        summary: format!("{} {why}", identity.name),
        suggested_act: "name an owner".to_owned(),
        evidence: Evidence::Ownerless { owner: owner.cloned() },
    })
}

fn is_judged(identity: &Identity, inventory: &Inventory) -> bool {
    identity.is_non_human() && identity.is_active(inventory.as_of())
}

fn granted<'a>(
    identity: &Identity,
    inventory: &'a Inventory,
    rules: &Rules,
) -> BTreeSet<(&'a ApiId, &'a OperationId)> {
    inventory
        .grants_reaching(&identity.id)
        .into_iter()
        .filter(|grant| inventory.is_grant_live(grant))
        .filter(|grant| rules.is_old_enough(grant.created_at, inventory))
        .flat_map(|grant| inventory.operations_of(grant).into_iter().map(|op| (&grant.api, op)))
        .collect()
}

fn severity(identity: &Identity, inventory: &Inventory) -> Severity {
    let dangerous = inventory
        .grants_reaching(&identity.id)
        .into_iter()
        .any(|grant| inventory.is_grant_live(grant) && inventory.is_high_risk(grant));
    if dangerous { Severity::High } else { Severity::Medium }
}

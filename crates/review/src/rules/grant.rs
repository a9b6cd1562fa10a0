//! Rules about grants.

use ::grant::Grant;
use catalog::Impact;

use crate::finding::{Evidence, Finding, FindingSubject, Rule, Severity};
use crate::inventory::Inventory;
use crate::rules::Rules;
use crate::wording::counted;

/// A live grant, old enough, of a subject without a long season, that let no call through in the
/// window.
pub(super) fn unused(grant: &Grant, inventory: &Inventory, rules: &Rules) -> Option<Finding> {
    let judged = inventory.is_grant_live(grant)
        && rules.is_old_enough(grant.created_at, inventory)
        && !inventory.season_of(grant).is_long();
    let calls = inventory.usage().grant(&grant.id).map_or(0, |used| used.calls);
    if !judged || calls > 0 {
        return None;
    }
    let granted = u64::try_from(inventory.operations_of(grant).len()).unwrap_or(u64::MAX);
    let window_days = inventory.window().days();
    let api = inventory.api(&grant.api).map_or(grant.api.as_str(), |api| api.name.as_str());
    Some(Finding {
        rule: Rule::UnusedGrant,
        subject: FindingSubject::Grant(grant.id.clone()),
        severity: severity(grant, inventory),
        summary: format!(
            "{} may use {} of {api} and used none in {window_days} days",
            subject_name(grant, inventory),
            counted(granted, "operation"),
        ),
        suggested_act: "remove the grant".to_owned(),
        evidence: Evidence::Unused {
            allowed_requests: calls,
            granted,
            window_days,
            age_days: inventory.as_of().since(grant.created_at).as_days(),
        },
    })
}

fn severity(grant: &Grant, inventory: &Inventory) -> Severity {
    if inventory.is_high_risk(grant) {
        return Severity::High;
    }
    match inventory.api(&grant.api).map(|api| api.impact) {
        Some(Impact::Low) => Severity::Low,
        _ => Severity::Medium,
    }
}

fn subject_name(grant: &Grant, inventory: &Inventory) -> String {
    match &grant.subject {
        ::grant::GrantSubject::Identity(id) => inventory.name_of(id).to_owned(),
        ::grant::GrantSubject::Group(id) => {
            let name = inventory.group(id).map_or(id.as_str(), |group| group.name.as_str());
            format!("group {name}")
        }
    }
}

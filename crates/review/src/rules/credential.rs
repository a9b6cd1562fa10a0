//! Rules about credentials. Both need a live credential, old enough, without an allowed call in
//! the window; refused attempts are no use.

use ::identity::Credential;
use base::{Span, Timestamp};

use crate::finding::{Evidence, Finding, FindingSubject, Rule, Severity};
use crate::inventory::Inventory;
use crate::rules::Rules;

/// Used before the window, and silent for at least as long as the identity's season explains.
pub(super) fn dormant(
    credential: &Credential,
    inventory: &Inventory,
    rules: &Rules,
) -> Option<Finding> {
    let limit = silent_for_the_window(credential, inventory, rules)?;
    let last_used_at = used_before(credential, inventory)?;
    let idle = inventory.as_of().since(last_used_at);
    if idle < limit {
        return None;
    }
    Some(Finding {
        rule: Rule::DormantCredential,
        subject: FindingSubject::Credential(credential.id.clone()),
        severity: severity(credential, inventory),
        summary: format!(
            "{} of {} was last used {} days ago",
            credential.label,
            inventory.name_of(&credential.identity),
            idle.as_days(),
        ),
        suggested_act: "revoke the credential".to_owned(),
        evidence: Evidence::Dormant {
            last_used_at,
            idle_days: idle.as_days(),
            idle_limit_days: limit.as_days(),
        },
    })
}

/// Never used, and older than the identity's season explains.
pub(super) fn never_used(
    credential: &Credential,
    inventory: &Inventory,
    rules: &Rules,
) -> Option<Finding> {
    let limit = silent_for_the_window(credential, inventory, rules)?;
    let age = inventory.as_of().since(credential.created_at);
    if used_before(credential, inventory).is_some() || age < limit {
        return None;
    }
    Some(Finding {
        rule: Rule::NeverUsedCredential,
        subject: FindingSubject::Credential(credential.id.clone()),
        severity: severity(credential, inventory),
        summary: format!(
            "{} of {} was issued {} days ago and never used",
            credential.label,
            inventory.name_of(&credential.identity),
            age.as_days(),
        ),
        suggested_act: "revoke the credential".to_owned(),
        evidence: Evidence::NeverUsed {
            created_at: credential.created_at,
            age_days: age.as_days(),
            idle_limit_days: limit.as_days(),
        },
    })
}

/// The normal silence of its identity, when the credential is judged at all.
fn silent_for_the_window(
    credential: &Credential,
    inventory: &Inventory,
    rules: &Rules,
) -> Option<Span> {
    let used = inventory.usage().credential(&credential.id);
    let judged = inventory.is_credential_live(credential)
        && rules.is_old_enough(credential.created_at, inventory)
        && used.is_none_or(|used| used.calls == 0);
    let identity = inventory.identity(&credential.identity)?;
    judged.then(|| rules.idle_limit(identity))
}

fn used_before(credential: &Credential, inventory: &Inventory) -> Option<Timestamp> {
    let recorded = inventory.usage().credential(&credential.id).and_then(|used| used.last_before);
    recorded.max(credential.last_used_before)
}

/// A silent key to something dangerous is the key that nobody would miss until it is misused.
fn severity(credential: &Credential, inventory: &Inventory) -> Severity {
    let mut live = inventory
        .grants_reaching(&credential.identity)
        .into_iter()
        .filter(|grant| inventory.is_grant_live(grant))
        .peekable();
    if live.peek().is_none() {
        return Severity::Low;
    }
    let dangerous = live.any(|grant| inventory.is_high_risk(grant));
    if dangerous { Severity::High } else { Severity::Medium }
}

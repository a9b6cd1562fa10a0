//! The rules that read findings from an inventory. What a rule means is written at its function,
//! in `credential`, `grant` and `identity`; what all share is here.
//!
//! Absence of use is judged only on objects as old as [`Rules::age_min`], and only when the
//! records cover the window. A rule that could not judge says so by missing in
//! [`Detection::judged`]: its earlier findings then stay as they are.

mod credential;
mod grant;
mod identity;

use std::collections::BTreeSet;

use ::identity::{Identity, Seasonality};
use base::{Span, Timestamp};

use crate::finding::{Finding, Rule};
use crate::inventory::Inventory;

/// The numbers in the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Younger objects get no verdict on disuse.
    pub age_min: Span,
    /// Silence that is normal for who works continuously or monthly.
    pub idle: Span,
    /// Silence that is normal for who works quarterly.
    pub idle_quarterly: Span,
    /// Silence that is normal for who works annually.
    pub idle_annual: Span,
    /// `over-privileged` looks at identities with at least so many operations…
    pub excess_granted_min: u64,
    /// … that made at least so many calls…
    pub excess_calls_min: u64,
    /// … on at least so many UTC days…
    pub excess_days_min: u32,
    /// … and used less than this share of the operations, in thousandths.
    pub excess_used_permille: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            age_min: Span::from_days(90),
            idle: Span::from_days(90),
            idle_quarterly: Span::from_days(100),
            idle_annual: Span::from_days(380),
            excess_granted_min: 10,
            excess_calls_min: 100,
            excess_days_min: 20,
            excess_used_permille: 200,
        }
    }
}

impl Rules {
    /// Silence that is normal for an identity.
    pub fn idle_limit(&self, identity: &Identity) -> Span {
        match identity.seasonality {
            Seasonality::None | Seasonality::Monthly => self.idle,
            Seasonality::Quarterly => self.idle_quarterly,
            Seasonality::Annual => self.idle_annual,
        }
    }

    /// Old enough for a verdict on disuse.
    pub fn is_old_enough(&self, created_at: Timestamp, inventory: &Inventory) -> bool {
        inventory.as_of().since(created_at) >= self.age_min
    }
}

/// What was found, and by which rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detection {
    /// Sorted by rule, then subject; each pair once.
    pub findings: Vec<Finding>,
    /// The rules that could judge. What the others found earlier is neither confirmed nor over.
    pub judged: BTreeSet<Rule>,
}

/// Runs every rule.
pub fn detect(inventory: &Inventory, rules: &Rules) -> Detection {
    let sufficient = inventory.window().is_sufficient();
    let mut detection = Detection::default();
    for rule in Rule::ALL.iter().copied() {
        if rule.rests_on_use() && !sufficient {
            continue;
        }
        detection.judged.insert(rule);
        detection.findings.extend(run(rule, inventory, rules));
    }
    detection.findings.retain(|finding| !inventory.is_excepted(finding.rule, &finding.subject));
    detection.findings.sort_by(|a, b| (a.rule, &a.subject).cmp(&(b.rule, &b.subject)));
    detection
}

fn run(rule: Rule, inventory: &Inventory, rules: &Rules) -> Vec<Finding> {
    let identities = inventory.identities().iter();
    let credentials = inventory.credentials().iter();
    match rule {
        Rule::UnusedGrant => inventory
            .grants()
            .iter()
            .filter_map(|row| grant::unused(row, inventory, rules))
            .collect(),
        Rule::OverPrivileged => {
            identities.filter_map(|row| identity::over_privileged(row, inventory, rules)).collect()
        }
        Rule::DormantCredential => {
            credentials.filter_map(|row| credential::dormant(row, inventory, rules)).collect()
        }
        Rule::NeverUsedCredential => {
            credentials.filter_map(|row| credential::never_used(row, inventory, rules)).collect()
        }
        Rule::Ownerless => {
            identities.filter_map(|row| identity::ownerless(row, inventory)).collect()
        }
    }
}

#[cfg(test)]
mod tests;

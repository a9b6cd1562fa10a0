//! From a definition and an inventory to the sealed population of a campaign: which grants are
//! reviewed, by whom, with which facts. Population and reviewers are settled before anything is
//! stored; a grant without an independent reviewer stops the launch.

use std::collections::{BTreeMap, BTreeSet};

use base::{CampaignId, Digest, GrantId, ItemId, OperationId, Timestamp, canonical};
use grant::{Grant, GrantSubject};
use rustc_hash::FxHashMap;

use crate::campaign::PopulationSeal;
use crate::definition::Definition;
use crate::finding::{Finding, FindingSubject};
use crate::inventory::Inventory;
use crate::item::{
    ApiFacts, Attention, FindingNote, FrozenUsage, OperationFacts, RECEIVED_MAX, ReviewItem, Risk,
    SeenField, SubjectFacts, VerdictKind,
};
use crate::recommendation::{self, Recommendation, is_owned};
use crate::replay::{Consequences, Replay};
use crate::reviewer::{self, Assignment, PassedOver};
use crate::rules::Rules;

/// Why a campaign cannot start. The list is complete: nothing has to be found out one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchFailure {
    /// The scope covers no live grant.
    EmptyScope,
    /// These grants have no independent, active reviewer.
    Unassigned(Vec<(GrantId, Vec<PassedOver>)>),
}

impl LaunchFailure {
    /// One sentence per reason.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::EmptyScope => vec!["the scope covers no grant that is in force".to_owned()],
            Self::Unassigned(grants) => {
                grants.iter().map(|(grant, passed)| unassigned(grant, passed)).collect()
            }
        }
    }
}

fn unassigned(grant: &GrantId, passed: &[PassedOver]) -> String {
    let tried: Vec<_> = passed
        .iter()
        .map(|over| match &over.named {
            Some(owner) => format!("{}: {owner} ({})", over.rule, over.why),
            None => format!("{}: {}", over.rule, over.why),
        })
        .collect();
    format!("{grant} has no independent reviewer; tried {}", tried.join(", "))
}

/// A population whose consequences are still to be replayed.
#[derive(Debug)]
pub struct PopulationDraft<'a> {
    inventory: &'a Inventory,
    items: Vec<ReviewItem>,
}

/// The sealed population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// Sorted by subject name, API, grant.
    pub items: Vec<ReviewItem>,
    /// What it was read from, and the digest over it.
    pub seal: PopulationSeal,
}

/// Settles population and reviewers.
pub fn plan<'a>(
    campaign: &CampaignId,
    definition: &Definition,
    inventory: &'a Inventory,
    findings: &[Finding],
    rules: &Rules,
) -> Result<PopulationDraft<'a>, LaunchFailure> {
    let mut unassigned = Vec::new();
    let mut assigned = Vec::new();
    let covered = inventory.grants().iter().filter(|grant| {
        inventory.is_grant_live(grant) && definition.scope.covers(grant, inventory)
    });
    for grant in covered {
        match reviewer::assign(grant, definition, inventory) {
            Ok(assignment) => assigned.push((grant, assignment)),
            Err(passed) => unassigned.push((grant.id.clone(), passed)),
        }
    }
    if !unassigned.is_empty() {
        return Err(LaunchFailure::Unassigned(unassigned));
    }
    if assigned.is_empty() {
        return Err(LaunchFailure::EmptyScope);
    }
    let by_subject = index_findings(findings);
    let mut items: Vec<_> = assigned
        .into_iter()
        .map(|(grant, assignment)| {
            let notes = notes_on(grant, &by_subject);
            item(campaign, grant, assignment, notes, inventory, rules)
        })
        .collect();
    items.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    number(campaign, &mut items);
    Ok(PopulationDraft { inventory, items })
}

impl PopulationDraft<'_> {
    /// The replay of what the items recommend. Feed it with recorded calls, then seal.
    pub fn replay(&self) -> Replay<'_> {
        let grants = self.items.iter();
        Replay::new(
            self.inventory,
            grants.map(|i| (i.grant.id.clone(), i.recommendation.narrower.clone())),
        )
    }

    /// Writes the consequences in and seals.
    pub fn seal(
        mut self,
        mut consequences: FxHashMap<GrantId, Consequences>,
    ) -> Result<Population, canonical::NotCanonical> {
        for item in &mut self.items {
            item.consequences = consequences.remove(&item.grant.id).unwrap_or_default();
        }
        let seal = PopulationSeal {
            digest: population_digest(&self.items)?,
            items: u64::try_from(self.items.len()).unwrap_or(u64::MAX),
            inventory: self.inventory.digest(),
            ruleset_version: self.inventory.ruleset_version(),
            as_of: self.inventory.as_of(),
        };
        Ok(Population { items: self.items, seal })
    }
}

/// The digest over the sealed parts of all items, in the order of their ids: that of the canonical
/// bytes of the list, which is what an auditor's verifier digests too. The bytes are made item by
/// item, for a large population has no room as one JSON value.
pub fn population_digest<'a>(
    items: impl IntoIterator<Item = &'a ReviewItem>,
) -> Result<Digest, canonical::NotCanonical> {
    let mut rows: Vec<_> = items.into_iter().collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let mut bytes = vec![b'['];
    for (index, row) in rows.into_iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend(canonical::to_bytes(row)?);
    }
    bytes.push(b']');
    Ok(Digest::of(&[&bytes]))
}

fn sort_key(item: &ReviewItem) -> (&str, &str, &GrantId) {
    (&item.subject.name, &item.api.name, &item.grant.id)
}

/// Ids that a person can type, in the order of the list: `machines-001`.
fn number(campaign: &CampaignId, items: &mut [ReviewItem]) {
    let width = items.len().to_string().len().max(3);
    for (index, item) in items.iter_mut().enumerate() {
        if let Ok(id) = ItemId::parse(&format!("{campaign}-{:0width$}", index + 1)) {
            item.id = id;
        }
    }
}

fn index_findings(findings: &[Finding]) -> FxHashMap<&FindingSubject, Vec<&Finding>> {
    let mut index: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for finding in findings {
        index.entry(&finding.subject).or_default().push(finding);
    }
    index
}

fn notes_on(
    grant: &Grant,
    findings: &FxHashMap<&FindingSubject, Vec<&Finding>>,
) -> Vec<FindingNote> {
    let mut subjects = vec![FindingSubject::Grant(grant.id.clone())];
    if let GrantSubject::Identity(id) = &grant.subject {
        subjects.push(FindingSubject::Identity(id.clone()));
    }
    let found = subjects.iter().filter_map(|subject| findings.get(subject)).flatten();
    found.map(|f| FindingNote { rule: f.rule, summary: f.summary.clone() }).collect()
}

fn item(
    campaign: &CampaignId,
    grant: &Grant,
    assignment: Assignment,
    findings: Vec<FindingNote>,
    inventory: &Inventory,
    rules: &Rules,
) -> ReviewItem {
    let recommendation = recommendation::recommend(grant, inventory, rules);
    let risk = if inventory.is_high_risk(grant) { Risk::High } else { Risk::Low };
    let attention = attention(&recommendation, risk, is_owned(grant, inventory));
    ReviewItem {
        // Renumbered once the list is sorted; until then the grant's own text stands in.
        id: ItemId::generate(inventory.as_of(), &mut FromGrant(grant)),
        campaign: campaign.clone(),
        subject: subject_facts(grant, inventory),
        api: api_facts(grant, inventory),
        operations: operation_facts(grant, inventory),
        usage: frozen_usage(grant, inventory),
        grant: grant.clone(),
        findings,
        recommendation,
        consequences: Consequences::default(),
        risk,
        attention,
        assignment,
    }
}

/// An item that nobody has to look at twice is one that is recommended to stay, does little harm
/// and is owned; a finding on the subject alone does not raise it.
fn attention(recommendation: &Recommendation, risk: Risk, owned: bool) -> Attention {
    let quiet = recommendation.verdict == Some(VerdictKind::Keep) && risk == Risk::Low && owned;
    if quiet { Attention::Quiet } else { Attention::NeedsALook }
}

struct FromGrant<'a>(&'a Grant);

impl base::Entropy for FromGrant<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        let digest = Digest::of(&[self.0.id.as_str().as_bytes()]);
        bytes.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    }
}

fn subject_facts(grant: &Grant, inventory: &Inventory) -> SubjectFacts {
    match &grant.subject {
        GrantSubject::Group(id) => SubjectFacts {
            name: inventory.group(id).map_or_else(|| id.to_string(), |group| group.name.clone()),
            kind: "group".to_owned(),
            purpose: None,
            owner: None,
            owner_name: None,
            owner_active: true,
        },
        GrantSubject::Identity(id) => {
            let identity = inventory.identity(id);
            let owner = identity.and_then(|identity| identity.owner.clone());
            SubjectFacts {
                name: inventory.name_of(id).to_owned(),
                kind: identity.map_or("unknown", |identity| identity.kind.as_str()).to_owned(),
                purpose: identity.and_then(|identity| identity.purpose.clone()),
                owner_name: owner.as_ref().map(|owner| owner_name(owner, inventory)),
                owner_active: owner.as_ref().is_some_and(|o| inventory.is_owner_active(o)),
                owner,
            }
        }
    }
}

fn owner_name(owner: &identity::Owner, inventory: &Inventory) -> String {
    match owner {
        identity::Owner::Person(id) => inventory.name_of(id).to_owned(),
        identity::Owner::Group(id) => {
            inventory.group(id).map_or_else(|| id.to_string(), |group| group.name.clone())
        }
    }
}

fn api_facts(grant: &Grant, inventory: &Inventory) -> ApiFacts {
    // A grant on an API that is gone is shown by its id and treated as the worst case.
    inventory.api(&grant.api).map_or_else(
        || ApiFacts { name: grant.api.to_string(), impact: catalog::Impact::High },
        |api| ApiFacts { name: api.name.clone(), impact: api.impact },
    )
}

fn operation_facts(grant: &Grant, inventory: &Inventory) -> Vec<OperationFacts> {
    let used = inventory.usage().grant(&grant.id);
    let calls =
        |id: &OperationId| used.and_then(|used| used.operations.get(id)).copied().unwrap_or(0);
    let dangers: BTreeSet<_> = inventory.dangers_of(grant).map(|op| &op.id).collect();
    let facts = |id: &OperationId| OperationFacts {
        id: id.clone(),
        title: inventory.title_of(&grant.api, id),
        calls: calls(id),
        dangerous: dangers.contains(id),
    };
    inventory.operations_of(grant).into_iter().map(facts).collect()
}

fn frozen_usage(grant: &Grant, inventory: &Inventory) -> FrozenUsage {
    let used = inventory.usage().grant(&grant.id).cloned().unwrap_or_default();
    FrozenUsage {
        window_days: inventory.window().days(),
        calls: used.calls,
        last_used_at: used.last_at,
        weeks: used.weeks,
        fields_seen: fields_seen(used.received),
        operations_used: used.operations.into_keys().collect(),
        as_of: inventory.as_of(),
        sufficient: inventory.window().is_sufficient(),
    }
}

/// As a list that is bounded, whatever was received.
fn fields_seen(received: BTreeMap<OperationId, BTreeMap<String, Timestamp>>) -> Vec<SeenField> {
    let mut fields: Vec<SeenField> = Vec::new();
    for (operation, paths) in received {
        for (path, last_at) in paths {
            if fields.len() + 1 == RECEIVED_MAX {
                let path = traffic::received::MORE.to_owned();
                fields.push(SeenField { operation, path, last_at });
                return fields;
            }
            fields.push(SeenField { operation: operation.clone(), path, last_at });
        }
    }
    fields
}

#[cfg(test)]
mod tests;

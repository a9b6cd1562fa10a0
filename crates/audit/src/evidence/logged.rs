//! What the ledger entries of a bundle say about its campaign: the parts that whoever seals the
//! file cannot write anew without another ledger.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Timestamp};
use serde_json::Value;

use super::model::{CampaignRecord, Population, ProvenEntry, Remediation};
use crate::{Entry, Event};

/// The entries about one campaign.
pub(super) struct Logged<'a>(Vec<&'a Entry>);

impl<'a> Logged<'a> {
    pub(super) fn about(campaign: &CampaignRecord, entries: &'a [ProvenEntry]) -> Self {
        let entries = entries.iter().map(|proven| &proven.entry);
        Self(entries.filter(|entry| entry.subject.id == campaign.id).collect())
    }

    /// Entries of one kind, with what they say.
    fn of(&self, event: Event) -> impl Iterator<Item = (&'a Entry, &'a Value)> {
        let entries = self.0.iter().copied().filter(move |entry| entry.event == event);
        entries.filter_map(|entry| Some((entry, entry.detail.get("after")?)))
    }

    /// Whether the campaign was started like this: by whom, when, as what, on which population.
    pub(super) fn started(
        &self,
        campaign: &CampaignRecord,
        population: &Population,
        items: u64,
    ) -> bool {
        let expected = super::started_detail(population, items);
        self.of(Event::ReviewStarted).any(|(entry, detail)| {
            let same = |name: &&str| detail.get(name) == expected.get(name);
            ["population_digest", "items", "ruleset_version"].iter().all(same)
                && detail.get("definition") == Some(&campaign.definition)
                && entry.actor == campaign.started_by
                && entry.at == campaign.started_at
        })
    }

    /// The digests of all signed decisions, with who signed them.
    pub(super) fn signed(&self) -> BTreeMap<Digest, &'a str> {
        let mut signed = BTreeMap::new();
        for (entry, detail) in self.of(Event::ReviewSigned) {
            let digests = detail.get("decisions").and_then(Value::as_array);
            let digests = digests.into_iter().flatten().filter_map(Value::as_str);
            signed.extend(digests.filter_map(Digest::from_hex).map(|d| (d, entry.actor.as_str())));
        }
        signed
    }

    /// The items that were closed without a decision.
    pub(super) fn superseded(&self) -> BTreeSet<&'a str> {
        let details = self.of(Event::ReviewItemsSuperseded).map(|(_, detail)| detail);
        list(details, "items").filter_map(|item| item.get("item")?.as_str()).collect()
    }

    /// When the campaign was completed.
    pub(super) fn completed_at(&self) -> Option<Timestamp> {
        self.of(Event::ReviewCompleted).map(|(entry, _)| entry.at).last()
    }

    /// Whether an act ended as the log says it did: on this grant, in this state, with this proof.
    pub(super) fn ended(&self, act: &Remediation) -> bool {
        let details = self.of(Event::ReviewVerified).map(|(_, detail)| detail);
        let of_item = |logged: &&Value| text(logged, "item") == Some(&act.item_id);
        list(details, "acts").filter(of_item).last().is_some_and(|logged| {
            let state = logged.get("state").unwrap_or(&Value::Null);
            text(logged, "grant") == Some(&act.grant_id)
                && text(state, "state") == Some(&act.state)
                && state.get("change").and_then(Value::as_u64) == act.change
                && (act.state != "verified" || is_proof(state.get("proof"), act))
        })
    }
}

/// Whether the logged proof is the one in the bundle: the same receipts, the same answers.
fn is_proof(proof: Option<&Value>, act: &Remediation) -> bool {
    let part = |name| list(proof, name);
    let receipts = act.receipts.iter().map(|receipt| {
        let since = serde_json::to_value(receipt.since).unwrap_or_default();
        let streams = [receipt.streams_cut, receipt.streams_open];
        (Some(receipt.node.as_str()), Some(since), streams)
    });
    let logged = part("receipts").map(|row| {
        let streams = ["streams_cut", "streams_open"].map(|name| row.get(name)?.as_u64());
        (text(row, "node"), row.get("since").cloned(), streams)
    });
    let answers = part("answers").map(|row| row.get("outcome").and_then(|o| text(o, "outcome")));
    let probes = act.probes.iter().map(|probe| match probe.result.as_str() {
        // In the log, what another grant lets through is an answer of the gate like any other.
        "allowed_otherwise" => Some("allowed"),
        other => Some(other),
    });
    logged.eq(receipts) && answers.eq(probes)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// The elements of a list that each of these values has.
fn list<'v>(
    values: impl IntoIterator<Item = &'v Value>,
    name: &'static str,
) -> impl Iterator<Item = &'v Value> {
    values.into_iter().filter_map(move |value| value.get(name)?.as_array()).flatten()
}

//! What the content says when every byte is the sealed one: entries are in the signed log, the
//! population is the one that was logged, every item has its outcome, every removal its proof.

use std::collections::BTreeMap;

use base::canonical;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::logged::Logged;
use super::model::{
    CampaignRecord, Decision, Item, Population, ProvenEntry, Remediation, population_digest,
};
use super::verify::Checks;
use crate::checkpoint::Checkpoint;
use crate::note::VerifierKey;
use crate::proof;

/// Makes every check of meaning and gives the line for a bundle without faults.
pub(super) fn judge(file: &Map<String, Value>, key: &VerifierKey, checks: &mut Checks) -> String {
    if file.get("format").and_then(Value::as_str) != Some(super::FORMAT) {
        checks.fault("bytes", "format", format!("this reads `{}` only", super::FORMAT));
        return String::new();
    }
    let entries: Vec<ProvenEntry> = list(file, "entries", checks);
    let items: Vec<Item> = list(file, "items", checks);
    let decisions: Vec<Decision> = list(file, "decisions", checks);
    let remediations: Vec<Remediation> = list(file, "remediations", checks);
    let campaign: Option<CampaignRecord> = single(file, "campaign", checks);
    let population: Option<Population> = single(file, "population", checks);
    let (Some(campaign), Some(population)) = (campaign, population) else {
        return String::new();
    };

    let logged = Logged::about(&campaign, &entries);
    check_chain(file, key, &entries, checks);
    check_population(&campaign, &population, &items, &logged, checks);
    check_decisions(&campaign, &items, &decisions, &logged, checks);
    check_remediations(&campaign, &items, &decisions, &remediations, &logged, checks);

    let settled = items.iter().filter(|item| is_settled(item)).count();
    format!(
        "chain ok · {settled} of {} items · population matches ruleset {}",
        items.len(),
        population.ruleset_version
    )
}

fn is_settled(item: &Item) -> bool {
    matches!(item.state.as_str(), "decided" | "superseded")
}

fn single<T: DeserializeOwned>(
    file: &Map<String, Value>,
    name: &str,
    checks: &mut Checks,
) -> Option<T> {
    let value = file.get(name).cloned().unwrap_or(Value::Null);
    serde_json::from_value(value)
        .map_err(|error| checks.fault("bytes", name, format!("not readable: {error}")))
        .ok()
}

fn list<T: DeserializeOwned>(file: &Map<String, Value>, name: &str, checks: &mut Checks) -> Vec<T> {
    let Some(Value::Array(elements)) = file.get(name) else { return Vec::new() };
    let mut read = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        match serde_json::from_value(element.clone()) {
            Ok(element) => read.push(element),
            Err(error) => {
                checks.fault("bytes", format!("{name}[{index}]"), format!("not readable: {error}"));
            }
        }
    }
    read
}

fn check_chain(
    file: &Map<String, Value>,
    key: &VerifierKey,
    entries: &[ProvenEntry],
    checks: &mut Checks,
) {
    let note = file.get("checkpoint").and_then(Value::as_str).unwrap_or_default();
    let head = match Checkpoint::open(note, key) {
        Ok(head) => head,
        Err(error) => {
            checks.fault("chain", "checkpoint", error.to_string());
            return;
        }
    };
    for (index, proven) in entries.iter().enumerate() {
        let place = format!("entries[{index}]");
        let sequence = proven.entry.sequence;
        let in_log = proven.entry.digest().is_ok_and(|leaf| {
            proof::verify_inclusion(leaf, sequence, head.size, &proven.path, &head.root)
        });
        if !in_log {
            let why = format!("entry {sequence} is not in the log of the signed checkpoint");
            checks.fault("chain", place, why);
        }
    }
    for (index, pair) in entries.windows(2).enumerate() {
        let [before, after] = pair else { continue };
        let place = || format!("entries[{}]", index + 1);
        if after.entry.sequence <= before.entry.sequence {
            checks.fault("chain", place(), "out of order");
        } else if after.entry.sequence == before.entry.sequence + 1
            && before.entry.digest().ok() != Some(after.entry.previous)
        {
            checks.fault("chain", place(), "does not follow the entry before it");
        }
    }
    if checks.faults("chain") == 0 {
        let why = format!("{} entries proved in a log of {}", entries.len(), head.size);
        checks.holds("chain", "entries", why);
    }
}

fn check_population(
    campaign: &CampaignRecord,
    population: &Population,
    items: &[Item],
    logged: &Logged<'_>,
    checks: &mut Checks,
) {
    let digest = population_digest(items.iter().map(|item| &item.sealed)).ok();
    if digest != Some(population.digest) {
        checks.fault("population", "items", "not the population that was sealed");
    }
    let (reviewed, left_out) = (items.len(), population.excluded.len());
    if population.matched != (reviewed + left_out) as u64 {
        let why = format!(
            "the scope matched {} grants, but {reviewed} items and {left_out} exclusions are listed",
            population.matched
        );
        checks.fault("population", "population.matched", why);
    }
    for (index, item) in items.iter().enumerate() {
        // The digest covers what was sealed; what the file names it by must be the same.
        let named = (sealed(item, &["id"]), sealed(item, &["grant", "id"]));
        if named != (Some(item.id.as_str()), Some(item.grant_id.as_str())) {
            let why = "named otherwise than it was sealed";
            checks.fault("population", format!("items[{index}]"), why);
        }
    }
    if !logged.started(campaign, population, reviewed as u64) {
        let why = "no entry of the log says that the campaign started like this: by whom, when, \
                   with this definition, on this population";
        checks.fault("population", "population", why);
    }
    if checks.faults("population") == 0 {
        checks.holds("population", "population", "the one that was logged at the start");
    }
}

/// A text in what was sealed of an item.
fn sealed<'a>(item: &'a Item, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(&item.sealed, |value, name| value.get(name))?.as_str()
}

fn check_decisions(
    campaign: &CampaignRecord,
    items: &[Item],
    decisions: &[Decision],
    logged: &Logged<'_>,
    checks: &mut Checks,
) {
    let mut signed = logged.signed();
    let mut open: BTreeMap<&str, &Item> =
        items.iter().map(|item| (item.id.as_str(), item)).collect();
    for (index, decision) in decisions.iter().enumerate() {
        let place = format!("decisions[{index}]");
        let digest = canonical::digest(decision).ok();
        match digest.and_then(|digest| signed.remove(&digest)) {
            Some(signer) if signer == decision.reviewer => {}
            Some(_) => checks.fault("decisions", place.clone(), "signed by another person"),
            None => checks.fault("decisions", place.clone(), "no sign-off in the log holds it"),
        }
        match open.remove(decision.item_id.as_str()) {
            Some(item) if item.state == "decided" => {
                if let Some(why) = dependent(decision, item) {
                    checks.fault("decisions", place, why);
                }
            }
            Some(_) => checks.fault("decisions", place, "its item does not count as decided"),
            None => checks.fault("decisions", place, "its item is unknown or has another decision"),
        }
    }
    for digest in signed.into_keys() {
        let why = format!("the signed decision with digest {digest} is missing");
        checks.fault("decisions", "decisions", why);
    }
    for item in open.values().filter(|item| item.state == "decided") {
        let why = format!("the decision on item {} is missing", item.id);
        checks.fault("decisions", "decisions", why);
    }
    let superseded = logged.superseded();
    for (index, item) in items.iter().enumerate().filter(|(_, item)| item.state == "superseded") {
        if !superseded.contains(item.id.as_str()) {
            let why = "closed without a decision, but no entry of the log says so";
            checks.fault("decisions", format!("items[{index}]"), why);
        }
    }
    if campaign.state == "COMPLETED" {
        for item in items.iter().filter(|item| !is_settled(item)) {
            let why = format!("completed, although item {} has no outcome", item.id);
            checks.fault("decisions", "campaign.state", why);
        }
    }
    if checks.faults("decisions") == 0 {
        checks.holds("decisions", "decisions", "every one was signed, none is missing");
    }
}

/// Why the reviewer of a decision was not the one to make it.
fn dependent(decision: &Decision, item: &Item) -> Option<&'static str> {
    let reviewer = Some(decision.reviewer.as_str());
    if sealed(item, &["grant", "subject"]) == reviewer {
        return Some("decided by whoever holds the access");
    }
    let assigned = sealed(item, &["assignment", "reviewer"]);
    (assigned != reviewer).then_some("decided by another than the assigned reviewer")
}

fn check_remediations(
    campaign: &CampaignRecord,
    items: &[Item],
    decisions: &[Decision],
    remediations: &[Remediation],
    logged: &Logged<'_>,
    checks: &mut Checks,
) {
    let completed_at = if campaign.state == "COMPLETED" { campaign.completed_at } else { None };
    let is_completed = campaign.state == "COMPLETED" || campaign.completed_at.is_some();
    if completed_at != logged.completed_at() || is_completed != completed_at.is_some() {
        let why = "the log does not say that the campaign got this far";
        checks.fault("remediation", "campaign.state", why);
    }
    let grants: BTreeMap<&str, &str> =
        items.iter().map(|item| (item.id.as_str(), item.grant_id.as_str())).collect();
    let done: BTreeMap<&str, &Remediation> =
        remediations.iter().map(|act| (act.item_id.as_str(), act)).collect();
    for (index, decision) in decisions.iter().enumerate().filter(|(_, d)| d.verdict != "keep") {
        let act = done.get(decision.item_id.as_str());
        if act.is_none_or(|act| act.act != decision.verdict) && campaign.state == "COMPLETED" {
            let why = "nothing was done about it, although the campaign is complete";
            checks.fault("remediation", format!("decisions[{index}]"), why);
        }
    }
    for (index, act) in remediations.iter().enumerate() {
        let place = format!("remediations[{index}]");
        if grants.get(act.item_id.as_str()) != Some(&act.grant_id.as_str()) {
            checks.fault("remediation", place.clone(), "not on the grant of its item");
        }
        if let Some(why) = unproved(act, campaign) {
            checks.fault("remediation", place, why);
        } else if campaign.state == "COMPLETED" && !logged.ended(act) {
            checks.fault("remediation", place, "the log says something else of how it ended");
        }
    }
    if checks.faults("remediation") == 0 {
        let why = format!("{} acts, each as far as the campaign says", remediations.len());
        checks.holds("remediation", "remediations", why);
    }
}

/// Why an act does not prove what its state or the campaign's says.
fn unproved(act: &Remediation, campaign: &CampaignRecord) -> Option<&'static str> {
    match act.state.as_str() {
        "verified" => {
            if act.change.is_none() || act.receipts.is_empty() {
                return Some("verified without a node's receipt");
            }
            if act.probes.is_empty() && act.unprobed.is_none() {
                return Some("verified without a probe");
            }
            let ended = |result: &str| matches!(result, "refused" | "allowed_otherwise");
            let ended = act.probes.iter().all(|probe| ended(&probe.result));
            (!ended).then_some("verified, although a probe was let through by it")
        }
        "superseded" => None,
        _ if campaign.state == "COMPLETED" => Some("unproved, although the campaign is complete"),
        _ => None,
    }
}

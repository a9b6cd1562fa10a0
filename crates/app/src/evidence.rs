//! Evidence of a campaign: everything that the store and the ledger hold about it, in the bundle
//! that an auditor verifies without us.

use audit::Subject;
use audit::evidence::{self, CampaignRecord, Parts, Population, Probe, Receipt};
use base::{Problem, Timestamp};
use review::campaign::CampaignState;
use review::remediation::{Remediation, RemediationState};
use review::verification::{Answer, ProbeOutcome, Proof};
use review::{Item, ItemState};
use store::CampaignRow;

use crate::ledger::must_read_all;
use crate::review::sign::evidence_of;
use crate::{Actor, App};

impl App {
    /// The bundle of a campaign, as far as the campaign is.
    pub async fn build_evidence(&self, actor: &Actor, campaign: &str) -> Result<Vec<u8>, Problem> {
        must_read_all(actor, "build evidence")?;
        let mut state = self.read().await?;
        let missing = || Problem::not_found("review", campaign);
        let row = state.campaign(campaign).await?.ok_or_else(missing)?;
        let items = state.review_items(campaign, None).await?;
        let acts = state.remediations(campaign).await?;
        let entries = state.ledger_entries_about(&Subject::new("review", campaign)).await?;
        let tree = state.ledger_tree().await?;
        drop(state);
        let parts = Parts {
            population: population(&row)?,
            campaign: record(&row)?,
            decisions: items.iter().filter_map(decision).collect(),
            items: items.iter().map(item).collect::<Result<_, _>>()?,
            remediations: acts.iter().map(remediation).collect(),
            entries,
        };
        evidence::build(&parts, &tree, &self.signing_key)
            .map_err(|error| Problem::internal(format!("no evidence of `{campaign}`: {error}")))
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::internal(error.to_string()))
}

fn record(row: &CampaignRow) -> Result<CampaignRecord, Problem> {
    let completed_at = match &row.campaign.state {
        CampaignState::Completed { completed_at, .. } => Some(*completed_at),
        _ => None,
    };
    Ok(CampaignRecord {
        id: row.campaign.id.to_string(),
        name: row.campaign.definition.name.clone(),
        state: row.campaign.state.as_str().to_owned(),
        definition: json(&row.campaign.definition)?,
        started_by: row.started_by.clone(),
        started_at: row.created_at,
        completed_at,
    })
}

fn population(row: &CampaignRow) -> Result<Population, Problem> {
    let seal = row.campaign.seal.as_ref().ok_or_else(|| {
        Problem::conflict("never_started", format!("`{}` was never started", row.campaign.id))
            .hint("there is nothing to prove; its entry in the audit list says why")
    })?;
    Ok(Population {
        ruleset_version: seal.ruleset_version,
        sealed_at: seal.as_of,
        digest: seal.digest,
        matched: seal.items,
        excluded: Vec::new(),
    })
}

fn item(item: &Item) -> Result<evidence::Item, Problem> {
    Ok(evidence::Item {
        id: item.sealed.id.to_string(),
        grant_id: item.sealed.grant.id.to_string(),
        sealed: json(&item.sealed)?,
        state: item.state.as_str().to_owned(),
    })
}

fn decision(item: &Item) -> Option<evidence::Decision> {
    match &item.state {
        ItemState::Decided(decision) => Some(evidence_of(item, decision)),
        _ => None,
    }
}

fn remediation(act: &Remediation) -> evidence::Remediation {
    let proof = match &act.state {
        RemediationState::Verified { proof, .. } => Some(proof),
        _ => None,
    };
    let problem = match &act.state {
        RemediationState::Failed { problem, .. } => Some(problem.clone()),
        RemediationState::Superseded { .. } => {
            Some("the grant was changed or removed by somebody else first".to_owned())
        }
        _ => None,
    };
    let unprobed = proof.filter(|proof| proof.answers.is_empty());
    evidence::Remediation {
        item_id: act.item.to_string(),
        grant_id: act.grant.to_string(),
        act: act.act.as_str().to_owned(),
        state: act.state.as_str().to_owned(),
        change: act.state.applied().map(|(change, _)| change),
        receipts: proof.map(receipts).unwrap_or_default(),
        probes: proof.map(probes).unwrap_or_default(),
        unprobed: unprobed.map(|_| "nobody holds the access".to_owned()),
        problem,
    }
}

fn receipts(proof: &Proof) -> Vec<Receipt> {
    let receipt = |receipt: &review::verification::Receipt| Receipt {
        node: receipt.node.to_string(),
        since: receipt.since,
        streams_cut: receipt.streams_cut,
        streams_open: receipt.streams_open,
    };
    proof.receipts.iter().map(receipt).collect()
}

fn probes(proof: &Proof) -> Vec<Probe> {
    proof.answers.iter().map(|answer| probe(answer, proof.at)).collect()
}

fn probe(answer: &Answer, at: Timestamp) -> Probe {
    let asked = &answer.probe;
    let asked = format!("{} on {} as {}", asked.operation, asked.api, asked.identity);
    // A proof exists only when nothing passed by the permission that was removed.
    let (result, got) = match &answer.outcome {
        ProbeOutcome::Refused { reason } => ("refused", reason.clone()),
        ProbeOutcome::Allowed { grants } => {
            let grants: Vec<_> = grants.iter().map(|grant| grant.as_str()).collect();
            ("allowed_otherwise", grants.join(", "))
        }
    };
    Probe { at, result: result.to_owned(), detail: format!("{asked}: {got}") }
}

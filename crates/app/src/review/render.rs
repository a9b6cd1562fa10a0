//! Views of reviews, items and acts, made of what was sealed; only names of reviewers are live.

use std::collections::HashMap;

use base::{Problem, Timestamp};
use review::{
    Campaign, CampaignState, Consequence, Item, ItemState, ProbeOutcome, Remediation,
    RemediationState, ReviewItem, VerdictKind,
};
use store::{CampaignRow, Connection, Named};

use super::narrowed_to;
use crate::Actor;
use crate::view::{
    self, ItemFinding, ItemUsage, ItemView, NamedOperation, NodeReceipt, RemediationView,
    ReviewView,
};

/// The list row of a review, with the counts that the actor may see.
pub(crate) async fn review(
    state: &mut Connection,
    row: &CampaignRow,
    actor: &Actor,
) -> Result<ReviewView, Problem> {
    let campaign = &row.campaign;
    let id = campaign.id.as_str();
    let tally = state.review_counts(id, narrowed_to(actor).as_deref()).await?.tally;
    let own = state.review_counts(id, Some(actor.id.as_str())).await?.tally;
    let started_at = started_at(campaign).unwrap_or(row.created_at);
    let deadline = match campaign.state {
        CampaignState::Active { deadline, .. } => deadline,
        _ => campaign.definition.deadline(started_at),
    };
    Ok(ReviewView {
        id: id.to_owned(),
        name: campaign.definition.name.clone(),
        instructions: campaign.definition.instructions.clone(),
        state: campaign.state.as_str().to_owned(),
        started_at: started_at.to_string(),
        deadline: deadline.to_string(),
        items: tally.undecided() + tally.decided + tally.superseded,
        mine: own.undecided() + own.decided + own.superseded,
        drafted: tally.drafted,
        decided: tally.decided,
    })
}

fn started_at(campaign: &Campaign) -> Option<Timestamp> {
    match campaign.state {
        CampaignState::Active { started_at, .. }
        | CampaignState::Remediating { started_at, .. }
        | CampaignState::Verifying { started_at, .. }
        | CampaignState::Completed { started_at, .. } => Some(started_at),
        CampaignState::Staged { at } => Some(at),
        CampaignState::Cancelled { .. } | CampaignState::LaunchFailed { .. } => None,
    }
}

/// One item.
pub(crate) async fn item(
    state: &mut Connection,
    item: &Item,
    actor: &Actor,
) -> Result<ItemView, Problem> {
    let names = reviewers(state, std::slice::from_ref(item)).await?;
    Ok(item_view(item, &names, actor))
}

/// Items, with the names of their reviewers by one query.
pub(crate) async fn items(
    state: &mut Connection,
    items: &[Item],
    actor: &Actor,
) -> Result<Vec<ItemView>, Problem> {
    let names = reviewers(state, items).await?;
    Ok(items.iter().map(|item| item_view(item, &names, actor)).collect())
}

async fn reviewers(
    state: &mut Connection,
    items: &[Item],
) -> Result<HashMap<String, Named>, Problem> {
    let mut ids: Vec<_> =
        items.iter().map(|item| item.sealed.assignment.reviewer.to_string()).collect();
    ids.sort();
    ids.dedup();
    Ok(state.names(&ids).await?)
}

fn item_view(item: &Item, reviewers: &HashMap<String, Named>, actor: &Actor) -> ItemView {
    let sealed = &item.sealed;
    let reviewer = sealed.assignment.reviewer.to_string();
    let name = reviewers.get(&reviewer).map(|named| named.name.clone());
    let (verdict, note, decided_at) = outcome(&item.state);
    ItemView {
        id: sealed.id.to_string(),
        review_id: sealed.campaign.to_string(),
        subject: sealed.grant.subject.to_string(),
        subject_name: sealed.subject.name.clone(),
        subject_kind: sealed.subject.kind.clone(),
        purpose: sealed.subject.purpose.clone(),
        owner: sealed.subject.owner.as_ref().map(ToString::to_string),
        owner_name: sealed.subject.owner_name.clone(),
        owner_active: sealed.subject.owner_active,
        grant_id: sealed.grant.id.to_string(),
        grant_version: sealed.grant.version,
        api_id: sealed.grant.api.to_string(),
        api_name: sealed.api.name.clone(),
        api_impact: sealed.api.impact.to_string(),
        granted: granted(sealed),
        grant_reason: sealed.grant.reason.to_string(),
        granted_at: sealed.grant.created_at.to_string(),
        usage: usage(sealed),
        findings: findings(sealed),
        recommendation: recommendation(sealed),
        if_narrowed: sealed.consequences.narrowed.as_ref().map(consequence),
        if_removed: consequence(&sealed.consequences.removed),
        state: item.state.as_str().to_owned(),
        risk: sealed.risk.to_string(),
        tab: sealed.attention.to_string(),
        reviewer_name: name.unwrap_or_else(|| reviewer.clone()),
        reviewer,
        reviewer_rule: sealed.assignment.rule.to_string(),
        verdict,
        note,
        decided_at,
        mine: sealed.assignment.reviewer == actor.id,
    }
}

fn outcome(state: &ItemState) -> (Option<String>, Option<String>, Option<String>) {
    let draft = match state {
        ItemState::Pending | ItemState::Superseded(_) => return (None, None, None),
        ItemState::Drafted(draft) => draft,
        ItemState::Decided(decision) => &decision.draft,
    };
    let signed_at = match state {
        ItemState::Decided(decision) => Some(decision.signed_at.to_string()),
        _ => None,
    };
    (Some(draft.verdict.kind().to_string()), draft.note.clone(), signed_at)
}

fn granted(sealed: &ReviewItem) -> Vec<NamedOperation> {
    let operations = sealed.operations.iter();
    let view = |op: &review::item::OperationFacts| NamedOperation {
        id: op.id.to_string(),
        title: op.title.clone(),
        calls: op.calls,
        dangerous: op.dangerous,
    };
    operations.map(view).collect()
}

fn usage(sealed: &ReviewItem) -> ItemUsage {
    let usage = &sealed.usage;
    ItemUsage {
        window_days: usage.window_days,
        calls: usage.calls,
        last_used_at: usage.last_used_at.map(|at| at.to_string()),
        weeks: usage.weeks.to_vec(),
        operations_used: usage.operations_used.iter().map(ToString::to_string).collect(),
        operations_granted: sealed.operations.len() as u64,
        fields_seen: usage.fields_seen.iter().map(received).collect(),
        as_of: usage.as_of.to_string(),
        sufficient: usage.sufficient,
    }
}

fn received(field: &review::item::SeenField) -> view::ReceivedFieldView {
    view::ReceivedFieldView {
        operation: field.operation.to_string(),
        path: field.path.clone(),
        last_at: field.last_at.to_string(),
    }
}

fn findings(sealed: &ReviewItem) -> Vec<ItemFinding> {
    let view = |note: &review::item::FindingNote| ItemFinding {
        rule: note.rule.to_string(),
        summary: note.summary.clone(),
    };
    sealed.findings.iter().map(view).collect()
}

fn recommendation(sealed: &ReviewItem) -> view::Recommendation {
    let recommendation = &sealed.recommendation;
    let narrower = recommendation.narrower.iter().flatten();
    view::Recommendation {
        verdict: recommendation.verdict.map_or("none", VerdictKind::as_str).to_owned(),
        reasons: recommendation.reasons.iter().map(|reason| reason.text.clone()).collect(),
        operations: narrower.map(ToString::to_string).collect(),
    }
}

fn consequence(consequence: &Consequence) -> view::Consequence {
    view::Consequence {
        calls: consequence.calls,
        refused: consequence.refused,
        unknown: consequence.unknown,
        callers: consequence.callers,
        last_at: consequence.last_at.map(|at| at.to_string()),
        summary: consequence.summary(),
    }
}

/// One act of the plan.
pub(super) fn remediation(act: &Remediation) -> RemediationView {
    let mut view = RemediationView {
        item_id: act.item.to_string(),
        grant_id: act.grant.to_string(),
        act: act.act.as_str().to_owned(),
        state: act.state.as_str().to_owned(),
        change: act.state.applied().map(|(change, _)| change),
        receipts: Vec::new(),
        probe: None,
        problem: None,
    };
    match &act.state {
        RemediationState::Verified { proof, .. } => {
            let receipt = |receipt: &review::Receipt| NodeReceipt {
                node: receipt.node.to_string(),
                since: receipt.since.to_string(),
                streams_cut: receipt.streams_cut,
                streams_open: receipt.streams_open,
            };
            view.receipts = proof.receipts.iter().map(receipt).collect();
            view.probe = Some(probe(proof));
        }
        RemediationState::Failed { problem, .. } => {
            view.probe = Some("allowed".to_owned());
            view.problem = Some(problem.clone());
        }
        RemediationState::Superseded { found: Some(version), .. } => {
            view.problem = Some(format!("version {version} stood when it was to be carried out"));
        }
        RemediationState::Superseded { found: None, .. } => {
            view.problem = Some("the grant was gone when it was to be carried out".to_owned());
        }
        RemediationState::Blocked { found, .. } => view.problem = Some(gives_more(*found)),
        RemediationState::Planned | RemediationState::Applied { .. } => {}
    }
    view
}

fn probe(proof: &review::Proof) -> String {
    let refused =
        proof.answers.iter().filter(|a| matches!(a.outcome, ProbeOutcome::Refused { .. })).count();
    let others = proof.still_reachable_by();
    match (proof.answers.len(), others.as_slice()) {
        (0, _) => "nobody holds it any more".to_owned(),
        (_, []) => "refused".to_owned(),
        (all, others) => {
            let names: Vec<_> = others.iter().map(ToString::to_string).collect();
            let others = names.join(", ");
            format!("{refused} of {all} refused; the rest still pass by other grants: {others}")
        }
    }
}

fn gives_more(version: u32) -> String {
    format!("version {version} gives more than was reviewed; revoke or narrow it")
}

/// Why an act is not settled.
pub(super) fn unsettled(act: &Remediation) -> String {
    let grant = &act.grant;
    match &act.state {
        RemediationState::Failed { problem, .. } => format!("{grant}: {problem}"),
        RemediationState::Planned => format!("{grant}: is to be carried out"),
        RemediationState::Blocked { found, .. } => format!("{grant}: {}", gives_more(*found)),
        _ => format!("{grant}: carried out, proof is pending"),
    }
}

/// `refused`, `pending`, `allowed` or `none` for all acts together.
pub(super) fn probe_word(acts: &[Remediation]) -> &'static str {
    let mut word = "none";
    for act in acts {
        match &act.state {
            RemediationState::Failed { .. } => return "allowed",
            RemediationState::Planned
            | RemediationState::Blocked { .. }
            | RemediationState::Applied { .. } => word = "pending",
            RemediationState::Verified { .. } if word == "none" => word = "refused",
            RemediationState::Verified { .. } | RemediationState::Superseded { .. } => {}
        }
    }
    word
}

/// From the last signature until the last change was enforced everywhere, once all are proved.
pub(super) fn applied_in_ms(campaign: &Campaign, acts: &[Remediation]) -> Option<u64> {
    let (CampaignState::Verifying { decided_at, .. } | CampaignState::Completed { decided_at, .. }) =
        campaign.state
    else {
        return None;
    };
    let proofs = acts.iter().filter_map(|act| match &act.state {
        RemediationState::Verified { proof, .. } => Some(proof),
        _ => None,
    });
    let enforced = proofs.flat_map(|proof| &proof.receipts).map(|receipt| receipt.since).max()?;
    u64::try_from(enforced.since(decided_at).as_micros().max(0) / 1_000).ok()
}

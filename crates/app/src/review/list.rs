//! Reviews and items as lists, and the status of one review with its proof.

use std::collections::BTreeSet;

use base::Problem;
use review::{CampaignState, RemediationState};
use store::{CampaignRow, Snapshot};

use super::{narrowed_to, render, visible_campaign};
use crate::view::{ItemView, ReviewStatus, ReviewView};
use crate::{Actor, App};

impl App {
    /// Reviews, newest first: all of them, or those with items of the actor's own.
    pub async fn reviews(&self, actor: &Actor) -> Result<Vec<ReviewView>, Problem> {
        let mut state = self.read().await?;
        let mut views = Vec::new();
        for row in state.campaigns().await? {
            let view = render::review(&mut state, &row, actor).await?;
            if actor.reads_all() || view.items > 0 {
                views.push(view);
            }
        }
        Ok(views)
    }

    /// Items of a review: all of them, or the actor's own.
    pub async fn review_items(
        &self,
        actor: &Actor,
        review: &str,
    ) -> Result<Vec<ItemView>, Problem> {
        let mut state = self.read().await?;
        visible_campaign(&mut state, actor, review).await?;
        let items = state.review_items(review, narrowed_to(actor).as_deref()).await?;
        render::items(&mut state, &items, actor).await
    }

    /// How far a review is, what was done and how it was proved.
    pub async fn review_status(
        &self,
        actor: &Actor,
        review: &str,
    ) -> Result<ReviewStatus, Problem> {
        let mut state = self.read().await?;
        let row = visible_campaign(&mut state, actor, review).await?;
        let view = render::review(&mut state, &row, actor).await?;
        let [kept, narrowed, removed] = state.verdicts(review).await?;
        let counts = state.review_counts(review, None).await?;
        let acts = state.remediations(review).await?;
        let failed = |state: &RemediationState| match state {
            RemediationState::Failed { allowed_since, .. } => *allowed_since,
            _ => 0,
        };
        let seal = row.campaign.seal.as_ref();
        let seen = seen_acts(&mut state, actor, review, &acts).await?;
        Ok(ReviewStatus {
            kept,
            narrowed,
            removed,
            superseded: counts.tally.superseded,
            applied_in_ms: render::applied_in_ms(&row.campaign, &acts),
            probe: render::probe_word(&acts).to_owned(),
            allowed_since: acts.iter().map(|act| failed(&act.state)).sum(),
            population_digest: seal.map(|seal| seal.digest.to_hex()).unwrap_or_default(),
            population_version: seal.map(|seal| seal.ruleset_version).unwrap_or_default(),
            blocked_by: self.blocked_by(&mut state, &row, &seen).await?,
            remediations: seen.iter().map(render::remediation).collect(),
            review: view,
        })
    }

    async fn blocked_by(
        &self,
        state: &mut Snapshot,
        row: &CampaignRow,
        acts: &[review::Remediation],
    ) -> Result<Vec<String>, Problem> {
        let id = row.campaign.id.as_str();
        let mut reasons = Vec::new();
        match &row.campaign.state {
            CampaignState::Staged { .. } => reasons.push("nobody was asked yet".to_owned()),
            CampaignState::Active { deadline, .. } => {
                reasons.extend(undecided(state, id).await?);
                if self.now() > *deadline {
                    reasons.push(format!(
                        "decisions ended at {deadline}: extend the review or cancel it"
                    ));
                }
            }
            CampaignState::Remediating { .. } | CampaignState::Verifying { .. } => {
                let unsettled = acts.iter().filter(|act| !act.state.is_settled());
                reasons.extend(unsettled.map(render::unsettled));
            }
            CampaignState::LaunchFailed { reasons: why, .. } => reasons.extend(why.clone()),
            CampaignState::Completed { .. } | CampaignState::Cancelled { .. } => {}
        }
        Ok(reasons)
    }
}

/// Whose decisions are missing, by name.
async fn undecided(state: &mut Snapshot, review: &str) -> Result<Vec<String>, Problem> {
    let open = state.undecided_by_reviewer(review).await?;
    let ids: Vec<_> = open.iter().map(|(reviewer, _)| reviewer.clone()).collect();
    let names = state.names(&ids).await?;
    let reason = |(reviewer, count): (String, u64)| {
        let name = names.get(&reviewer).map_or(reviewer.as_str(), |named| &named.name);
        let items = if count == 1 { "1 item is".to_owned() } else { format!("{count} items are") };
        format!("{items} for {name} to decide and sign")
    };
    Ok(open.into_iter().map(reason).collect())
}

/// The acts that the actor may see one by one: all, or those of their own items. Counts and the
/// word for all probes are about all.
async fn seen_acts(
    state: &mut Snapshot,
    actor: &Actor,
    review: &str,
    acts: &[review::Remediation],
) -> Result<Vec<review::Remediation>, Problem> {
    let Some(reviewer) = narrowed_to(actor) else { return Ok(acts.to_vec()) };
    let own = state.review_items(review, Some(&reviewer)).await?;
    let own: BTreeSet<_> = own.into_iter().map(|item| item.sealed.id).collect();
    Ok(acts.iter().filter(|act| own.contains(&act.item)).cloned().collect())
}

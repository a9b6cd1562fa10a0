//! Carrying out what reviews decided, and proving it. One job; a signature runs it too. It can be
//! cut off at any point and started again: every step is one transaction over the state that it
//! was made from, and a step that was done is not done twice.

mod carry_out;
mod observe;

use audit::Event;
use base::Problem;
use review::{Campaign, Refusal};
use serde_json::json;

use crate::review::{refused, system};
use crate::{Actor, App};

impl App {
    /// Closes overtaken items, carries out plans, proves what was carried out and completes
    /// reviews that are through. A review that cannot go on does not hold up the others; the first
    /// problem is told at the end.
    pub async fn remediate(&self) -> Result<(), Problem> {
        let _alone = self.remediating.lock().await;
        self.supersede_outdated().await?;
        let mut first_problem = Ok(());
        let open = self.read().await?.campaigns_in("REMEDIATING", "VERIFYING").await?;
        for row in open {
            let done = self.advance(row.campaign).await;
            if let Err(problem) = done {
                // Another node took the same step: nothing is wrong, and the next run goes on.
                let was_faster = problem.reason == "stale_version";
                if !was_faster && first_problem.is_ok() {
                    first_problem = Err(problem);
                }
            }
        }
        first_problem
    }

    /// Findings on what was just removed are gone, and stale ones would ask for it again. What
    /// fails here changes nothing that was decided: the job of every hour looks too.
    async fn look_again(&self) {
        if let Err(problem) = self.detect_findings().await {
            tracing::warn!(%problem, "findings are as they were before the remediation");
        }
    }

    async fn advance(&self, campaign: Campaign) -> Result<(), Problem> {
        if campaign.state.as_str() != "REMEDIATING" {
            return self.prove(campaign).await;
        }
        let campaign = self.carry_out(campaign).await?;
        if campaign.state.as_str() == "REMEDIATING" {
            return Ok(());
        }
        let proved = self.prove(campaign).await;
        self.look_again().await;
        proved
    }

    /// Proves what is not proved yet and completes the campaign when all is.
    async fn prove(&self, campaign: Campaign) -> Result<(), Problem> {
        let acts = self.read().await?.remediations(campaign.id.as_str()).await?;
        let observed = self.observe(&acts).await?;
        let mut tx = self.begin(&Actor::system(system("system:remediation")?)).await?;
        let now = tx.at();
        let mut after = Vec::with_capacity(acts.len());
        let mut failed = Vec::new();
        for (before, observation) in acts.into_iter().zip(observed) {
            let act = match observation {
                Some(observation) => before.clone().observed(&observation, now),
                None => before.clone(),
            };
            if act != before {
                tx.save_remediation(&before, &act).await?;
                if act.state.as_str() == "failed" {
                    failed.push(json!({ "item": act.item, "state": act.state }));
                }
            }
            after.push(act);
        }
        if !failed.is_empty() {
            let detail = json!({ "acts": failed });
            tx.record_review(Event::ReviewRemediationFailed, &campaign, detail).await?;
        }
        match campaign.clone().proved(&after, now) {
            Ok(completed) => {
                let proved: Vec<_> = after
                    .iter()
                    .map(|act| json!({ "item": act.item, "grant": act.grant, "state": act.state }))
                    .collect();
                let detail = json!({ "acts": proved });
                tx.record_review(Event::ReviewVerified, &campaign, detail).await?;
                let detail = json!({ "state": completed.state });
                tx.save_campaign(Event::ReviewCompleted, &campaign, &completed, detail).await?;
            }
            Err(Refusal::Unproved { .. }) => {}
            Err(refusal) => return Err(refused(&refusal)),
        }
        self.commit(tx).await?;
        Ok(())
    }
}

//! Executing a plan. There is nothing to choose here: the act says what the grant is to be, and
//! the version says which grant it may touch.

use audit::Event;
use base::Problem;
use grant::{GrantStatus, RoleTable};
use review::remediation::Applied;
use review::{Campaign, Refusal, Remediation, RemediationState};
use serde_json::json;
use store::Tx;

use crate::review::{refused, system};
use crate::{Actor, App};

/// Acts per transaction: enough that the cost of a commit vanishes, few enough that nobody waits.
const BATCH: usize = 200;

impl App {
    /// Executes what is planned and ends the execution. Grant and act move in one transaction, so
    /// an act is done exactly when it says so.
    pub(super) async fn carry_out(&self, campaign: Campaign) -> Result<Campaign, Problem> {
        let id = campaign.id.as_str();
        let acts = self.read().await?.remediations(id).await?;
        let planned: Vec<_> = acts.into_iter().filter(|act| act.state.is_planned()).collect();
        for batch in planned.chunks(BATCH) {
            let mut tx = self.begin(&Actor::system(system("system:remediation")?)).await?;
            let mut done = Vec::with_capacity(batch.len());
            for act in batch {
                let after = carry_out(&mut tx, act).await?;
                if after.state == act.state {
                    continue;
                }
                tx.save_remediation(act, &after).await?;
                done.push(
                    json!({ "item": after.item, "grant": after.grant, "state": after.state }),
                );
            }
            if done.is_empty() {
                continue;
            }
            let detail = json!({ "acts": done });
            tx.record_review(Event::ReviewRemediated, &campaign, detail).await?;
            self.commit(tx).await?;
        }
        let mut tx = self.begin(&Actor::system(system("system:remediation")?)).await?;
        let acts = tx.remediations(id).await?;
        let after = match campaign.clone().applied(&acts, tx.at()) {
            // What is left waits for somebody to look; the review stays where it is.
            Err(Refusal::NotApplied { .. }) => return Ok(campaign),
            after => after.map_err(|refusal| refused(&refusal))?,
        };
        let detail = json!({ "state": after.state.as_str() });
        tx.save_campaign(Event::ReviewRemediated, &campaign, &after, detail).await?;
        self.commit(tx).await?;
        Ok(after)
    }
}

async fn carry_out(tx: &mut Tx, act: &Remediation) -> Result<Remediation, Problem> {
    let grant = tx.grant(act.grant.as_str()).await?;
    let at = tx.at();
    let roles: RoleTable = tx.roles().await?.into_iter().collect();
    let flat = grant.as_ref().map(|grant| roles.flatten(grant));
    let state = match act.apply_to(flat.as_ref()) {
        Applied::Write(wanted) => {
            // Of a narrowed grant nothing may be left to keep.
            let event = match wanted.status {
                GrantStatus::Revoked => Event::GrantRevoked,
                GrantStatus::Active | GrantStatus::Suspended => Event::GrantNarrowed,
            };
            let note = format!("review {}, item {}", act.campaign, act.item);
            let change = tx.save_grant(event, grant.as_ref(), &wanted, Some(&note)).await?;
            RemediationState::Applied { change, at }
        }
        // The change that brought it about is not known any more; it is in the present state.
        Applied::AlreadyDone => RemediationState::Applied { change: tx.base(), at },
        Applied::Stale { found } => RemediationState::Superseded { found, at },
        Applied::Widened { found } => match act.state {
            // Noticed before: nothing new to say.
            RemediationState::Blocked { found: before, at } if before == found => {
                RemediationState::Blocked { found, at }
            }
            _ => RemediationState::Blocked { found, at },
        },
    };
    Ok(act.clone().noted(state))
}

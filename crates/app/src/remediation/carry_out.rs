//! Executing a plan. There is nothing to choose here: the act says what the grant is to be, and
//! the version says which grant it may touch.

use audit::Event;
use base::Problem;
use review::remediation::Applied;
use review::{Act, Campaign, Remediation, RemediationState};
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
                tx.save_remediation(act, &after).await?;
                done.push(
                    json!({ "item": after.item, "grant": after.grant, "state": after.state }),
                );
            }
            let detail = json!({ "acts": done });
            tx.record_review(Event::ReviewRemediated, &campaign, detail).await?;
            self.commit(tx).await?;
        }
        let mut tx = self.begin(&Actor::system(system("system:remediation")?)).await?;
        let acts = tx.remediations(id).await?;
        let after = campaign.clone().applied(&acts, tx.at()).map_err(|r| refused(&r))?;
        let detail = json!({ "state": after.state.as_str() });
        tx.save_campaign(Event::ReviewRemediated, &campaign, &after, detail).await?;
        self.commit(tx).await?;
        Ok(after)
    }
}

async fn carry_out(tx: &mut Tx, act: &Remediation) -> Result<Remediation, Problem> {
    let grant = tx.grant(act.grant.as_str()).await?;
    let at = tx.at();
    let state = match act.apply_to(grant.as_ref()) {
        Applied::Write(wanted) => {
            let event = match act.act {
                Act::Remove => Event::GrantRevoked,
                Act::Narrow(_) => Event::GrantNarrowed,
            };
            let note = format!("review {}, item {}", act.campaign, act.item);
            let change = tx.save_grant(event, grant.as_ref(), &wanted, Some(&note)).await?;
            RemediationState::Applied { change, at }
        }
        // The change that brought it about is not known any more; it is in the present state.
        Applied::AlreadyDone => RemediationState::Applied { change: tx.base(), at },
        Applied::Stale { found } => RemediationState::Superseded { found, at },
        Applied::Widened { found } => RemediationState::Failed {
            change: tx.base(),
            at,
            allowed_since: 0,
            problem: format!("version {found} gives more than was reviewed; revoke or narrow it"),
        },
    };
    Ok(act.clone().noted(state))
}

//! Changes of policy that are put in force step by step: in the records only, for a share of the
//! callers, for all, or back.

mod count;
mod start;
mod tend;

use base::Problem;
use grant::Rollout;
use grant::rollout::{NoStep, Stage, Step};
use store::{Connection, Tx};

use crate::authority::Authority;
use crate::policies::all_hold;
use crate::view::{
    AdvanceRollout, BoundView, ChangeSet, ReturnedRollout, RolloutCounts, RolloutDifference,
    RolloutRow, RolloutStep, RolloutView,
};
use crate::{Actor, App, input};

pub use count::RolloutTallies;

/// Rollouts that are listed.
const LISTED_MAX: u32 = 100;
/// Differences that are shown.
const DIFFERENCES_SHOWN_MAX: u32 = 500;

impl App {
    /// The rollout that is open, or the last one, with what it did to calls so far.
    pub async fn rollout(&self, actor: &Actor) -> Result<RolloutView, Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_read_all("see how a change of policy is rolled out")?;
        // So that what this node counted is in it.
        self.tend_rollout().await?;
        let mut state = self.read().await?;
        let last = state.rollouts(1).await?.into_iter().next();
        let last = last.ok_or_else(|| {
            let detail = "no change of policy was rolled out yet".to_owned();
            let none = Problem { detail, ..Problem::not_found("rollout", "any") };
            none.hint("portreeve policy publish FILE --shadow")
        })?;
        self.rollout_view(&mut state, last).await
    }

    /// Every rollout, the newest first.
    pub async fn rollouts(&self, actor: &Actor) -> Result<Vec<RolloutRow>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        authority.must_read_all("see how a change of policy is rolled out")?;
        Ok(state.rollouts(LISTED_MAX).await?.iter().filter_map(row).collect())
    }

    /// Takes the open rollout further: to more callers, or to all, which publishes the change and
    /// checks it as any other.
    pub async fn advance_rollout(
        &self,
        actor: &Actor,
        wanted: AdvanceRollout,
    ) -> Result<RolloutView, Problem> {
        let why = input::maybe_line("why", wanted.why.as_deref())?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("roll out a change of policy")?;
        let (stage, share) = match (wanted.share, wanted.all) {
            (Some(share), false) => (Stage::Share, share),
            (None, true) => (Stage::All, grant::rollout::SHARE_ALL),
            _ => {
                let detail = "say either a share or all";
                return Err(Problem::invalid("bad_share", detail).at("share"));
            }
        };
        let open = must_be_open(&mut tx).await?;
        let by = actor.id.to_string();
        let step = Step { stage, share, at: tx.at(), by, why: why.clone() };
        let next = open.step(step).map_err(|no| refused(&no))?;
        let event = match stage {
            Stage::All => {
                self.publish_rolled_out(&mut tx, actor, &open).await?;
                audit::Event::RolloutCompleted
            }
            _ => audit::Event::RolloutAdvanced,
        };
        tx.save_rollout(event, Some(&open), &next, why.as_deref()).await?;
        self.end_step(tx, next).await
    }

    /// Takes the open rollout back: the present ruleset governs everybody.
    pub async fn return_rollout(&self, actor: &Actor, why: &str) -> Result<RolloutView, Problem> {
        let why = input::line("why", why)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("take a change of policy back")?;
        let open = must_be_open(&mut tx).await?;
        let by = actor.id.to_string();
        let step =
            Step { stage: Stage::Returned, share: 0, at: tx.at(), by, why: Some(why.clone()) };
        let next = open.step(step).map_err(|no| refused(&no))?;
        let event = audit::Event::RolloutReturned;
        tx.save_rollout(event, Some(&open), &next, Some(&why)).await?;
        self.end_step(tx, next).await
    }

    /// The ordinary way of publishing, with the ids that the records of the rollout name.
    async fn publish_rolled_out(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        open: &Rollout,
    ) -> Result<(), Problem> {
        let objects = open.edits.iter().map(|edit| (edit.kind.clone(), edit.id.clone()));
        self.check_unchanged(tx, objects.collect(), open.base).await?;
        let change = change_of(open)?;
        self.apply(tx, actor, &change, &open.given).await?;
        let after = self.after(tx).await?;
        all_hold(&self.tests_after(tx, &after).await?)
    }

    /// Within the transaction that broke it: a change that the rollout makes too was made.
    pub(crate) async fn return_broken(
        &self,
        tx: &mut Tx,
        why: &str,
    ) -> Result<Option<ReturnedRollout>, Problem> {
        let Some(open) = tx.open_rollout().await? else { return Ok(None) };
        let by = tx.writer().actor.to_string();
        let step =
            Step { stage: Stage::Returned, share: 0, at: tx.at(), by, why: Some(why.to_owned()) };
        let next = open.step(step).map_err(|no| refused(&no))?;
        let event = audit::Event::RolloutReturned;
        tx.save_rollout(event, Some(&open), &next, Some(why)).await?;
        Ok(Some(ReturnedRollout { id: open.id.to_string(), why: why.to_owned() }))
    }

    async fn end_step(&self, tx: Tx, rollout: Rollout) -> Result<RolloutView, Problem> {
        let change = self.commit(tx).await?;
        let receipt = self.receipt(change).await?;
        let view = self.rollout_view(&mut *self.read().await?, rollout).await?;
        Ok(RolloutView { receipt: Some(receipt), ..view })
    }

    async fn rollout_view(
        &self,
        state: &mut Connection,
        rollout: Rollout,
    ) -> Result<RolloutView, Problem> {
        let window = count::piece_of(self.now() - rollout.bound.window);
        let within = state.rollout_tally(&rollout.id, window).await?;
        let all = state.rollout_tally(&rollout.id, base::Timestamp::MIN).await?;
        let counts = |sum: store::RolloutCount| RolloutCounts {
            judged: sum.judged,
            governed: sum.governed,
            refused: sum.refused,
        };
        let rows = state.rollout_differences(&rollout.id, DIFFERENCES_SHOWN_MAX).await?;
        Ok(RolloutView {
            id: rollout.id.to_string(),
            stage: rollout.stage().to_string(),
            share: rollout.share(),
            change: change_of(&rollout)?,
            edits: rollout.edits.iter().map(|edit| format!("{}/{}", edit.kind, edit.id)).collect(),
            base: rollout.base,
            bound: BoundView {
                refusals: rollout.bound.refusals,
                percent: rollout.bound.percent,
                window: Some(rollout.bound.window.to_string()),
            },
            steps: rollout.steps.iter().map(step_view).collect(),
            within_window: counts(within),
            since_start: counts(all),
            differences: rows.into_iter().map(difference_view).collect(),
            receipt: None,
        })
    }
}

async fn must_be_open(tx: &mut Tx) -> Result<Rollout, Problem> {
    if let Some(open) = tx.open_rollout().await? {
        return Ok(open);
    }
    Err(match tx.rollouts(1).await?.first() {
        Some(last) => refused(&NoStep::Over(last.stage())),
        None => Problem::conflict("no_rollout", "no change of policy is being rolled out")
            .hint("portreeve policy publish FILE --shadow"),
    })
}

fn refused(no: &NoStep) -> Problem {
    let detail = no.to_string();
    match no {
        NoStep::Over(_) => Problem::conflict("rollout_over", detail)
            .hint("publish the change anew: policy publish FILE --shadow"),
        NoStep::BadShare => Problem::invalid("bad_share", detail).at("share"),
        NoStep::NotFurther(_) => Problem::conflict("not_further", detail)
            .at("share")
            .hint("say a larger share, or take the change back: policy rollout return"),
    }
}

fn change_of(rollout: &Rollout) -> Result<ChangeSet, Problem> {
    serde_json::from_value(rollout.change.clone()).map_err(|error| {
        Problem::internal(format!("the change of rollout `{}`: {error}", rollout.id))
    })
}

fn row(rollout: &Rollout) -> Option<RolloutRow> {
    Some(RolloutRow {
        id: rollout.id.to_string(),
        stage: rollout.stage().to_string(),
        share: rollout.share(),
        edits: rollout.edits.len(),
        started: step_view(rollout.steps.first()?),
        last: step_view(rollout.steps.last()?),
    })
}

fn step_view(step: &Step) -> RolloutStep {
    RolloutStep {
        stage: step.stage.to_string(),
        share: step.share,
        at: step.at.to_string(),
        by: step.by.clone(),
        why: step.why.clone(),
    }
}

fn difference_view(
    (key, calls, last_at): (store::DifferenceKey, u64, base::Timestamp),
) -> RolloutDifference {
    RolloutDifference {
        identity_id: key.identity.map(|id| id.to_string()),
        api_id: key.api.map(|id| id.to_string()),
        operation: key.operation.map(|id| id.to_string()),
        governed_by: key.governed_by.to_string(),
        difference: key.difference.to_string(),
        reason: key.reason.map(|reason| reason.to_string()),
        calls,
        last_at: last_at.to_string(),
    }
}

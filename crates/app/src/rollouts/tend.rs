//! What a node does about an open rollout by itself: it adds what it counted to what the others
//! did, and takes the change back when refusals of calls that passed before pass the bound.

use base::Problem;
use grant::Rollout;
use grant::rollout::{Stage, Step, Tally};

use super::count::{Taken, piece_of};
use crate::{Actor, App};

impl App {
    /// To be run every second or so. Costs nothing while no rollout is open.
    pub async fn tend_rollout(&self) -> Result<(), Problem> {
        // One after the other: who looks afterwards finds in the store what another took out before.
        let _tending = self.tending.lock().await;
        let taken = self.rollout_tallies.take();
        let is_open = self.ruleset().load().rollout().is_some();
        if taken.is_empty() && !is_open {
            return Ok(());
        }
        let done = self.share_and_judge(taken).await;
        if done.is_err() {
            self.fall_back_alone().await;
        }
        done
    }

    async fn share_and_judge(&self, taken: Vec<Taken>) -> Result<(), Problem> {
        if !taken.is_empty()
            && let Err(problem) = self.add_counts(&taken).await
        {
            self.rollout_tallies.put_back(taken);
            return Err(problem);
        }
        let mut state = self.read().await?;
        let Some(open) = state.open_rollout().await? else { return Ok(()) };
        if open.stage() != Stage::Share {
            return Ok(());
        }
        let since = piece_of(self.now() - open.bound.window);
        let sum = state.rollout_tally(&open.id, since).await?;
        drop(state);
        let tally = Tally { governed: sum.governed, refused: sum.refused };
        match open.bound.passed_by(tally) {
            Some(why) => self.return_by_itself(&open, &why).await,
            None => Ok(()),
        }
    }

    async fn add_counts(&self, taken: &[Taken]) -> Result<(), Problem> {
        let mut tx = self.begin(&Actor::system(crate::system_id("rollout")?)).await?;
        for one in taken {
            let node = &self.settings.node;
            tx.merge_rollout(&one.id, node, &one.counts, &one.differences).await?;
        }
        self.commit(tx).await.map(|_| ())
    }

    /// Whoever sees it first acts; another node that saw it too finds it done.
    async fn return_by_itself(&self, seen: &Rollout, why: &str) -> Result<(), Problem> {
        let mut tx = self.begin(&Actor::system(crate::system_id("rollout")?)).await?;
        let Some(open) = tx.open_rollout().await?.filter(|open| open.id == seen.id) else {
            return Ok(());
        };
        let by = tx.writer().actor.to_string();
        let step =
            Step { stage: Stage::Returned, share: 0, at: tx.at(), by, why: Some(why.to_owned()) };
        let after = open.step(step).map_err(|no| super::refused(&no))?;
        let event = audit::Event::RolloutReturned;
        tx.save_rollout(event, Some(&open), &after, Some(why)).await?;
        self.commit(tx).await?;
        tracing::warn!(rollout = %open.id, "returned: {why}");
        Ok(())
    }

    /// The store does not answer: what this node counted itself is enough to stop here.
    async fn fall_back_alone(&self) {
        let ruleset = self.ruleset().load_full();
        let Some(rollout) = ruleset.rollout().filter(|rollout| rollout.broken().is_none()) else {
            return;
        };
        let bound = rollout.bound();
        let own = self.rollout_tallies.own(rollout.id(), piece_of(self.now() - bound.window));
        if let Some(why) = bound.passed_by(own) {
            tracing::warn!(rollout = %rollout.id(), "not followed here any more: {why}");
            self.leave_rollout(rollout.id(), &why).await;
        }
    }
}

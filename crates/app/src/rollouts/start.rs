//! The first step of a rollout, and whether a change was made against what still holds.

use std::collections::BTreeSet;

use base::{GrantId, Problem, RolloutId, Span};
use grant::rollout::{Edit, Stage, Step, check_share};
use grant::{Bound, Rollout};
use store::{ChangeRow, Tx};

use super::refused;
use crate::authority::Authority;
use crate::policies::all_hold;
use crate::view::{BoundView, ChangeSet, RolloutView, StartRollout};
use crate::{Actor, App, input};

/// The longest window: what is remembered of calls.
const WINDOW_MAX: Span = Span::from_days(1);
/// The shortest: calls are counted by pieces of ten seconds.
const WINDOW_MIN: Span = Span::from_secs(60);
/// Changes that a refusal names.
const NAMED_MAX: usize = 3;

impl App {
    /// Begins to roll a change out. It is checked as if it were published; there is one at a time.
    pub async fn start_rollout(
        &self,
        actor: &Actor,
        asked: StartRollout,
    ) -> Result<RolloutView, Problem> {
        let StartRollout { change, share, bound } = asked;
        let stage = if share.is_some() { Stage::Share } else { Stage::Shadow };
        let share = share.unwrap_or(0);
        check_share(stage, share).map_err(|no| refused(&no))?;
        let bound = bound_of(bound.unwrap_or_default())?;
        let why = input::maybe_line("why", change.why.as_deref())?;
        let given: Vec<_> = change.give.iter().map(|_| self.draw(GrantId::generate)).collect();
        let (base, edits) = self.try_rollout(actor, &change, &given).await?;

        let mut tx = self.begin(actor).await?;
        must_be_none(&mut tx).await?;
        let objects = edits.iter().map(|edit| (edit.kind.clone(), edit.id.clone())).collect();
        self.check_unchanged(&mut tx, objects, base).await?;
        let by = actor.id.to_string();
        let rollout = Rollout {
            id: self.draw(RolloutId::generate),
            version: 1,
            change: serde_json::to_value(&change)
                .map_err(|error| Problem::internal(error.to_string()))?,
            given,
            edits,
            base,
            bound,
            steps: vec![Step { stage, share, at: tx.at(), by, why: why.clone() }],
        };
        tx.save_rollout(audit::Event::RolloutStarted, None, &rollout, why.as_deref()).await?;
        self.end_step(tx, rollout).await
    }

    /// Applies the change in a transaction that is dropped. Gives the sequence that it was applied
    /// to, and what it makes of each object.
    async fn try_rollout(
        &self,
        actor: &Actor,
        change: &ChangeSet,
        given: &[GrantId],
    ) -> Result<(u64, Vec<Edit>), Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("roll out a change of policy")?;
        must_be_none(&mut tx).await?;
        self.apply(&mut tx, actor, change, given).await?;
        self.check_base(&mut tx, change).await?;
        let after = self.after(&mut tx).await?;
        all_hold(&self.tests_after(&mut tx, &after).await?)?;
        let mut edits: Vec<Edit> = Vec::new();
        for object in tx.changes().iter().filter_map(|change| change.object.as_ref()) {
            let Some(edit) = object.edit()? else { continue };
            // What is changed twice counts as it was left.
            edits.retain(|one| (&one.kind, &one.id) != (&edit.kind, &edit.id));
            edits.push(edit);
        }
        if edits.is_empty() {
            let detail = "everything that the change says holds already";
            return Err(Problem::invalid("empty_change", detail));
        }
        Ok((tx.base(), edits))
    }

    /// Refuses a change that was written against an older state of what it changes. To be asked
    /// after it was applied.
    pub(crate) async fn check_base(&self, tx: &mut Tx, change: &ChangeSet) -> Result<(), Problem> {
        let Some(base) = change.base else { return Ok(()) };
        if base > tx.base() {
            let detail = format!("there is no change {base} yet; the last one is {}", tx.base());
            return Err(Problem::invalid("unknown_base", detail).at("base"));
        }
        let mut objects = BTreeSet::new();
        for object in tx.changes().iter().filter_map(|change| change.object.as_ref()) {
            objects.extend(object.edit()?.map(|edit| (edit.kind, edit.id)));
        }
        self.check_unchanged(tx, objects, base).await
    }

    /// Refuses when one of the objects was changed after `base` by somebody else.
    pub(super) async fn check_unchanged(
        &self,
        tx: &mut Tx,
        objects: BTreeSet<(String, String)>,
        base: u64,
    ) -> Result<(), Problem> {
        let own = tx.base();
        let mut since: Vec<ChangeRow> = Vec::new();
        if base == own {
            return Ok(());
        }
        for (kind, id) in objects {
            let rows = tx.history_after(&kind, &id, base).await?;
            since.extend(rows.into_iter().filter(|row| row.sequence <= own));
        }
        if since.is_empty() {
            return Ok(());
        }
        since.sort_by_key(|row| row.sequence);
        let named = since.iter().take(NAMED_MAX).map(|row| {
            format!("{} `{}`: {} by {} at {}", row.kind, row.id, row.event, row.actor, row.at)
        });
        let named = named.collect::<Vec<_>>().join("; ");
        let detail = format!("{} changes since change {base} conflict: {named}", since.len());
        Err(Problem::conflict("stale_base", detail)
            .at("base")
            .hint("look at what was changed, and write the change against it"))
    }
}

async fn must_be_none(tx: &mut Tx) -> Result<(), Problem> {
    let Some(open) = tx.open_rollout().await? else { return Ok(()) };
    let detail = format!("rollout `{}` is open: {} {} %", open.id, open.stage(), open.share());
    Err(Problem::conflict("rollout_open", detail)
        .hint("end it first: policy rollout advance --all, or policy rollout return"))
}

fn bound_of(wanted: BoundView) -> Result<Bound, Problem> {
    let default = Bound::default();
    let window = wanted.window.as_deref().map(|text| input::span("bound.window", text));
    let window = window.transpose()?.unwrap_or(default.window);
    if !(WINDOW_MIN..=WINDOW_MAX).contains(&window) {
        let detail = format!("a window is {WINDOW_MIN} to {WINDOW_MAX}");
        return Err(Problem::invalid("bad_bound", detail).at("bound.window"));
    }
    if wanted.percent.is_some_and(|percent| !(1..=99).contains(&percent)) {
        let detail = "a percentage is 1 to 99";
        return Err(Problem::invalid("bad_bound", detail).at("bound.percent"));
    }
    // Without either, the default number holds: no rollout goes on whatever it refuses.
    let refusals = match (wanted.refusals, wanted.percent) {
        (None, None) => default.refusals,
        (given, _) => given,
    };
    Ok(Bound { refusals, percent: wanted.percent, window })
}

//! Drafts: choosing a verdict and taking it back. Both bind nobody and are not recorded.

use audit::Event;
use base::{IdentityId, Problem, Timestamp};
use grant::{Grant, GrantSubject};
use review::item::Circumstances;
use review::{Campaign, Item, Refusal};
use serde_json::json;
use store::{Connection, Tx};

use super::{must_decide, refused, render};
use crate::view::{ItemView, NewDecision};
use crate::{Actor, App, input};

/// The longest note, in characters.
const NOTE_MAX: usize = 2_000;

/// An item with what is around it now.
pub(super) struct Loaded {
    pub(super) item: Item,
    pub(super) campaign: Campaign,
    pub(super) grant: Option<Grant>,
    pub(super) holders: Vec<IdentityId>,
}

impl Loaded {
    fn around<'a>(
        &'a self,
        actor: &'a Actor,
        now: Timestamp,
    ) -> Result<Circumstances<'a>, Refusal> {
        Ok(Circumstances {
            actor: &actor.id,
            deadline: self.campaign.deadline()?,
            grant: self.grant.as_ref(),
            holders: &self.holders,
            now,
        })
    }
}

/// Who holds the access of a grant now.
pub(crate) async fn holders(
    state: &mut Connection,
    subject: &GrantSubject,
) -> Result<Vec<IdentityId>, Problem> {
    match subject {
        GrantSubject::Identity(id) => Ok(vec![id.clone()]),
        GrantSubject::Group(id) => {
            let group = state.group(id.as_str()).await?;
            Ok(group.map(|group| group.members).unwrap_or_default())
        }
    }
}

async fn load(state: &mut Connection, actor: &Actor, id: &str) -> Result<Loaded, Problem> {
    let missing = || Problem::not_found("review item", id);
    let item = state.review_item(id).await?.ok_or_else(missing)?;
    if !actor.reads_all() && item.sealed.assignment.reviewer != actor.id {
        return Err(missing());
    }
    let campaign = state.campaign(item.sealed.campaign.as_str()).await?.ok_or_else(missing)?;
    let grant = state.grant(item.sealed.grant.id.as_str()).await?;
    let holders = holders(state, &item.sealed.grant.subject).await?;
    Ok(Loaded { item, campaign: campaign.campaign, grant, holders })
}

impl App {
    /// Chooses a verdict on an item of the actor's own, as a draft.
    pub async fn decide(
        &self,
        actor: &Actor,
        item: &str,
        decision: NewDecision,
    ) -> Result<ItemView, Problem> {
        let kind = input::word("verdict", &decision.verdict)?;
        if decision.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
            let detail = format!("a note has at most {NOTE_MAX} characters");
            return Err(Problem::invalid("too_long", detail).at("note"));
        }
        self.step(actor, item, |item, around| {
            let verdict = item.verdict_of(kind)?;
            item.draft(verdict, decision.note, around)
        })
        .await
    }

    /// Takes a draft of the actor's own back.
    pub async fn undo(&self, actor: &Actor, item: &str) -> Result<ItemView, Problem> {
        self.step(actor, item, Item::undo).await
    }

    async fn step(
        &self,
        actor: &Actor,
        id: &str,
        step: impl FnOnce(Item, &Circumstances<'_>) -> Result<Item, Refusal>,
    ) -> Result<ItemView, Problem> {
        let mut tx = self.begin(actor).await?;
        let loaded = load(&mut tx, actor, id).await?;
        must_decide(actor)?;
        let before = loaded.item.state.clone();
        let after =
            loaded.around(actor, tx.at()).and_then(|around| step(loaded.item.clone(), &around));
        match after {
            Ok(item) => {
                tx.save_item(&before, &item).await?;
                let view = render::item(&mut tx, &item, actor).await?;
                self.commit(tx).await?;
                Ok(view)
            }
            Err(refusal) => {
                drop(tx);
                if matches!(refusal, Refusal::Superseded(_)) && !before.is_final() {
                    self.supersede_outdated().await?;
                }
                Err(refused(&refusal))
            }
        }
    }

    /// Closes items of active reviews whose grant is gone or gives more than was under review, and
    /// ends the decisions of reviews that have no open item left by that.
    pub(crate) async fn supersede_outdated(&self) -> Result<(), Problem> {
        // Looked for without a lock first: a narrowed grant stays outdated while it is under review.
        let mut state = self.read().await?;
        let mut any = false;
        for item in state.outdated_items().await? {
            let grant = state.grant(item.sealed.grant.id.as_str()).await?;
            any |= item.supersession(grant.as_ref(), self.now()).is_some();
        }
        drop(state);
        if !any {
            return Ok(());
        }
        let mut tx = self.begin(&Actor::system(super::system("system:reviews")?)).await?;
        let mut closed: Vec<Item> = Vec::new();
        for item in tx.outdated_items().await? {
            let grant = tx.grant(item.sealed.grant.id.as_str()).await?;
            let before = item.state.clone();
            let item = item.reconcile(grant.as_ref(), tx.at());
            if item.state.is_final() {
                tx.save_item(&before, &item).await?;
                closed.push(item);
            }
        }
        if closed.is_empty() {
            return Ok(());
        }
        let mut campaigns: Vec<_> =
            closed.iter().map(|item| item.sealed.campaign.clone()).collect();
        campaigns.sort();
        campaigns.dedup();
        for id in campaigns {
            let Some(row) = tx.campaign(id.as_str()).await? else { continue };
            let of_it = closed.iter().filter(|item| item.sealed.campaign == id);
            record_superseded(&mut tx, &row.campaign, of_it).await?;
            end_decisions(&mut tx, &row.campaign).await?;
        }
        self.commit(tx).await?;
        Ok(())
    }
}

/// Puts on record which items were closed without a decision.
pub(super) async fn record_superseded<'a>(
    tx: &mut Tx,
    campaign: &Campaign,
    items: impl Iterator<Item = &'a Item>,
) -> Result<(), Problem> {
    let items: Vec<_> = items
        .map(|item| {
            json!({
                "item": item.sealed.id,
                "state": item.state,
            })
        })
        .collect();
    if items.is_empty() {
        return Ok(());
    }
    let detail = json!({ "items": items });
    tx.record_review(Event::ReviewItemsSuperseded, campaign, detail).await?;
    Ok(())
}

/// Moves a campaign on when nothing is left to decide.
pub(super) async fn end_decisions(tx: &mut Tx, campaign: &Campaign) -> Result<(), Problem> {
    let tally = tx.review_counts(campaign.id.as_str(), None).await?.tally;
    match campaign.clone().decided(&tally, tx.at()) {
        Ok(decided) => {
            let detail = json!({ "state": decided.state.as_str(), "tally": tally });
            tx.save_campaign(Event::ReviewDecided, campaign, &decided, detail).await?;
            Ok(())
        }
        Err(Refusal::Undecided { .. }) => Ok(()),
        Err(refusal) => Err(refused(&refusal)),
    }
}

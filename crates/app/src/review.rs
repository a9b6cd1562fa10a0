//! Access reviews: starting one, deciding, signing, and what all see of it.
//!
//! Reviewers see their own items; administrators and auditors see all. For everybody else a review
//! does not exist.

mod decide;
mod list;
mod ordered;
mod render;
pub(crate) mod sign;
mod start;

pub(crate) use decide::holders;
pub(crate) use render::review as view_of;

use ::review::Refusal;
use base::problem::ProblemKind;
use base::{CampaignId, IdentityId, Problem};
use store::{CampaignRow, Connection};

use crate::{Actor, App, Role};

/// portreeve acting for itself, in one of its parts.
pub(crate) fn system(name: &str) -> Result<IdentityId, Problem> {
    IdentityId::parse(name).map_err(|error| Problem::internal(format!("`{name}`: {error}")))
}

/// A refusal of the core as the doors show it.
pub(crate) fn refused(refusal: &Refusal) -> Problem {
    let (kind, hint) = match refusal {
        Refusal::SelfReview => {
            (ProblemKind::Forbidden, "somebody independent has to decide; ask an administrator")
        }
        Refusal::NotYours { .. } => (ProblemKind::Forbidden, "only the assigned reviewer decides"),
        Refusal::NoteNeededAgainstRecommendation { .. } | Refusal::NoteNeededForHighRisk => {
            (ProblemKind::Invalid, "say why in a note")
        }
        Refusal::NothingToNarrow | Refusal::NotNarrower => {
            (ProblemKind::Invalid, "keep or remove it instead")
        }
        Refusal::ReasonNeeded => (ProblemKind::Invalid, "say why"),
        Refusal::DeadlineNotLater => (ProblemKind::Invalid, "give more days"),
        Refusal::Late { .. } => (ProblemKind::Conflict, "an administrator can extend the review"),
        Refusal::DraftsChanged => (ProblemKind::Conflict, "look at the summary again, then sign"),
        Refusal::Superseded(_) => {
            (ProblemKind::Conflict, "nothing is left to decide here; a new review covers the rest")
        }
        Refusal::NoDraft | Refusal::NothingToSign => {
            (ProblemKind::Conflict, "decide at least one item first")
        }
        Refusal::NotActive { .. }
        | Refusal::AlreadySigned { .. }
        | Refusal::Undecided { .. }
        | Refusal::WrongState { .. }
        | Refusal::NotApplied { .. }
        | Refusal::Unproved { .. } => (ProblemKind::Conflict, "read the review's status"),
    };
    Problem::new(kind, refusal.code(), refusal.to_string()).hint(hint)
}

/// The campaign, when the actor may see it.
pub(crate) async fn visible_campaign(
    state: &mut Connection,
    actor: &Actor,
    id: &str,
) -> Result<CampaignRow, Problem> {
    let row = state.campaign(id).await?.ok_or_else(|| Problem::not_found("review", id))?;
    if actor.reads_all() {
        return Ok(row);
    }
    let own = state.review_counts(id, Some(actor.id.as_str())).await?;
    let tally = own.tally;
    let items = tally.undecided() + tally.decided + tally.superseded;
    if items > 0 { Ok(row) } else { Err(Problem::not_found("review", id)) }
}

/// The reviewer that lists are narrowed to; `None` when the actor sees everything.
pub(crate) fn narrowed_to(actor: &Actor) -> Option<String> {
    (!actor.reads_all()).then(|| actor.id.to_string())
}

impl App {
    /// Moves the deadline of an active review by so many days from now. For administrators.
    pub async fn extend_review(
        &self,
        actor: &Actor,
        id: &str,
        days: u32,
    ) -> Result<crate::view::ReviewStatus, Problem> {
        let mut tx = self.begin(actor).await?;
        let before = visible_campaign(&mut tx, actor, id).await?.campaign;
        must_administer(actor, "extend a review")?;
        let mut definition = before.definition.clone();
        definition.days = days.min(::review::definition::DAYS_MAX);
        let deadline = definition.deadline(tx.at());
        let now = tx.at();
        let after = before.clone().extend(deadline, now).map_err(|r| refused(&r))?;
        let detail = serde_json::json!({ "deadline": deadline });
        tx.save_campaign(audit::Event::ReviewExtended, &before, &after, detail).await?;
        self.commit(tx).await?;
        self.review_status(actor, id).await
    }

    /// Gives an active review up. What was signed in it has no effect. For administrators.
    pub async fn cancel_review(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<crate::view::ReviewStatus, Problem> {
        let mut tx = self.begin(actor).await?;
        let before = visible_campaign(&mut tx, actor, id).await?.campaign;
        must_administer(actor, "cancel a review")?;
        let now = tx.at();
        let after =
            before.clone().cancel(actor.id.clone(), reason, now).map_err(|r| refused(&r))?;
        let detail = serde_json::json!({ "reason": reason.trim() });
        tx.save_campaign(audit::Event::ReviewCancelled, &before, &after, detail).await?;
        self.commit(tx).await?;
        self.review_status(actor, id).await
    }

    /// An id for a campaign that is made of its name and free.
    pub(crate) async fn campaign_id(
        &self,
        state: &mut Connection,
        name: &str,
    ) -> Result<CampaignId, Problem> {
        let slug = ordered::slug(name);
        for number in 1..1_000u32 {
            let text = if number == 1 { slug.clone() } else { format!("{slug}-{number}") };
            let taken = state.campaign(&text).await?.is_some();
            if let (false, Ok(id)) = (taken, CampaignId::parse(&text)) {
                return Ok(id);
            }
        }
        Ok(self.draw(CampaignId::generate))
    }
}

/// Auditors change nothing, also where they are the reviewer: a token that only reads must not
/// sign for whoever it was issued to.
fn must_decide(actor: &Actor) -> Result<(), Problem> {
    if actor.role != Role::Auditor {
        return Ok(());
    }
    let detail = format!("{} reads as an auditor and may not decide", actor.id);
    Err(Problem::forbidden("not_allowed", detail)
        .hint("act as a member or an administrator, or have an administrator start it anew"))
}

pub(crate) fn must_administer(actor: &Actor, act: &str) -> Result<(), Problem> {
    if actor.is_admin() {
        return Ok(());
    }
    let detail = format!("{} may not {act}", actor.id);
    Err(Problem::forbidden("not_allowed", detail).hint("ask an administrator"))
}

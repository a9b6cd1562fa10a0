//! Sign-off: what signing would do, and doing it. One transaction holds the decisions, the ledger
//! entry and the plan; after its commit the plan is executed, by this process or by the next.

use std::collections::HashMap;

use audit::{Event, evidence};
use base::{DecisionId, GrantId, IdentityId, Problem};
use grant::Grant;
use review::sign::{Current, Signature, drafts_digest, sign};
use review::{Campaign, Item, ItemState, Refusal, Verdict, VerdictKind};
use store::Tx;

use super::decide::{end_decisions, holders, record_superseded};
use super::{must_decide, refused, render, visible_campaign};
use crate::view::{ReviewStatus, SignOffView};
use crate::{Actor, App};

impl App {
    /// What the actor's signature would do, with the digest that names it.
    pub async fn sign_off(&self, actor: &Actor, review: &str) -> Result<SignOffView, Problem> {
        let mut state = self.read().await?;
        let row = visible_campaign(&mut state, actor, review).await?;
        let items = state.review_items(review, Some(actor.id.as_str())).await?;
        let digest = drafts_digest(&items).map_err(|error| Problem::internal(error.to_string()))?;
        let drafted = |kind| count(&items, |item| draft_kind(item) == Some(kind));
        let (keep, narrow) = (drafted(VerdictKind::Keep), drafted(VerdictKind::Narrow));
        let remove = drafted(VerdictKind::Remove);
        let against = items.iter().filter(|item| is_against(item));
        let against: Vec<_> = against.cloned().collect();
        let takes = [Some(VerdictKind::Narrow), Some(VerdictKind::Remove)];
        let changes = items.iter().filter(|item| takes.contains(&draft_kind(item)));
        let changes: Vec<_> = changes.cloned().collect();
        Ok(SignOffView {
            review: render::review(&mut state, &row, actor).await?,
            keep,
            narrow,
            remove,
            open: count(&items, |item| matches!(item.state, ItemState::Pending)),
            changes: render::items(&mut state, &changes, actor).await?,
            against: render::items(&mut state, &against, actor).await?,
            drafts_digest: digest.to_hex(),
            statement: format!(
                "I, {}, looked at the evidence of each item and decide: keep {keep}, narrow \
                 {narrow}, remove {remove}. Signed decisions cannot be changed.",
                actor.name
            ),
        })
    }

    /// Signs the actor's drafts. With a digest, only if the drafts are those that it names. Then
    /// carries out what can be carried out.
    pub async fn sign(
        &self,
        actor: &Actor,
        review: &str,
        drafts: Option<&str>,
    ) -> Result<ReviewStatus, Problem> {
        let mut tx = self.begin(actor).await?;
        let campaign = visible_campaign(&mut tx, actor, review).await?.campaign;
        must_decide(actor)?;
        let items = tx.review_items(review, Some(actor.id.as_str())).await?;
        let digest = drafts_digest(&items).map_err(|error| Problem::internal(error.to_string()))?;
        if drafts.is_some_and(|seen| seen != digest.to_hex()) {
            return Err(refused(&Refusal::DraftsChanged));
        }
        let before: HashMap<_, _> =
            items.iter().map(|item| (item.sealed.id.clone(), item.state.clone())).collect();
        let around = Around::of(&mut tx, &items).await?;
        let (ids, now) = (|| self.draw(DecisionId::generate), tx.at());
        let signature = sign(&campaign, items, &actor.id, |item| around.current(item), ids, now)
            .map_err(|refusal| refused(&refusal))?;
        write(&mut tx, &campaign, &before, &signature).await?;
        certify(&mut tx, &signature, &around, actor).await?;
        end_decisions(&mut tx, &campaign).await?;
        self.commit(tx).await?;
        // The decisions stand whatever happens now: what fails here is done by the next job.
        if let Err(problem) = self.remediate().await {
            tracing::warn!(%problem, review, "a remediation is left to the next run");
        }
        self.review_status(actor, review).await
    }
}

fn count(items: &[Item], which: impl Fn(&Item) -> bool) -> u64 {
    items.iter().filter(|item| which(item)).count() as u64
}

fn draft_kind(item: &Item) -> Option<VerdictKind> {
    match &item.state {
        ItemState::Drafted(draft) => Some(draft.verdict.kind()),
        _ => None,
    }
}

fn is_against(item: &Item) -> bool {
    let recommended = item.sealed.recommendation.verdict;
    draft_kind(item).is_some_and(|kind| recommended.is_some_and(|verdict| verdict != kind))
}

/// The grants under the signer's items as they stand now, and who holds them.
struct Around {
    grants: HashMap<GrantId, Grant>,
    holders: HashMap<GrantId, Vec<IdentityId>>,
}

impl Around {
    async fn of(tx: &mut Tx, items: &[Item]) -> Result<Self, Problem> {
        let mut around = Self { grants: HashMap::new(), holders: HashMap::new() };
        for item in items.iter().filter(|item| !item.state.is_final()) {
            let id = &item.sealed.grant.id;
            if let Some(grant) = tx.grant(id.as_str()).await? {
                around.grants.insert(id.clone(), grant);
            }
            let who = holders(tx, &item.sealed.grant.subject).await?;
            around.holders.insert(id.clone(), who);
        }
        Ok(around)
    }

    fn current(&self, item: &Item) -> Current<'_> {
        let id = &item.sealed.grant.id;
        let holders = self.holders.get(id).map(Vec::as_slice).unwrap_or_default();
        Current { grant: self.grants.get(id), holders }
    }
}

async fn write(
    tx: &mut Tx,
    campaign: &Campaign,
    before: &HashMap<base::ItemId, ItemState>,
    signature: &Signature,
) -> Result<(), Problem> {
    let mut decisions = Vec::with_capacity(signature.decided.len());
    for item in signature.decided.iter().chain(&signature.superseded) {
        if let Some(before) = before.get(&item.sealed.id) {
            tx.save_item(before, item).await?;
        }
        if let ItemState::Decided(decision) = &item.state {
            tx.add_decision(item, decision).await?;
            decisions.push(evidence_of(item, decision));
        }
    }
    tx.add_remediations(&signature.plan).await?;
    record_superseded(tx, campaign, signature.superseded.iter()).await?;
    if !decisions.is_empty() {
        let detail = evidence::signed_detail(&decisions);
        let detail = detail.map_err(|error| Problem::internal(error.to_string()))?;
        tx.record_review(Event::ReviewSigned, campaign, detail).await?;
    }
    Ok(())
}

/// A decision in the form that the ledger digests and that evidence shows.
pub(crate) fn evidence_of(item: &Item, decision: &review::Decision) -> evidence::Decision {
    let operations = match &decision.draft.verdict {
        Verdict::Narrow(operations) => operations.iter().map(ToString::to_string).collect(),
        Verdict::Keep | Verdict::Remove => Vec::new(),
    };
    evidence::Decision {
        item_id: item.sealed.id.to_string(),
        verdict: decision.draft.verdict.kind().to_string(),
        operations,
        note: decision.draft.note.clone(),
        reviewer: decision.draft.by.to_string(),
        signed_at: decision.signed_at,
    }
}

/// Writes on kept grants who kept them and when. That changes nothing that a review decides on, so
/// the version stays and other reviews of the grant go on.
async fn certify(
    tx: &mut Tx,
    signature: &Signature,
    around: &Around,
    actor: &Actor,
) -> Result<(), Problem> {
    for item in &signature.decided {
        let ItemState::Decided(decision) = &item.state else { continue };
        let kept = decision.draft.verdict.kind() == VerdictKind::Keep;
        let Some(before) = around.grants.get(&item.sealed.grant.id).filter(|_| kept) else {
            continue;
        };
        let after = before.clone().certified(decision.signed_at, actor.id.as_str());
        let note = decision.draft.note.as_deref();
        tx.save_grant(Event::GrantCertified, Some(before), &after, note).await?;
    }
    Ok(())
}

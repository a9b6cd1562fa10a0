//! Sign-off: one reviewer turns all their drafts in a campaign into decisions at once.

use base::{DecisionId, Digest, IdentityId, Timestamp, canonical};
use grant::Grant;

use crate::campaign::Campaign;
use crate::item::{Circumstances, Item, ItemState};
use crate::refusal::Refusal;
use crate::remediation::Remediation;

/// What signing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Items that are decided now.
    pub decided: Vec<Item>,
    /// Items whose grant changed before the signature: closed without a decision.
    pub superseded: Vec<Item>,
    /// What the decisions order.
    pub plan: Vec<Remediation>,
}

/// What the shell knows about the grant of an item at the moment of signing.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// The grant as it stands.
    pub grant: Option<&'a Grant>,
    /// Who holds the access now.
    pub holders: &'a [IdentityId],
}

/// Digest over a reviewer's drafts: what was seen is what is signed.
pub fn drafts_digest<'a>(
    items: impl IntoIterator<Item = &'a Item>,
) -> Result<Digest, canonical::NotCanonical> {
    let mut drafts: Vec<_> = items
        .into_iter()
        .filter_map(|item| match &item.state {
            ItemState::Drafted(draft) => Some((&item.sealed.id, item.sealed.grant.version, draft)),
            _ => None,
        })
        .collect();
    drafts.sort_by(|a, b| a.0.cmp(b.0));
    canonical::digest(&drafts)
}

/// Signs the drafts among `items`, which are the signer's own. Items whose grant changed are
/// closed instead; a refusal on any other draft refuses the whole signature.
pub fn sign<'a>(
    campaign: &Campaign,
    items: Vec<Item>,
    actor: &IdentityId,
    current: impl Fn(&Item) -> Current<'a>,
    mut decision_id: impl FnMut() -> DecisionId,
    now: Timestamp,
) -> Result<Signature, Refusal> {
    let deadline = campaign.deadline()?;
    let mut signature = Signature { decided: vec![], superseded: vec![], plan: vec![] };
    for item in items {
        let Current { grant, holders } = current(&item);
        if item.state.is_final() {
            continue;
        }
        let item = item.reconcile(grant, now);
        match &item.state {
            ItemState::Superseded(_) => signature.superseded.push(item),
            ItemState::Drafted(_) => {
                let around = Circumstances { actor, deadline, grant, holders, now };
                signature.decided.push(item.sign(decision_id(), &around)?);
            }
            ItemState::Pending | ItemState::Decided(_) => {}
        }
    }
    if signature.decided.is_empty() && signature.superseded.is_empty() {
        return Err(Refusal::NothingToSign);
    }
    signature.plan = signature.decided.iter().filter_map(Remediation::of).collect();
    Ok(signature)
}

#[cfg(test)]
mod tests;

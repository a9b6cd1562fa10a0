//! Credentials by their lookup value.

use base::{CredentialId, Digest, IdentityId, Timestamp};
use identity::{Credential, CredentialClass, CredentialStatus};
use smallvec::SmallVec;
use token::{CredentialDirectory, CredentialFacts};

use crate::Ruleset;

/// One credential, as far as authentication needs it.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) id: CredentialId,
    identity: IdentityId,
    class: CredentialClass,
    status: CredentialStatus,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl Proof {
    pub(crate) fn of(credential: &Credential) -> Self {
        Self {
            id: credential.id.clone(),
            identity: credential.identity.clone(),
            class: credential.class,
            status: credential.status,
            expires_at: credential.expires_at,
            created_at: credential.created_at,
        }
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.status == CredentialStatus::Active && self.expires_at.is_none_or(|end| end > now)
    }
}

/// Credentials with one lookup value: more than one where an issuer's subject was registered
/// again after its first registration ended.
pub(crate) type Proofs = SmallVec<[Proof; 1]>;

/// The one that counts: the newest live one; of none, the newest, so that the refusal can say
/// why. Live ones of different identities prove nobody.
fn choose(proofs: &Proofs, now: Timestamp) -> Option<&Proof> {
    let newest = |one: &&Proof, other: &&Proof| {
        (one.created_at, &one.id).cmp(&(other.created_at, &other.id))
    };
    let live = || proofs.iter().filter(|proof| proof.is_live(now));
    match live().max_by(newest) {
        Some(best) => live().all(|proof| proof.identity == best.identity).then_some(best),
        None => proofs.iter().max_by(newest),
    }
}

impl Ruleset {
    /// What kind of proof a known credential is.
    pub fn class_of(&self, id: &CredentialId) -> Option<CredentialClass> {
        let proofs = self.proofs.get(self.credential_homes.get(id)?)?;
        proofs.iter().find(|proof| proof.id == *id).map(|proof| proof.class)
    }

    /// The credential is known and neither revoked nor suspended.
    pub(crate) fn accepts(&self, id: &CredentialId) -> bool {
        let home = self.credential_homes.get(id).and_then(|lookup| self.proofs.get(lookup));
        let proof = home.and_then(|proofs| proofs.iter().find(|proof| proof.id == *id));
        proof.is_some_and(|proof| proof.status == CredentialStatus::Active)
    }
}

impl CredentialDirectory for Ruleset {
    fn by_lookup(&self, lookup: &Digest, now: Timestamp) -> Option<CredentialFacts> {
        let proof = choose(self.proofs.get(lookup)?, now)?;
        let subject = self.subjects.get(&proof.identity);
        Some(CredentialFacts {
            credential: proof.id.clone(),
            identity: proof.identity.clone(),
            class: proof.class,
            status: proof.status,
            expires_at: proof.expires_at,
            identity_active: subject.is_some_and(|subject| subject.is_active(now)),
        })
    }
}

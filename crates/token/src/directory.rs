//! What is known of a credential, as the gate's ruleset answers it.

use base::{CredentialId, Digest, IdentityId, Timestamp};
use identity::{CredentialClass, CredentialStatus};

/// One credential and the state of whom it proves, at the moment of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFacts {
    /// The credential.
    pub credential: CredentialId,
    /// Whom it proves.
    pub identity: IdentityId,
    /// What kind of proof it is.
    pub class: CredentialClass,
    /// Whether it is accepted.
    pub status: CredentialStatus,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The identity exists and may act at the moment of the question.
    pub identity_active: bool,
}

/// Finds credentials by their keyed hash (API keys) or by the hash of issuer and subject (JWTs);
/// see `identity::Credential::lookup`. Implemented by the ruleset.
pub trait CredentialDirectory {
    /// The credential with this lookup value, whatever its status; `None` when there is none.
    fn by_lookup(&self, lookup: &Digest, now: Timestamp) -> Option<CredentialFacts>;
}

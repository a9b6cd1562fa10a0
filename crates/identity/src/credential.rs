//! Credentials: what proves an identity. The secret itself is never part of the value.

use base::{CredentialId, Digest, IdentityId, Timestamp, words};
use serde::{Deserialize, Serialize};

use crate::Environment;

words! {
    /// What kind of proof it is.
    CredentialClass {
        /// A random bearer string issued by portreeve.
        ApiKey = "api_key",
        /// A subject of a trusted token issuer (the `sub` of its JWTs).
        IssuerSubject = "issuer_subject",
        /// An OAuth client that authenticates with a shared secret.
        ClientSecret = "client_secret",
        /// An OAuth client that authenticates with a signed assertion (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
        /// A client certificate (RFC 8705).
        Certificate = "certificate",
        /// A key that signs on behalf of the identity.
        SigningKey = "signing_key",
    }
}

words! {
    /// How hard a proof is to steal and use, weakest first.
    Strength {
        /// A secret that is sent along with each request: whoever sees it can use it.
        SharedSecret = "shared_secret",
        /// A token that an issuer signed and that ends by itself, yet works for whoever holds it.
        SignedToken = "signed_token",
        /// A token or key that only works together with a private key that is never sent.
        SenderConstrained = "sender_constrained",
    }
}

words! {
    /// How a proof is bound to its sender.
    Binding {
        /// To the client certificate of the connection (RFC 8705).
        Mtls = "mtls",
        /// To the key that signs each request's proof (RFC 9449).
        Dpop = "dpop",
    }
}

impl CredentialClass {
    /// How strong a proof by a credential of this class is, with what binds it to its sender.
    pub const fn strength(self, binding: Option<Binding>) -> Strength {
        match (self, binding) {
            (_, Some(_)) | (Self::Certificate | Self::PrivateKeyJwt | Self::SigningKey, None) => {
                Strength::SenderConstrained
            }
            (Self::IssuerSubject, None) => Strength::SignedToken,
            (Self::ApiKey | Self::ClientSecret, None) => Strength::SharedSecret,
        }
    }
}

words! {
    /// Whether a credential is accepted.
    CredentialStatus {
        /// Accepted until it expires.
        Active = "active",
        /// Refused for now.
        Suspended = "suspended",
        /// Refused for good.
        Revoked = "revoked",
    }
}

/// What proves an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Stable id.
    pub id: CredentialId,
    /// Whom it proves.
    pub identity: IdentityId,
    /// What kind of proof it is.
    pub class: CredentialClass,
    /// What a person recognises it by: the first characters of a key, `issuer#subject` of a
    /// subject, the fingerprint of a certificate. Never enough to use it.
    pub label: String,
    /// The keyed hash that a presented secret must have (API keys, client secrets); of an
    /// issuer's subject the SHA-256 of `issuer NUL subject`.
    pub lookup: Digest,
    /// Where it belongs.
    pub environment: Environment,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends. `None` only where policy allows it.
    pub expires_at: Option<Timestamp>,
    /// The credential it replaces.
    pub rotates: Option<CredentialId>,
    /// Whether it is accepted.
    pub status: CredentialStatus,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who issued it.
    pub created_by: String,
    /// Last allowed use before portreeve's own records begin, as carried over by an import.
    pub last_used_before: Option<Timestamp>,
}

impl Credential {
    /// Accepted at `now`, as far as the credential itself goes.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == CredentialStatus::Active && self.expires_at.is_none_or(|end| end > now)
    }
}

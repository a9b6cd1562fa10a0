//! What a token is bound to, and who sends it.

use base::Digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Binding;
use serde_json::{Map, Value};
use traffic::Reason;

/// What a token is bound to (`cnf`, RFC 7800 §3.1). Who sends it has to prove all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// The thumbprint of a key (`jkt`, RFC 9449 §6.1).
    pub key: Option<Digest>,
    /// The SHA-256 of a client certificate (`x5t#S256`, RFC 8705 §3.1).
    pub certificate: Option<Digest>,
}

/// What whoever sends a token proved beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sender {
    /// The thumbprint of the key that it proved to hold, for this request.
    pub key: Option<Digest>,
    /// The SHA-256 of the client certificate of its connection.
    pub certificate: Option<Digest>,
}

impl Confirmation {
    /// Reads `cnf`. `None` when it is there and names something that nobody here can prove: a token
    /// that is bound in an unknown way must not pass as one that is not bound.
    pub(crate) fn read(payload: &Map<String, Value>) -> Option<Self> {
        let Some(bound) = payload.get("cnf") else { return Some(Self::default()) };
        let bound = bound.as_object().filter(|bound| !bound.is_empty())?;
        let mut out = Self::default();
        for (name, value) in bound {
            let digest = Some(digest(value.as_str()?)?);
            match name.as_str() {
                "jkt" => out.key = digest,
                "x5t#S256" => out.certificate = digest,
                _ => return None,
            }
        }
        Some(out)
    }

    /// Holds what was proved against what the token is bound to.
    pub(crate) fn check(&self, sender: &Sender) -> Result<(), Reason> {
        // A proof for a token without a key proves nothing of it (RFC 9449 §7.1).
        if self.key != sender.key {
            return Err(Reason::InvalidProof);
        }
        if self.certificate.is_some() && self.certificate != sender.certificate {
            return Err(Reason::CertificateMismatch);
        }
        Ok(())
    }

    /// How a token that passed is bound. Of one that is bound to both it is the key, which signs for
    /// each request.
    pub(crate) fn binding(&self) -> Option<Binding> {
        let key = self.key.map(|_| Binding::Dpop);
        key.or(self.certificate.map(|_| Binding::Mtls))
    }
}

/// A SHA-256 digest in base64url.
pub(crate) fn digest(text: &str) -> Option<Digest> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Digest)
}

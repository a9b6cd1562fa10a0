//! Second stage: a request whose caller is proved.

use std::sync::Arc;

use base::{Digest, Timestamp};
use catalog::Accept;
use token::{Claims, ProofFor, Sender, Verified};
use traffic::headers::Presented;
use traffic::{Reason, Scheme};

use super::{Permitted, Received, Ruling};
use crate::credential::Unusable;
use crate::refusal::Refused;

/// What every bearer string of portreeve's own starts with; a JWT cannot (its header is an object
/// in base64url, which starts with `ey`).
const KEY_PREFIX: &str = "pr_";

/// What is told of a token that is bound to a key, and came without a proof.
const UNPROVED: &str = "the token is bound to a key: send it as `Authorization: DPoP …`, and a proof \
                        for this request in `DPoP`";
const UNBOUND: &str = "the token is bound to no key: send it as `Authorization: Bearer …`";
const USED: &str = "the proof was used before: make one for each request, with a `jti` of its own";

/// Nobody is proved.
struct Unproved {
    reason: Reason,
    /// What the caller got wrong.
    told: Option<&'static str>,
}

impl From<Reason> for Unproved {
    fn from(reason: Reason) -> Self {
        Self { reason, told: None }
    }
}

fn bad_proof(told: &'static str) -> Unproved {
    Unproved { reason: Reason::InvalidProof, told: Some(told) }
}

/// A request whose caller is proved.
pub(crate) struct Authenticated<'h> {
    pub(super) received: Received<'h>,
    pub(super) who: Verified,
}

impl<'h> Received<'h> {
    /// Checks what was presented. The credential itself goes no further.
    pub(crate) fn authenticate(mut self) -> Result<Authenticated<'h>, Refused> {
        match self.verify() {
            Ok(who) => {
                self.journal.note(|record| {
                    record.identity_id = Some(who.identity().clone());
                    record.credential_id = Some(who.credential().clone());
                });
                Ok(Authenticated { received: self, who })
            }
            Err(Unproved { reason, told }) => {
                let refused = Refused::new(self.journal, reason, &self.fields);
                let told = told.into_iter().map(str::to_owned).collect();
                Err(refused.for_api(self.api.api()).telling(told))
            }
        }
    }

    fn verify(&mut self) -> Result<Verified, Unproved> {
        let now = self.journal.at();
        let certificate = self.peer.certificate.and_then(|known| known.thumbprint(now));
        match (self.fields.presented, certificate) {
            (Presented::Nothing, Some(certificate)) => {
                self.accepts(Accept::Certificate)?;
                Ok(token::verify_certificate(&certificate, self.ruleset, now)?)
            }
            (Presented::Nothing, None) => Err(Reason::NoCredential.into()),
            (Presented::Unreadable, _) => Err(Reason::InvalidCredential.into()),
            (Presented::ApiKey(key), _) => Ok(self.verify_key(key, now)?),
            (Presented::Bearer(text), _) if text.starts_with(KEY_PREFIX) => {
                Ok(self.verify_key(text, now)?)
            }
            (Presented::Bearer(text), certificate) => {
                let claims = self.claims(text, now)?;
                if claims.confirmation().key.is_some() {
                    return Err(bad_proof(UNPROVED));
                }
                let sender = Sender { key: None, certificate };
                Ok(token::admit_claims(&claims, &sender, self.ruleset, now)?)
            }
            (Presented::Bound(text), certificate) => {
                let claims = self.claims(text, now)?;
                let key = Some(self.prove(text, &claims, now)?);
                let sender = Sender { key, certificate };
                Ok(token::admit_claims(&claims, &sender, self.ruleset, now)?)
            }
        }
    }

    fn verify_key(&self, text: &str, now: Timestamp) -> Result<Verified, Reason> {
        self.accepts(Accept::Key)?;
        let authenticators = &self.worker.core().authenticators;
        token::verify_key(text, authenticators.pepper(), self.ruleset, now)
    }

    fn claims(&self, text: &str, now: Timestamp) -> Result<Arc<Claims>, Reason> {
        self.accepts(Accept::Token)?;
        self.worker.verified_claims(text, self.source, now)
    }

    /// Holds the proof that came along against the token and this request, and gives the key.
    fn prove(&mut self, text: &str, claims: &Claims, now: Timestamp) -> Result<Digest, Unproved> {
        let key = claims.confirmation().key.ok_or_else(|| bad_proof(UNBOUND))?;
        let proof = self.fields.proof.ok_or_else(|| bad_proof(UNPROVED))?;
        let asked = ProofFor {
            method: self.arrival.method,
            schemes: self.schemes(),
            authority: &self.authority,
            path: self.target.path(),
            token: text,
            key,
        };
        let proof = self.worker.verified_proof(proof, &asked, self.source, now)?;
        let proof = proof.map_err(|fault| bad_proof(fault.told()))?;
        // A request that is judged again with its body is the same request.
        if self.journal.proof() != Some(proof.id) {
            self.worker.core().proofs.take(proof.id, now).map_err(|unusable| match unusable {
                Unusable::Used => bad_proof(USED),
                Unusable::Full => Reason::Overloaded.into(),
            })?;
            self.journal.set_proof(proof.id);
        }
        Ok(proof.key)
    }

    /// By what callers may have called this gate: a proxy in front may have ended their TLS.
    fn schemes(&self) -> &'static [Scheme] {
        let trusted = &self.worker.core().config.trusted_peers;
        match self.peer.scheme {
            Scheme::Https => &[Scheme::Https],
            Scheme::Http if trusted.iter().any(|net| net.contains(&self.peer.ip)) => {
                &[Scheme::Https, Scheme::Http]
            }
            Scheme::Http => &[Scheme::Http],
        }
    }

    fn accepts(&self, kind: Accept) -> Result<(), Reason> {
        if self.api.api().accept.contains(&kind) {
            Ok(())
        } else {
            Err(Reason::CredentialNotAccepted)
        }
    }
}

impl<'h> Authenticated<'h> {
    /// Asks the ruleset.
    pub(crate) fn authorize(self) -> Result<Ruling<'h>, Refused> {
        Permitted::decide(self)
    }
}

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
const FORGOTTEN: &str = "`iat` of the proof is from before the gate began, or its clock went back: make \
                         a new one";

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
                    record.binding = who.binding();
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
        let now = self.now;
        let certificate = self.certificate(now);
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
                let key = claims.confirmation().key.ok_or_else(|| bad_proof(UNBOUND))?;
                // As if it were proved, which is made sure of next: whose credential was revoked
                // gets no signature verified and takes no room.
                let sender = Sender { key: Some(key), certificate };
                let who = token::admit_claims(&claims, &sender, self.ruleset, now)?;
                self.prove(text, key, &who)?;
                Ok(who)
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

    /// The certificate of whoever made the request. That of a proxy which speaks for others proves
    /// the proxy, and none of them.
    fn certificate(&self, now: Timestamp) -> Option<Digest> {
        let known = self.peer.certificate.as_ref().filter(|_| !self.is_proxied())?;
        known.thumbprint(now)
    }

    /// Holds the proof that came along against the token and this request. A request that is judged
    /// again, with what it waited for, is the same request, and was proved when it came.
    fn prove(&mut self, text: &str, key: Digest, who: &Verified) -> Result<(), Unproved> {
        if self.journal.proved() == Some(key) {
            return Ok(());
        }
        let proof = self.fields.proof.ok_or_else(|| bad_proof(UNPROVED))?;
        let now = self.journal.at();
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
        let taken = self.worker.core().proofs.take(&proof, who.credential(), now);
        taken.map_err(|unusable| match unusable {
            Unusable::Used => bad_proof(USED),
            Unusable::Forgotten => bad_proof(FORGOTTEN),
            Unusable::TooMany => Reason::RateLimited.into(),
            Unusable::Full => Reason::Overloaded.into(),
        })?;
        self.journal.set_proved(key);
        Ok(())
    }

    /// A proxy in front made the request, for whoever called it.
    fn is_proxied(&self) -> bool {
        let trusted = &self.worker.core().config.trusted_peers;
        trusted.iter().any(|net| net.contains(&self.peer.ip))
    }

    /// By what callers may have called this gate: a proxy in front may have ended their TLS.
    fn schemes(&self) -> &'static [Scheme] {
        match self.peer.scheme {
            Scheme::Https => &[Scheme::Https],
            Scheme::Http if self.is_proxied() => &[Scheme::Https, Scheme::Http],
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

//! Second stage: a request whose caller is proved.

use base::Timestamp;
use catalog::Accept;
use token::Verified;
use traffic::Reason;
use traffic::headers::Presented;

use super::{Permitted, Received, Ruling};
use crate::refusal::Refused;

/// What every bearer string of portreeve's own starts with; a JWT cannot (its header is an object
/// in base64url, which starts with `ey`).
const KEY_PREFIX: &str = "pr_";

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
            Err(reason) => {
                let refused = Refused::new(self.journal, reason, &self.fields);
                Err(refused.for_api(self.api.api()))
            }
        }
    }

    fn verify(&self) -> Result<Verified, Reason> {
        let now = self.journal.at();
        match self.fields.presented {
            Presented::Nothing => Err(Reason::NoCredential),
            Presented::Unreadable => Err(Reason::InvalidCredential),
            Presented::ApiKey(key) => self.verify_key(key, now),
            Presented::Bearer(text) if text.starts_with(KEY_PREFIX) => self.verify_key(text, now),
            Presented::Bearer(text) => self.verify_token(text, now),
        }
    }

    fn verify_key(&self, text: &str, now: Timestamp) -> Result<Verified, Reason> {
        self.accepts(Accept::Key)?;
        let authenticators = &self.worker.core().authenticators;
        token::verify_key(text, authenticators.pepper(), self.ruleset, now)
    }

    fn verify_token(&self, text: &str, now: Timestamp) -> Result<Verified, Reason> {
        self.accepts(Accept::Token)?;
        let claims = self.worker.verified_claims(text, self.source, now)?;
        token::admit_claims(&claims, self.ruleset, now)
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

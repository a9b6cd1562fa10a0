//! What stays open is asked again: may a caller that was permitted go on?

use base::{ApiId, OperationId, Timestamp};
use catalog::ApiMode;
use token::Verified;
use traffic::Reason;

use crate::Ruleset;

impl Ruleset {
    /// Whether a request that was permitted before may go on, by what has been revoked, suspended
    /// or narrowed since. That the proof of the caller has run out since does not end it: the
    /// proof was in date when it was presented.
    pub fn confirm(
        &self,
        who: &Verified,
        api: &ApiId,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let api = self.entry(api).ok_or(Reason::UnknownApi)?.api();
        if !self.accepts(who.credential()) {
            return Err(Reason::CredentialRevoked);
        }
        let subject = self.subjects.get(who.identity()).filter(|subject| subject.is_active(now));
        let subject = subject.ok_or(Reason::IdentityInactive)?;
        let operation = operation.and_then(|id| api.operations.iter().find(|one| one.id == *id));
        match self.permit(subject, who.scopes(), api, operation, now) {
            Err(reason) if api.mode == ApiMode::Enforce => Err(reason),
            _ => Ok(()),
        }
    }
}

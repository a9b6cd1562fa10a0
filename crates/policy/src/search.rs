//! Who comes into question: the candidates of a search, each to be held against a decision.

use base::{ApiId, IdentityId, OperationId, Timestamp};
use identity::IdentityKind;

use crate::Ruleset;

impl Ruleset {
    /// What an identity is; `None` when there is no such identity.
    pub fn kind_of(&self, identity: &IdentityId) -> Option<IdentityKind> {
        self.subjects.get(identity)?.about.as_deref().map(|about| about.kind)
    }

    /// The identities that a grant in force covers the operation for, themselves or by a group,
    /// sorted. Terms and guardrails are not asked: each that is allowed is among these, and some
    /// of these may be refused. Looks at every identity once.
    pub fn covered(&self, api: &ApiId, operation: &OperationId, now: Timestamp) -> Vec<IdentityId> {
        let covered = self.subjects.iter().filter(|(_, subject)| {
            subject.is_active(now) && !self.covering(subject, api, operation, now).is_empty()
        });
        let mut ids: Vec<_> = covered.map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        ids
    }
}

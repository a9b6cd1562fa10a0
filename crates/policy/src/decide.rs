//! The decision: may this caller call this operation now, and by which grants?

use std::collections::BTreeSet;

use base::{ApiId, GrantId, IdentityId, OperationId, Timestamp};
use catalog::{Accept, Api, ApiMode, Operation};
use identity::CredentialClass;
use smallvec::SmallVec;
use token::Verified;
use traffic::Reason;

use crate::holdings::{Held, Holdings, Subject};
use crate::numbers::{ApiNumber, OperationNumber};
use crate::routes::ApiEntry;
use crate::{Ruleset, scope};

/// Permission for one request. Only [`Ruleset::decide`] constructs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    grants: SmallVec<[GrantId; 2]>,
    fields: Option<BTreeSet<String>>,
    ruleset_version: u64,
    observed: Option<Reason>,
}

impl Permit {
    /// The grants that allow it, each of them alone, sorted. Empty only in observe mode.
    pub fn grants(&self) -> &[GrantId] {
        &self.grants
    }

    /// The response fields that the caller may see, by the union of the grants; `None` = all.
    pub fn fields(&self) -> Option<&BTreeSet<String>> {
        self.fields.as_ref()
    }

    /// The ruleset that decided.
    pub fn ruleset_version(&self) -> u64 {
        self.ruleset_version
    }

    /// Observe mode: why enforce mode would have refused.
    pub fn observed(&self) -> Option<Reason> {
        self.observed
    }
}

/// The request must not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The ruleset that decided.
    pub ruleset_version: u64,
}

impl Ruleset {
    /// Decides one request. `api` and `operation` come from [`Ruleset::locate`] of this ruleset.
    ///
    /// An API in observe mode lets pass what has no grant, an unknown operation, or too narrow a
    /// scope, and says so in the permit. Who cannot prove an active identity with an accepted
    /// credential is refused in either mode.
    pub fn decide(
        &self,
        who: &Verified,
        api: &ApiEntry,
        operation: Option<&Operation>,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let api = api.api();
        let refuse = |reason| Refusal { reason, ruleset_version: self.version };
        let subject = self.admit(who, api, now).map_err(refuse)?;
        match self.permit(subject, who.scopes(), api, operation, now) {
            Ok(permit) => Ok(permit),
            Err(reason) if api.mode == ApiMode::Observe => Ok(Permit {
                grants: SmallVec::new(),
                fields: None,
                ruleset_version: self.version,
                observed: Some(reason),
            }),
            Err(reason) => Err(refuse(reason)),
        }
    }

    /// What holds in either mode: the proof is in date and of an accepted kind, and the identity
    /// may act.
    fn admit(&self, who: &Verified, api: &Api, now: Timestamp) -> Result<&Subject, Reason> {
        if who.expires_at().is_some_and(|end| end <= now) {
            return Err(Reason::CredentialExpired);
        }
        let accepted = match who.class() {
            CredentialClass::ApiKey => api.accept.contains(&Accept::Key),
            CredentialClass::IssuerSubject => api.accept.contains(&Accept::Token),
            CredentialClass::ClientSecret
            | CredentialClass::PrivateKeyJwt
            | CredentialClass::Certificate
            | CredentialClass::SigningKey => false,
        };
        if !accepted {
            return Err(Reason::CredentialNotAccepted);
        }
        let subject = self.subjects.get(who.identity()).map(AsRef::as_ref);
        subject.filter(|subject| subject.is_active(now)).ok_or(Reason::IdentityInactive)
    }

    pub(crate) fn permit(
        &self,
        subject: &Subject,
        scopes: Option<&[String]>,
        api: &Api,
        operation: Option<&Operation>,
        now: Timestamp,
    ) -> Result<Permit, Reason> {
        let operation = operation.ok_or(Reason::UnknownOperation)?;
        let covering = self.covering(subject, &api.id, &operation.id, now);
        if covering.is_empty() {
            return Err(Reason::NoGrant);
        }
        if scopes.is_some_and(|scopes| !scope::allow(scopes, &api.id, operation)) {
            return Err(Reason::InsufficientScope);
        }
        Ok(Permit {
            fields: visible(&covering),
            grants: ids(&covering),
            ruleset_version: self.version,
            observed: None,
        })
    }

    /// The grants in force of the subject and of its groups that cover the operation, sorted.
    pub(crate) fn covering<'r>(
        &'r self,
        subject: &'r Subject,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> SmallVec<[&'r Held; 2]> {
        let Some((api, operation)) = self.number(api, operation) else {
            return SmallVec::new();
        };
        let mut covering: SmallVec<[&Held; 2]> = self
            .holdings(subject)
            .flat_map(|holdings| holdings.on(api))
            .filter(|held| held.covers(operation, now))
            .collect();
        covering.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        covering
    }

    fn number(&self, api: &ApiId, operation: &OperationId) -> Option<(ApiNumber, OperationNumber)> {
        let api = self.numbers.api(api)?;
        Some((api, self.numbers.operation(api, operation)?))
    }

    /// What the subject holds itself, then what each of its groups holds.
    fn holdings<'r>(&'r self, subject: &'r Subject) -> impl Iterator<Item = &'r Holdings> {
        let circles = subject.groups.iter().filter_map(|group| self.circles.get(group));
        std::iter::once(&subject.holdings).chain(circles.map(|circle| &circle.holdings))
    }

    /// The grants by which an identity may call an operation, as if it had proved itself with an
    /// accepted credential and no narrowing scope. Observe mode does not count as permission.
    pub fn probe(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Reason> {
        if !self.subjects.get(identity).is_some_and(|subject| subject.is_active(now)) {
            self.entry(api).ok_or(Reason::UnknownApi)?;
            return Err(Reason::IdentityInactive);
        }
        self.probe_grants(identity, api, operation, now)
    }

    /// The same whether or not the identity may act at present: the product's own question after a
    /// revocation. That a suspended identity is refused would say nothing about its grants.
    pub fn probe_grants(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Reason> {
        let entry = self.entry(api).ok_or(Reason::UnknownApi)?;
        let known = entry.api().operations.iter().find(|known| known.id == *operation);
        let subject = self.subjects.get(identity).ok_or(Reason::IdentityInactive)?;
        let permit = self.permit(subject, None, entry.api(), known, now)?;
        Ok(permit.grants.into_vec())
    }
}

fn ids(covering: &[&Held]) -> SmallVec<[GrantId; 2]> {
    covering.iter().map(|held| held.id.clone()).collect()
}

/// The union of the visible fields: one grant that shows all shows all.
fn visible(covering: &[&Held]) -> Option<BTreeSet<String>> {
    let mut union = BTreeSet::new();
    for held in covering {
        union.extend(held.fields.as_ref()?.iter().cloned());
    }
    Some(union)
}

//! Who asks, as decisions see it: proved, or supposed for a question that opens nothing.

use base::{IdentityId, Timestamp};
use identity::{Binding, CredentialClass};
use token::{ClaimValues, Verified};

/// A caller, by what its proof said.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    identity: &'a IdentityId,
    class: CredentialClass,
    binding: Option<Binding>,
    scopes: Option<&'a [String]>,
    claims: Option<&'a ClaimValues>,
    knows_claims: bool,
    expires_at: Option<Timestamp>,
}

impl<'a> Caller<'a> {
    /// One who was proved.
    pub fn proved(who: &'a Verified) -> Self {
        Self {
            identity: who.identity(),
            class: who.class(),
            binding: who.binding(),
            scopes: who.scopes(),
            claims: who.claims(),
            knows_claims: true,
            expires_at: who.expires_at(),
        }
    }

    /// One who is only asked about. What comes of it is an answer, never a permission.
    pub fn supposed(identity: &'a IdentityId, class: CredentialClass) -> Self {
        Self {
            identity,
            class,
            binding: None,
            scopes: None,
            claims: None,
            knows_claims: true,
            expires_at: None,
        }
    }

    /// The same, with a proof that is bound to its sender.
    #[must_use]
    pub fn bound(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// The same, with the claims of a token.
    #[must_use]
    pub fn claiming(self, claims: &'a ClaimValues) -> Self {
        Self { claims: Some(claims), ..self }
    }

    /// The same with a token of which nobody knows any more what it claimed.
    #[must_use]
    pub fn without_claims_kept(self) -> Self {
        Self { claims: None, knows_claims: false, ..self }
    }

    /// The same, with scopes that narrow what it may do.
    #[must_use]
    pub fn scoped(self, scopes: &'a [String]) -> Self {
        Self { scopes: Some(scopes), ..self }
    }

    /// The same proof while it was in date.
    pub(crate) fn in_date(self) -> Self {
        Self { expires_at: None, ..self }
    }

    /// Who calls.
    pub fn identity(&self) -> &'a IdentityId {
        self.identity
    }

    /// What kind of proof it was.
    pub fn class(&self) -> CredentialClass {
        self.class
    }

    /// What binds the proof to its sender.
    pub fn binding(&self) -> Option<Binding> {
        self.binding
    }

    /// The scopes that narrow; `None` = nothing narrows.
    pub fn scopes(&self) -> Option<&'a [String]> {
        self.scopes
    }

    /// The claims of the token, where there is one.
    pub fn claims(&self) -> Option<&'a ClaimValues> {
        self.claims
    }

    /// Whether it is known what the token claimed: if not, nothing follows from a claim that is
    /// missing.
    pub fn knows_claims(&self) -> bool {
        self.knows_claims
    }

    /// The values of one claim.
    pub fn claim(&self, name: &str) -> &'a [String] {
        let values = self.claims.and_then(|claims| claims.get(name));
        values.map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

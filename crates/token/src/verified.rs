//! The proof that somebody was authenticated.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{CredentialId, IdentityId, Timestamp};
use identity::{Binding, CredentialClass};

use crate::CredentialFacts;

/// An identity, proved by a credential that was accepted at one moment. Only this crate constructs
/// it, so a stage that takes it cannot be reached without authentication. It is for one request:
/// the next one is verified anew, else a revocation would not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    identity: IdentityId,
    credential: CredentialId,
    class: CredentialClass,
    scopes: Option<Arc<[String]>>,
    expires_at: Option<Timestamp>,
    binding: Option<Binding>,
    claims: Option<Arc<ClaimValues>>,
}

/// The values of a token's claims: dotted names of texts, numbers, booleans and lists of these.
pub type ClaimValues = BTreeMap<String, Vec<String>>;

impl Verified {
    pub(crate) fn new(
        facts: CredentialFacts,
        scopes: Option<Arc<[String]>>,
        expires_at: Option<Timestamp>,
    ) -> Self {
        Self {
            identity: facts.identity,
            credential: facts.credential,
            class: facts.class,
            scopes,
            expires_at,
            binding: None,
            claims: None,
        }
    }

    pub(crate) fn with_claims(self, claims: Arc<ClaimValues>) -> Self {
        Self { claims: Some(claims), ..self }
    }

    pub(crate) fn bound(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// What binds the proof to its sender, where something does.
    pub fn binding(&self) -> Option<Binding> {
        self.binding
    }

    /// All claims of the token.
    pub fn claims(&self) -> Option<&ClaimValues> {
        self.claims.as_deref()
    }

    /// Who calls.
    pub fn identity(&self) -> &IdentityId {
        &self.identity
    }

    /// What proved it.
    pub fn credential(&self) -> &CredentialId {
        &self.credential
    }

    /// What kind of proof it was.
    pub fn class(&self) -> CredentialClass {
        self.class
    }

    /// The scopes that narrow what this caller may do; `None` = nothing narrows. An empty list
    /// allows nothing.
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// When the proof ends: the earlier of the credential's and the token's end.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

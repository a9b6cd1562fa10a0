//! Every request: from what was presented to [`Verified`], by the directory as it is now.

use std::sync::Arc;

use base::{Digest, Timestamp};
use identity::{Binding, CredentialClass, CredentialStatus};
use traffic::Reason;

use crate::issuer::ScopeRule;
use crate::{ApiKey, Claims, CredentialDirectory, CredentialFacts, Pepper, Sender, Verified};

/// Authenticates an API key.
///
/// Timing: a mistyped key is refused by its public checksum, which tells nothing about any stored
/// key. Well-formed keys, known or not, all cost one HMAC-SHA-256 and one probe of the directory.
/// The probe compares HMAC outputs with early exit; that is harmless, because without the pepper
/// nobody can choose the output that a guess is turned into, so nothing can be learned bit by bit.
pub fn verify_key<D: CredentialDirectory + ?Sized>(
    text: &str,
    pepper: &Pepper,
    directory: &D,
    now: Timestamp,
) -> Result<Verified, Reason> {
    let key = ApiKey::parse(text).ok_or(Reason::InvalidCredential)?;
    let facts = find(directory, &key.lookup(pepper), CredentialClass::ApiKey, now)?;
    let end = facts.expires_at;
    Ok(Verified::new(facts, None, end))
}

/// Authenticates a token whose signature was verified before ([`crate::verify_jwt`]): its times,
/// its subject's credential and identity are checked against now, and what it is bound to against
/// what its sender proved.
pub fn admit_claims<D: CredentialDirectory + ?Sized>(
    claims: &Claims,
    sender: &Sender,
    directory: &D,
    now: Timestamp,
) -> Result<Verified, Reason> {
    claims.check_times(now)?;
    claims.confirmation().check(sender)?;
    let facts = find(directory, &claims.lookup(), CredentialClass::IssuerSubject, now)?;
    let end = facts.expires_at.map_or(claims.expires_at(), |end| end.min(claims.expires_at()));
    let scopes = match claims.scope_rule() {
        ScopeRule::Ignore => None,
        ScopeRule::Enforce => Some(Arc::clone(claims.scopes_shared())),
    };
    let who = Verified::new(facts, scopes, Some(end)).bound(claims.confirmation().binding());
    Ok(who.with_claims(Arc::clone(claims.values())))
}

/// Authenticates the client certificate of a connection by its SHA-256. That the other end holds its
/// key, and who vouches for it, was proved when the connection was made.
pub fn verify_certificate<D: CredentialDirectory + ?Sized>(
    certificate: &Digest,
    directory: &D,
    now: Timestamp,
) -> Result<Verified, Reason> {
    let facts = find(directory, certificate, CredentialClass::Certificate, now)?;
    let end = facts.expires_at;
    Ok(Verified::new(facts, None, end).bound(Some(Binding::Mtls)))
}

fn find<D: CredentialDirectory + ?Sized>(
    directory: &D,
    lookup: &Digest,
    class: CredentialClass,
    now: Timestamp,
) -> Result<CredentialFacts, Reason> {
    let facts = directory.by_lookup(lookup, now).ok_or(Reason::InvalidCredential)?;
    if facts.class != class {
        return Err(Reason::InvalidCredential);
    }
    if facts.status != CredentialStatus::Active {
        return Err(Reason::CredentialRevoked);
    }
    if facts.expires_at.is_some_and(|end| end <= now) {
        return Err(Reason::CredentialExpired);
    }
    if !facts.identity_active {
        return Err(Reason::IdentityInactive);
    }
    Ok(facts)
}

#[cfg(test)]
mod tests;

use base::Entropy;

use super::*;
use crate::KeyLabel;
use crate::claims::tests::{NOW, claims_for, issuer};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(5);
    }
}

/// Knows one credential.
struct One(Digest, CredentialFacts);

impl CredentialDirectory for One {
    fn by_lookup(&self, lookup: &Digest, _: Timestamp) -> Option<CredentialFacts> {
        (*lookup == self.0).then(|| self.1.clone())
    }
}

fn pepper() -> Pepper {
    Pepper::new(&[1; 32]).unwrap()
}

fn key() -> ApiKey {
    ApiKey::generate(KeyLabel::Test, &mut Fixed)
}

fn facts(class: CredentialClass) -> CredentialFacts {
    CredentialFacts {
        credential: "cred_1".parse().unwrap(),
        identity: "billing".parse().unwrap(),
        class,
        status: CredentialStatus::Active,
        expires_at: Some(Timestamp::from_secs(NOW + 100)),
        identity_active: true,
    }
}

fn try_key(facts: CredentialFacts) -> Result<Verified, Reason> {
    let directory = One(key().lookup(&pepper()), facts);
    verify_key(key().expose(), &pepper(), &directory, Timestamp::from_secs(NOW))
}

#[test]
fn a_key_that_is_unknown_mistyped_or_of_another_pepper_proves_nobody() {
    let directory = One(key().lookup(&pepper()), facts(CredentialClass::ApiKey));
    let now = Timestamp::from_secs(NOW);
    let other = Pepper::new(&[2; 32]).unwrap();
    let mistyped = key().expose().replace('_', "-");
    for (text, pepper) in [
        (key().expose(), &other),
        (mistyped.as_str(), &pepper()),
        ("", &pepper()),
        ("Bearer x", &pepper()),
    ] {
        let outcome = verify_key(text, pepper, &directory, now);
        assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential, "{text}");
    }
}

#[test]
fn each_state_of_a_credential_has_its_refusal() {
    let good = facts(CredentialClass::ApiKey);
    let cases = [
        (
            CredentialFacts { status: CredentialStatus::Revoked, ..good.clone() },
            Reason::CredentialRevoked,
        ),
        (
            CredentialFacts { status: CredentialStatus::Suspended, ..good.clone() },
            Reason::CredentialRevoked,
        ),
        (
            CredentialFacts { expires_at: Some(Timestamp::from_secs(NOW)), ..good.clone() },
            Reason::CredentialExpired,
        ),
        (CredentialFacts { identity_active: false, ..good.clone() }, Reason::IdentityInactive),
        (
            CredentialFacts { class: CredentialClass::IssuerSubject, ..good.clone() },
            Reason::InvalidCredential,
        ),
    ];
    for (facts, reason) in cases {
        assert_eq!(try_key(facts).unwrap_err(), reason);
    }
    let who = try_key(good).unwrap();
    assert_eq!((who.identity().as_str(), who.credential().as_str()), ("billing", "cred_1"));
    assert_eq!(who.class(), CredentialClass::ApiKey);
    assert_eq!(who.scopes(), None);
}

#[test]
fn a_token_of_a_subject_that_nobody_registered_is_refused() {
    let claims = claims_for("service-7", ScopeRule::Ignore);
    let directory = One(Digest::ZERO, facts(CredentialClass::IssuerSubject));
    let outcome = admit_claims(&claims, &directory, Timestamp::from_secs(NOW));
    assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
}

#[test]
fn cached_claims_are_refused_when_the_token_or_the_credential_has_ended() {
    let claims = claims_for("service-7", ScopeRule::Ignore);
    let mut known = facts(CredentialClass::IssuerSubject);
    known.expires_at = None;
    let mut directory = One(claims.lookup(), known);
    let late = claims.expires_at();
    assert_eq!(admit_claims(&claims, &directory, late).unwrap_err(), Reason::CredentialExpired);
    directory.1.status = CredentialStatus::Revoked;
    let now = Timestamp::from_secs(NOW);
    assert_eq!(admit_claims(&claims, &directory, now).unwrap_err(), Reason::CredentialRevoked);
    directory.1.status = CredentialStatus::Active;
    let who = admit_claims(&claims, &directory, now).unwrap();
    assert_eq!(who.expires_at(), Some(claims.expires_at()));
}

#[test]
fn scopes_narrow_only_where_the_issuer_says_so() {
    let now = Timestamp::from_secs(NOW);
    for (rule, narrows) in [(ScopeRule::Ignore, false), (ScopeRule::Enforce, true)] {
        let claims = claims_for("service-7", rule);
        let directory = One(claims.lookup(), facts(CredentialClass::IssuerSubject));
        let who = admit_claims(&claims, &directory, now).unwrap();
        assert_eq!(who.scopes().is_some(), narrows);
    }
}

#[test]
fn a_token_is_bound_to_the_generation_of_keys_that_verified_it() {
    let claims = claims_for("service-7", ScopeRule::Ignore);
    let issuer = issuer(ScopeRule::Ignore);
    assert!(claims.is_trusted_by(std::slice::from_ref(&issuer)));
    let rotated = issuer.with_keys(issuer.keys().clone(), issuer.generation() + 1);
    assert!(!claims.is_trusted_by(&[rotated]));
    assert!(!claims.is_trusted_by(&[]));
}

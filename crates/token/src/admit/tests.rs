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
    let outcome = admit_claims(&claims, &Sender::default(), &directory, Timestamp::from_secs(NOW));
    assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
}

#[test]
fn cached_claims_are_refused_when_the_token_or_the_credential_has_ended() {
    let claims = claims_for("service-7", ScopeRule::Ignore);
    let mut known = facts(CredentialClass::IssuerSubject);
    known.expires_at = None;
    let mut directory = One(claims.lookup(), known);
    let late = claims.expires_at();
    assert_eq!(
        admit_claims(&claims, &Sender::default(), &directory, late).unwrap_err(),
        Reason::CredentialExpired
    );
    directory.1.status = CredentialStatus::Revoked;
    let now = Timestamp::from_secs(NOW);
    assert_eq!(
        admit_claims(&claims, &Sender::default(), &directory, now).unwrap_err(),
        Reason::CredentialRevoked
    );
    directory.1.status = CredentialStatus::Active;
    let who = admit_claims(&claims, &Sender::default(), &directory, now).unwrap();
    assert_eq!(who.expires_at(), Some(claims.expires_at()));
}

#[test]
fn scopes_narrow_only_where_the_issuer_says_so() {
    let now = Timestamp::from_secs(NOW);
    for (rule, narrows) in [(ScopeRule::Ignore, false), (ScopeRule::Enforce, true)] {
        let claims = claims_for("service-7", rule);
        let directory = One(claims.lookup(), facts(CredentialClass::IssuerSubject));
        let who = admit_claims(&claims, &Sender::default(), &directory, now).unwrap();
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

fn bound_to(bound: &serde_json::Value) -> (Claims, One) {
    let claims = crate::claims::tests::bound(bound);
    let directory = One(claims.lookup(), facts(CredentialClass::IssuerSubject));
    (claims, directory)
}

fn text_of(digest: Digest) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.0)
}

#[test]
fn a_bound_token_is_refused_without_what_it_is_bound_to() {
    let (mine, other) = (Digest([7; 32]), Digest([8; 32]));
    let now = Timestamp::from_secs(NOW);
    let by_key = serde_json::json!({ "jkt": text_of(mine) });
    let by_certificate = serde_json::json!({ "x5t#S256": text_of(mine) });
    let both = serde_json::json!({ "jkt": text_of(mine), "x5t#S256": text_of(mine) });
    let free = serde_json::Value::Null;
    let key = |key| Sender { key: Some(key), certificate: None };
    let certificate = |certificate| Sender { key: None, certificate: Some(certificate) };
    let cases = [
        (&by_key, Sender::default(), Reason::InvalidProof),
        (&by_key, key(other), Reason::InvalidProof),
        (&by_key, certificate(mine), Reason::InvalidProof),
        (&by_certificate, Sender::default(), Reason::CertificateMismatch),
        (&by_certificate, certificate(other), Reason::CertificateMismatch),
        (&both, key(mine), Reason::CertificateMismatch),
        (&both, certificate(mine), Reason::InvalidProof),
        // A proof for a token that is bound to nothing proves nothing of the token.
        (&free, key(mine), Reason::InvalidProof),
    ];
    for (bound, sender, reason) in cases {
        let (claims, directory) = bound_to(bound);
        let outcome = admit_claims(&claims, &sender, &directory, now);
        assert_eq!(outcome.unwrap_err(), reason, "{bound} {sender:?}");
    }
}

#[test]
fn a_bound_token_with_what_it_is_bound_to_is_bound() {
    let mine = Digest([7; 32]);
    let now = Timestamp::from_secs(NOW);
    let sender = Sender { key: None, certificate: Some(mine) };
    let (claims, directory) = bound_to(&serde_json::json!({ "x5t#S256": text_of(mine) }));
    let who = admit_claims(&claims, &sender, &directory, now).unwrap();
    assert_eq!(who.binding(), Some(Binding::Mtls));
    // The certificate of the connection is no matter of a token that is not bound to one.
    let (claims, directory) = bound_to(&serde_json::Value::Null);
    let who = admit_claims(&claims, &sender, &directory, now).unwrap();
    assert_eq!(who.binding(), None);
    let sender = Sender { key: Some(mine), certificate: None };
    let (claims, directory) = bound_to(&serde_json::json!({ "jkt": text_of(mine) }));
    let who = admit_claims(&claims, &sender, &directory, now).unwrap();
    assert_eq!(who.binding(), Some(Binding::Dpop));
}

#[test]
fn a_certificate_proves_whom_it_was_registered_for_until_it_is_revoked() {
    let now = Timestamp::from_secs(NOW);
    let mine = Digest([7; 32]);
    let try_it = |facts| verify_certificate(&mine, &One(mine, facts), now);
    let good = facts(CredentialClass::Certificate);
    let other = verify_certificate(&Digest([8; 32]), &One(mine, good.clone()), now);
    assert_eq!(other.unwrap_err(), Reason::InvalidCredential);
    let key = try_it(facts(CredentialClass::ApiKey));
    assert_eq!(key.unwrap_err(), Reason::InvalidCredential, "of another class");
    let revoked = CredentialFacts { status: CredentialStatus::Revoked, ..good.clone() };
    assert_eq!(try_it(revoked).unwrap_err(), Reason::CredentialRevoked);
    assert_eq!(try_it(good).unwrap().binding(), Some(Binding::Mtls));
}

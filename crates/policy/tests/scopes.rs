//! Scopes of a token, from the signed text to the decision.

mod common;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base::Digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::*;
use identity::CredentialClass;
use portreeve_policy::{Change, Facts, Ruleset};
use serde_json::json;
use token::{
    Algorithm, Issuer, IssuerSettings, JwkSet, ScopeRule, Sender, admit_claims, verify_jwt,
};
use traffic::Reason;

const ISS: &str = "https://login.example.com";

/// The outcome of a call of `clerk`, who may call everything, with a token of this scope.
fn outcome(rule: ScopeRule, scope: Option<&str>, operation: &str) -> Result<(), Reason> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..65]),
    }]});
    let settings = IssuerSettings {
        name: "corp".to_owned(),
        issuer: ISS.to_owned(),
        audiences: vec!["gate".to_owned()],
        algorithms: vec![Algorithm::Es256],
        leeway: base::Span::from_secs(0),
        scopes: rule,
    };
    let issuer = Issuer::new(settings, JwkSet::parse(&keys.to_string()).unwrap(), 1).unwrap();
    let mut payload = json!({"iss": ISS, "aud": "gate", "sub": "clerk-7", "exp": at(60).as_secs()});
    if let Some(scope) = scope {
        payload["scope"] = scope.into();
    }
    let signed =
        format!("{}.{}", encode(br#"{"alg":"ES256"}"#), encode(payload.to_string().as_bytes()));
    let random = aws_lc_rs::rand::SystemRandom::new();
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", encode(signature.as_ref()));

    let subject = identity::Credential {
        id: "corp-clerk".parse().unwrap(),
        class: CredentialClass::IssuerSubject,
        lookup: Digest::of(&[ISS.as_bytes(), &[0], b"clerk-7"]),
        ..credential("clerk")
    };
    let ruleset: Ruleset = ruleset().apply(2, [Change::Credential(subject)]).unwrap();
    let claims = verify_jwt(&token, &[issuer], NOW).unwrap();
    let who = admit_claims(&claims, &Sender::default(), &ruleset, NOW).unwrap();
    let located = ruleset.locate("GET", None, &format!("/orders/{operation}"));
    let (api, facts) = (located.api.unwrap(), Facts::unknown());
    permit(ruleset.decide(&who, api, located.operation, facts, NOW)).map(drop)
}

#[test]
fn where_scopes_are_enforced_a_token_without_a_fitting_one_is_refused() {
    for scope in [None, Some(""), Some("openid"), Some("orders:write"), Some("list")] {
        let outcome = outcome(ScopeRule::Enforce, scope, "get");
        assert_eq!(outcome, Err(Reason::InsufficientScope), "{scope:?}");
    }
    for scope in ["get", "orders:get", "orders:read", "openid orders:all"] {
        assert_eq!(outcome(ScopeRule::Enforce, Some(scope), "get"), Ok(()), "{scope}");
    }
}

#[test]
fn where_scopes_are_ignored_grants_alone_decide() {
    assert_eq!(outcome(ScopeRule::Ignore, Some("openid"), "get"), Ok(()));
    assert_eq!(outcome(ScopeRule::Ignore, None, "get"), Ok(()));
}

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Algorithm, IssuerSettings, JwkSet};

pub(crate) const NOW: i64 = 1_790_000_000;
const ISS: &str = "https://login.example.com";

/// Signs ES256 tokens.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        })
    }

    fn keys(&self, kid: Option<&str>) -> JwkSet {
        let mut key = self.jwk();
        if let Some(kid) = kid {
            key["kid"] = kid.into();
        }
        JwkSet::parse(&json!({ "keys": [key] }).to_string()).unwrap()
    }

    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signature = self.0.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature.as_ref()))
    }
}

fn settings(scopes: ScopeRule) -> IssuerSettings {
    IssuerSettings {
        name: "corp".to_owned(),
        issuer: ISS.to_owned(),
        audiences: vec!["gate".to_owned()],
        algorithms: vec![Algorithm::Es256],
        leeway: Span::from_secs(30),
        scopes,
    }
}

pub(crate) fn issuer(scopes: ScopeRule) -> Issuer {
    Issuer::new(settings(scopes), Signer::new().keys(None), 1).unwrap()
}

pub(crate) fn claims_for(subject: &str, scopes: ScopeRule) -> Claims {
    let payload = json!({"iss": ISS, "aud": "gate", "sub": subject, "exp": NOW + 60});
    Claims::read(payload.as_object().unwrap(), &issuer(scopes)).unwrap()
}

/// A token that is bound so; `null` = not at all.
pub(crate) fn bound(bound: &Value) -> Claims {
    let mut payload = json!({"iss": ISS, "aud": "gate", "sub": "service-7", "exp": NOW + 60});
    if !bound.is_null() {
        payload["cnf"] = bound.clone();
    }
    Claims::read(payload.as_object().unwrap(), &issuer(ScopeRule::Ignore)).unwrap()
}

const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt"}"#;

fn payload(changes: &[(&str, Value)]) -> Value {
    let mut payload = json!({
        "iss": ISS, "aud": ["other", "gate"], "sub": "service-7", "exp": NOW + 60,
        "nbf": NOW - 5, "iat": NOW - 5, "jti": "1", "scope": "getOrder orders:read",
    });
    for (name, value) in changes {
        payload[*name] = value.clone();
    }
    payload
}

fn verify(payload: &Value) -> Result<Claims, Reason> {
    let signer = Signer::new();
    let issuer = Issuer::new(settings(ScopeRule::Ignore), signer.keys(None), 1).unwrap();
    let token = signer.sign(HEADER, &payload.to_string());
    verify_jwt(&token, &[issuer], Timestamp::from_secs(NOW))
}

#[test]
fn claims_that_are_missing_are_refused() {
    for name in ["iss", "aud", "sub", "exp"] {
        let mut payload = payload(&[]);
        payload.as_object_mut().unwrap().remove(name);
        assert_eq!(verify(&payload).unwrap_err(), Reason::InvalidCredential, "{name}");
    }
}

#[test]
fn claims_of_the_wrong_type_or_value_are_refused() {
    let soon = NOW + 60;
    let cases = [
        ("exp", json!(soon.to_string())),
        ("exp", json!(1.79e9)),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!([soon])),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!("0")),
        ("nbf", json!(null)),
        ("nbf", json!(0.5)),
        ("nbf", json!(NOW + 31)),
        ("iat", json!("now")),
        ("iat", json!(null)),
        ("jti", json!(1)),
        ("iss", json!([ISS])),
        ("iss", json!("https://login.example.com/")),
        ("iss", json!("https://LOGIN.example.com")),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!(null)),
        ("aud", json!("other")),
        ("aud", json!("gate ")),
        ("aud", json!([])),
        ("aud", json!([1, "gate"])),
        ("aud", json!({"gate": true})),
        ("scope", json!(["getOrder"])),
        ("scope", json!(null)),
        ("scp", json!(7)),
        ("scp", json!([7])),
        // Wider than `scope`: one of the two would be believed.
        ("scp", json!(["orders:all"])),
    ];
    for (name, value) in cases {
        let outcome = verify(&payload(&[(name, value.clone())]));
        assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential, "{name} = {value}");
    }
}

#[test]
fn an_expired_token_passes_within_the_leeway_and_not_after() {
    let within = verify(&payload(&[("exp", json!(NOW - 29))]));
    assert_eq!(within.unwrap().subject(), "service-7");
    let after = verify(&payload(&[("exp", json!(NOW - 30))]));
    assert_eq!(after.unwrap_err(), Reason::CredentialExpired);
}

#[test]
fn a_payload_with_a_claim_twice_is_refused() {
    let signer = Signer::new();
    let issuer = Issuer::new(settings(ScopeRule::Ignore), signer.keys(None), 1).unwrap();
    let end = NOW + 60;
    let twice = format!(r#"{{"iss":"{ISS}","aud":"gate","sub":"a","sub":"b","exp":{end}}}"#);
    let outcome = verify_jwt(&signer.sign(HEADER, &twice), &[issuer], Timestamp::from_secs(NOW));
    assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
}

#[test]
fn a_signature_of_another_key_or_over_other_bytes_is_refused() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let issuers = [Issuer::new(settings(ScopeRule::Ignore), signer.keys(None), 1).unwrap()];
    let now = Timestamp::from_secs(NOW);
    let good = signer.sign(HEADER, &payload(&[]).to_string());
    assert!(verify_jwt(&good, &issuers, now).is_ok());
    let foreign = stranger.sign(HEADER, &payload(&[]).to_string());
    let other = signer.sign(HEADER, &payload(&[("sub", json!("admin"))]).to_string());
    let mixed: Vec<&str> = other.rsplit_once('.').unwrap().0.split('.').collect();
    let mixed = format!("{}.{}", mixed.join("."), good.rsplit_once('.').unwrap().1);
    for forged in [foreign, mixed] {
        assert_eq!(verify_jwt(&forged, &issuers, now).unwrap_err(), Reason::InvalidCredential);
    }
}

#[test]
fn the_token_cannot_choose_key_or_algorithm() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let now = Timestamp::from_secs(NOW);
    let named = Issuer::new(settings(ScopeRule::Ignore), signer.keys(Some("k1")), 1).unwrap();
    let text = payload(&[]).to_string();
    let point = stranger.0.public_key().as_ref();
    let embedded = json!({"alg": "ES256", "jwk": {
        "kty": "EC", "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
    }});
    let cases = [
        stranger.sign(&embedded.to_string(), &text),
        stranger.sign(r#"{"alg":"ES256","jku":"https://evil.example/keys"}"#, &text),
        stranger.sign(r#"{"alg":"ES256","kid":"k1"}"#, &text),
        stranger.sign(r#"{"alg":"ES256","kid":"../../dev/null"}"#, &text),
        signer.sign(r#"{"alg":"ES256","kid":"k2"}"#, &text),
        signer.sign(r#"{"alg":"ES384","kid":"k1"}"#, &text),
        signer.sign(r#"{"alg":"RS256","kid":"k1"}"#, &text),
        signer.sign(r#"{"alg":"HS256","kid":"k1"}"#, &text),
        signer.sign(r#"{"alg":"none"}"#, &text),
    ];
    for token in cases {
        let outcome = verify_jwt(&token, std::slice::from_ref(&named), now);
        assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential, "{token}");
    }
    for header in [r#"{"alg":"ES256","kid":"k1"}"#, r#"{"alg":"ES256"}"#] {
        assert!(verify_jwt(&signer.sign(header, &text), std::slice::from_ref(&named), now).is_ok());
    }
}

#[test]
fn an_algorithm_that_the_issuer_does_not_list_is_refused_with_the_right_key() {
    let signer = Signer::new();
    let only = IssuerSettings { algorithms: vec![Algorithm::Rs256], ..settings(ScopeRule::Ignore) };
    let issuer = Issuer::new(only, signer.keys(None), 1).unwrap();
    let token = signer.sign(HEADER, &payload(&[]).to_string());
    let outcome = verify_jwt(&token, &[issuer], Timestamp::from_secs(NOW));
    assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
}

#[test]
fn one_issuer_cannot_vouch_for_another() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let corp = Issuer::new(settings(ScopeRule::Ignore), signer.keys(None), 1).unwrap();
    let other = IssuerSettings {
        name: "partner".to_owned(),
        issuer: "https://partner.example".to_owned(),
        ..settings(ScopeRule::Ignore)
    };
    let partner = Issuer::new(other, stranger.keys(None), 1).unwrap();
    // The partner signs a token that claims to be corp's.
    let token = stranger.sign(HEADER, &payload(&[]).to_string());
    let outcome = verify_jwt(&token, &[partner, corp], Timestamp::from_secs(NOW));
    assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
}

#[test]
fn good_claims_are_read_whole() {
    let claims = verify(&payload(&[])).unwrap();
    assert_eq!((claims.issuer_name(), claims.generation()), ("corp", 1));
    assert_eq!(claims.subject(), "service-7");
    assert_eq!(claims.lookup(), Digest::of(&[ISS.as_bytes(), &[0], b"service-7"]));
    assert_eq!(claims.expires_at(), Timestamp::from_secs(NOW + 90));
    assert_eq!(claims.scopes(), ["getOrder", "orders:read"]);
    let mut with_scp = payload(&[("scp", json!(["a", "b"]))]);
    with_scp.as_object_mut().unwrap().remove("scope");
    assert_eq!(verify(&with_scp).unwrap().scopes(), ["a", "b"]);
}

proptest! {
    /// One spelling, one meaning: no other text of the same length passes for the token.
    #[test]
    fn a_token_with_one_character_changed_is_refused(place in any::<usize>(), put in "[ -~]") {
        let signer = Signer::new();
        let issuer = Issuer::new(settings(ScopeRule::Ignore), signer.keys(None), 1).unwrap();
        let good = signer.sign(HEADER, &payload(&[]).to_string());
        let mut bytes = good.clone().into_bytes();
        let place = place % bytes.len();
        bytes[place] = put.as_bytes()[0];
        let other = String::from_utf8(bytes).unwrap();
        let outcome = verify_jwt(&other, &[issuer], Timestamp::from_secs(NOW));
        prop_assert_eq!(outcome.is_ok(), other == good, "{}", other);
    }

    /// Any text at all is refused without a fault.
    #[test]
    fn other_texts_are_refused(text in "\\PC{0,60}", one in "[A-Za-z0-9_=-]{0,40}") {
        let issuer = issuer(ScopeRule::Ignore);
        for text in [&text, &format!("{one}.{one}.{one}"), &format!("e30.{one}.{one}")] {
            let outcome = verify_jwt(text, std::slice::from_ref(&issuer), Timestamp::from_secs(NOW));
            prop_assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential);
            prop_assert!(JwkSet::parse(text).is_err());
        }
    }
}

#[test]
fn a_token_that_is_bound_in_a_way_that_nobody_can_prove_here_is_refused() {
    let digest = URL_SAFE_NO_PAD.encode([7; 32]);
    let short = URL_SAFE_NO_PAD.encode([7; 31]);
    for bound in [
        json!(null),
        json!({}),
        json!("jkt"),
        json!({ "kid": "7" }),
        json!({ "jwk": {"kty": "EC"} }),
        json!({ "jkt": short }),
        json!({ "jkt": 7 }),
        json!({ "x5t": digest }),
        json!({ "jkt": digest, "x5u": "https://keys.example" }),
    ] {
        let outcome = verify(&payload(&[("cnf", bound.clone())]));
        assert_eq!(outcome.unwrap_err(), Reason::InvalidCredential, "{bound}");
    }
}

#[test]
fn what_a_token_is_bound_to_is_read() {
    let (key, certificate) = (Digest([7; 32]), Digest([8; 32]));
    let bound = json!({
        "jkt": URL_SAFE_NO_PAD.encode(key.0), "x5t#S256": URL_SAFE_NO_PAD.encode(certificate.0),
    });
    let claims = verify(&payload(&[("cnf", bound)])).unwrap();
    let wanted = Confirmation { key: Some(key), certificate: Some(certificate) };
    assert_eq!(*claims.confirmation(), wanted);
    assert_eq!(*verify(&payload(&[])).unwrap().confirmation(), Confirmation::default());
}

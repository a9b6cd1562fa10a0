use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::claims::tests::{NOW, Signer};

const TOKEN: &str = "a.bound.token";
const RULE: ProofRule = ProofRule { lifetime: Span::from_secs(60) };

fn authority(text: &str) -> Authority {
    Authority::parse(text.as_bytes()).unwrap()
}

/// What a test changes of a proof that is good.
struct Case {
    signer: Signer,
    header: Value,
    payload: Value,
    path: &'static str,
    host: &'static str,
    schemes: &'static [Scheme],
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(&[token.as_bytes()]).0)
}

impl Case {
    fn good() -> Self {
        let signer = Signer::new();
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk()});
        let payload = json!({
            "jti": "1", "htm": "POST", "htu": "https://api.example.com/orders/42", "iat": NOW,
            "ath": hash(TOKEN),
        });
        let (path, host, schemes) = ("/orders/42", "api.example.com", &[Scheme::Https][..]);
        Self { signer, header, payload, path, host, schemes }
    }

    fn with(name: &str, value: Value) -> Self {
        let mut case = Self::good();
        case.payload[name] = value;
        case
    }

    fn verify(&self) -> Result<Proof, ProofFault> {
        let key = OwnKey::thumbprint(&self.signer.jwk()).unwrap();
        self.verify_for(key)
    }

    fn verify_for(&self, key: Digest) -> Result<Proof, ProofFault> {
        let text = self.signer.sign(&self.header.to_string(), &self.payload.to_string());
        let asked = ProofFor {
            method: "POST",
            schemes: self.schemes,
            authority: &authority(self.host),
            path: self.path,
            token: TOKEN,
            key,
        };
        verify_proof(&text, &asked, RULE, Timestamp::from_secs(NOW))
    }
}

#[test]
fn a_proof_without_one_of_its_claims_is_refused() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let mut case = Case::good();
        case.payload.as_object_mut().unwrap().remove(name);
        assert_eq!(case.verify().unwrap_err(), ProofFault::Incomplete, "{name}");
        for value in [json!(null), json!([1]), json!(""), json!(1.5)] {
            let fault = Case::with(name, value.clone()).verify().unwrap_err();
            assert_eq!(fault, ProofFault::Incomplete, "{name} = {value}");
        }
    }
    let long = "j".repeat(ID_BYTES_MAX + 1);
    assert_eq!(Case::with("jti", json!(long)).verify().unwrap_err(), ProofFault::Incomplete);
}

#[test]
fn a_proof_for_another_request_is_refused() {
    let cases = [
        ("htm", json!("GET"), ProofFault::OtherMethod),
        ("htm", json!("post"), ProofFault::OtherMethod),
        ("htu", json!("https://api.example.com/orders/43"), ProofFault::OtherUrl),
        ("htu", json!("https://api.example.com/orders/42/"), ProofFault::OtherUrl),
        ("htu", json!("https://api.example.com/x/../orders/42"), ProofFault::OtherUrl),
        ("htu", json!("https://api.example.com"), ProofFault::OtherUrl),
        ("htu", json!("https://evil.example.com/orders/42"), ProofFault::OtherUrl),
        ("htu", json!("https://api.example.com@evil.example/orders/42"), ProofFault::OtherUrl),
        ("htu", json!("https://api.example.com:444/orders/42"), ProofFault::OtherUrl),
        ("htu", json!("http://api.example.com/orders/42"), ProofFault::OtherUrl),
        ("htu", json!("/orders/42"), ProofFault::OtherUrl),
        ("ath", json!(hash("another.bound.token")), ProofFault::OtherToken),
        ("ath", json!("x"), ProofFault::OtherToken),
        ("iat", json!(NOW - 61), ProofFault::NotFresh),
        ("iat", json!(NOW + 31), ProofFault::NotFresh),
        ("iat", json!(i64::MAX), ProofFault::NotFresh),
        ("iat", json!(i64::MIN), ProofFault::NotFresh),
    ];
    for (name, value, fault) in cases {
        let outcome = Case::with(name, value.clone()).verify();
        assert_eq!(outcome.unwrap_err(), fault, "{name} = {value}");
    }
}

#[test]
fn a_proof_of_another_form_is_refused() {
    let cases = [
        ("typ", json!("JWT")),
        ("typ", json!(null)),
        ("typ", json!("application/dpop+jwt")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("jwk", json!(null)),
        ("jwk", json!("key")),
        ("crit", json!(["exp"])),
    ];
    for (name, value) in cases {
        let mut case = Case::good();
        case.header[name] = value.clone();
        assert_eq!(case.verify().unwrap_err(), ProofFault::Malformed, "{name} = {value}");
    }
    // Whoever reads the proof could sign the next one.
    let mut secret = Case::good();
    secret.header["jwk"]["d"] = json!("AQ");
    assert_eq!(secret.verify().unwrap_err(), ProofFault::Malformed);
}

#[test]
fn a_proof_by_another_key_is_refused() {
    let case = Case::good();
    assert_eq!(case.verify_for(Digest([1; 32])).unwrap_err(), ProofFault::OtherKey);
    // The key of the token, and a signature by another.
    let mut forged = Case::good();
    let theirs = Signer::new();
    forged.header["jwk"] = theirs.jwk();
    let key = OwnKey::thumbprint(&theirs.jwk()).unwrap();
    assert_eq!(forged.verify_for(key).unwrap_err(), ProofFault::BadSignature);
    // An algorithm that is not one of the key's.
    let mut case = Case::good();
    case.header["alg"] = json!("ES384");
    assert_eq!(case.verify().unwrap_err(), ProofFault::BadSignature);
}

#[test]
fn a_proof_for_the_request_is_accepted_however_its_url_is_spelled() {
    assert!(Case::good().verify().is_ok());
    for url in [
        "https://api.example.com:443/orders/42",
        "HTTPS://API.example.com/orders/42",
        "https://api.example.com/orders/42?page=2",
        "https://api.example.com/orders/42#part",
        "https://api.example.com/orders/%34%32",
    ] {
        assert!(Case::with("htu", json!(url)).verify().is_ok(), "{url}");
    }
    let mut root = Case::with("htu", json!("https://api.example.com"));
    root.path = "/";
    assert!(root.verify().is_ok());
    let mut behind = Case::good();
    behind.schemes = &[Scheme::Http, Scheme::Https];
    assert!(behind.verify().is_ok());
    behind.payload["htu"] = json!("http://api.example.com:80/orders/42");
    assert!(behind.verify().is_ok());
    for iat in [NOW - 60, NOW + 30] {
        assert!(Case::with("iat", json!(iat)).verify().is_ok(), "{iat}");
    }
}

#[test]
fn two_proofs_differ_by_their_id_or_their_key_and_one_never_does() {
    let case = Case::good();
    let (one, again) = (case.verify().unwrap(), case.verify().unwrap());
    assert_eq!(one.id, again.id, "signed twice, it is the same proof");
    let mut other = Case::good();
    assert_ne!(one.id, other.verify().unwrap().id, "of another key");
    other.payload["jti"] = json!("2");
    assert_ne!(one.id, other.verify().unwrap().id);
}

/// The example of RFC 9449 §7.1: a published token, proof and thumbprint.
#[test]
fn the_published_example_is_accepted() {
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieC\
        I6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHp\
        iVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1\
        MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNv\
        dXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBc\
        WtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYo\
        MxhAJpLjA";
    let key = confirmation::digest("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").unwrap();
    let asked = ProofFor {
        method: "GET",
        schemes: &[Scheme::Https],
        authority: &authority("resource.example.org"),
        path: "/protectedresource",
        token: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
        key,
    };
    let then = Timestamp::from_secs(1_562_262_620);
    assert_eq!(verify_proof(PROOF, &asked, RULE, then).unwrap().key, key);
}

/// The example of RFC 7638 §3.1.
#[test]
fn the_published_thumbprint_is_found() {
    let key = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJ\
              ECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qv\
              zqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ\
              u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    });
    let found = OwnKey::thumbprint(&key).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(found.0), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

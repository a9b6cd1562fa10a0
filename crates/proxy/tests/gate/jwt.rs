//! Tokens of trusted issuers at the gate: verified once, judged at every request.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base::{Clock, Digest, Span};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::CredentialClass;
use serde_json::{Value, json};
use testkit::Upstream;
use token::{Algorithm, Issuer, IssuerSettings, JwkSet, ScopeRule};
use traffic::Rate;

use crate::kit::{Kit, Setup, State};

pub const ISS: &str = "https://login.example.com";

pub struct Signer(EcdsaKeyPair);

impl Signer {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..65]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    pub fn issuer(&self, generation: u64) -> Issuer {
        let keys = json!({ "keys": [self.jwk()] });
        let settings = IssuerSettings {
            name: "corp".to_owned(),
            issuer: ISS.to_owned(),
            audiences: vec!["gate".to_owned()],
            algorithms: vec![Algorithm::Es256],
            leeway: Span::from_secs(0),
            scopes: ScopeRule::Ignore,
        };
        Issuer::new(settings, JwkSet::parse(&keys.to_string()).unwrap(), generation).unwrap()
    }

    fn token(&self, kit: &Kit, number: usize) -> String {
        let end = kit.clock.now().as_secs() + 60;
        let id = format!("t{number}");
        let claims = json!({"iss": ISS, "aud": "gate", "sub": "billing", "exp": end, "jti": id});
        self.sign(&json!({"alg": "ES256"}), &claims)
    }

    /// A token that is bound so (`cnf`).
    pub fn bound(&self, kit: &Kit, cnf: &Value) -> String {
        let end = kit.clock.now().as_secs() + 600;
        let claims = json!({"iss": ISS, "aud": "gate", "sub": "billing", "exp": end, "cnf": cnf});
        self.sign(&json!({"alg": "ES256"}), &claims)
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |text: &Value| URL_SAFE_NO_PAD.encode(text.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub fn setup(signer: &Signer) -> Setup {
    let adjust = |state: &mut State| {
        let mut subject = state.credential.clone();
        subject.id = "cred-jwt".parse().unwrap();
        subject.class = CredentialClass::IssuerSubject;
        subject.lookup = Digest::of(&[ISS.as_bytes(), &[0], b"billing"]);
        state.more_credentials.push(subject);
    };
    Setup { issuers: vec![signer.issuer(1)], adjust: Box::new(adjust), ..Setup::default() }
}

async fn status(kit: &Kit, token: &str) -> (u16, String) {
    let mut client = kit.connect().await;
    client.send(kit.get("").replace(&kit.key, token)).await;
    let response = client.response().await;
    (response.status, response.reason())
}

#[tokio::test]
async fn rows_12_to_16_a_token_is_verified_by_signature_and_judged_every_time() {
    let upstream = Upstream::start().await;
    let signer = Signer::new();
    let kit = Kit::with(&upstream.url(), setup(&signer)).await;
    let token = signer.token(&kit, 0);
    let forged = Signer::new().token(&kit, 0);
    assert_eq!(status(&kit, &forged).await, (401, "invalid_credential".to_owned()));
    assert_eq!(status(&kit, &token).await.0, 200);
    // Same head and claims, another signature: the cache must not know it.
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = forged.rsplit_once('.').unwrap();
    let mixed = format!("{signed}.{signature}");
    assert_eq!(status(&kit, &mixed).await, (401, "invalid_credential".to_owned()));
    kit.clock.advance(Span::from_secs(60));
    assert_eq!(status(&kit, &token).await, (401, "credential_expired".to_owned()));
    assert_eq!(upstream.seen().len(), 1);
    let seen = upstream.seen().remove(0);
    assert_eq!(seen.fields("portreeve-credential"), ["cred-jwt"]);
    assert!(!seen.head.contains(&token));
}

#[tokio::test]
async fn row_16_a_cached_token_dies_with_its_issuers_keys() {
    let upstream = Upstream::start().await;
    let signer = Signer::new();
    let kit = Kit::with(&upstream.url(), setup(&signer)).await;
    let token = signer.token(&kit, 0);
    assert_eq!(status(&kit, &token).await.0, 200);
    kit.authenticators.set_issuers(vec![Signer::new().issuer(2)]);
    assert_eq!(status(&kit, &token).await, (401, "invalid_credential".to_owned()));
    kit.authenticators.set_issuers(vec![signer.issuer(3)]);
    assert_eq!(status(&kit, &token).await.0, 200);
}

#[tokio::test]
async fn row_15_forged_tokens_cannot_buy_more_than_a_sources_share_of_verifications() {
    let upstream = Upstream::start().await;
    let signer = Signer::new();
    let mut setup = setup(&signer);
    setup.config.limits.verifications_per_source = Rate::new(1, 3);
    let kit = Kit::with(&upstream.url(), setup).await;
    let known = signer.token(&kit, 0);
    assert_eq!(status(&kit, &known).await.0, 200);
    let forger = Signer::new();
    for number in 0..2 {
        assert_eq!(status(&kit, &forger.token(&kit, number)).await.0, 401);
    }
    assert_eq!(status(&kit, &forger.token(&kit, 9)).await, (429, "rate_limited".to_owned()));
    // A token that was verified before costs no verification and still passes; so do keys.
    assert_eq!(status(&kit, &known).await.0, 200);
    assert_eq!(status(&kit, &kit.key).await.0, 200);
    kit.clock.advance(Span::from_secs(1));
    assert_eq!(status(&kit, &signer.token(&kit, 1)).await.0, 200);
}

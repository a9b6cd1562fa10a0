//! Tokens that are bound to a key (DPoP, RFC 9449): good with a proof for the request, once.

use base::{Clock, Digest, Span};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grant::Tie;
use identity::{Binding, CredentialStatus, Strength};
use portreeve_proxy::Limits;
use serde_json::{Value, json};
use testkit::Upstream;

use crate::jwt::{self, Signer};
use crate::kit::{Kit, Response, Setup, State};

/// A caller with a key, and a token that is bound to it.
struct Caller {
    key: Signer,
    token: String,
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(&[text.as_bytes()]).0)
}

/// RFC 7638 §3.
fn thumbprint(key: &Signer) -> String {
    let jwk = key.jwk();
    let [x, y] = ["x", "y"].map(|name| jwk[name].as_str().unwrap().to_owned());
    hash(&format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}"))
}

impl Caller {
    fn new(kit: &Kit, issuer: &Signer) -> Self {
        let key = Signer::new();
        let token = issuer.bound(kit, &json!({ "jkt": thumbprint(&key) }));
        Self { key, token }
    }

    fn claims(&self, kit: &Kit, id: &str) -> Value {
        json!({
            "jti": id, "htm": "GET", "htu": "http://api/orders/42", "ath": hash(&self.token),
            "iat": kit.clock.now().as_secs(),
        })
    }

    fn proof(&self, claims: &Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk()});
        self.key.sign(&header, claims)
    }

    fn good(&self, kit: &Kit, id: &str) -> String {
        self.proof(&self.claims(kit, id))
    }
}

/// A GET of `/orders/42` with this in `Authorization` and these fields.
async fn get(kit: &Kit, authorization: &str, more: &str) -> Response {
    let mut client = kit.connect().await;
    let bearer = format!("Bearer {}", kit.key);
    client.send(kit.get(more).replace(&bearer, authorization)).await;
    client.response().await
}

async fn proved(kit: &Kit, caller: &Caller, proof: &str) -> Response {
    let authorization = format!("DPoP {}", caller.token);
    get(kit, &authorization, &format!("dpop: {proof}\r\n")).await
}

async fn start(upstream: &Upstream) -> (Kit, Caller) {
    let issuer = Signer::new();
    let kit = Kit::with(&upstream.url(), jwt::setup(&issuer)).await;
    let caller = Caller::new(&kit, &issuer);
    (kit, caller)
}

/// A gate with limits of its own, and who issues tokens for it.
async fn limited(upstream: &Upstream, limit: impl FnOnce(&mut Limits)) -> (Kit, Signer) {
    let issuer = Signer::new();
    let mut setup = jwt::setup(&issuer);
    limit(&mut setup.config.limits);
    (Kit::with(&upstream.url(), setup).await, issuer)
}

#[tokio::test]
async fn a_bound_token_without_its_proof_is_refused_and_the_caller_is_told_what_is_missing() {
    let upstream = Upstream::start().await;
    let (kit, caller) = start(&upstream).await;
    let proof = caller.good(&kit, "1");
    let (bearer, bound) = (format!("Bearer {}", caller.token), format!("DPoP {}", caller.token));
    let cases = [
        // A bound token is never good as a bearer's, whatever else comes along (RFC 9449 §7.2).
        (&bearer, String::new()),
        (&bearer, format!("dpop: {proof}\r\n")),
        (&bound, String::new()),
        (&bound, "dpop: nonsense\r\n".to_owned()),
        (&bound, "dpop: two words\r\n".to_owned()),
    ];
    for (authorization, more) in cases {
        let refused = get(&kit, authorization, &more).await;
        assert_eq!((refused.status, refused.reason()), (401, "invalid_proof".to_owned()), "{more}");
        let challenge = refused.field("www-authenticate").unwrap();
        assert!(challenge.starts_with("DPoP realm=\"orders\", error=\"invalid_dpop_proof\""));
        assert!(challenge.contains("algs=\"") && challenge.contains("ES256"), "{challenge}");
    }
    let twice = get(&kit, &bound, &format!("dpop: {proof}\r\ndpop: {proof}\r\n")).await;
    assert_eq!(twice.reason(), "forbidden_header");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_proof_for_another_request_or_by_another_key_is_refused() {
    let upstream = Upstream::start().await;
    let (kit, caller) = start(&upstream).await;
    let now = kit.clock.now().as_secs();
    let cases = [
        ("htm", json!("POST"), "`htm`"),
        ("htu", json!("http://api/orders/43"), "`htu`"),
        ("htu", json!("https://api/orders/42"), "`htu`"),
        ("htu", json!("http://other/orders/42"), "`htu`"),
        ("ath", json!(hash("another")), "`ath`"),
        ("iat", json!(now - 61), "`iat`"),
        ("iat", json!(now + 31), "`iat`"),
    ];
    for (name, value, told) in cases {
        let mut claims = caller.claims(&kit, "1");
        claims[name] = value.clone();
        let refused = proved(&kit, &caller, &caller.proof(&claims)).await;
        assert_eq!(refused.reason(), "invalid_proof", "{name} = {value}");
        let body: Value = serde_json::from_slice(&refused.body).unwrap();
        assert!(body["violations"][0].as_str().unwrap().contains(told), "{body}");
    }
    let thief = Caller { key: Signer::new(), token: caller.token.clone() };
    assert_eq!(proved(&kit, &thief, &thief.good(&kit, "1")).await.reason(), "invalid_proof");
    // The holder's own key in the head, and the thief's signature.
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": caller.key.jwk()});
    let forged = thief.key.sign(&header, &caller.claims(&kit, "1"));
    assert_eq!(proved(&kit, &caller, &forged).await.reason(), "invalid_proof");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_proof_is_good_once_and_neither_it_nor_the_token_reaches_the_upstream() {
    let upstream = Upstream::start().await;
    let (kit, caller) = start(&upstream).await;
    let proof = caller.good(&kit, "1");
    assert_eq!(proved(&kit, &caller, &proof).await.status, 200);
    assert_eq!(kit.record().await.binding, Some(Binding::Dpop));
    let again = proved(&kit, &caller, &proof).await;
    assert_eq!((again.status, again.reason()), (401, "invalid_proof".to_owned()));
    kit.clock.advance(Span::from_secs(60));
    assert_eq!(
        proved(&kit, &caller, &proof).await.reason(),
        "invalid_proof",
        "as old as it may be"
    );
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "2")).await.status, 200);
    for seen in upstream.seen() {
        assert_eq!(seen.fields("dpop").len() + seen.fields("authorization").len(), 0);
        assert!(!seen.head.contains(&caller.token));
        assert_eq!(seen.fields("portreeve-credential"), ["cred-jwt"]);
    }
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn forged_proofs_cannot_buy_more_than_a_sources_share_of_verifications() {
    let upstream = Upstream::start().await;
    let (kit, issuer) =
        limited(&upstream, |limits| limits.verifications_per_source = traffic::Rate::new(1, 3))
            .await;
    let caller = Caller::new(&kit, &issuer);
    // Good proofs cost none.
    for number in 0..20 {
        let proof = caller.good(&kit, &format!("good-{number}"));
        assert_eq!(proved(&kit, &caller, &proof).await.status, 200);
    }
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": caller.key.jwk()});
    let thief = Signer::new();
    for number in 0..3 {
        let forged = thief.sign(&header, &caller.claims(&kit, &format!("forged-{number}")));
        assert_eq!(proved(&kit, &caller, &forged).await.reason(), "invalid_proof");
    }
    let forged = thief.sign(&header, &caller.claims(&kit, "forged-3"));
    assert_eq!(proved(&kit, &caller, &forged).await.reason(), "rate_limited");
}

/// Junk tokens of the same network use up what it may have verified, and no proof.
#[tokio::test]
async fn what_others_of_a_network_send_stops_nobody_whose_token_is_known() {
    let upstream = Upstream::start().await;
    let (kit, issuer) =
        limited(&upstream, |limits| limits.verifications_per_source = traffic::Rate::new(1, 3))
            .await;
    let (caller, stranger) = (Caller::new(&kit, &issuer), Signer::new());
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "1")).await.status, 200);
    let junk = stranger.bound(&kit, &json!({}));
    let reasons = [junk.clone(), junk.clone(), junk].map(|junk| format!("Bearer {junk}"));
    let mut last = String::new();
    for junk in &reasons {
        last = get(&kit, junk, "").await.reason();
    }
    assert_eq!(last, "rate_limited");
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "2")).await.status, 200);
    // Nor does a thief of one token stop the others.
    let other = Caller { key: Signer::new(), token: String::new() };
    kit.clock.advance(Span::from_secs(3));
    let other =
        Caller { token: issuer.bound(&kit, &json!({ "jkt": thumbprint(&other.key) })), ..other };
    assert_eq!(proved(&kit, &other, &other.good(&kit, "1")).await.status, 200);
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": caller.key.jwk()});
    for number in 0..4 {
        let forged = stranger.sign(&header, &caller.claims(&kit, &format!("forged-{number}")));
        last = proved(&kit, &caller, &forged).await.reason();
    }
    assert_eq!(last, "rate_limited");
    assert_eq!(proved(&kit, &other, &other.good(&kit, "2")).await.status, 200);
}

#[tokio::test]
async fn a_credential_that_is_not_good_takes_no_room_for_proofs() {
    let upstream = Upstream::start().await;
    let (kit, issuer) = limited(&upstream, |limits| limits.used_proofs = 2).await;
    let caller = Caller::new(&kit, &issuer);
    let set = |status| {
        kit.change(move |state| state.more_credentials[0].status = status);
    };
    set(CredentialStatus::Revoked);
    for number in 0..3 {
        let proof = caller.good(&kit, &number.to_string());
        assert_eq!(proved(&kit, &caller, &proof).await.reason(), "credential_revoked");
    }
    set(CredentialStatus::Active);
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "0")).await.status, 200);
}

#[tokio::test]
async fn whoever_sends_too_many_proofs_is_refused_alone() {
    let upstream = Upstream::start().await;
    let (kit, issuer) = limited(&upstream, |limits| limits.used_proofs = 16).await;
    // A key of its own for each token buys nothing: the credential is the same.
    let (one, other) = (Caller::new(&kit, &issuer), Caller::new(&kit, &issuer));
    for caller in [&one, &other] {
        let proof = caller.good(&kit, "0");
        assert_eq!(proved(&kit, caller, &proof).await.status, 200);
    }
    for caller in [&one, &other] {
        let refused = proved(&kit, caller, &caller.good(&kit, "1")).await;
        assert_eq!((refused.status, refused.reason()), (429, "rate_limited".to_owned()));
    }
    kit.clock.advance(Span::from_secs(90));
    assert_eq!(proved(&kit, &one, &one.good(&kit, "2")).await.status, 200);
}

#[tokio::test]
async fn a_proof_from_before_the_gate_began_may_have_been_used_before() {
    let upstream = Upstream::start().await;
    let (kit, caller) = start(&upstream).await;
    let mut claims = caller.claims(&kit, "1");
    claims["iat"] = json!(kit.clock.now().as_secs() - 1);
    let refused = proved(&kit, &caller, &caller.proof(&claims)).await;
    assert_eq!((refused.status, refused.reason()), (401, "invalid_proof".to_owned()));
    let told = String::from_utf8(refused.body).unwrap();
    assert!(told.contains("before the gate began"), "{told}");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn when_no_more_proofs_can_be_remembered_none_is_accepted() {
    let upstream = Upstream::start().await;
    let (kit, issuer) = limited(&upstream, |limits| limits.used_proofs = 2).await;
    let caller = Caller::new(&kit, &issuer);
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "1")).await.status, 200);
    let refused = proved(&kit, &caller, &caller.good(&kit, "2")).await;
    assert_eq!((refused.status, refused.reason()), (503, "overloaded".to_owned()));
    // Those without proofs are not touched by that.
    assert_eq!(get(&kit, &format!("Bearer {}", kit.key), "").await.status, 200);
    kit.clock.advance(Span::from_secs(90));
    assert_eq!(proved(&kit, &caller, &caller.good(&kit, "3")).await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_that_ends_tls_the_url_may_be_https() {
    let upstream = Upstream::start().await;
    let issuer = Signer::new();
    let mut setup = jwt::setup(&issuer);
    setup.config.trusted_peers = vec!["127.0.0.0/8".parse().unwrap()];
    let kit = Kit::with(&upstream.url(), setup).await;
    let caller = Caller::new(&kit, &issuer);
    let mut claims = caller.claims(&kit, "1");
    claims["htu"] = json!("https://api/orders/42");
    assert_eq!(proved(&kit, &caller, &caller.proof(&claims)).await.status, 200);
}

#[tokio::test]
async fn a_grant_that_asks_for_a_bound_proof_is_met_by_one_and_by_nothing_weaker() {
    let upstream = Upstream::start().await;
    let issuer = Signer::new();
    let bound = |state: &mut State| state.grant.terms.bindings = vec![Binding::Dpop];
    let strong = |state: &mut State| {
        state.grant.terms.strength = Some(Strength::SenderConstrained);
    };
    let terms: [fn(&mut State); 2] = [bound, strong];
    for adjust in terms {
        let Setup { adjust: usual, issuers, config, .. } = jwt::setup(&issuer);
        let both = move |state: &mut State| {
            usual(state);
            adjust(state);
        };
        let setup = Setup { adjust: Box::new(both), issuers, config, ..Setup::default() };
        let kit = Kit::with(&upstream.url(), setup).await;
        let caller = Caller::new(&kit, &issuer);
        let key = get(&kit, &format!("Bearer {}", kit.key), "").await;
        assert_eq!((key.status, key.reason()), (403, "proof_too_weak".to_owned()));
        assert_eq!(proved(&kit, &caller, &caller.good(&kit, "1")).await.status, 200);
    }
}

/// A request that is judged again when its body is there is still one request.
#[tokio::test]
async fn a_proof_for_a_request_that_is_judged_by_its_body_is_used_once() {
    let upstream = Upstream::start().await;
    let issuer = Signer::new();
    let Setup { adjust: usual, issuers, config, .. } = jwt::setup(&issuer);
    let adjust = move |state: &mut State| {
        usual(state);
        let tie: Tie = "body.tenant = \"acme\"".parse().unwrap();
        state.grant.terms.ties = vec![tie];
    };
    let setup = Setup { adjust: Box::new(adjust), issuers, config, ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let caller = Caller::new(&kit, &issuer);
    let mut claims = caller.claims(&kit, "1");
    claims["htm"] = json!("POST");
    claims["htu"] = json!("http://api/orders");
    let fields = format!(
        "content-type: application/json\r\ncontent-length: 17\r\ndpop: {}\r\n",
        caller.proof(&claims)
    );
    let post = kit.post(&fields, "{\"tenant\":\"acme\"}");
    let presented = format!("authorization: DPoP {}", caller.token);
    let post = post.replace(&format!("x-api-key: {}", kit.key), &presented);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let mut client = kit.connect().await;
        client.send(&post).await;
        statuses.push(client.response().await.status);
    }
    assert_eq!(statuses, [200, 401]);
}

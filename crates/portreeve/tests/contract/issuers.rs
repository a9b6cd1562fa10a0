//! Tokens of a configured issuer, over the wire: its keys come from a file or from a URL, and
//! change.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base::Clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Scratch, Server, Upstream, configure, eventually, installed};

const ISSUER: &str = "https://login.example.com";

/// A signing key of the issuer, or of somebody who would like to be it.
struct Signer {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        Self { id, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.id})
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn good(&self) -> String {
        self.token(&self.header(), &claims())
    }
}

fn key_set(signers: &[&Signer]) -> String {
    let key = |signer: &&Signer| {
        let point = signer.pair.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..65]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "kid": signer.id, "x": x, "y": y})
    };
    json!({"keys": signers.iter().map(key).collect::<Vec<_>>()}).to_string()
}

fn claims() -> Value {
    let end = testkit::SystemClock.now().as_secs() + 600;
    json!({"iss": ISSUER, "aud": "orders-api", "sub": "5f2c", "exp": end})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// A server that trusts the issuer, with one registered subject that may read orders.
fn trusting(scratch: &Scratch, upstream: &Upstream, jwks: &str) -> Server {
    let token = installed(scratch.path(), &[]);
    scratch.write("state/orders.yaml", include_str!("orders.yaml"));
    let tables = format!(
        "[[issuer]]\nname = \"login\"\nissuer = \"{ISSUER}\"\njwks = \"{jwks}\"\n\
         algorithms = [\"ES256\"]\naudience = [\"orders-api\"]\n\n\
         [[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"{}\"\n\
         openapi = \"orders.yaml\"\n",
        upstream.url
    );
    configure(scratch.path(), "", &tables);
    let server = Server::serve(scratch.path(), &token);
    server.json(&["identity", "add", "svc", "--kind", "workload", "--owner", "ada"]);
    let class = ["--class", "issuer_subject", "--issuer", "login", "--subject", "5f2c"];
    server.json(&[&["key", "issue", "svc"], &class[..]].concat());
    server.json(&["grant", "give", "svc", "--api", "orders", "--can", "read"]);
    server
}

fn ask(server: &Server, token: &str) -> (u16, String) {
    let bearer = format!("Bearer {token}");
    let answer = server.proxy().get("/orders/42", &[("authorization", bearer.as_str())]);
    let reason = answer.json()["reason"].as_str().unwrap_or_default().to_owned();
    (answer.status, reason)
}

fn assert_refused(server: &Server, what: &str, token: &str, reason: &str) {
    assert_eq!(ask(server, token), (401, reason.to_owned()), "{what}");
}

#[test]
fn a_token_passes_when_all_of_it_is_right() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let (signer, forger) = (Signer::new("k1"), Signer::new("k1"));
    std::fs::create_dir_all(scratch.path().join("state")).unwrap();
    scratch.write("state/keys.json", &key_set(&[&signer]));
    let server = trusting(&scratch, &upstream, "keys.json");
    let header = signer.header();
    let now = testkit::SystemClock.now().as_secs();
    let wrong = [
        ("audience", signer.token(&header, &with("aud", json!("stock-api")))),
        ("issuer", signer.token(&header, &with("iss", json!("https://evil.example.com")))),
        ("subject", signer.token(&header, &with("sub", json!("somebody else")))),
        ("begin", signer.token(&header, &with("nbf", json!(now + 3_600)))),
        ("none", signer.token(&json!({"alg": "none"}), &claims())),
        ("shared secret", signer.token(&json!({"alg": "HS256", "kid": "k1"}), &claims())),
        ("not listed", signer.token(&json!({"alg": "ES384", "kid": "k1"}), &claims())),
        ("unknown key", signer.token(&json!({"alg": "ES256", "kid": "k9"}), &claims())),
        ("signature", forger.good()),
    ];
    for (what, token) in &wrong {
        assert_refused(&server, what, token, "invalid_credential");
    }
    let old = signer.token(&header, &with("exp", json!(now - 3_600)));
    assert_refused(&server, "expired", &old, "credential_expired");
    assert_eq!(ask(&server, &signer.good()).0, 200);
}

#[test]
fn a_malformed_key_set_is_not_reloaded_and_a_good_one_is() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let (first, second) = (Signer::new("k1"), Signer::new("k2"));
    std::fs::create_dir_all(scratch.path().join("state")).unwrap();
    scratch.write("state/keys.json", &key_set(&[&first]));
    let server = trusting(&scratch, &upstream, "keys.json");
    scratch.write("state/keys.json", "{\"keys\": [");
    server.signal("HUP");
    server.wait_for_log("not reloaded");
    assert_eq!(ask(&server, &first.good()).0, 200);
    scratch.write("state/keys.json", &key_set(&[&second]));
    server.signal("HUP");
    server.wait_for_log("\"reloaded ");
    assert_eq!(ask(&server, &second.good()).0, 200);
    assert_refused(&server, "withdrawn", &first.good(), "invalid_credential");
}

/// The issuer's own server.
#[derive(Clone, Default)]
struct Issuer(Arc<Mutex<Published>>);

#[derive(Default)]
struct Published {
    /// `None`: it is down.
    keys: Option<String>,
    /// It sends whoever asks for its keys somewhere else.
    elsewhere: Option<String>,
    asked: u32,
}

impl Issuer {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let issuer = Self::default();
        let own = issuer.clone();
        // The thread ends with the test process; it holds nothing but its socket.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.answer(stream);
            }
        });
        (issuer, url)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
        while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let mut published = self.0.lock().unwrap();
        published.asked += 1;
        let (status, body) = match (&published.elsewhere, &published.keys) {
            (Some(url), _) => (format!("302 Found\r\nlocation: {url}"), ""),
            (None, Some(keys)) => ("200 OK".to_owned(), keys.as_str()),
            (None, None) => ("503 Service Unavailable".to_owned(), ""),
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
    }

    fn publish(&self, keys: Option<String>) {
        self.0.lock().unwrap().keys = keys;
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }
}

/// How often it was looked whether a token named an unknown key.
fn rounds(server: &Server) -> u64 {
    let metrics = server.console().get("/metrics", &[]).body;
    let name = "portreeve_job_rounds_total{job=\"missing_keys\",outcome=\"completed\"} ";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse().unwrap()
}

#[test]
fn new_keys_are_fetched_when_a_token_names_them_and_forgers_cause_no_more() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let (first, second, forger) = (Signer::new("k1"), Signer::new("k2"), Signer::new("k3"));
    let (issuer, url) = Issuer::start();
    issuer.publish(Some(key_set(&[&first])));
    let server = trusting(&scratch, &upstream, &url);
    assert_eq!(ask(&server, &first.good()).0, 200);
    assert_eq!(issuer.asked(), 1);

    issuer.publish(Some(key_set(&[&first, &second])));
    assert_refused(&server, "not fetched yet", &second.good(), "invalid_credential");
    eventually(|| ask(&server, &second.good()).0 == 200, || server.log());
    assert_eq!((ask(&server, &first.good()).0, issuer.asked()), (200, 2));

    let before = rounds(&server);
    for _ in 0..20 {
        assert_refused(&server, "forged", &forger.good(), "invalid_credential");
    }
    eventually(|| rounds(&server) >= before + 2, || server.log());
    assert_eq!(issuer.asked(), 2, "a second look within the interval");

    issuer.publish(None);
    server.signal("HUP");
    server.wait_for_log("its last keys stay");
    server.wait_for_log("\"reloaded ");
    assert_eq!((ask(&server, &second.good()).0, issuer.asked()), (200, 3));
}

#[test]
fn row_13_keys_come_from_nowhere_but_the_configured_issuer() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let forger = Signer::new("k1");
    let ((issuer, url), (other, evil)) = (Issuer::start(), Issuer::start());
    other.publish(Some(key_set(&[&forger])));
    issuer.0.lock().unwrap().elsewhere = Some(evil);
    let server = trusting(&scratch, &upstream, &url);
    server.wait_for_log("its tokens are refused for now");
    assert_refused(&server, "keys from elsewhere", &forger.good(), "invalid_credential");
    assert_eq!((issuer.asked(), other.asked()), (1, 0));
}

#[test]
fn an_issuer_that_is_away_at_the_start_keeps_nobody_else_out() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let signer = Signer::new("k1");
    let (issuer, url) = Issuer::start();
    let server = trusting(&scratch, &upstream, &url);
    assert_refused(&server, "no keys yet", &signer.good(), "invalid_credential");
    let issued = server.json(&["key", "issue", "other", "--api", "orders", "--can", "read"]);
    assert_eq!(ask(&server, issued["key"].as_str().unwrap()).0, 200);
    issuer.publish(Some(key_set(&[&signer])));
    eventually(|| ask(&server, &signer.good()).0 == 200, || server.log());
}

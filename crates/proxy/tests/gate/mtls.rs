//! Client certificates (mutual TLS): as credentials of their own, and as what tokens are bound to
//! (RFC 8705).

use std::sync::Arc;

use base::{Digest, Span, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use catalog::Accept;
use identity::{Binding, CredentialClass, Strength};
use portreeve_proxy::tls::{self, Clients};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;
use testkit::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::jwt::{self, Signer};
use crate::kit::{Kit, Setup, State, soon};

const NAME: &str = "api";

/// An authority that vouches for clients.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A client's certificate and key, PEM.
struct Client {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// In date by the real clock, which TLS goes by, until so many days from now.
    fn client(&self, days: i64) -> Client {
        let mut params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1)
            + std::time::Duration::from_secs(86_400) * u32::try_from(days).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Client { chain: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Client {
    fn thumbprint(&self) -> Digest {
        let der = CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap();
        Digest::of(&[der.as_ref()])
    }
}

/// 100 years.
const LONG: i64 = 36_500;

fn server(roots: &Authority, required: bool) -> (String, Option<Arc<rustls::ServerConfig>>) {
    let made = rcgen::generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let roots = roots.0.pem();
    let clients = Clients { roots_pem: roots.as_bytes(), required };
    let config = tls::server_config(chain.as_bytes(), key.as_bytes(), Some(clients)).unwrap();
    (chain, Some(config))
}

/// What comes back for a request over a connection with this client's certificate; empty when there
/// is no connection.
async fn ask(kit: &Kit, server: &str, client: Option<&Client>, request: &str) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = CertificateDer::from_pem_slice(client.chain.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![chain], key).unwrap()
        }
    };
    let stream = TcpStream::connect(kit.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(NAME).unwrap();
    let Ok(mut stream) = connector.connect(name, stream).await else { return String::new() };
    let request = request.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = String::new();
    let _ = soon(stream.read_to_string(&mut answer)).await;
    answer
}

/// The request without a credential.
fn bare(kit: &Kit) -> String {
    kit.get("").replace(&format!("authorization: Bearer {}\r\n", kit.key), "")
}

fn registered(client: &Client) -> Box<dyn Fn(&mut State)> {
    let lookup = client.thumbprint();
    Box::new(move |state: &mut State| {
        let mut certificate = state.credential.clone();
        certificate.id = "cred-cert".parse().unwrap();
        certificate.class = CredentialClass::Certificate;
        certificate.lookup = lookup;
        state.more_credentials.push(certificate);
        state.api.accept.push(Accept::Certificate);
        state.grant.terms.strength = Some(Strength::SenderConstrained);
    })
}

#[tokio::test]
async fn a_certificate_that_nobody_registered_or_nobody_vouches_for_proves_nobody() {
    let upstream = Upstream::start().await;
    let (authority, stranger) = (Authority::new(), Authority::new());
    let mine = authority.client(LONG);
    let (chain, tls) = server(&authority, false);
    let setup = Setup { tls, adjust: registered(&mine), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let answer = ask(&kit, &chain, None, &bare(&kit)).await;
    assert!(answer.contains("no_credential") && answer.contains("client certificate"), "{answer}");
    let unknown = authority.client(LONG);
    let answer = ask(&kit, &chain, Some(&unknown), &bare(&kit)).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_credential"));
    let foreign = stranger.client(LONG);
    assert_eq!(ask(&kit, &chain, Some(&foreign), &bare(&kit)).await, "", "no connection");
    let ended = authority.client(30);
    assert_eq!(ask(&kit, &chain, Some(&ended), &bare(&kit)).await, "", "out of date");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_registered_certificate_proves_its_identity_and_is_as_strong_as_a_grant_can_ask() {
    let upstream = Upstream::start().await;
    let authority = Authority::new();
    let mine = authority.client(LONG);
    let (chain, tls) = server(&authority, false);
    let setup = Setup { tls, adjust: registered(&mine), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let answer = ask(&kit, &chain, Some(&mine), &bare(&kit)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let record = kit.record().await;
    assert_eq!(record.binding, Some(Binding::Mtls));
    assert_eq!(record.credential_id.unwrap().as_str(), "cred-cert");
    assert_eq!(upstream.seen()[0].fields("portreeve-identity"), ["svc-billing"]);
    // What else came along counts, and the certificate does not stand in for it.
    let answer = ask(&kit, &chain, Some(&mine), &kit.get("")).await;
    assert!(answer.contains("proof_too_weak"), "{answer}");
    kit.change(|state| {
        state.more_credentials[0].status = identity::CredentialStatus::Revoked;
    });
    let answer = ask(&kit, &chain, Some(&mine), &bare(&kit)).await;
    assert!(answer.contains("credential_revoked"), "{answer}");
    kit.change(|state| state.api.accept.retain(|kind| *kind != Accept::Certificate));
    let answer = ask(&kit, &chain, Some(&mine), &bare(&kit)).await;
    assert!(answer.contains("credential_not_accepted"), "{answer}");
}

#[tokio::test]
async fn a_connection_without_a_certificate_is_not_taken_where_one_is_required() {
    let upstream = Upstream::start().await;
    let authority = Authority::new();
    let mine = authority.client(LONG);
    let (chain, tls) = server(&authority, true);
    let setup = Setup { tls, adjust: registered(&mine), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    assert_eq!(ask(&kit, &chain, None, &kit.get("")).await, "");
    assert!(ask(&kit, &chain, Some(&mine), &bare(&kit)).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_is_good_over_its_connections_alone() {
    let upstream = Upstream::start().await;
    let authority = Authority::new();
    let (mine, theirs) = (authority.client(LONG), authority.client(LONG));
    let (chain, tls) = server(&authority, false);
    let issuer = Signer::new();
    let kit = Kit::with(&upstream.url(), Setup { tls, ..jwt::setup(&issuer) }).await;
    let thumbprint = URL_SAFE_NO_PAD.encode(mine.thumbprint().0);
    let token = issuer.bound(&kit, &json!({ "x5t#S256": thumbprint }));
    let request = kit.get("").replace(&kit.key, &token);
    for client in [None, Some(&theirs)] {
        let answer = ask(&kit, &chain, client, &request).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("certificate_mismatch"), "{answer}");
        assert!(answer.contains("error=\"invalid_token\""), "RFC 8705 §3: {answer}");
    }
    assert!(ask(&kit, &chain, Some(&mine), &request).await.starts_with("HTTP/1.1 200"));
}

/// The certificate of a proxy in front proves the proxy: whoever calls through it would be it.
#[tokio::test]
async fn the_certificate_of_a_proxy_that_speaks_for_others_proves_none_of_them() {
    let upstream = Upstream::start().await;
    let authority = Authority::new();
    let mine = authority.client(LONG);
    let (chain, tls) = server(&authority, false);
    let mut setup = Setup { tls, adjust: registered(&mine), ..Setup::default() };
    setup.config.trusted_peers = vec!["127.0.0.0/8".parse().unwrap()];
    let kit = Kit::with(&upstream.url(), setup).await;
    let answer = ask(&kit, &chain, Some(&mine), &bare(&kit)).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("no_credential"), "{answer}");
    assert_eq!(upstream.seen().len(), 0);
}

/// Connections outlive certificates: each request asks whether it is still in date.
#[tokio::test]
async fn a_certificate_that_ends_during_a_connection_proves_nothing_more() {
    let upstream = Upstream::start().await;
    let authority = Authority::new();
    let mine = authority.client(LONG);
    let (chain, tls) = server(&authority, false);
    let setup = Setup { tls, adjust: registered(&mine), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    assert!(ask(&kit, &chain, Some(&mine), &bare(&kit)).await.starts_with("HTTP/1.1 200"));
    // Long after its end, by the gate's clock.
    let end = Timestamp::from_secs(1_577_836_800) + Span::from_secs(LONG * 86_400);
    kit.clock.advance(end.since(base::Clock::now(&kit.clock)));
    let answer = ask(&kit, &chain, Some(&mine), &bare(&kit)).await;
    assert!(answer.contains("no_credential"), "{answer}");
}

#[test]
fn roots_that_vouch_for_nobody_are_refused() {
    let made = rcgen::generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for roots in ["", "nonsense", key.as_str()] {
        let clients = Clients { roots_pem: roots.as_bytes(), required: false };
        let problem = tls::server_config(chain.as_bytes(), key.as_bytes(), Some(clients));
        assert_eq!(problem.unwrap_err().reason, "bad_tls", "{roots}");
    }
}

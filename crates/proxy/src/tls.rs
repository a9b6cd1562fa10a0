//! TLS on either side: rustls over aws-lc-rs, nothing older than TLS 1.2.

use std::sync::Arc;

use base::{Digest, Problem, Timestamp};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Which clients prove themselves by a certificate (RFC 8446 §4.3.2).
#[derive(Debug, Clone, Copy)]
pub struct Clients<'p> {
    /// Who vouches for their certificates, PEM, at least one.
    pub roots_pem: &'p [u8],
    /// Connections without one are not taken.
    pub required: bool,
}

/// The listener's side: a certificate chain and its key, both PEM. Offers HTTP/2 and HTTP/1.1. With
/// `clients`, callers are asked for a certificate.
pub fn server_config(
    chain_pem: &[u8],
    key_pem: &[u8],
    clients: Option<Clients<'_>>,
) -> Result<Arc<rustls::ServerConfig>, Problem> {
    let chain = certificates(chain_pem)?;
    if chain.is_empty() {
        return Err(bad("the certificate file has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| bad(format!("the key file has no usable private key: {error}")))?;
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(verifier(clients)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| bad(format!("certificate and key do not go together: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The upstream side: trusts the certificates of `roots_pem` (PEM, at least one) and no others.
pub fn client_config(roots_pem: &[u8]) -> Result<Arc<rustls::ClientConfig>, Problem> {
    let roots = roots(roots_pem)?;
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client certificate whose key the other end of a connection proved to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    thumbprint: Digest,
    ends_at: Timestamp,
}

impl ClientCertificate {
    /// The first of a chain that was verified. `None` when it cannot be read.
    pub(crate) fn of(chain: &[CertificateDer<'static>]) -> Option<Self> {
        let der = chain.first()?.as_ref();
        let (_, read) = x509_parser::parse_x509_certificate(der).ok()?;
        let ends_at = Timestamp::from_secs(read.validity().not_after.timestamp());
        Some(Self { thumbprint: Digest::of(&[der]), ends_at })
    }

    /// Its SHA-256 (RFC 8705 §3.1), while it is in date: connections outlive certificates.
    pub(crate) fn thumbprint(&self, now: Timestamp) -> Option<Digest> {
        (now < self.ends_at).then_some(self.thumbprint)
    }
}

fn verifier(clients: Clients<'_>) -> Result<Arc<dyn ClientCertVerifier>, Problem> {
    let roots = Arc::new(roots(clients.roots_pem)?);
    let provider = Arc::new(default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
    let builder = if clients.required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| bad(format!("the client roots are not usable: {error}")))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| bad(format!("a root is not usable: {error}")))?;
    }
    if roots.is_empty() {
        return Err(bad("the file of trusted roots has no certificate"));
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("a certificate is not readable: {error}")))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::invalid("bad_tls", detail).hint("give PEM files: the leaf first, then its issuers")
}

//! TLS on either side: rustls over aws-lc-rs, nothing older than TLS 1.2.

use std::sync::Arc;

use base::Problem;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The listener's side: a certificate chain and its key, both PEM. Offers HTTP/2 and HTTP/1.1.
pub fn server_config(
    chain_pem: &[u8],
    key_pem: &[u8],
) -> Result<Arc<rustls::ServerConfig>, Problem> {
    let chain = certificates(chain_pem)?;
    if chain.is_empty() {
        return Err(bad("the certificate file has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| bad(format!("the key file has no usable private key: {error}")))?;
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| bad(format!("certificate and key do not go together: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The upstream side: trusts the certificates of `roots_pem` (PEM, at least one) and no others.
pub fn client_config(roots_pem: &[u8]) -> Result<Arc<rustls::ClientConfig>, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(roots_pem)? {
        roots.add(certificate).map_err(|error| bad(format!("a root is not usable: {error}")))?;
    }
    if roots.is_empty() {
        return Err(bad("the file of trusted roots has no certificate"));
    }
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("a certificate is not readable: {error}")))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::invalid("bad_tls", detail).hint("give PEM files: the leaf first, then its issuers")
}

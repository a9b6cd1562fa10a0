//! TLS towards upstreams: the certificates that this machine trusts.

use std::sync::Arc;

use rustls_platform_verifier::ConfigVerifierExt;

/// The client side, or `None` when this machine has no trusted certificates; upstreams with
/// `https://` are unreachable then.
pub(crate) fn upstream() -> Option<Arc<rustls::ClientConfig>> {
    match rustls::ClientConfig::with_platform_verifier() {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(Arc::new(config))
        }
        Err(error) => {
            tracing::warn!(%error, "no trusted certificates: https upstreams are unreachable");
            None
        }
    }
}

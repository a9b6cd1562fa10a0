//! TLS towards upstreams: by the certificates that the configuration names, else by those that
//! this machine trusts.

use std::path::Path;
use std::sync::Arc;

use base::Problem;
use rustls_platform_verifier::ConfigVerifierExt;

/// The client side, or `None` when this machine has no trusted certificates; upstreams with
/// `https://` are unreachable then.
pub(crate) fn upstream(roots: Option<&Path>) -> Result<Option<Arc<rustls::ClientConfig>>, Problem> {
    match upstream_of(roots)? {
        None => Ok(of_this_machine()),
        named => Ok(named),
    }
}

/// The same by the certificates of a file alone; `None` without a file.
pub(crate) fn upstream_of(
    roots: Option<&Path>,
) -> Result<Option<Arc<rustls::ClientConfig>>, Problem> {
    let Some(roots) = roots else { return Ok(None) };
    proxy::tls::client_config(&read(roots)?)
        .map(Some)
        .map_err(|problem| problem.at(roots.display().to_string()))
}

/// A file of certificates or keys.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| {
        Problem::invalid("tls_unreadable", error.to_string()).at(path.display().to_string())
    })
}

fn of_this_machine() -> Option<Arc<rustls::ClientConfig>> {
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

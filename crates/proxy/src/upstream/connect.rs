//! Opens connections to upstreams.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};
use traffic::{Reason, Scheme};

use super::Upstream;
use crate::wire::{Socket, Wire};

/// Opens a connection for HTTP/1.1, name resolution and TLS handshake included, within `patience`.
pub(crate) async fn connect(
    upstream: &Upstream,
    tls: Option<&Arc<rustls::ClientConfig>>,
    patience: Duration,
) -> Result<Wire, Reason> {
    match tokio::time::timeout(patience, open(upstream, tls)).await {
        Err(_) => Err(Reason::UpstreamTimeout),
        Ok(Ok(socket)) => Ok(Wire::new(socket)),
        Ok(Err(error)) => Err(unreachable(upstream, &error)),
    }
}

/// Says in the log why there is no connection.
pub(super) fn unreachable(upstream: &Upstream, error: &dyn std::fmt::Display) -> Reason {
    tracing::warn!(upstream = %upstream.key, %error, "upstream unreachable");
    Reason::UpstreamUnreachable
}

/// A connected socket; over TLS, with what was agreed on by ALPN.
pub(crate) async fn open(
    upstream: &Upstream,
    tls: Option<&Arc<rustls::ClientConfig>>,
) -> std::io::Result<Socket> {
    let stream = match upstream.host().parse::<IpAddr>() {
        Ok(ip) => TcpStream::connect(SocketAddr::new(ip, upstream.port())).await?,
        Err(_) => TcpStream::connect((upstream.host(), upstream.port())).await?,
    };
    stream.set_nodelay(true)?;
    if upstream.scheme == Scheme::Http {
        return Ok(Socket::Plain(stream));
    }
    let (Some(tls), Some(name)) = (tls, upstream.server_name()) else {
        return Err(std::io::Error::other("no TLS towards upstreams is configured"));
    };
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
    Ok(Socket::Tls(Box::new(TlsStream::Client(stream))))
}

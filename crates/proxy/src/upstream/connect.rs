//! Opens connections to upstreams.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};
use traffic::{Reason, Scheme};

use super::Upstream;
use crate::wire::{Socket, Wire};

/// Opens a connection, name resolution and TLS handshake included, within `patience`.
pub(crate) async fn connect(
    upstream: &Upstream,
    tls: Option<&Arc<rustls::ClientConfig>>,
    patience: Duration,
) -> Result<Wire, Reason> {
    match tokio::time::timeout(patience, open(upstream, tls)).await {
        Err(_) => Err(Reason::UpstreamTimeout),
        Ok(Ok(wire)) => Ok(wire),
        Ok(Err(error)) => {
            tracing::warn!(upstream = %upstream.key, %error, "upstream unreachable");
            Err(Reason::UpstreamUnreachable)
        }
    }
}

async fn open(
    upstream: &Upstream,
    tls: Option<&Arc<rustls::ClientConfig>>,
) -> std::io::Result<Wire> {
    let stream = match upstream.host().parse::<IpAddr>() {
        Ok(ip) => TcpStream::connect(SocketAddr::new(ip, upstream.port())).await?,
        Err(_) => TcpStream::connect((upstream.host(), upstream.port())).await?,
    };
    stream.set_nodelay(true)?;
    if upstream.scheme == Scheme::Http {
        return Ok(Wire::new(Socket::Plain(stream)));
    }
    let (Some(tls), Some(name)) = (tls, upstream.server_name()) else {
        return Err(std::io::Error::other("no TLS towards upstreams is configured"));
    };
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
    Ok(Wire::new(Socket::Tls(Box::new(TlsStream::Client(stream)))))
}

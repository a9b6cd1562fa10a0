//! Accepting connections, and ending them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::{TlsAcceptor, TlsStream};
use tokio_util::sync::CancellationToken;
use traffic::Scheme;

use super::{Gate, Worker};
use crate::h1::connection::{Connection, Served};
use crate::h2;
use crate::sources::Ticket;
use crate::stage::Peer;
use crate::tls::ClientCertificate;
use crate::wire::{Socket, Wire};

mod workers;

pub use workers::{Listeners, Workers};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// How often idle upstream connections are looked after.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// How often it is measured how late the worker gets to what is due.
const BEAT: Duration = Duration::from_millis(100);

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Connections that were still busy at the end of the grace, and were cut.
    pub cut: usize,
}

impl Gate {
    /// Serves one listener on this runtime until `shutdown`. Then no connection is accepted, idle
    /// ones are closed, and requests in flight have the grace of the configuration to end.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> Drained {
        let worker = Arc::new(Worker::new(self));
        let acceptor = self.tls.clone().map(TlsAcceptor::from);
        let mut connections = JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        let Some(ticket) = self.core.sources.admit_connection(address.ip()) else {
                            tracing::warn!(%address, "one connection too many");
                            continue;
                        };
                        let guest = Guest { stream, address, ticket };
                        let (worker, acceptor) = (Arc::clone(&worker), acceptor.clone());
                        connections.spawn(guest.serve(worker, acceptor, shutdown.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                _ = sweep.tick() => {
                    worker.pool().sweep();
                    worker.lines().sweep();
                }
                due = beat.tick() => worker.note_delay(due.elapsed()),
            }
        }
        drop(listener);
        worker.pool().clear();
        worker.lines().clear();
        self.drain(connections).await
    }

    async fn drain(&self, mut connections: JoinSet<()>) -> Drained {
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.core.config.patience.grace, all).await.is_ok() {
            return Drained::default();
        }
        let cut = connections.len();
        tracing::warn!(cut, "requests were cut at the end of the grace");
        // The journals of cut requests record that they were cancelled, and why.
        self.core.by_force.store(true, Ordering::Relaxed);
        connections.shutdown().await;
        Drained { cut }
    }
}

/// An accepted connection.
struct Guest {
    stream: TcpStream,
    address: SocketAddr,
    ticket: Ticket,
}

impl Guest {
    async fn serve(
        self,
        worker: Arc<Worker>,
        acceptor: Option<TlsAcceptor>,
        shutdown: CancellationToken,
    ) {
        let Self { stream, address, ticket } = self;
        let _counted = ticket;
        let ip = address.ip().to_canonical();
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let mut peer = Peer { ip, scheme: Scheme::Http, server_name: None, certificate: None };
        let Some(acceptor) = acceptor else {
            return converse(worker, Wire::new(Socket::Plain(stream)), peer, shutdown).await;
        };
        let patience = worker.core().config.patience.first_byte;
        let Ok(Ok(stream)) = tokio::time::timeout(patience, acceptor.accept(stream)).await else {
            return;
        };
        let session = stream.get_ref().1;
        peer.scheme = Scheme::Https;
        peer.server_name = session.server_name().map(Arc::from);
        peer.certificate = session.peer_certificates().and_then(ClientCertificate::of);
        let speaks_h2 = session.alpn_protocol() == Some(b"h2");
        let wire = Wire::new(Socket::Tls(Box::new(TlsStream::Server(stream))));
        if speaks_h2 {
            h2::serve(worker, wire, peer, shutdown).await;
        } else {
            converse(worker, wire, peer, shutdown).await;
        }
    }
}

async fn converse(worker: Arc<Worker>, wire: Wire, peer: Peer, shutdown: CancellationToken) {
    let connection = Connection::new(Arc::clone(&worker), wire, peer.clone(), shutdown.clone());
    if let Served::Http2(wire) = connection.serve().await {
        h2::serve(worker, wire, peer, shutdown).await;
    }
}

/// A listening socket that shares its port with those of the other workers; the kernel spreads
/// connections over them.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

//! The console's listener: pages and admin API over HTTP/1.1, with TLS when there is a
//! certificate. The gate's listener is the proxy's own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CONNECTIONS_MAX: usize = 512;
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long answers in flight may take after a shutdown began.
const GRACE: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The console, accepting connections.
pub(crate) struct Console {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Console {
    /// Starts to accept.
    pub(crate) fn start(
        listener: TcpListener,
        router: Router,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> std::io::Result<Self> {
        let console = Self {
            address: listener.local_addr()?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let accepting = Accepting {
            router,
            acceptor: tls.map(TlsAcceptor::from),
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            stop: console.stop.clone(),
            tasks: console.tasks.clone(),
        };
        console.tasks.spawn(accepting.run(listener));
        Ok(console)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, and gives answers in flight their time.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("console connections were cut at the end of the grace");
        }
    }
}

struct Accepting {
    router: Router,
    acceptor: Option<TlsAcceptor>,
    room: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Accepting {
    async fn run(self, listener: TcpListener) {
        loop {
            // The semaphore is never closed, so a permit always comes.
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else { return };
            let accepted = self.stop.run_until_cancelled(listener.accept()).await;
            match accepted {
                None => return,
                Some(Ok((stream, _))) => self.welcome(stream, permit),
                Some(Err(error)) => {
                    tracing::warn!(%error, "a console connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn welcome(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let (router, stop) = (self.router.clone(), self.stop.clone());
        let acceptor = self.acceptor.clone();
        self.tasks.spawn(async move {
            let _counted = permit;
            let Some(acceptor) = acceptor else { return converse(stream, router, stop).await };
            let handshake = tokio::time::timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                converse(stream, router, stop).await;
            }
        });
    }
}

async fn converse<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A broken connection is the caller's business.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

//! Workers: one thread, one runtime, one listener, one pool each, so that a request never changes
//! threads and no lock is shared on its way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Drained, listen};
use crate::Gate;

/// Listening sockets on one address, one for each worker.
#[derive(Debug)]
pub struct Listeners {
    address: SocketAddr,
    sockets: Vec<std::net::TcpListener>,
}

impl Listeners {
    /// Opens `workers` (at least one) sockets on `address`. Port 0 takes a free port, the same for
    /// all.
    pub fn bind(address: SocketAddr, workers: usize) -> io::Result<Self> {
        let first = listen(address)?;
        let address = first.local_addr()?;
        let mut sockets = vec![first];
        for _ in 1..workers {
            sockets.push(listen(address)?);
        }
        Ok(Self { address, sockets })
    }

    /// Where callers connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The running workers of a gate.
#[derive(Debug)]
pub struct Workers {
    drained: Vec<oneshot::Receiver<io::Result<Drained>>>,
}

impl Workers {
    /// Starts a worker for each socket.
    pub fn start(
        gate: &Arc<Gate>,
        listeners: Listeners,
        shutdown: &CancellationToken,
    ) -> io::Result<Self> {
        let mut drained = Vec::new();
        for (number, socket) in listeners.sockets.into_iter().enumerate() {
            let (sender, receiver) = oneshot::channel();
            let (gate, shutdown) = (Arc::clone(gate), shutdown.clone());
            std::thread::Builder::new().name(format!("gate-{number}")).spawn(move || {
                // Nobody waiting for the outcome is no reason to fail.
                let _ = sender.send(run(&gate, socket, shutdown));
            })?;
            drained.push(receiver);
        }
        Ok(Self { drained })
    }

    /// Waits until all workers have ended, which they do after the shutdown. A worker that could
    /// not run, or whose thread died, is an error.
    pub async fn join(self) -> io::Result<Drained> {
        let mut sum = Drained::default();
        for receiver in self.drained {
            let died = |_| io::Error::other("a worker of the gate died");
            sum.cut += receiver.await.map_err(died)??.cut;
        }
        Ok(sum)
    }
}

fn run(
    gate: &Gate,
    socket: std::net::TcpListener,
    shutdown: CancellationToken,
) -> io::Result<Drained> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(socket)?;
        Ok(gate.serve(listener, shutdown).await)
    })
}

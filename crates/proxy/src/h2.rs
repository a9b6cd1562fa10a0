//! HTTP/2 from callers, by hyper, mapped onto the same stages. Upstreams get HTTP/1.1.
//!
//! Interim responses are not passed on here, and an `Expect` is met by the body itself. Fragments in
//! `:path` are cut off by the library before anything here sees them.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;

use crate::gate::Worker;
use crate::stage::Peer;
use crate::wire::{Rewound, Wire};

mod activity;
mod answer;
mod body;
mod relay;
mod reply;

use activity::Activity;
use reply::Reply;

/// How often a silent peer is asked whether it is still there, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(10);

/// Bytes buffered for one stream towards the caller.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Serves a connection until it ends, is idle for too long, or the gate shuts down.
pub(crate) async fn serve(
    worker: Arc<Worker>,
    wire: Wire,
    peer: Peer,
    shutdown: CancellationToken,
) {
    let limits = &worker.core().config.limits;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        // Without a timer no time-out of the library works.
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        // Above the gate's own limit, which refuses with a reason and a record; the library does not.
        .max_header_list_size(u32::try_from(limits.head_bytes * 2).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.resets)
        .max_local_error_reset_streams(limits.resets)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_PATIENCE);
    let activity = Arc::new(Activity::default());
    let (idle, lag) = {
        let patience = &worker.core().config.patience;
        (patience.keep_alive, patience.lag)
    };
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |request: Request<Incoming>| {
            let stream = activity.begin();
            respond(Arc::clone(&worker), peer.clone(), request, stream)
        })
    };
    let io = TokioIo::new(Rewound::new(wire));
    let mut connection = pin!(builder.serve_connection(io, service));
    let is_idle = tokio::select! {
        // The caller's errors end its connection; there is nobody to tell.
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => false,
        () = activity.cease(idle) => true,
    };
    connection.as_mut().graceful_shutdown();
    if is_idle {
        // Streams that the caller neither feeds nor takes from would never end by themselves.
        let _ = tokio::time::timeout(lag, connection).await;
    } else {
        let _ = connection.await;
    }
}

async fn respond(
    worker: Arc<Worker>,
    peer: Peer,
    request: Request<Incoming>,
    stream: activity::Stream,
) -> Result<Response<Reply>, Infallible> {
    Ok(answer::answer(&worker, &peer, request, stream).await)
}

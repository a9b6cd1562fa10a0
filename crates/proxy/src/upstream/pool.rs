//! Idle connections to upstreams, youngest first.

use rustc_hash::FxHashMap;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

use crate::config::PoolConfig;
use crate::wire::Wire;

/// Idle connections of one worker.
pub(crate) struct Pool {
    config: PoolConfig,
    idle: FxHashMap<String, Vec<Idle>>,
}

struct Idle {
    wire: Wire,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self { config, idle: FxHashMap::default() }
    }

    /// A connection that is still open and silent.
    pub(crate) fn check_out(&mut self, key: &str) -> Option<Wire> {
        let stack = self.idle.get_mut(key)?;
        while let Some(mut idle) = stack.pop() {
            if idle.since.elapsed() < self.config.idle_for && is_silent(&mut idle.wire) {
                return Some(idle.wire);
            }
        }
        None
    }

    /// Takes a connection back after a complete exchange.
    pub(crate) fn check_in(&mut self, key: &str, wire: Wire) {
        // Bytes after the response would be taken for the answer to the next caller's request.
        if !wire.input.is_empty() || !wire.is_drained() {
            return;
        }
        let idle = Idle { wire, since: Instant::now() };
        match self.idle.get_mut(key) {
            Some(stack) if stack.len() < self.config.idle_per_upstream => stack.push(idle),
            Some(_) => {}
            None => {
                self.idle.insert(key.to_owned(), vec![idle]);
            }
        }
    }

    /// Closes connections that were idle for too long or that the upstream has closed.
    pub(crate) fn sweep(&mut self) {
        let limit = self.config.idle_for;
        self.idle.retain(|_, stack| {
            stack.retain_mut(|idle| idle.since.elapsed() < limit && is_silent(&mut idle.wire));
            !stack.is_empty()
        });
    }

    /// Closes everything.
    pub(crate) fn clear(&mut self) {
        self.idle.clear();
    }
}

/// Neither closed nor speaking unasked. The runtime knows both from the last wake-up, so that this
/// costs no system call in the common case.
fn is_silent(wire: &mut Wire) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(wire.poll_fill(&mut cx), Poll::Pending)
}

//! The console: server-rendered pages for people, from their one-time sign-in link to the signed
//! and proved review. Every page works without script; the script adds keys and partial updates.
//!
//! This crate parses requests, calls [`app::App`] through the [`Desk`] trait and renders. It holds
//! no state, takes no decision on access (the use cases do) and reads no clock but the given one.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod assets;
mod cookie;
pub mod desk;
mod failure;
mod guard;
pub mod page;
mod routes;
pub mod sample;
pub mod shell;
pub mod words;

use std::sync::Arc;

pub use desk::Desk;
pub use routes::{Route, routes};

/// How the console is served.
#[derive(Clone)]
pub struct ConsoleConfig {
    /// The console is reached over HTTPS: session cookies are `Secure` and `__Host-` prefixed.
    /// False only on a loopback address, where browsers reach it over plain HTTP.
    pub secure_cookies: bool,
    /// Where callers reach the gate, for commands that can be copied.
    pub gate_url: String,
    /// What relative times are counted from.
    pub clock: Arc<dyn base::Clock>,
}

/// What every handler holds.
pub(crate) struct Console<D> {
    pub(crate) desk: Arc<D>,
    pub(crate) config: ConsoleConfig,
}

impl<D> Clone for Console<D> {
    fn clone(&self) -> Self {
        Self { desk: Arc::clone(&self.desk), config: self.config.clone() }
    }
}

/// The console's pages and assets over a running application.
pub fn router<D: Desk>(desk: Arc<D>, config: ConsoleConfig) -> axum::Router {
    routes::router(Console { desk, config })
}

//! The admin API: what the console and the command line do, as JSON over HTTP, with its own
//! reference (`/api/openapi.json`, `/api/docs`), and the endpoints that machines watch
//! (`/livez`, `/readyz`, `/metrics`).
//!
//! It parses, calls [`app::App`] and renders. It decides nothing: who may do what is the
//! application's business, and what the caller may not see is not found.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod docs;
mod extract;
pub mod facts;
pub mod form;
mod observe;
mod problem;
mod routes;

pub use facts::{Check, Facts, Metrics};
pub use routes::{Parts, openapi, router};

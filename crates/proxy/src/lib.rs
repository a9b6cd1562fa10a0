//! The gate: listeners, the stages of a request, the upstream side. Requests are judged by the
//! pure crates (`traffic`, `token`, `policy`); this crate moves their bytes.
//!
//! HTTP/1.1 is this crate's own on both sides; HTTP/2 from callers is hyper's, mapped onto the same
//! stages. Upstreams are spoken to in HTTP/1.1.
//!
//! No database, no configuration file, no clock of its own for what is recorded. Time-outs run on
//! the runtime's timer.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod config;
mod credential;
mod gate;
mod h1;
mod h2;
mod inspection;
pub mod limits;
pub mod lookup;
mod outflow;
mod recorder;
mod refusal;
mod screen;
mod sources;
mod stage;
pub mod streams;
pub mod tls;
mod upstream;
mod watching;
mod wire;

pub use config::{ExtAuth, GateConfig, Limits, Patience, PoolConfig};
pub use credential::Authenticators;
pub use gate::{Drained, Gate, Listeners, Workers};
pub use limits::Limiter;
pub use lookup::Lookups;
pub use recorder::{RecordError, Recorder, Recording};
pub use streams::Streams;
pub use upstream::Upstream;

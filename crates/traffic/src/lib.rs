//! Requests as the gate judges them: the canonical form of target, host and headers, the reasons
//! to refuse, the one record that every request leaves, and usage folded from records.
//!
//! No I/O, no clock, no randomness. Nothing here knows who may call what.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod reason;
pub mod record;
pub mod usage;

pub use reason::Reason;
pub use record::{CallRecord, Outcome};
pub use usage::{Usage, UsageKey};

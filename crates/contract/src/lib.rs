//! The contract of an API: what a message may hold. For now, the strict reader of JSON and the
//! properties that a body may write.
//!
//! No I/O, no clock, no randomness.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod place;
pub mod strict;
pub mod writable;

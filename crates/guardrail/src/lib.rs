//! Guardrails: Cedar policies that forbid whatever grants allow. They are checked against a schema
//! that is made from the catalogue, compiled by API, and judged beside the ruleset. The meaning of
//! grants is defined here too, once, as an equivalent set of Cedar policies.
//!
//! No I/O, no clock, no randomness. Nothing here allows a request; a guardrail that cannot be
//! evaluated refuses.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod asked;
mod bounds;
mod check;
mod explain;
mod export;
mod judge;
mod literal;
mod meaning;
mod moment;
mod names;
pub mod prove;
mod rails;
mod schema;
mod swift;
mod uses;

pub use export::{PolicyExport, State, export};
pub use judge::Guardrails;
pub use literal::{Named, NamedKind};
pub use meaning::{Meaning, Said};
pub use schema::schema;
pub use uses::Uses;

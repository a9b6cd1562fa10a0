//! Removes from JSON what a caller may not see, while it streams by, in constant memory: copies what
//! may be seen as it is written, and leaves out the rest.
//!
//! No I/O, no clock, no randomness. Nothing here knows who the caller is: what may be seen is a
//! [`Plan`], compiled from what the grants of a caller show. Nothing is changed in a value that is
//! kept, no tree is built, and what cannot be read is refused.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod events;
pub mod filter;
pub mod limits;
mod lines;
mod machine;
pub mod mode;
mod number;
pub mod packing;
mod paths;
pub mod plan;
pub mod report;
mod swift;
mod text;
pub mod trouble;

pub use filter::{Filter, Watch};
pub use limits::Limits;
pub use mode::Mode;
pub use packing::{Packing, Unpacker};
pub use plan::{Alternative, Fields, Plan, PlanError, Tie};
pub use report::Report;
pub use trouble::Trouble;

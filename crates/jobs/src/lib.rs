//! Work on a schedule: each job is supervised, so that a failure or a panic is logged and tried
//! again, later each time, and never takes the gate down. A shutdown lets the running round end
//! and gives each job one last round where the job asks for it.
//!
//! This crate knows when; what is done is [`app::App`]'s.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod schedule;
mod supervise;

pub use schedule::{Schedule, start};
pub use supervise::{Health, Job, PAUSE_MAX, Round, Supervisor};

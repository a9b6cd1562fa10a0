//! What tests share: time that stands still, randomness that repeats, scratch directories, a
//! private PostgreSQL cluster, and (feature `app`) the application in the test process.
//!
//! Tests of a crate that the `app` feature depends on live in that crate's `tests/`: inside its
//! `src/` the kit would bring a second copy of the crate's types.
#![forbid(unsafe_code)]

pub mod database;
pub mod effects;
pub mod enterprise;
pub mod postgres;
pub mod sample;
pub mod scratch;
pub mod upstream;
#[cfg(feature = "app")]
pub mod world;

pub use database::{Database, databases};
pub use effects::{FakeClock, SeededEntropy, SystemClock};
pub use postgres::{postgres, private_postgres};
pub use scratch::ScratchDir;
pub use upstream::{Conversation, Seen, Upstream};
#[cfg(feature = "app")]
pub use world::{World, WorldBuilder};

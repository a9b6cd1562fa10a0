//! What the programs behind `cargo xtask bench` share: the sample answer, a reader of HTTP/1.1
//! answers, a histogram.
//!
//! These programs run beside the product, never inside it, on loopback only. They measure; what is
//! compared with what is decided in `xtask/src/bench`.
#![expect(clippy::disallowed_methods, reason = "a load generator reads the clock: it is its job")]

pub mod answer;
pub mod client;
pub mod company;
pub mod histogram;
pub mod load;
pub mod objects;

//! Use cases: load, call core, save and record. The only way to change state, for every door
//! (command line, admin API, console, jobs).
//!
//! A change is one transaction that writes the state, a row of the change log and the ledger
//! entry; the ruleset moves forward before the use case returns.

pub mod actor;
pub mod view;

pub use actor::{Actor, Channel, Role};

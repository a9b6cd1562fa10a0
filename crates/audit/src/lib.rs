//! What is written down about administrative acts, and how anybody checks it: the event
//! vocabulary, the ledger entry and its one byte form, the Merkle tree over entries (RFC 6962),
//! signed checkpoints (C2SP tlog-checkpoint in a C2SP signed note) and the evidence bundle that
//! an auditor verifies offline.
//!
//! No I/O, no clock, no randomness: keys and times are arguments. Nothing here stores a ledger or
//! decides what is worth an entry.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod event;
pub mod evidence;
pub mod note;
pub mod proof;
pub mod tree;

pub use chain::ChainCheck;
pub use checkpoint::Checkpoint;
pub use entry::{Break, BreakKind, Entry, NewEntry, Subject, Tip};
pub use event::Event;
pub use note::{SigningKey, VerifierKey};
pub use proof::Tree;
pub use tree::Frontier;

//! The decision log: every call record, appended by one writer thread in batches, in files that
//! show when they were changed.
//!
//! # On disk
//! A directory per node, with one file per segment, numbered from 1 and never numbered twice:
//! `calls-00000000000000000001.seg`. All numbers are little-endian.
//! ```text
//! segment  header, batch*, footer, trailer          (an open segment: header, batch*, zeros)
//! header   "PRTVCALL" version:u32 0:u32 number:u64 created_at:i64 chain:[32] crc32c:u32
//! batch    "PRCB" batch:u32 records:u32 raw:u32 packed:u32 first_at:i64 last_at:i64 chain:[32]
//!          crc32c:u32 payload[packed]
//! footer   "PRCF" length:u32 crc32c:u32 totals, chain head, Merkle root, index of batches
//! trailer  footer_offset:u64 "PRTVDONE"
//! ```
//! `gone` names the last segment that is no longer there and the chain head at its end, where no
//! later segment does.
//!
//! `chain` of a batch is SHA-256 of the chain before it, the batch's header up to `last_at` and
//! its payload; it continues from segment to segment. The payload is columns of varints over a
//! dictionary of the batch's strings, LZ4-packed (`codec`). The Merkle root (RFC 6962) is over
//! the records' own bytes, so one record can be proved without showing its neighbours. The ledger
//! takes root and chain head of every sealed segment.
//!
//! # What is promised
//! - A record whose [`DecisionLog::append_durable`] resolved survives `kill -9` and power loss.
//! - After a crash the open segment ends at its last whole batch and is sealed there.
//! - [`DecisionLog::verify`] names the segment and batch of every changed byte.
//! - Nothing is dropped unseen: [`Stats::dropped`].
//!
//! It does not know who may read which record, and it does not fold usage: whoever does follows
//! the batches by their [`Position`] ([`DecisionLog::batches_after`]).
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod check;
mod codec;
mod error;
mod index;
mod log;
mod mark;
mod queue;
mod recover;
mod scan;
mod segment;
mod wire;
mod writer;

pub use check::{Fault, Verified};
pub use error::LogError;
pub use index::{Position, Seal};
pub use log::{DecisionLog, Options, Recovery, Stats, WhenFull};
pub use scan::{COUNTED_MAX, Found, Order};

//! What the gate authenticates callers with, the cache of tokens whose signature was verified, and
//! the proofs that were used.

mod authenticators;
mod cache;
mod proofs;

pub use authenticators::Authenticators;
pub(crate) use cache::ClaimsCache;
pub(crate) use proofs::{Unusable, UsedProofs};

//! What the gate authenticates callers with, and the cache of tokens whose signature was verified.

mod authenticators;
mod cache;

pub use authenticators::Authenticators;
pub(crate) use cache::ClaimsCache;

//! The words every other crate is written in: ids, times, secrets, hashes, and the two effects
//! that core code takes as arguments (time and randomness).
//!
//! This crate does no I/O, reads no clock and draws no randomness. It knows nothing of APIs,
//! identities or policies.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod canonical;
pub mod digest;
pub mod effects;
pub mod encoding;
pub mod id;
mod nearest;
pub mod problem;
pub mod secret;
pub mod time;
pub mod words;

pub use digest::Digest;
pub use effects::{Clock, Entropy};
pub use id::{
    ActorId, ApiId, CampaignId, CredentialId, DecisionId, FindingId, GrantId, GroupId, IdentityId,
    ItemId, NodeId, OperationId, RequestId, RoleId, RolloutId,
};
pub use nearest::nearest;
pub use problem::Problem;
pub use secret::Secret;
pub use time::{Span, Timestamp};

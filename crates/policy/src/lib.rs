//! Who may call what: routes, credentials, identities, groups and grants compiled into one
//! immutable [`Ruleset`], and the decision by it. Hands out [`Permit`], which nothing else can
//! construct, and which names the grants that allow.
//!
//! No I/O, no clock. A ruleset is moved forward by making the next one, which shares with it all
//! that did not change.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod absorb;
mod confirm;
mod credentials;
mod decide;
mod explain;
mod holdings;
mod numbers;
mod replay;
mod routes;
mod ruleset;
mod scope;
mod shards;
mod touch;

pub use absorb::Change;
pub use decide::{Permit, Refusal};
pub use explain::{Considered, Standing};
pub use replay::{CallerLoss, GrantChange, Replay, replay};
pub use routes::{ApiEntry, Located};
pub use ruleset::Ruleset;
pub use touch::Touch;

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
mod caller;
mod confirm;
mod contracts;
mod covering;
mod credentials;
mod decide;
mod explain;
mod facts;
mod guard;
mod holdings;
mod lookup;
mod nesting;
mod numbers;
mod permit;
pub mod reading;
mod recorded;
mod rejudge;
mod relations;
mod replay;
mod roles;
mod rollout;
mod routes;
mod ruleset;
mod scope;
mod search;
mod shards;
mod shown;
mod terms;
mod touch;

pub use absorb::Change;
pub use caller::Caller;
pub use confirm::Kept;
pub use contracts::CheckedContract;
pub use explain::{Considered, Standing, Told};
pub use facts::{Facts, NoRequest, Reading, Request, Writes, draw_of};
pub use guard::{Explained, Guard, Judgement, Question, Verdict};
pub use holdings::About;
pub use lookup::{Answer, Answers, LOOKUPS_MAX, Lookup, OBJECT_BYTES_MAX};
pub use permit::{Decided, Part, Permit, Refusal, Shows, Supposed};
pub use recorded::RecordedRequest;
pub use rejudge::{Judge, Outlook, Rejudge, Rejudged, Shift};
pub use relations::Related;
pub use replay::{CallerLoss, GrantChange, Replay, replay};
pub use rollout::{Rollout, Trial};
pub use routes::{ApiEntry, Located};
pub use ruleset::Ruleset;
pub use shown::{BadShown, Shown, Visible, shows_class, visible};
pub use touch::Touch;

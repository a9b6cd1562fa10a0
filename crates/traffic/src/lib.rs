//! Requests as the gate judges them: the canonical form of target, host and headers, the reasons
//! to refuse, limits and who is refused under overload, the one record that every request leaves,
//! and usage folded from records.
//!
//! No I/O, no clock, no randomness. Nothing here knows who may call what.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod authority;
pub mod form;
pub mod forwarded;
pub mod grpc;
pub mod headers;
pub mod limit;
pub mod rate;
pub mod reason;
pub mod received;
pub mod record;
pub mod rollout;
pub mod seen;
pub mod shed;
pub mod stream;
pub mod target;
pub mod upstream;
pub mod usage;
pub mod walk;

pub use authority::{Authority, Scheme};
pub use form::FormWatch;
pub use limit::Limit;
pub use rate::Rate;
pub use reason::Reason;
pub use record::{CallRecord, Outcome};
pub use rollout::{RolloutDifference, RolloutMark, RolloutSide};
pub use seen::FieldsSeen;
pub use stream::{CutCount, OpenStream, StreamKind};
pub use target::Target;
pub use upstream::UpstreamUrl;
pub use usage::{Usage, UsageKey};
pub use walk::{Walk, Walks};

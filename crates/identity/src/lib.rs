//! Who calls, and what proves it: identities of every kind, groups, owners, credentials and their
//! lifecycles, as plain values.
//!
//! No I/O, no clock, no randomness. Nothing here knows of APIs or grants.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod credential;
pub mod group;
pub mod subject;

pub use credential::{Binding, Credential, CredentialClass, CredentialStatus, Strength};
pub use group::Group;
pub use subject::{
    Environment, Identity, IdentityKind, IdentityStatus, Origin, Owner, Seasonality,
};

//! Proof of who calls: API keys and JWTs of trusted issuers, checked against keys, a directory of
//! credentials and a time that are all passed in. Hands out [`Verified`], which nothing else can
//! construct.
//!
//! Symmetric JWT algorithms are not offered: whoever can check such a token can also make one.
//! Nothing here knows of APIs or grants, and nothing fetches key sets.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod admit;
mod claims;
mod confirmation;
mod directory;
mod issuer;
mod jose;
mod key_text;
mod pepper;
mod proof;
mod verified;

pub use admit::{admit_claims, verify_certificate, verify_key};
pub use claims::{Claims, claim_values, issuer_without_key, verify_jwt};
pub use confirmation::{Confirmation, Sender};
pub use directory::{CredentialDirectory, CredentialFacts};
pub use issuer::{Issuer, IssuerSettings, LEEWAY_MAX, ScopeRule, issuers_are_distinct};
pub use jose::{Algorithm, JwkSet};
pub use key_text::{AdminToken, ApiKey, KeyLabel};
pub use pepper::{PEPPER_BYTES_MIN, Pepper};
pub use proof::{Proof, ProofFault, ProofFor, ProofRule, verify_proof};
pub use verified::{ClaimValues, Verified};

//! JSON Object Signing (RFC 7515, 7517, 7518, 8037): strict reading of tokens and key sets, and
//! verification of signatures. Signing is nobody's business here.

mod algorithm;
mod compact;
mod json;
mod jwk;
mod roca;
mod signature;

pub use algorithm::Algorithm;
pub(crate) use compact::Compact;
pub use jwk::JwkSet;
pub(crate) use jwk::OwnKey;
pub(crate) use signature::verify_signature;

#[cfg(test)]
mod vectors;

//! SHA-256 digests and keyed hashes, with their text form (lower-case hexadecimal).

use std::fmt;

use aws_lc_rs::{digest, hmac};
use serde::{Deserialize, Serialize};

use crate::encoding;

/// A SHA-256 digest (FIPS 180-4), or an HMAC-SHA-256 tag. Serialised as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of nothing in particular: the predecessor of the first link of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of the parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        Self::from_slice(context.finish().as_ref())
    }

    /// HMAC-SHA-256 (RFC 2104) of `message`.
    pub fn keyed(key: &hmac::Key, message: &[u8]) -> Self {
        Self::from_slice(hmac::sign(key, message).as_ref())
    }

    fn from_slice(bytes: &[u8]) -> Self {
        // Both algorithms give 32 bytes; a shorter slice would leave zeros, never a panic.
        let mut out = [0; 32];
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Self(out)
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        encoding::to_hex(&self.0)
    }

    /// Reads what [`Digest::to_hex`] writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        encoding::from_hex(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_hex()
    }
}

/// The text was not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is written as 64 hexadecimal digits")]
pub struct BadDigest;

impl TryFrom<String> for Digest {
    type Error = BadDigest;
    fn try_from(text: String) -> Result<Self, BadDigest> {
        Self::from_hex(&text).ok_or(BadDigest)
    }
}

#[cfg(test)]
mod tests;

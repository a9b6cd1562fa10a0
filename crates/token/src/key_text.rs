//! The text of API keys and admin tokens: `pr_<word>_`, 256 random bits in base 62, and a
//! checksum. The prefix makes a leaked key findable by secret scanners, the checksum refuses a
//! mistyped one before anything is hashed.

use std::fmt;

use base::{Digest, Entropy, Secret, encoding, words};

use crate::Pepper;

/// Base 62 digits of 32 bytes, as [`encoding::to_base62`] pads them.
const SECRET_DIGITS: usize = 44;
/// Base 62 digits of the four bytes of a CRC-32.
const CHECKSUM_DIGITS: usize = 6;
const ADMIN: &str = "admin";

words! {
    /// What a key is for, readable from the key itself.
    KeyLabel {
        /// Real traffic.
        Live = "live",
        /// The demo.
        Demo = "demo",
        /// Automated tests.
        Test = "test",
    }
}

/// An API key in clear: exists when issued and while a request is authenticated, never at rest.
#[derive(Clone)]
pub struct ApiKey(Secret<String>);

impl ApiKey {
    /// A new key.
    pub fn generate(label: KeyLabel, entropy: &mut dyn Entropy) -> Self {
        Self(generate(label.as_str(), entropy))
    }

    /// Reads a presented key; `None` when prefix, alphabet, length or checksum are wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let label = KeyLabel::ALL.iter().find(|label| is_well_formed(text, label.as_str()));
        label.map(|_| Self(Secret::new(text.to_owned())))
    }

    /// The key itself, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What a person recognises it by: the first 12 characters and the last 2.
    pub fn label(&self) -> String {
        label(self.expose())
    }

    /// What is stored instead of the key, and found by.
    pub fn lookup(&self, pepper: &Pepper) -> Digest {
        pepper.lookup(self.expose())
    }
}

/// A token of the admin API in clear. The gate never takes one as an API key, nor the reverse.
#[derive(Clone)]
pub struct AdminToken(Secret<String>);

impl AdminToken {
    /// A new token.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        Self(generate(ADMIN, entropy))
    }

    /// Reads a presented token; `None` when prefix, alphabet, length or checksum are wrong.
    pub fn parse(text: &str) -> Option<Self> {
        is_well_formed(text, ADMIN).then(|| Self(Secret::new(text.to_owned())))
    }

    /// The token itself, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What a person recognises it by.
    pub fn label(&self) -> String {
        label(self.expose())
    }

    /// What is stored instead of the token, and found by.
    pub fn lookup(&self, pepper: &Pepper) -> Digest {
        pepper.lookup(self.expose())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.label())
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminToken({})", self.label())
    }
}

fn generate(word: &str, entropy: &mut dyn Entropy) -> Secret<String> {
    let mut secret = [0u8; 32];
    entropy.fill(&mut secret);
    let body = format!("pr_{word}_{}", encoding::to_base62(&secret));
    let checksum = checksum(&body);
    Secret::new(body + &checksum)
}

fn is_well_formed(text: &str, word: &str) -> bool {
    let secret = text
        .strip_prefix("pr_")
        .and_then(|rest| rest.strip_prefix(word))
        .and_then(|rest| rest.strip_prefix('_'));
    let Some(secret) = secret else { return false };
    if secret.len() != SECRET_DIGITS + CHECKSUM_DIGITS
        || !secret.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return false;
    }
    let split = text.len().saturating_sub(CHECKSUM_DIGITS);
    text.split_at_checked(split).is_some_and(|(body, tail)| checksum(body) == tail)
}

fn checksum(body: &str) -> String {
    encoding::to_base62(&crc32(body.as_bytes()).to_be_bytes())
}

/// CRC-32 as in ISO 3309 (reflected, polynomial 0xEDB88320). Against typing errors only.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn label(text: &str) -> String {
    let head: String = text.chars().take(12).collect();
    let tail = text.len().checked_sub(2).and_then(|from| text.get(from..)).unwrap_or_default();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests;

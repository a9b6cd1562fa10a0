//! The server's secret that turns bearer strings into the hashes that are stored.

use std::fmt;

use aws_lc_rs::hmac;
use base::{Digest, Problem};

/// The shortest pepper that is taken, in bytes: the output size of the hash (RFC 2104 §3).
pub const PEPPER_BYTES_MIN: usize = 32;

/// Keys HMAC-SHA-256. A copy of the store without the pepper does not even allow to test guesses.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// From secret bytes, at least [`PEPPER_BYTES_MIN`] of them.
    pub fn new(secret: &[u8]) -> Result<Self, Problem> {
        if secret.len() < PEPPER_BYTES_MIN {
            let detail = format!(
                "the pepper has {} bytes; it needs at least {PEPPER_BYTES_MIN}",
                secret.len()
            );
            return Err(Problem::invalid("pepper_too_short", detail)
                .hint("make one with 32 random bytes and keep it: changing it voids every key"));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The stored form of a key or token of this crate. Their prefixes keep the kinds apart.
    pub(crate) fn lookup(&self, text: &str) -> Digest {
        Digest::keyed(&self.0, text.as_bytes())
    }

    /// The stored form of another one-time or bearer secret (session cookie, sign-in code).
    /// `purpose` keeps the uses apart; it must not contain NUL.
    pub fn digest(&self, purpose: &str, secret: &[u8]) -> Digest {
        Digest::keyed(&self.0, &[purpose.as_bytes(), &[0], secret].concat())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[pepper]")
    }
}

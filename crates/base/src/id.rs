//! Typed identifiers. An id is a short string: chosen by its owner (`robin`, `orders`) or
//! generated (`g_01K…`: a prefix, then 48 bits of milliseconds and 80 random bits in Crockford
//! base 32, so that generated ids sort by age).

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Entropy, Timestamp};

/// The longest id accepted, in bytes.
pub const ID_BYTES_MAX: usize = 128;

/// Why a string is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// The string has no characters.
    #[error("an id must not be empty")]
    Empty,
    /// The string is longer than [`ID_BYTES_MAX`].
    #[error("an id has at most {ID_BYTES_MAX} bytes")]
    TooLong,
    /// The string has a character outside `A-Z a-z 0-9 . _ : @ / ~ + -`.
    #[error("an id must not contain `{0}`")]
    BadCharacter(char),
}

fn check(text: &str) -> Result<(), BadId> {
    if text.is_empty() {
        return Err(BadId::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(BadId::TooLong);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@/~+-".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(BadId::BadCharacter(c)),
        None => Ok(()),
    }
}

const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn generated(prefix: &str, now: Timestamp, entropy: &mut dyn Entropy) -> Arc<str> {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u128::from(now.as_micros().max(0).unsigned_abs() / 1_000) & 0xffff_ffff_ffff;
    let low = random.iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let value = (millis << 80) | low;
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    for shift in (0..26).rev() {
        let index = usize::try_from((value >> (shift * 5)) & 31).unwrap_or(0);
        text.push(char::from(CROCKFORD.get(index).copied().unwrap_or(b'0')));
    }
    Arc::from(text)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The prefix of generated ids of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Checks and wraps an id that somebody else chose.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                check(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// A new id that sorts after those generated in earlier milliseconds.
            pub fn generate(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
                Self(generated($prefix, now, entropy))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// Who did an administrative act: a person's identity id, or `system:<part>`.
    ActorId = "actor";
    /// A catalogued service.
    ApiId = "api";
    /// One run of an access review.
    CampaignId = "cmp";
    /// What proves an identity.
    CredentialId = "cred";
    /// A reviewer's recorded choice.
    DecisionId = "dec";
    /// A detected problem.
    FindingId = "fnd";
    /// Permission for a subject to use operations of an API.
    GrantId = "g";
    /// A named set of identities.
    GroupId = "grp";
    /// Who calls.
    IdentityId = "id";
    /// One grant under review in one campaign.
    ItemId = "item";
    /// One running process of a fleet.
    NodeId = "node";
    /// One operation of an API; the OpenAPI `operationId` where the document has one.
    OperationId = "op";
    /// One request at the gate.
    RequestId = "r";
    /// A named set of operations of one API.
    RoleId = "role";
    /// A change of policy that is put in force step by step.
    RolloutId = "ro";
}

#[cfg(test)]
mod tests;

//! Who a grant is for.

use std::fmt;

use base::{GroupId, IdentityId};
use serde::{Deserialize, Serialize};

/// Who a grant is for: an identity, or each member of a group (`group:<id>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GrantSubject {
    /// One identity.
    Identity(IdentityId),
    /// The members of a group, whoever they are at the time of the request.
    Group(GroupId),
}

impl fmt::Display for GrantSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(id) => write!(f, "{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
        }
    }
}

impl From<GrantSubject> for String {
    fn from(subject: GrantSubject) -> String {
        subject.to_string()
    }
}

impl std::str::FromStr for GrantSubject {
    type Err = base::id::BadId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("group:") {
            Some(group) => Ok(Self::Group(group.parse()?)),
            None => Ok(Self::Identity(text.parse()?)),
        }
    }
}

impl TryFrom<String> for GrantSubject {
    type Error = base::id::BadId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

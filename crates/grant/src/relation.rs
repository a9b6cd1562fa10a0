//! Relations: which objects somebody has to do with, as another system knows it.

use std::collections::BTreeSet;

use base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::GrantSubject;

/// The objects that a subject has one relation to: `robin` is `owner` of the orders 42 and 43.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// An identity, or the members of a group.
    pub subject: GrantSubject,
    /// What it is called, e.g. `owner`.
    pub name: String,
    /// The objects, by the text that requests name them by. Empty = none.
    pub objects: BTreeSet<String>,
    /// When it was last set.
    pub updated_at: Timestamp,
}

//! One entry of the ledger and the only byte form it has. The digest of an entry is its RFC 6962
//! leaf hash, so the chain (`previous`) and the tree are over the same thing.

use base::canonical::{self, NotCanonical};
use base::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Event, tree};

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `grant`, `identity`, `campaign`, …
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl Subject {
    /// A subject by kind and id.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// What a use case says happened; the ledger adds the place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What happened.
    pub event: Event,
    /// About what.
    pub subject: Subject,
    /// The change in full. Whole numbers only; no secrets.
    pub detail: Value,
}

impl NewEntry {
    /// An event about a subject.
    pub fn new(event: Event, subject: Subject, detail: Value) -> Self {
        Self { event, subject, detail }
    }

    /// A change of an object, as use cases record it. The detail has the members `before`,
    /// `after` and `note`, each only when there is something to say.
    pub fn change(
        event: Event,
        subject: Subject,
        before: Option<Value>,
        after: Option<Value>,
        note: Option<String>,
    ) -> Self {
        let members = [("before", before), ("after", after), ("note", note.map(Value::String))];
        let detail =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self { event, subject, detail: Value::Object(detail.collect()) }
    }

    /// Puts it at its place in the chain.
    pub fn follow(self, tip: Tip, at: Timestamp, actor: &str, channel: &str) -> Entry {
        Entry {
            sequence: tip.size,
            at,
            event: self.event,
            actor: actor.to_owned(),
            channel: channel.to_owned(),
            subject: self.subject,
            detail: self.detail,
            previous: tip.head,
        }
    }
}

/// The end of a chain: what the next entry follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Entries so far.
    pub size: u64,
    /// Digest of the last one; [`Digest::ZERO`] when there is none.
    pub head: Digest,
}

impl Tip {
    /// Before the first entry.
    pub const START: Self = Self { size: 0, head: Digest::ZERO };
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Position in the ledger, from 0: the leaf index in the tree.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Who did it.
    pub actor: String,
    /// Through which door: `console`, `api`, `file`, `system`.
    pub channel: String,
    /// About what.
    pub subject: Subject,
    /// The change in full.
    pub detail: Value,
    /// Digest of the entry before; [`Digest::ZERO`] for the first.
    pub previous: Digest,
}

impl Entry {
    /// The bytes that are hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotCanonical> {
        canonical::to_bytes(self)
    }

    /// The leaf hash of [`Entry::to_bytes`].
    pub fn digest(&self) -> Result<Digest, NotCanonical> {
        Ok(tree::leaf_hash(&self.to_bytes()?))
    }

    /// Checks that this entry is the one that follows `tip`, and gives the tip after it.
    pub fn check_follows(&self, tip: Tip) -> Result<Tip, Break> {
        let broken = |what| Break { sequence: tip.size, what };
        if self.sequence != tip.size {
            return Err(broken(BreakKind::Sequence { found: self.sequence }));
        }
        if self.previous != tip.head {
            return Err(broken(BreakKind::Previous));
        }
        let head = self.digest().map_err(|e| broken(BreakKind::Unreadable(e.to_string())))?;
        Ok(Tip { size: tip.size + 1, head })
    }
}

/// Where a chain does not hold, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {sequence}: {what}")]
pub struct Break {
    /// The position at fault.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: BreakKind,
}

/// The ways in which a chain can fail to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakKind {
    /// Another position stands here: an entry was dropped, repeated or moved.
    #[error("position {found} stands in its place")]
    Sequence {
        /// The position found.
        found: u64,
    },
    /// The link to the entry before does not hold: this one or the one before was changed.
    #[error("does not follow the entry before it")]
    Previous,
    /// The recorded digest is not that of the content.
    #[error("its content does not have the recorded digest")]
    Digest,
    /// The recorded end of the chain is another.
    #[error("the ledger ends here, but {size} entries were recorded")]
    End {
        /// How many entries the ledger's head speaks of.
        size: u64,
    },
    /// The tree over the entries has another root than the recorded one.
    #[error("the tree over the entries has another root than the recorded head")]
    Root,
    /// No signed checkpoint covers what stands here and after it.
    #[error("no signed checkpoint covers it")]
    Unsigned,
    /// A signed checkpoint speaks of another tree.
    #[error("the entries are not those that the checkpoint at size {size} was signed for")]
    Checkpoint {
        /// Tree size of that checkpoint.
        size: u64,
    },
    /// The content cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

#[cfg(test)]
mod tests;

//! Checkpoints (c2sp.org/tlog-checkpoint): the size and root of the ledger, signed. Whoever kept
//! an old one can prove that the ledger of today continues it.

use base::Digest;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::note::{NoteError, SigningKey, VerifierKey};

/// The head of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger: the name of its key.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Digest,
}

/// Why a text is no checkpoint to believe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not `origin`, `size`, `root` on a line each.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// Another ledger's.
    #[error("a checkpoint of `{0}`, which is not the key's ledger")]
    OtherOrigin(String),
}

impl Checkpoint {
    /// The note text.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads a note text. Extension lines are refused: nobody monitors what they say.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let bad = CheckpointError::Malformed;
        let body = text.strip_suffix('\n').ok_or(bad("no newline at the end"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(bad("three lines are expected"));
        };
        if origin.is_empty() {
            return Err(bad("the origin is empty"));
        }
        let number: u64 = size.parse().map_err(|_| bad("the size is not a number"))?;
        if number.to_string() != size {
            return Err(bad("the size is not written plainly"));
        }
        let root = STANDARD.decode(root).map_err(|_| bad("the root is not base64"))?;
        let root = root.try_into().map_err(|_| bad("the root has not 32 bytes"))?;
        Ok(Self { origin: origin.to_owned(), size: number, root: Digest(root) })
    }

    /// Signs the head of the key's ledger.
    pub fn sign(size: u64, root: Digest, key: &SigningKey) -> Result<String, NoteError> {
        let origin = key.verifier().name().to_owned();
        key.sign(&Self { origin, size, root }.text())
    }

    /// Opens a checkpoint that the ledger's key signed.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::OtherOrigin(checkpoint.origin));
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests;

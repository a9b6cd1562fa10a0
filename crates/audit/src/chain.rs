//! Reading a stored ledger again from its first entry: links, recorded digests, the tree, and
//! every checkpoint that was signed on the way.

use base::Digest;

use crate::checkpoint::Checkpoint;
use crate::entry::{Break, BreakKind, Entry, Tip};
use crate::tree::Frontier;

/// A check under way. Stops being of use at the first [`Break`].
#[derive(Debug, Clone)]
pub struct ChainCheck {
    tip: Tip,
    tree: Frontier,
}

impl Default for ChainCheck {
    fn default() -> Self {
        Self { tip: Tip::START, tree: Frontier::default() }
    }
}

impl ChainCheck {
    /// The next entry, with the digest that was recorded for it.
    pub fn add(&mut self, entry: &Entry, recorded: &Digest) -> Result<(), Break> {
        let next = entry.check_follows(self.tip)?;
        if next.head != *recorded {
            return Err(self.broken(BreakKind::Digest));
        }
        self.tip = next;
        self.tree.push(next.head);
        Ok(())
    }

    /// Entries so far.
    pub const fn size(&self) -> u64 {
        self.tip.size
    }

    /// The root over them.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// A fault at the position that comes next.
    pub const fn broken(&self, what: BreakKind) -> Break {
        Break { sequence: self.tip.size, what }
    }

    /// A checkpoint that was signed when the ledger was of the present size.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), Break> {
        if checkpoint.size == self.size() && checkpoint.root == self.root() {
            return Ok(());
        }
        Err(self.broken(BreakKind::Checkpoint { size: checkpoint.size }))
    }

    /// The recorded end of the ledger, after its last entry.
    pub fn finish(&self, tip: Tip, tree: &Frontier) -> Result<(), Break> {
        if tip.size != self.size() {
            return Err(self.broken(BreakKind::End { size: tip.size }));
        }
        if tip.head != self.tip.head || *tree != self.tree {
            return Err(self.broken(BreakKind::Root));
        }
        Ok(())
    }
}

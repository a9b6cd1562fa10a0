//! The Merkle tree of RFC 6962 §2.1: its hashes, and the compact frontier with which a ledger
//! appends in O(log n) without keeping the tree.

use base::Digest;
use serde::{Deserialize, Serialize};

/// `SHA-256(0x00 ‖ leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of(&[&[0x00], leaf])
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[0x01], &left.0, &right.0])
}

/// The root of the tree without leaves: `SHA-256()`.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The roots of the complete subtrees of a tree, largest first: one per set bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FrontierParts", into = "FrontierParts")]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

/// The stored form of a [`Frontier`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontierParts {
    size: u64,
    roots: Vec<Digest>,
}

/// The number of subtrees does not fit the size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has {expected} complete subtrees, not {found}")]
pub struct BadFrontier {
    size: u64,
    expected: u32,
    found: usize,
}

impl Frontier {
    /// Puts a frontier together from its size and subtree roots, largest first.
    pub fn from_parts(size: u64, roots: Vec<Digest>) -> Result<Self, BadFrontier> {
        let expected = size.count_ones();
        if u32::try_from(roots.len()) != Ok(expected) {
            return Err(BadFrontier { size, expected, found: roots.len() });
        }
        Ok(Self { size, roots })
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first.
    pub fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut root = leaf;
        // Each trailing one of the old size is a subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = node_hash(&left, &root);
            }
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Digest {
        let mut smallest_first = self.roots.iter().rev();
        match smallest_first.next() {
            None => empty_root(),
            Some(last) => smallest_first.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

impl TryFrom<FrontierParts> for Frontier {
    type Error = BadFrontier;
    fn try_from(parts: FrontierParts) -> Result<Self, BadFrontier> {
        Self::from_parts(parts.size, parts.roots)
    }
}

impl From<Frontier> for FrontierParts {
    fn from(frontier: Frontier) -> Self {
        Self { size: frontier.size, roots: frontier.roots }
    }
}

#[cfg(test)]
pub(crate) mod tests;

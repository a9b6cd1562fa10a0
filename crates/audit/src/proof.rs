//! Proofs over the tree: that an entry is in it (RFC 6962 §2.1.1) and that a smaller tree is its
//! beginning (§2.1.2). Making a proof takes the [`Tree`]; checking one takes hashes only
//! (RFC 9162 §2.1.3.2 and §2.1.4.2).

use base::Digest;

use crate::tree::{empty_root, node_hash};

/// A whole tree in memory: 64 bytes per leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the root over leaves `i·2^k .. (i+1)·2^k`; complete subtrees only.
    levels: Vec<Vec<Digest>>,
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

impl Tree {
    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        let mut height = 0;
        loop {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(height) else { return };
            row.push(node);
            match row.as_slice() {
                [.., left, right] if row.len() % 2 == 0 => node = node_hash(left, right),
                _ => return,
            }
            height += 1;
        }
    }

    /// The root over the first `size` leaves; `None` when there are fewer.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        match size {
            0 => Some(empty_root()),
            _ => self.range(0, size),
        }
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        self.root_at(self.size()).unwrap_or_else(empty_root)
    }

    /// The sibling hashes from leaf `index` up to the root of the first `size` leaves.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut low, mut high, mut path) = (0, size, Vec::new());
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.range(middle, high)?);
                high = middle;
            } else {
                path.push(self.range(low, middle)?);
                low = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The hashes that lead from the root over `old` leaves to the root over `new` leaves.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        if old > new || new > self.size() {
            return None;
        }
        if old == 0 || old == new {
            return Some(Vec::new());
        }
        let (mut low, mut high, mut path) = (0, new, Vec::new());
        while old != high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(self.range(middle, high)?);
                high = middle;
            } else {
                path.push(self.range(low, middle)?);
                low = middle;
            }
        }
        // The old root itself is known to the checker when it is a subtree from the first leaf.
        if low != 0 {
            path.push(self.range(low, high)?);
        }
        path.reverse();
        Some(path)
    }

    /// The root over leaves `low..high`, where `low` is a multiple of the largest power of two
    /// that the range holds.
    fn range(&self, low: u64, high: u64) -> Option<Digest> {
        let length = high.checked_sub(low).filter(|length| *length > 0)?;
        if length.is_power_of_two() {
            let height = length.trailing_zeros();
            let row = self.levels.get(usize::try_from(height).ok()?)?;
            return row.get(usize::try_from(low >> height).ok()?).copied();
        }
        let middle = low + split(length);
        Some(node_hash(&self.range(low, middle)?, &self.range(middle, high)?))
    }
}

/// The largest power of two smaller than `length` (which is at least 2).
const fn split(length: u64) -> u64 {
    let below = length.saturating_sub(1);
    if below == 0 { 0 } else { 1 << below.ilog2() }
}

/// Whether `leaf` is at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node_index, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node_index & 1 == 1 || node_index == last {
            hash = node_hash(sibling, &hash);
            while node_index & 1 == 0 && node_index != 0 {
                node_index >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node_index >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the tree of `old` leaves is the beginning of the tree of `new` leaves.
pub fn verify_consistency(
    old: u64,
    new: u64,
    path: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    let (first, rest) = match path {
        _ if old.is_power_of_two() => (old_root, path),
        [first, rest @ ..] => (first, rest),
        [] => return false,
    };
    let shift = (old - 1).trailing_ones();
    walk_consistency((old - 1) >> shift, (new - 1) >> shift, *first, rest)
        .is_some_and(|(old_found, new_found)| old_found == *old_root && new_found == *new_root)
}

fn walk_consistency(
    mut node: u64,
    mut last: u64,
    first: Digest,
    path: &[Digest],
) -> Option<(Digest, Digest)> {
    let (mut old, mut new) = (first, first);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}

#[cfg(test)]
mod tests;

//! The property paths of a stream, each one once: which passed and which were removed.
//!
//! A tree of names in bounded memory. Documents repeat themselves, so each node remembers the name
//! that came after it last time, which is compared before anything is searched.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::plan::{NONE, path};
use crate::report::Report;
use crate::swift;

const NODES_MAX: usize = 320;
const NAMES_BYTES_MAX: usize = 3 * 1_024;
/// Behind the last name, so that eight bytes can be read from any place in it.
const NAMES_PAD: [u8; 8] = [0; 8];
/// Twice as many as nodes or nearly so, and a power of two.
const SLOTS: usize = 512;
/// Slots that are looked at for one name: names that collide by intent end there.
const PROBES_MAX: usize = 32;
/// What is kept of a name.
const NAME_BYTES_MAX: usize = 128;
const REMOVED_MAX: usize = 64;
const REMOVED_BYTES_MAX: usize = 128;
const SEEN_MAX: usize = 256;
const SEEN_BYTES_MAX: usize = 512;

/// The values of it passed.
const SEEN: u8 = 1;
/// Something of it was removed.
const REMOVED: u8 = 2;
/// Its name is written as it is: no byte of it would be escaped, and nothing was cut off.
const PLAIN: u8 = 4;

/// A property.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u16,
    name_at: u16,
    name_bytes: u8,
    flags: u8,
    /// The first property inside, last time.
    first: u16,
    /// The property that came after it in its object, last time.
    next: u16,
    /// The plan's node of the object around it, and of it. They do not depend on each other alone:
    /// under other lists the same names have other nodes.
    from: u16,
    to: u16,
}

/// What can be undone: the state before something that was not decided.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    changes: usize,
    removed_more: u64,
    seen_more: bool,
}

/// The paths of one stream.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
    /// Each one with the quote behind it, so that both are compared at once.
    names: Vec<u8>,
    slots: Vec<u16>,
    /// Nodes that got a flag while that could still be undone: number and flag.
    changes: Vec<(u16, u8)>,
    undoable: bool,
    removed: usize,
    removed_more: u64,
    seen: usize,
    seen_more: bool,
}

impl Paths {
    /// The root, which has no name.
    pub(crate) const ROOT: u16 = 0;

    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::new(NONE)], names: NAMES_PAD.to_vec(), ..Self::default() }
    }

    /// The property that is expected after `last` in the object, if its name is written at a place
    /// in the input; and the place behind its closing quote.
    #[inline(always)]
    pub(crate) fn expected(
        &self,
        object: u16,
        last: u16,
        input: &[u8],
        at: usize,
    ) -> Option<(u16, usize)> {
        let number = match self.nodes.get(usize::from(last)) {
            Some(last) => last.next,
            None => self.nodes.get(usize::from(object))?.first,
        };
        let node = self.nodes.get(usize::from(number))?;
        let bytes = usize::from(node.name_bytes) + 1;
        let (name, written) = (self.names.get(usize::from(node.name_at)..)?, input.get(at..)?);
        let differs = match bytes {
            0..=8 => (swift::word(name, 0)? ^ swift::word(written, 0)?) << (64 - 8 * bytes),
            9..=16 => {
                let (first, last) = (swift::word(name, 0)?, swift::word(name, bytes - 8)?);
                let (begins, ends) = (swift::word(written, 0)?, swift::word(written, bytes - 8)?);
                (first ^ begins) | (last ^ ends)
            }
            _ => u64::from(name.get(..bytes) != written.get(..bytes)),
        };
        (differs == 0 && node.flags & PLAIN != 0).then_some((number, at + bytes))
    }

    /// The property of a name in an object; [`NONE`] if there is no room for it.
    pub(crate) fn property(&mut self, object: u16, last: u16, name: &[u8]) -> u16 {
        if object == NONE {
            return NONE;
        }
        let number = self.find(object, cut(name), name.len() <= NAME_BYTES_MAX);
        let before = if last == NONE { object } else { last };
        if let Some(node) = self.nodes.get_mut(usize::from(before)) {
            *if last == NONE { &mut node.first } else { &mut node.next } = number;
        }
        number
    }

    fn find(&mut self, object: u16, name: &[u8], whole: bool) -> u16 {
        if self.slots.is_empty() {
            self.slots = vec![NONE; SLOTS];
        }
        let start = hash(object, name);
        for probe in 0..PROBES_MAX {
            let slot = (start + probe) % SLOTS;
            let number = self.slots.get(slot).copied().unwrap_or(NONE);
            if number == NONE {
                return self.add(object, name, whole, slot);
            }
            let node = self.nodes.get(usize::from(number));
            if node.is_some_and(|node| node.parent == object && self.name(node) == name) {
                return number;
            }
        }
        NONE
    }

    fn add(&mut self, object: u16, name: &[u8], whole: bool, slot: usize) -> u16 {
        let more = name.len() + 1;
        let full = self.nodes.len() >= NODES_MAX || self.names.len() + more > NAMES_BYTES_MAX;
        let number = u16::try_from(self.nodes.len()).unwrap_or(NONE);
        let at = self.names.len() - NAMES_PAD.len();
        let (at, bytes) = (u16::try_from(at), u8::try_from(name.len()));
        let (Ok(name_at), Ok(name_bytes), false) = (at, bytes, full) else { return NONE };
        let Some(slot) = self.slots.get_mut(slot) else { return NONE };
        *slot = number;
        let as_written = |byte: &u8| *byte >= 0x20 && !matches!(byte, b'"' | b'\\');
        let flags = if whole && name.iter().all(as_written) { PLAIN } else { 0 };
        grow(&mut self.names, more, NAMES_BYTES_MAX);
        self.names.truncate(usize::from(name_at));
        self.names.extend_from_slice(name);
        self.names.push(b'"');
        self.names.extend_from_slice(&NAMES_PAD);
        grow(&mut self.nodes, 1, NODES_MAX);
        self.nodes.push(Node { name_at, name_bytes, flags, ..Node::new(object) });
        number
    }

    #[inline]
    fn name(&self, node: &Node) -> &[u8] {
        let start = usize::from(node.name_at);
        self.names.get(start..start + usize::from(node.name_bytes)).unwrap_or_default()
    }

    /// The plan's node of an expected property, if it is remembered for an object of the node `from`.
    #[inline]
    pub(crate) fn planned(&self, number: u16, from: u16) -> Option<u16> {
        let node = self.nodes.get(usize::from(number))?;
        (node.from == from).then_some(node.to)
    }

    /// Remembers the plan's node of a property, unless the name was cut: others share it then.
    pub(crate) fn plan(&mut self, number: u16, name: &[u8], from: u16, to: u16) {
        if name.len() <= NAME_BYTES_MAX
            && let Some(node) = self.nodes.get_mut(usize::from(number))
        {
            (node.from, node.to) = (from, to);
        }
    }

    /// A value of the property passed.
    #[inline]
    pub(crate) fn saw(&mut self, number: u16) {
        match self.nodes.get(usize::from(number)) {
            Some(node) if node.flags & SEEN != 0 => {}
            Some(_) if self.seen < SEEN_MAX => {
                self.seen += usize::from(number != Self::ROOT);
                self.set(number, SEEN);
            }
            _ => self.seen_more = true,
        }
    }

    /// The property, or a value in its list, was removed.
    pub(crate) fn removed(&mut self, number: u16) {
        match self.nodes.get(usize::from(number)) {
            Some(node) if node.flags & REMOVED != 0 => {}
            Some(_) if self.removed < REMOVED_MAX => {
                self.removed += 1;
                self.set(number, REMOVED);
            }
            _ => self.removed_more += 1,
        }
    }

    fn set(&mut self, number: u16, flag: u8) {
        if let Some(node) = self.nodes.get_mut(usize::from(number)) {
            node.flags |= flag;
        }
        if self.undoable {
            grow(&mut self.changes, 1, SEEN_MAX + REMOVED_MAX + 1);
            self.changes.push((number, flag));
        }
    }

    /// What comes from here on may be undone.
    pub(crate) fn mark(&mut self) -> Mark {
        self.undoable = true;
        Mark {
            changes: self.changes.len(),
            removed_more: self.removed_more,
            seen_more: self.seen_more,
        }
    }

    /// Forgets what came after a mark. Names that were learned stay: they are only names.
    pub(crate) fn undo(&mut self, mark: Mark) {
        while self.changes.len() > mark.changes
            && let Some((number, flag)) = self.changes.pop()
        {
            if let Some(node) = self.nodes.get_mut(usize::from(number)) {
                node.flags &= !flag;
            }
            match flag {
                SEEN => self.seen -= usize::from(number != Self::ROOT),
                _ => self.removed -= 1,
            }
        }
        (self.removed_more, self.seen_more) = (mark.removed_more, mark.seen_more);
    }

    /// Nothing can be undone any more.
    pub(crate) fn settle(&mut self) {
        self.undoable = false;
        self.changes.clear();
    }

    /// Bytes that it has allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.names.capacity()
            + self.slots.capacity() * size_of::<u16>()
            + self.changes.capacity() * size_of::<(u16, u8)>()
    }

    /// Writes the paths into a report.
    pub(crate) fn report(&self, report: &mut Report) {
        report.removed = self.listed(REMOVED, REMOVED_BYTES_MAX);
        report.removed_more = self.removed_more;
        report.seen = self.listed(SEEN, SEEN_BYTES_MAX);
        report.seen_more = self.seen_more;
    }

    fn listed(&self, flag: u8, bytes_max: usize) -> Vec<String> {
        let flagged = self.nodes.iter().enumerate().filter(|(_, node)| node.flags & flag != 0);
        // A value at the root that passed has no path.
        let flagged = flagged.filter(|(number, _)| *number != 0 || flag == REMOVED);
        let mut paths: Vec<_> = flagged.map(|(_, node)| self.path(node, bytes_max)).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    fn path(&self, node: &Node, bytes_max: usize) -> String {
        let mut way = vec![node];
        while let Some(parent) =
            way.last().and_then(|node| self.nodes.get(usize::from(node.parent)))
        {
            way.push(parent);
        }
        let mut path = String::new();
        // The last one is the root.
        for node in way.iter().rev().skip(1) {
            path::append(&mut path, &String::from_utf8_lossy(self.name(node)));
        }
        if way.len() == 1 {
            path.push_str("[]");
        }
        path.truncate(path.floor_char_boundary(bytes_max));
        path
    }
}

impl Node {
    const fn new(parent: u16) -> Self {
        let (first, next, from, to) = (NONE, NONE, NONE, NONE);
        Self { parent, name_at: 0, name_bytes: 0, flags: 0, first, next, from, to }
    }
}

/// The part of a name that is kept: whole characters.
fn cut(name: &[u8]) -> &[u8] {
    let is_boundary = |at: &usize| name.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let end = (0..=NAME_BYTES_MAX.min(name.len())).rev().find(is_boundary).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

fn hash(object: u16, name: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    hasher.write_u16(object);
    // The hasher's low bits are its good ones.
    (hasher.finish() % SLOTS as u64) as usize
}

/// Makes room for `more` entries, twice as many as before but never more than `max` in all.
pub(crate) fn grow<T>(entries: &mut Vec<T>, more: usize, max: usize) {
    let needed = entries.len() + more;
    if needed > entries.capacity() {
        let wanted = (entries.capacity() * 2).max(16).min(max).max(needed);
        entries.reserve_exact(wanted - entries.len());
    }
}

#[cfg(test)]
mod tests;

//! The book, and one round in it.

use std::collections::{BTreeMap, BTreeSet};

use base::Timestamp;

use super::{Ask, Asked, Line, Member, NodeLine, SILENT_MAX, Settled, Told};
use crate::rate::Share;

/// A key, and the start of the period that is meant.
pub(super) type Place = (String, Option<Timestamp>);

/// What all nodes have of the keys at hand. May be a part of what is stored: all nodes, all lines
/// of the keys that a round is about, and all lines that are newer than what the node knows; where
/// [`Book::needs_all`] says so, all lines.
#[derive(Debug, Clone, Default)]
pub struct Book {
    sequence: u64,
    nodes: BTreeMap<String, NodeLine>,
    pub(super) lines: BTreeMap<Place, BTreeMap<String, Line>>,
    written: BTreeSet<(Place, String)>,
    struck: Vec<(Place, String)>,
    gone: Vec<NodeLine>,
}

/// What has to be stored after a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// The step of the book, if it moved.
    pub sequence: Option<u64>,
    /// The node's own line.
    pub node: Option<NodeLine>,
    /// Lines that are new or changed.
    pub lines: Vec<Line>,
    /// Lines that are struck out: key, start of the period, holder.
    pub struck: Vec<(String, Option<Timestamp>, String)>,
    /// Nodes that have gone.
    pub gone: Vec<NodeLine>,
}

fn place(key: &str, period: Option<super::Period>) -> Place {
    (key.to_owned(), period.map(|period| period.start))
}

impl Book {
    /// A book at this step.
    pub fn at(sequence: u64) -> Self {
        Self { sequence, ..Self::default() }
    }

    /// Enters a node as it is stored.
    pub fn enter_node(&mut self, node: NodeLine) {
        self.nodes.insert(node.member.node.to_string(), node);
    }

    /// Enters a line as it is stored.
    pub fn enter(&mut self, line: Line) {
        let lines = self.lines.entry(place(&line.key, line.period)).or_default();
        lines.insert(line.holder.clone(), line);
    }

    /// The step that the book is at.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether the part of everything that this node has is going to grow, once all nodes are
    /// entered. Every line has to be at hand then, and the node hears of all of them.
    pub fn needs_all(&mut self, me: &Member, asked: &Asked, now: Timestamp) -> bool {
        let others = self.live_others(me, now);
        fair_split(asked, &others) > asked.split
    }

    /// One round of a node. `is_shared` = other nodes can use the same store; without that a node
    /// has everything, and only what it uses of quotas is kept.
    pub fn settle(
        &mut self,
        me: &Member,
        asked: &Asked,
        is_shared: bool,
        now: Timestamp,
    ) -> Settled {
        self.sequence += 1;
        let others = if is_shared { self.live_others(me, now) } else { Vec::new() };
        let (mut split, mut nailed) = (Share::WHOLE, BTreeSet::new());
        if is_shared {
            (split, nailed) = self.settle_split(me, asked, &others);
        } else {
            let (member, sequence) = (me.clone(), self.sequence);
            self.enter_node(NodeLine { member, split, at: asked.at, sequence });
        }
        let grows = is_shared && split > asked.split;
        let is_fresh = asked.seen == 0;
        let round = Round { me, others, grows, nailed, is_shared, is_fresh, asked };
        let mut keys: Vec<Told> = Vec::with_capacity(asked.keys.len());
        let mut spoken = BTreeSet::new();
        for ask in &asked.keys {
            spoken.insert(place(&ask.key, ask.period));
            keys.push(match ask.period {
                None => self.settle_share(&round, ask),
                Some(_) => self.settle_quota(&round, ask),
            });
        }
        let news: Vec<Place> = self.news(asked.seen, &spoken);
        keys.extend(news.iter().filter_map(|place| self.hear(&round, place)));
        Settled { split, seen: self.sequence, keys }
    }

    /// What is to be stored of it. Nothing was changed when there is nothing.
    pub fn into_entries(mut self, me: &Member) -> Entries {
        let node = self.nodes.remove(me.node.as_str());
        let mut lines = Vec::new();
        for (place, holder) in std::mem::take(&mut self.written) {
            let line = self.lines.get_mut(&place).and_then(|lines| lines.remove(&holder));
            lines.extend(line);
        }
        let struck = self.struck.into_iter().map(|((key, start), holder)| (key, start, holder));
        let sequence = Some(self.sequence);
        Entries { sequence, node, lines, struck: struck.collect(), gone: self.gone }
    }

    /// Takes the node and its shares off the book. Its quotas stay: they are used.
    pub fn leave(&mut self, me: &Member) {
        self.sequence += 1;
        self.gone.extend(self.nodes.remove(me.node.as_str()));
        let holder = me.holder(false);
        let shares = self.lines.iter().filter(|((_, start), _)| start.is_none());
        let mine = shares.filter(|(_, lines)| lines.contains_key(&holder));
        let places: Vec<Place> = mine.map(|(place, _)| place.clone()).collect();
        for place in places {
            self.strike(&place, &holder);
        }
    }

    /// The nodes that were heard of, without the one whose round it is. Those that were not are
    /// taken off.
    fn live_others(&mut self, me: &Member, now: Timestamp) -> Vec<NodeLine> {
        let since = now - SILENT_MAX;
        let mine = me.node.as_str();
        let (live, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.nodes)
            .into_iter()
            .partition(|(id, node)| id == mine || node.at >= since);
        self.gone.extend(gone.into_iter().map(|(_, node)| node));
        self.nodes = live.into_iter().collect();
        self.nodes.iter().filter(|(id, _)| *id != mine).map(|(_, node)| node.clone()).collect()
    }

    /// Keys with lines of others that the node does not know yet.
    fn news(&self, seen: u64, spoken: &BTreeSet<Place>) -> Vec<Place> {
        let is_new = |lines: &BTreeMap<String, Line>| {
            lines.values().any(|line| line.sequence > seen && line.sequence < self.sequence)
        };
        let unspoken = self.lines.iter().filter(|(place, _)| !spoken.contains(*place));
        unspoken.filter(|(_, lines)| is_new(lines)).map(|(place, _)| place.clone()).collect()
    }

    pub(super) fn strike(&mut self, place: &Place, holder: &str) {
        if self.lines.get_mut(place).is_some_and(|lines| lines.remove(holder).is_some()) {
            self.written.remove(&(place.clone(), holder.to_owned()));
            self.struck.push((place.clone(), holder.to_owned()));
        }
    }

    /// Writes a line of this node's, unless it says what is there already.
    pub(super) fn write(&mut self, line: Line) {
        let place = place(&line.key, line.period);
        let before = self.lines.get(&place).and_then(|lines| lines.get(&line.holder));
        if before.is_some_and(|before| says_the_same(before, &line)) {
            return;
        }
        self.written.insert((place.clone(), line.holder.clone()));
        let line = Line { sequence: self.sequence, ..line };
        self.lines.entry(place).or_default().insert(line.holder.clone(), line);
    }

    pub(super) fn lines_of(&self, ask: &Ask) -> Vec<Line> {
        let lines = self.lines.get(&place(&ask.key, ask.period));
        lines.map(|lines| lines.values().cloned().collect()).unwrap_or_default()
    }
}

/// An equal part of everything, as far as the others leave room for it.
pub(super) fn fair_split(asked: &Asked, others: &[NodeLine]) -> Share {
    let held: u64 = others.iter().map(|node| node.split.millionths()).sum();
    let free = Share::WHOLE.millionths().saturating_sub(held);
    let equal = Share::WHOLE.millionths() / (others.len() as u64 + 1);
    let fair = equal.min(free);
    // One that ends takes nothing more.
    let fair = if asked.is_last { fair.min(asked.split.millionths()) } else { fair };
    Share::from_millionths(fair)
}

/// Small changes of what is asked for are not worth a write.
fn says_the_same(before: &Line, after: &Line) -> bool {
    let close = before.demand.abs_diff(after.demand) <= before.demand / 16;
    let (was, is) = (before.demand > 0, after.demand > 0);
    before.holds == after.holds
        && before.used == after.used
        && before.limit == after.limit
        && close
        && was == is
}

/// What does not change during a round.
pub(super) struct Round<'r> {
    pub(super) me: &'r Member,
    /// Live nodes but this one.
    pub(super) others: Vec<NodeLine>,
    /// The node's part of everything grows with this round.
    pub(super) grows: bool,
    /// Where it got a line because of that.
    pub(super) nailed: BTreeSet<Place>,
    pub(super) is_shared: bool,
    /// It knows nothing of the book yet.
    pub(super) is_fresh: bool,
    pub(super) asked: &'r Asked,
}

impl Round<'_> {
    /// How many nodes there are.
    pub(super) fn count(&self) -> u64 {
        self.others.len() as u64 + 1
    }
}

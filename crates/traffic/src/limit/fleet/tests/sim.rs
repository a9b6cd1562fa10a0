//! A fleet in one thread: nodes with meters, a store that keeps what a book says, rounds that take
//! as long as they like. One key, which is all that nodes have to agree about.

use std::collections::BTreeMap;

use super::*;
use crate::limit::{Fleet, Measure, Meter};

const STEP: Span = Span::from_millis(5);
const ROUND_EVERY: Span = Span::from_millis(250);
/// Without a round for so long a node goes on by itself.
const CUT_OFF_AFTER: Span = Span::from_secs(2);
const KEY: &str = "orders|per-identity|caller";

/// What is stored.
#[derive(Default)]
struct Stored {
    sequence: u64,
    nodes: BTreeMap<String, NodeLine>,
    lines: BTreeMap<(String, Option<Timestamp>, String), Line>,
}

impl Stored {
    /// One round, with no more at hand than what the application loads.
    fn round(&mut self, me: &Member, mut asked: Asked, now: Timestamp) -> Settled {
        let mut book = Book::at(self.sequence);
        self.nodes.values().for_each(|node| book.enter_node(node.clone()));
        if book.needs_all(me, &asked, now) {
            asked.seen = 0;
        }
        let is_asked = |line: &Line| asked.keys.iter().any(|ask| ask.key == line.key);
        let changed: Vec<String> = self
            .lines
            .values()
            .filter(|line| line.sequence > asked.seen)
            .map(|line| line.key.clone())
            .collect();
        for line in self.lines.values() {
            if is_asked(line) || changed.contains(&line.key) {
                book.enter(line.clone());
            }
        }
        let settled = book.settle(me, &asked, true, now);
        if asked.is_last {
            book.leave(me);
        }
        self.save(book.into_entries(me));
        settled
    }

    fn save(&mut self, entries: Entries) {
        self.sequence = entries.sequence.unwrap_or(self.sequence);
        for node in entries.gone {
            self.nodes.remove(node.member.node.as_str());
        }
        if let Some(node) = entries.node {
            self.nodes.insert(node.member.node.to_string(), node);
        }
        for line in entries.lines {
            let start = line.period.map(|period| period.start);
            self.lines.insert((line.key.clone(), start, line.holder.clone()), line);
        }
        for struck in entries.struck {
            self.lines.remove(&struck);
        }
    }
}

struct Node {
    member: Member,
    terms: Terms,
    meter: Option<Meter>,
    is_listed: bool,
    seen: u64,
    offered: u64,
    credit: u64,
    next_round: Timestamp,
    heard_at: Timestamp,
    /// Rounds on their way: at the store, and back.
    going: Option<(Timestamp, Asked)>,
    coming: Option<(Timestamp, Settled)>,
    ends: Vec<Timestamp>,
}

pub(super) struct Sim {
    limit: Limit,
    now: Timestamp,
    stored: Stored,
    nodes: Vec<Option<Node>>,
    lives: u64,
    pub(super) store_is_up: bool,
    /// How long requests last.
    pub(super) hold: Span,
    /// How long rounds take, in milliseconds, one after the other.
    pub(super) delays: Vec<u64>,
    rounds: usize,
    passed: Vec<Timestamp>,
    /// What killed nodes had used in a period before their first round with the key reached the
    /// store.
    pub(super) lost: u64,
}

impl Sim {
    /// Nodes that have found each other, with so much offered a second at each.
    pub(super) fn new(limit: Limit, offered: &[u64]) -> Self {
        let mut sim = Self {
            limit,
            now: START,
            stored: Stored::default(),
            nodes: Vec::new(),
            lives: 0,
            store_is_up: true,
            hold: Span::default(),
            delays: vec![10],
            rounds: 0,
            passed: Vec::new(),
            lost: 0,
        };
        sim.nodes.resize_with(offered.len(), || None);
        for index in 0..offered.len() {
            sim.restart(index);
        }
        sim.run(Span::from_secs(3));
        sim.offer(offered);
        sim
    }

    pub(super) fn offer(&mut self, offered: &[u64]) {
        for (node, offered) in self.nodes.iter_mut().zip(offered) {
            if let Some(node) = node {
                node.offered = *offered;
            }
        }
    }

    pub(super) fn kill(&mut self, index: usize) {
        let Some(mut node) = self.nodes[index].take() else { return };
        let Some(meter) = &mut node.meter else { return };
        let used = meter.ask(KEY, self.limit, node.terms, self.now).used;
        let holder = node.member.holder(true);
        let lines = self.stored.lines.values().filter(|line| line.holder == holder);
        self.lost += used.saturating_sub(lines.map(|line| line.holds).sum());
    }

    pub(super) fn restart(&mut self, index: usize) {
        if self.nodes[index].is_some() {
            return;
        }
        self.lives += 1;
        let node = NodeId::parse(&format!("node-{index}")).unwrap();
        let life = self.now + Span::from_micros(self.lives.cast_signed());
        let fleet = Fleet::Joined;
        self.nodes[index] = Some(Node {
            member: Member { node, life },
            terms: Terms { split: Share::NONE, since: self.now, fleet },
            meter: None,
            is_listed: false,
            seen: 0,
            offered: 0,
            credit: 0,
            next_round: self.now,
            heard_at: self.now,
            going: None,
            coming: None,
            ends: Vec::new(),
        });
        // The first round is before anybody is admitted.
        let Some(node) = &mut self.nodes[index] else { return };
        let asked = node.asked(self.limit, self.now);
        let settled = self.stored.round(&node.member, asked, self.now);
        node.settle(self.limit, settled, self.now);
    }

    pub(super) fn leave(&mut self, index: usize) {
        let Some(mut node) = self.nodes[index].take() else { return };
        if let Some(meter) = &mut node.meter {
            node.is_listed |= meter.give_back();
        }
        let asked = Asked { is_last: true, ..node.asked(self.limit, self.now) };
        self.stored.round(&node.member, asked, self.now);
    }

    pub(super) fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + STEP;
            for index in 0..self.nodes.len() {
                self.step(index);
            }
        }
    }

    fn step(&mut self, index: usize) {
        let delay = |rounds: usize, delays: &[u64]| {
            let millis = delays[rounds % delays.len()];
            Span::from_millis(millis.cast_signed())
        };
        let (now, limit) = (self.now, self.limit);
        let Some(node) = &mut self.nodes[index] else { return };
        if let Some((at, settled)) = node.coming.take_if(|(at, _)| *at <= now) {
            node.settle(limit, settled, at.max(now));
        }
        if let Some((_, asked)) = node.going.take_if(|(at, _)| *at <= now) {
            if self.store_is_up {
                let settled = self.stored.round(&node.member, asked, now);
                node.coming = Some((now + delay(self.rounds, &self.delays), settled));
                self.rounds += 1;
            } else {
                node.meter.iter_mut().for_each(Meter::withdraw);
                node.is_listed = node.meter.is_some();
            }
        }
        if node.going.is_none() && node.coming.is_none() && node.next_round <= now {
            node.next_round = now + ROUND_EVERY;
            node.going = Some((now + delay(self.rounds, &self.delays), node.asked(limit, now)));
            self.rounds += 1;
        }
        let is_cut_off = now.since(node.heard_at) > CUT_OFF_AFTER;
        node.terms.fleet = if is_cut_off { Fleet::CutOff } else { Fleet::Joined };
        let passed = node.serve(limit, now, self.hold);
        self.passed.extend(std::iter::repeat_n(now, passed));
    }

    pub(super) fn admitted(&self) -> u64 {
        self.passed.len() as u64
    }

    pub(super) fn in_use(&self) -> usize {
        self.nodes.iter().flatten().map(|node| node.ends.len()).sum()
    }

    /// No window of any length has more than the rate and the burst, and a request for each life of
    /// a node: a burst cannot be divided into less than one.
    pub(super) fn assert_never_more(&self) {
        let Measure::Rate { count, burst, .. } = self.limit.measure() else { panic!("no rate") };
        let most = f64::from(burst) + self.lives as f64;
        let (mut level, mut last) = (0.0f64, self.now);
        for at in &self.passed {
            let since = at.since(last).as_micros().max(0) as f64 / 1e6;
            level = (level - since * f64::from(count)).max(0.0) + 1.0;
            last = *at;
            assert!(level <= most + 1e-6, "{level} at {at}, but {most} is the most");
        }
    }
}

impl Node {
    fn asked(&mut self, limit: Limit, now: Timestamp) -> Asked {
        let mut keys = Vec::new();
        if let Some(meter) = &mut self.meter {
            if std::mem::take(&mut self.is_listed) || meter.is_idle(now) {
                keys.push(meter.ask(KEY, limit, self.terms, now));
            }
            self.is_listed = meter.stays_in_rounds(now) && meter.list();
        }
        Asked { at: now, split: self.terms.split, seen: self.seen, keys, is_last: false }
    }

    fn settle(&mut self, limit: Limit, settled: Settled, now: Timestamp) {
        for told in settled.keys {
            let terms = self.terms;
            let meter = self.meter.get_or_insert_with(|| Meter::new(limit, terms, now));
            meter.settle(limit, &told, self.terms, now);
            self.is_listed |= told.speaks && meter.list();
        }
        self.terms = self.terms.with_split(settled.split, now);
        if let Some(meter) = &mut self.meter {
            meter.follow(limit, settled.split, now);
        }
        (self.seen, self.heard_at) = (settled.seen, now);
    }

    /// Admits what comes in one step; how many passed.
    fn serve(&mut self, limit: Limit, now: Timestamp, hold: Span) -> usize {
        let mut passed = 0;
        self.credit += self.offered * STEP.as_micros().unsigned_abs();
        let terms = self.terms;
        while self.credit >= 1_000_000 {
            self.credit -= 1_000_000;
            let meter = self.meter.get_or_insert_with(|| Meter::new(limit, terms, now));
            let fits = meter.check(limit, 1, terms, now).is_ok();
            if fits {
                meter.take(limit, 1, now);
                self.ends.push(now + hold);
                passed += 1;
            } else {
                meter.refuse(1, now);
            }
            self.is_listed |= meter.joins_round(limit, terms, !fits);
        }
        let before = self.ends.len();
        self.ends.retain(|end| *end > now);
        if let Some(meter) = &mut self.meter {
            (self.ends.len()..before).for_each(|_| meter.release());
        }
        passed
    }
}

/// What happens to a fleet.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// For each phase: its length, what is offered at each node in percent of what is allowed, and
    /// which node dies (even) or comes back (odd), if it is there.
    phases: Vec<(i64, Vec<u64>, usize)>,
    pub(super) delays: Vec<u64>,
}

impl Plan {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        let phase = (300i64..4_000, prop::collection::vec(0u64..150, 4), 0usize..12);
        (prop::collection::vec(phase, 1..6), prop::collection::vec(0u64..400, 1..20))
            .prop_map(|(phases, delays)| Self { phases, delays })
    }

    pub(super) fn phases(&self) -> usize {
        self.phases.len()
    }

    pub(super) fn length_ms(&self, phase: usize) -> i64 {
        self.phases[phase].0
    }

    pub(super) fn offered(&self, phase: usize, allowed: u32) -> Vec<u64> {
        self.phases[phase].1.iter().map(|percent| percent * u64::from(allowed) / 100).collect()
    }

    pub(super) fn disturb(&self, phase: usize, sim: &mut Sim) {
        let which = self.phases[phase].2;
        if which < 8 {
            if which.is_multiple_of(2) { sim.kill(which / 2) } else { sim.restart(which / 2) }
        }
    }
}

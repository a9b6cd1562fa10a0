//! What one round decides of one key.

use std::collections::{BTreeMap, BTreeSet};

use super::book::{Book, Place, Round, fair_split};
use super::{Ask, Asked, CLOSE, FLOORS, Line, Member, NodeLine, Told};
use crate::limit::demand::FINE;
use crate::limit::{Limit, Measure};
use crate::rate::Share;

const WHOLE: u64 = Share::WHOLE.millionths();

impl Book {
    /// The node's part of everything: an equal one, as soon as the others have made room for it.
    /// Gives it, and where it got a line because of that.
    pub(super) fn settle_split(
        &mut self,
        me: &Member,
        asked: &Asked,
        others: &[NodeLine],
    ) -> (Share, BTreeSet<Place>) {
        let told = fair_split(asked, others);
        // Of what it has no line for it would have more, and others may have counted on less.
        let nailed = if told > asked.split { self.nail(me, asked.split) } else { BTreeSet::new() };
        let (split, sequence) = (told.max(asked.split), self.sequence());
        self.enter_node(NodeLine { member: me.clone(), split, at: asked.at, sequence });
        (told, nailed)
    }

    /// Gives the node lines of what it has now for every key that it has none for.
    fn nail(&mut self, me: &Member, split: Share) -> BTreeSet<Place> {
        let mut missing = BTreeMap::new();
        for (place, lines) in &self.lines {
            let (key, start) = place;
            let holder = me.holder(start.is_some());
            let Some(known) = lines.values().next().filter(|_| !lines.contains_key(&holder)) else {
                continue;
            };
            let (holds, period) = (part_of(split, known.limit), known.period);
            let (key, limit) = (key.clone(), known.limit);
            let line = Line { key, period, holder, limit, holds, used: 0, demand: 0, sequence: 0 };
            missing.insert(place.clone(), line);
        }
        let places = missing.keys().cloned().collect();
        missing.into_values().for_each(|line| self.write(line));
        places
    }

    /// A key that is divided by shares.
    pub(super) fn settle_share(&mut self, round: &Round<'_>, ask: &Ask) -> Told {
        let lines = self.lines_of(ask);
        self.strike_dead(round, &lines);
        let others: Vec<Holding> =
            round.others.iter().map(|node| Holding::of_share(node, &lines)).collect();
        let held = sum(others.iter().map(|other| other.holds));
        let wanted = sum(others.iter().map(|other| other.demand)).saturating_add(ask.demand);
        let told = wished(round, ask, wanted).min(WHOLE.saturating_sub(held));
        let is_usual = told == ask.holds && told == round.asked.split.millionths();
        if ask.is_idle && wanted == 0 && is_usual && !round.grows {
            // As if there were no line; so there need not be one.
            self.strike(&(ask.key.clone(), None), &round.me.holder(false));
            return Told { is_released: true, ..told_of(ask, Some(told)) };
        }
        self.write(Line { holds: told.max(ask.holds), ..line_of(round, ask) });
        // What was given up has to be said in the next round; until then it counts as held.
        Told { speaks: told < ask.holds, ..told_of(ask, Some(told)) }
    }

    fn strike_dead(&mut self, round: &Round<'_>, lines: &[Line]) {
        let mine = round.me.holder(false);
        for line in lines.iter().filter(|line| line.holder != mine) {
            let is_live = |node: &NodeLine| node.member.node.as_str() == line.holder;
            if !round.others.iter().any(is_live) {
                self.strike(&(line.key.clone(), None), &line.holder);
            }
        }
    }

    /// A key of a quota.
    pub(super) fn settle_quota(&mut self, round: &Round<'_>, ask: &Ask) -> Told {
        let mine = round.me.holder(true);
        let lines = self.lines_of(ask);
        let others = lines.iter().filter(|line| line.holder != mine);
        let has_line =
            |node: &&NodeLine| lines.iter().any(|line| line.holder == node.member.holder(true));
        let unentered = round.others.iter().filter(|node| !has_line(node));
        let unentered = unentered.map(|node| part_of(node.split, ask.limit));
        let elsewhere = sum(others.clone().map(|line| line.holds).chain(unentered));
        let base = ask.holds.max(ask.used);
        let free = count_of(ask.limit).saturating_sub(elsewhere).saturating_sub(base);
        let advance = if round.asked.is_last { 0 } else { advance(round, ask, base, free) };
        let holds = base.saturating_add(advance);
        self.write(Line { holds, ..line_of(round, ask) });
        let told = Told { elsewhere, ..told_of(ask, Some(holds)) };
        // Somebody else has nothing left, and here something lies idle.
        let is_short = free == 0 && others.clone().any(|line| line.demand > 0);
        let keeps = ask.used.saturating_add((2 * ask.demand).div_ceil(FINE));
        if is_short && advance == 0 && keeps < holds && !round.asked.is_last {
            return Told { holds: Some(keeps), speaks: true, ..told };
        }
        told
    }

    /// Lines of others, for a key that the node said nothing of.
    pub(super) fn hear(&self, round: &Round<'_>, place: &Place) -> Option<Told> {
        let lines: Vec<Line> = self.lines.get(place)?.values().cloned().collect();
        let mine = round.me.holder(place.1.is_some());
        let others = || lines.iter().filter(|line| line.holder != mine);
        let known = lines.iter().find(|line| line.holder == mine);
        let about = others().next().or(known)?;
        let elsewhere = sum(others().map(|line| line.holds));
        let is_wanted = others().any(|line| line.demand > 0);
        let heard = Told { elsewhere, ..told_of(&silent(about), None) };
        if !round.is_shared {
            return Some(heard);
        }
        // A node without a line has its part of everything, and gives up all but the least of it.
        let is_named = known.is_some() && !round.nailed.contains(place);
        let held = known.map_or(part_of(round.asked.split, about.limit), |line| line.holds);
        match place.1 {
            _ if is_named && round.is_fresh => Some(Told { holds: Some(held), ..heard }),
            Some(_) if is_named => {
                let is_short = count_of(about.limit) <= elsewhere.saturating_add(held);
                Some(Told { speaks: is_wanted && is_short, ..heard })
            }
            None if is_named => Some(Told { speaks: is_wanted, ..heard }),
            None if !is_wanted && known.is_none() => None,
            None if !is_wanted => Some(Told { holds: Some(held), ..heard }),
            _ => {
                // It has no line before it says so: were it to end now, nothing would be put down.
                let least = if place.1.is_some() { 0 } else { floor(round) };
                Some(Told { holds: Some(least.min(held)), speaks: true, ..heard })
            }
        }
    }
}

fn sum(figures: impl Iterator<Item = u64>) -> u64 {
    figures.fold(0, u64::saturating_add)
}

/// What a node says of a key that it knows nothing of.
fn silent(about: &Line) -> Ask {
    let (key, limit, period) = (about.key.clone(), about.limit, about.period);
    Ask { key, limit, period, holds: 0, used: 0, demand: 0, is_idle: false }
}

/// What another node has of a key, and what is asked for there.
struct Holding {
    holds: u64,
    demand: u64,
}

impl Holding {
    fn of_share(node: &NodeLine, lines: &[Line]) -> Self {
        match lines.iter().find(|line| line.holder == node.member.node.as_str()) {
            Some(line) => Self { holds: line.holds, demand: line.demand },
            None => Self { holds: node.split.millionths(), demand: 0 },
        }
    }
}

fn floor(round: &Round<'_>) -> u64 {
    FLOORS / round.count()
}

/// The share that fits what is asked for here and in all. Close to what is in force it is that.
fn wished(round: &Round<'_>, ask: &Ask, wanted: u64) -> u64 {
    if wanted == 0 {
        return if ask.is_idle { round.asked.split.millionths() } else { ask.holds };
    }
    let floor = floor(round);
    let spare = u128::from(WHOLE.saturating_sub(floor * round.count()));
    let part = spare * u128::from(ask.demand) / u128::from(wanted);
    let wished = floor + u64::try_from(part).unwrap_or(WHOLE);
    if wished.abs_diff(ask.holds) <= CLOSE { ask.holds } else { wished }
}

/// How much more of a quota is put down to the node: two seconds' worth, at least one, and while
/// there is plenty no more than half of the node's part of it; nothing when it has enough.
fn advance(round: &Round<'_>, ask: &Ask, base: u64, free: u64) -> u64 {
    let soon = ask.used.saturating_add(2 * ask.demand / FINE).saturating_add(1);
    if soon <= base {
        return 0;
    }
    let most = (free / (2 * round.count())).max(1);
    (8 * ask.demand / FINE).clamp(1, most).min(free)
}

fn count_of(limit: Limit) -> u64 {
    match limit.measure() {
        Measure::Quota { count, .. } => count,
        Measure::Rate { .. } | Measure::Concurrent { .. } => 0,
    }
}

/// What a node has of a key without a line, in the unit of a line.
fn part_of(split: Share, limit: Limit) -> u64 {
    match limit.measure() {
        Measure::Quota { count, .. } => split.of(count),
        Measure::Rate { .. } | Measure::Concurrent { .. } => split.millionths(),
    }
}

fn line_of(round: &Round<'_>, ask: &Ask) -> Line {
    Line {
        key: ask.key.clone(),
        period: ask.period,
        holder: round.me.holder(ask.period.is_some()),
        limit: ask.limit,
        holds: ask.holds,
        used: ask.used,
        demand: ask.demand,
        sequence: 0,
    }
}

fn told_of(ask: &Ask, holds: Option<u64>) -> Told {
    Told {
        key: ask.key.clone(),
        limit: ask.limit,
        period: ask.period,
        holds,
        elsewhere: 0,
        is_released: false,
        speaks: false,
    }
}

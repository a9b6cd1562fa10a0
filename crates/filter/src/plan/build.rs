//! From alternatives to the automaton: the construction of subsets, over trees that have `*`.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::alternatives::{Ties, View};
use super::path::Step;
use super::{Class, Judge, Mask, NONE, Node, Plan, PlanError};

const ALTERNATIVES_MAX: usize = 64;
const NODES_MAX: usize = 8_192;
const PATTERNS_MAX: usize = 16_384;
/// Deeper than any response may be.
const PATH_STEPS_MAX: usize = 256;
const STEPS_MAX: u8 = 64;
/// Lists on the way to a tie: the stream keeps a record for each one that it is judging in.
const LISTS_MAX: usize = 7;

/// A path of an alternative.
struct Pattern<'a> {
    alternative: Mask,
    steps: &'a [Step],
}

struct TiePattern<'a> {
    path: Pattern<'a>,
    allowed: &'a BTreeSet<String>,
    /// How many steps lead to what it judges.
    scope: u16,
}

/// A path, and how many of its steps have been taken.
type Place = (u16, u16);

/// Everything that names have led to: equal spots are one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    shown: Mask,
    fields: Vec<Place>,
    ties: Vec<Place>,
    /// Ties whose value stands here.
    here: Vec<u16>,
    /// The class of the ties that have reached what they judge.
    class: u16,
    /// What stands here is what the class judges.
    begins: bool,
}

struct Builder<'a> {
    fields: Vec<Pattern<'a>>,
    ties: Vec<TiePattern<'a>>,
    numbers: BTreeMap<Spot, u16>,
    spots: Vec<Spot>,
    classes_of: BTreeMap<Spot, u16>,
    plan: Plan,
}

pub(super) fn build(alternatives: &[(View, Ties)]) -> Result<Plan, PlanError> {
    if alternatives.len() > ALTERNATIVES_MAX {
        return Err(PlanError::TooManyAlternatives);
    }
    let mut builder = Builder::new(alternatives);
    builder.check_sizes()?;
    let root = builder.root(alternatives);
    builder.number(root)?;
    let mut next = 0;
    while let Some(spot) = builder.spots.get(next).cloned() {
        builder.lead_on(next, &spot)?;
        next += 1;
    }
    Ok(builder.plan)
}

impl<'a> Builder<'a> {
    fn new(alternatives: &'a [(View, Ties)]) -> Self {
        let (mut fields, mut ties) = (Vec::new(), Vec::new());
        for (number, (view, tied)) in alternatives.iter().enumerate() {
            let alternative = 1 << number;
            if let View::Only(paths) = view {
                fields.extend(paths.iter().map(|steps| Pattern { alternative, steps }));
            }
            for (steps, allowed) in tied {
                let last = steps.iter().rposition(|step| *step == Step::Items);
                let scope = last.map_or(0, |last| saturate(last + 1));
                ties.push(TiePattern { path: Pattern { alternative, steps }, allowed, scope });
            }
        }
        let first = alternatives.first().map(|(view, _)| view);
        let plan = Plan {
            nodes: Vec::new(),
            named: Vec::new(),
            judges: Vec::new(),
            classes: Vec::new(),
            everyone: all(alternatives.len()),
            uniform: alternatives.iter().all(|(view, _)| Some(view) == first),
        };
        let (numbers, classes_of) = (BTreeMap::new(), BTreeMap::new());
        Self { fields, ties, numbers, spots: Vec::new(), classes_of, plan }
    }

    fn check_sizes(&self) -> Result<(), PlanError> {
        let fields = self.fields.iter().map(|pattern| pattern.steps);
        let ties = self.ties.iter().map(|tie| tie.path.steps);
        let lists = |steps: &[Step]| steps.iter().filter(|step| **step == Step::Items).count();
        let fits = |steps: &[Step]| steps.len() <= PATH_STEPS_MAX && lists(steps) <= LISTS_MAX;
        let few = self.fields.len() <= PATTERNS_MAX && self.ties.len() <= PATTERNS_MAX;
        if few && fields.chain(ties).all(fits) { Ok(()) } else { Err(PlanError::TooLarge) }
    }

    fn root(&mut self, alternatives: &[(View, Ties)]) -> Spot {
        let shown = alternatives.iter().enumerate().filter(|(_, (view, _))| *view == View::All);
        let shown = shown.fold(0, |mask, (number, _)| mask | (1 << number));
        let begins = self.ties.iter().any(|tie| tie.scope == 0);
        let mut spot = Spot {
            shown,
            fields: (0..self.fields.len()).map(|n| (saturate(n), 0)).collect(),
            ties: (0..self.ties.len()).map(|n| (saturate(n), 0)).collect(),
            here: Vec::new(),
            class: NONE,
            begins,
        };
        if begins {
            spot.class = self.class(&spot);
        }
        spot
    }

    /// The number of the node for a spot; a new one if there is none yet.
    fn number(&mut self, spot: Spot) -> Result<u16, PlanError> {
        if let Some(number) = self.numbers.get(&spot) {
            return Ok(*number);
        }
        if self.spots.len() >= NODES_MAX {
            return Err(PlanError::TooLarge);
        }
        let number = saturate(self.spots.len());
        let mut node = self.node(&spot);
        if spot.class != NONE && !spot.begins {
            self.take_step(&spot, &mut node)?;
        }
        self.plan.nodes.push(node);
        self.plan.named.push(FxHashMap::default());
        self.spots.push(spot.clone());
        self.numbers.insert(spot, number);
        Ok(number)
    }

    fn node(&self, spot: &Spot) -> Node {
        let partial = spot.fields.iter().filter_map(|place| self.fields.get(usize::from(place.0)));
        Node {
            shown: spot.shown,
            partial: partial.fold(0, |mask, pattern| mask | pattern.alternative),
            class: if spot.begins { spot.class } else { NONE },
            fixed: spot.fields.is_empty() && spot.ties.is_empty(),
            watched: !spot.ties.is_empty(),
            ..Node::NOTHING
        }
    }

    /// A step on the way to a tie gets its number, so that going it twice is noticed.
    fn take_step(&mut self, spot: &Spot, node: &mut Node) -> Result<(), PlanError> {
        let Some(class) = self.plan.classes.get_mut(usize::from(spot.class)) else {
            return Err(PlanError::TooLarge);
        };
        if class.steps >= STEPS_MAX {
            return Err(PlanError::TooManyTies);
        }
        node.step = class.steps;
        class.steps += 1;
        if spot.here.is_empty() {
            return Ok(());
        }
        let judge = judge(spot.here.iter().filter_map(|tie| self.ties.get(usize::from(*tie))));
        class.alternatives |= judge.alternatives;
        class.judges.push((node.step, judge.alternatives));
        class.open |= 1 << node.step;
        node.judge = saturate(self.plan.judges.len());
        self.plan.judges.push(judge);
        Ok(())
    }

    /// Follows every name that makes a difference, any other name, and the way into an array.
    fn lead_on(&mut self, number: usize, spot: &Spot) -> Result<(), PlanError> {
        let mut named = FxHashMap::default();
        for name in self.names(spot) {
            let child = self.by_name(spot, Some(&name));
            named.insert(name.into_bytes().into_boxed_slice(), self.number(child)?);
        }
        let other = self.by_name(spot, None);
        let other = self.number(other)?;
        let array = self.items_of(spot);
        let array = self.number(array)?;
        if let Some(node) = self.plan.nodes.get_mut(number) {
            node.other = other;
            node.array = array;
        }
        if let Some(names) = self.plan.named.get_mut(number) {
            *names = named;
        }
        Ok(())
    }

    fn field_step(&self, place: Place) -> Option<&'a Step> {
        self.fields.get(usize::from(place.0))?.steps.get(usize::from(place.1))
    }

    fn tie_step(&self, place: Place) -> Option<&'a Step> {
        self.ties.get(usize::from(place.0))?.path.steps.get(usize::from(place.1))
    }

    fn names(&self, spot: &Spot) -> BTreeSet<String> {
        let fields = spot.fields.iter().filter_map(|place| self.field_step(*place));
        let ties = spot.ties.iter().filter_map(|place| self.tie_step(*place));
        let name = |step: &Step| match step {
            Step::Name(name) => Some(name.clone()),
            Step::Any | Step::Items => None,
        };
        fields.chain(ties).filter_map(name).collect()
    }

    /// Where a name leads; `None` is a name that nobody lists.
    fn by_name(&self, spot: &Spot, name: Option<&str>) -> Spot {
        let leads = |step: Option<&Step>| match step {
            Some(Step::Name(listed)) => Some(listed.as_str()) == name,
            Some(Step::Any) => true,
            Some(Step::Items) | None => false,
        };
        let (mut shown, mut fields) = (spot.shown, Vec::new());
        for &(pattern, at) in spot.fields.iter().filter(|place| leads(self.field_step(**place))) {
            match self.field_step((pattern, at + 1)) {
                Some(_) => fields.push((pattern, at + 1)),
                None => shown |= self.alternative(pattern),
            }
        }
        fields.retain(|place| self.alternative(place.0) & shown == 0);
        let (mut ties, mut here, mut reached) = (Vec::new(), Vec::new(), false);
        for &(tie, at) in spot.ties.iter().filter(|place| leads(self.tie_step(**place))) {
            reached |= self.ties.get(usize::from(tie)).is_some_and(|tie| at >= tie.scope);
            match self.tie_step((tie, at + 1)) {
                Some(_) => ties.push((tie, at + 1)),
                None => here.push(tie),
            }
        }
        let class = if reached { spot.class } else { NONE };
        Spot { shown, fields, ties, here, class, begins: false }
    }

    fn alternative(&self, pattern: u16) -> Mask {
        self.fields.get(usize::from(pattern)).map_or(0, |pattern| pattern.alternative)
    }

    /// The items of an array. For fields it is not there; a tie that does not name it ends.
    fn items_of(&mut self, spot: &Spot) -> Spot {
        let enters = |place: &&Place| self.tie_step(**place) == Some(&Step::Items);
        let ties: Vec<Place> =
            spot.ties.iter().filter(enters).map(|(tie, at)| (*tie, at + 1)).collect();
        let reached = |(tie, at): &Place| {
            self.ties.get(usize::from(*tie)).is_some_and(|tie| tie.scope == *at)
        };
        let begins = ties.iter().any(reached);
        let (shown, fields) = (spot.shown, spot.fields.clone());
        let mut items = Spot { shown, fields, ties, here: Vec::new(), class: NONE, begins };
        if begins {
            items.class = self.class(&items);
        }
        items
    }

    /// The class that begins at a spot: one for each place, because its steps are numbered there.
    fn class(&mut self, spot: &Spot) -> u16 {
        if let Some(class) = self.classes_of.get(spot) {
            return *class;
        }
        let number = saturate(self.plan.classes.len());
        let inside =
            |(tie, at): &Place| self.ties.get(usize::from(*tie)).is_some_and(|tie| tie.scope > *at);
        let flat = !spot.ties.iter().any(inside);
        self.plan.classes.push(Class { flat, ..Class::default() });
        self.classes_of.insert(spot.clone(), number);
        number
    }
}

/// The judge of a value that stands where these ties lead.
fn judge<'t>(ties: impl Iterator<Item = &'t TiePattern<'t>>) -> Judge {
    let mut allowed: BTreeMap<Mask, BTreeSet<&str>> = BTreeMap::new();
    for tie in ties {
        // Paths with `*` can lead to the same value as others: both ties must hold for it.
        let values = || tie.allowed.iter().map(String::as_str).collect();
        allowed
            .entry(tie.path.alternative)
            .and_modify(|known| known.retain(|value| tie.allowed.contains(*value)))
            .or_insert_with(values);
    }
    let mut judge = Judge::default();
    for (alternative, values) in allowed {
        judge.alternatives |= alternative;
        for value in values {
            *judge.allowed.entry(value.as_bytes().into()).or_insert(0) |= alternative;
        }
    }
    judge
}

/// The bits of so many alternatives.
fn all(count: usize) -> Mask {
    (0..count).fold(0, |mask, number| mask | (1 << number))
}

/// Patterns and nodes are fewer than 65,535: what is more ends as too large.
fn saturate(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(NONE)
}

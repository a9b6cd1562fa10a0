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
    asks: Asks<'a>,
    /// How many steps lead to what it judges.
    scope: u16,
}

/// What is asked of the value at the end of a tie's path.
#[derive(Clone, Copy)]
enum Asks<'a> {
    /// It is one of these.
    OneOf(&'a BTreeSet<String>),
    /// It is an array: a list that a tie names. What is not there has no items to be judged, and
    /// all beside it would be shown.
    List,
}

/// A path, and how many of its steps have been taken.
type Place = (u16, u16);

/// Everything that names have led to: equal spots are one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    shown: Mask,
    values: Mask,
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
            let mut named = BTreeSet::new();
            for (steps, allowed) in tied {
                let mut scope = 0;
                let lists = steps.iter().enumerate().filter(|(_, step)| **step == Step::Items);
                for (at, _) in lists {
                    named.insert((steps.get(..at).unwrap_or_default(), scope));
                    scope = saturate(at + 1);
                }
                let (path, asks) = (Pattern { alternative, steps }, Asks::OneOf(allowed));
                ties.push(TiePattern { path, asks, scope });
            }
            ties.extend(named.into_iter().map(|(steps, scope)| {
                let path = Pattern { alternative, steps };
                TiePattern { path, asks: Asks::List, scope }
            }));
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
            values: 0,
            fields: (0..self.fields.len()).map(|n| (saturate(n), 0)).collect(),
            ties: (0..self.ties.len()).map(|n| (saturate(n), 0)).collect(),
            here: Vec::new(),
            class: NONE,
            begins,
        };
        if begins {
            self.begin_class(&mut spot);
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
            values: spot.values,
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
            Step::Name(name) => vec![name.clone()],
            // What they are not leads elsewhere than other names.
            Step::Other(listed) => listed.iter().cloned().collect(),
            Step::Any | Step::Items | Step::Values => Vec::new(),
        };
        fields.chain(ties).flat_map(name).collect()
    }

    /// Where a name leads; `None` is a name that nobody lists.
    fn by_name(&self, spot: &Spot, name: Option<&str>) -> Spot {
        let leads = |step: Option<&Step>| match step {
            Some(Step::Name(listed)) => Some(listed.as_str()) == name,
            Some(Step::Other(listed)) => name.is_none_or(|name| !listed.contains(name)),
            Some(Step::Any) => true,
            Some(Step::Items | Step::Values) | None => false,
        };
        let (mut shown, mut values, mut fields) = (spot.shown, 0, Vec::new());
        for &(pattern, at) in spot.fields.iter().filter(|place| leads(self.field_step(**place))) {
            match self.field_step((pattern, at + 1)) {
                Some(Step::Values) => values |= self.alternative(pattern),
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
        Spot { shown, values: values & !shown, fields, ties, here, class, begins: false }
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
        let (shown, values, fields) = (spot.shown, spot.values, spot.fields.clone());
        let (here, class) = (Vec::new(), NONE);
        let mut items = Spot { shown, values, fields, ties, here, class, begins };
        if begins {
            self.begin_class(&mut items);
        }
        items
    }

    /// What stands at the spot is judged. That it must be an array itself is asked at once.
    fn begin_class(&mut self, spot: &mut Spot) {
        spot.class = self.class(spot);
        let itself = |(tie, at): &Place| {
            let tie = self.ties.get(usize::from(*tie));
            tie.filter(|tie| usize::from(*at) == tie.path.steps.len())
        };
        let asked = spot.ties.iter().filter_map(itself);
        let lists = asked.fold(0, |lists, tie| lists | tie.path.alternative);
        if let Some(class) = self.plan.classes.get_mut(usize::from(spot.class)) {
            class.lists |= lists;
        }
        let ties = std::mem::take(&mut spot.ties);
        spot.ties = ties.into_iter().filter(|place| itself(place).is_none()).collect();
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
    let mut judge = Judge::default();
    for tie in ties {
        match tie.asks {
            Asks::List => judge.lists |= tie.path.alternative,
            Asks::OneOf(values) => {
                let values = values.iter().map(String::as_str).collect();
                allowed.insert(tie.path.alternative, values);
            }
        }
    }
    judge.alternatives = judge.lists;
    for (alternative, values) in allowed {
        judge.alternatives |= alternative;
        // Nothing is an array and a value.
        let both = judge.lists & alternative != 0;
        judge.lists &= !alternative;
        for value in values.into_iter().filter(|_| !both) {
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

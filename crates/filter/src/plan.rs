//! What a caller may see of an operation's responses, compiled once per set of grants.
//!
//! A plan is an automaton over property names. Each of its nodes stands for the properties that the
//! same names lead to, and says for which alternatives they are visible. What none of the
//! alternatives names is not in the plan, and so is not shown.
//!
//! Nothing here reads a response.

use std::collections::BTreeSet;
use std::fmt;

use rustc_hash::FxHashMap;

mod alternatives;
mod build;
pub(crate) mod path;

/// What one grant shows, and of which responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What is visible where the ties hold.
    pub fields: Fields,
    /// What must hold. All of them; none means that nothing is asked.
    pub ties: Vec<Tie>,
}

/// Visible properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fields {
    /// Everything, also what is unknown.
    All,
    /// These paths, each with all that is below it, and the objects and arrays around it. A path is
    /// a dotted property name as the catalogue writes it; arrays are transparent: `lines.sku`. A
    /// segment `*` is any name; `\` makes the next of `.`, `*`, `[`, `]` and `\` part of a name.
    Only(BTreeSet<String>),
    /// What a document describes: of these paths the texts, numbers, `true`, `false` and `null`,
    /// alone or in lists, and the objects and arrays around them. An object where a value should be
    /// is not shown. Here a segment `*` is any name that no path of both sets has at that place.
    Described {
        /// The paths that are shown.
        shown: BTreeSet<String>,
        /// Paths that are not.
        others: BTreeSet<String>,
    },
}

/// A value in the response that must be one of those the grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The property: `tenant_id` judges the response, `[].tenant_id` each item of a list at the
    /// root, `items[].tenant_id` each item of the list `items`, and where several lists are named
    /// the innermost one's items are judged. Lists that are not named are not looked into. A named
    /// list must be there: where its place is empty or holds something else than an array, the tie
    /// does not hold for the response, or for the item of the list around it.
    pub path: String,
    /// The values that it may have: texts, or the numbers, `true` and `false` as they are written.
    /// Empty holds for nothing.
    pub allowed: BTreeSet<String>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// No alternatives: the caller may see nothing, which is no answer but a refusal.
    NoAlternatives,
    /// More than 64 alternatives that differ in what they show and when.
    TooManyAlternatives,
    /// More than 64 names on the ways to the ties of one object.
    TooManyTies,
    /// Paths longer than 256 names, more than 7 lists in one, or too many that differ.
    TooLarge,
    /// A path that cannot be read.
    Path {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAlternatives => f.write_str("nothing is to be shown"),
            Self::TooManyAlternatives => f.write_str("more than 64 different views"),
            Self::TooManyTies => f.write_str("more than 64 names lead to the ties of one object"),
            Self::TooLarge => f.write_str("too many different paths"),
            Self::Path { path, what } => write!(f, "`{path}`: {what}"),
        }
    }
}

impl std::error::Error for PlanError {}

/// Number of a node, a class or a judge that does not exist.
pub(crate) const NONE: u16 = u16::MAX;

/// A set of alternatives, one bit each.
pub(crate) type Mask = u64;

/// The properties that the same names lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    /// The alternatives that show them, and all below.
    pub(crate) shown: Mask,
    /// The alternatives that show the texts, numbers and literals here, but no object.
    pub(crate) values: Mask,
    /// The alternatives that show something below.
    pub(crate) partial: Mask,
    /// Where a name that is not listed leads.
    pub(crate) other: u16,
    /// The node of the items, where the value is an array.
    pub(crate) array: u16,
    /// The class of ties that judge the values here one by one; [`NONE`] where none does.
    pub(crate) class: u16,
    /// Who judges the value; [`NONE`] if nobody does.
    pub(crate) judge: u16,
    /// The number, in its class, of the step that leads here; 255 if no tie passes.
    pub(crate) step: u8,
    /// All below is like `other`: names make no difference any more.
    pub(crate) fixed: bool,
    /// There are ties below.
    pub(crate) watched: bool,
}

impl Node {
    /// The number of a step that does not exist.
    pub(crate) const NO_STEP: u8 = u8::MAX;

    /// Shows nothing: where a number leads nowhere.
    const NOTHING: Self = Self {
        shown: 0,
        values: 0,
        partial: 0,
        other: NONE,
        array: NONE,
        class: NONE,
        judge: NONE,
        step: Self::NO_STEP,
        fixed: true,
        watched: false,
    };

    /// The alternatives for which a text, number or literal is visible.
    pub(crate) const fn value(&self) -> Mask {
        self.shown | self.values
    }

    /// The alternatives for which an object, or else an array, is visible. An array is as visible
    /// as what may be in it.
    pub(crate) const fn around(&self, object: bool) -> Mask {
        self.shown | self.partial | if object { 0 } else { self.values }
    }
}

/// Values judged at one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judge {
    /// The alternatives that have a tie here.
    pub(crate) alternatives: Mask,
    /// The alternatives that ask for an array.
    pub(crate) lists: Mask,
    /// To the alternatives that allow the value.
    allowed: FxHashMap<Box<[u8]>, Mask>,
}

impl Judge {
    /// The alternatives whose ties here hold for the value.
    pub(crate) fn holds(&self, value: &[u8]) -> Mask {
        self.allowed.get(value).copied().unwrap_or(0)
    }
}

/// The ties that judge the values of one place: the response, or the items of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Class {
    /// The alternatives that ask for properties here, so that no array and no value will do.
    pub(crate) alternatives: Mask,
    /// The alternatives that ask for an array here.
    pub(crate) lists: Mask,
    /// Each judge's step, and the alternatives that ask it.
    pub(crate) judges: Vec<(u8, Mask)>,
    /// The steps of all judges, one bit each.
    pub(crate) open: u64,
    /// No other class lies inside.
    pub(crate) flat: bool,
    steps: u8,
}

impl Class {
    /// The alternatives that have a tie among those in `open`.
    pub(crate) fn waiting(&self, open: u64) -> Mask {
        let open = |step: &&(u8, Mask)| open & (1 << step.0) != 0;
        self.judges.iter().filter(open).fold(0, |all, (_, mask)| all | mask)
    }
}

/// What a caller may see of the responses of an operation. Immutable; shared by all streams.
#[derive(Debug, Clone)]
pub struct Plan {
    nodes: Vec<Node>,
    named: Vec<FxHashMap<Box<[u8]>, u16>>,
    judges: Vec<Judge>,
    classes: Vec<Class>,
    everyone: Mask,
    uniform: bool,
}

impl Plan {
    /// The root's node.
    pub(crate) const ROOT: u16 = 0;

    /// The plan under which whatever one of the alternatives shows is visible. Refuses with
    /// [`PlanError`] when there are none or too many, or when a path cannot be read.
    pub fn compile(alternatives: Vec<Alternative>) -> Result<Self, PlanError> {
        if alternatives.is_empty() {
            return Err(PlanError::NoAlternatives);
        }
        build::build(&alternatives::merge(&alternatives)?)
    }

    /// Removes nothing, and only tells what passed.
    pub fn everything() -> Self {
        let all =
            Node { shown: 1, other: Self::ROOT, array: Self::ROOT, fixed: true, ..Node::NOTHING };
        Self {
            nodes: vec![all],
            named: vec![FxHashMap::default()],
            judges: Vec::new(),
            classes: Vec::new(),
            everyone: 1,
            uniform: true,
        }
    }

    /// All alternatives.
    pub(crate) fn everyone(&self) -> Mask {
        self.everyone
    }

    /// Whether names make a difference. Where everything is shown they do not.
    pub(crate) fn compares_names(&self) -> bool {
        let root = self.node(Self::ROOT);
        !root.fixed || root.shown == 0
    }

    /// Whether all alternatives show the same, so that it does not matter which one matches.
    pub(crate) fn is_uniform(&self) -> bool {
        self.uniform
    }

    #[inline]
    pub(crate) fn node(&self, number: u16) -> Node {
        self.nodes.get(usize::from(number)).copied().unwrap_or(Node::NOTHING)
    }

    /// Where the name leads from a node.
    pub(crate) fn child(&self, number: u16, name: &[u8]) -> u16 {
        let named = self.named.get(usize::from(number)).and_then(|names| names.get(name));
        named.copied().unwrap_or_else(|| self.node(number).other)
    }

    /// The judge of a node; `None` leads to a refusal.
    pub(crate) fn judge(&self, number: u16) -> Option<&Judge> {
        self.judges.get(usize::from(number))
    }

    /// The class of a node; `None` leads to a refusal.
    pub(crate) fn class(&self, number: u16) -> Option<&Class> {
        self.classes.get(usize::from(number))
    }
}

#[cfg(test)]
mod tests;

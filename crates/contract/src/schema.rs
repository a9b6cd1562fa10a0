//! Schemas as they are checked: every schema of a document once, by number, and references as
//! numbers, so that a schema may contain itself.
//!
//! One form for all dialects: [`compile`] reads OpenAPI 3.0, 3.1 and Swagger 2.0 into it. The rules
//! are those of JSON Schema 2020-12 (Core and Validation), except that `format` is checked where we
//! know it. What a value must be is here; checking one is [`crate::run`]'s.

pub(crate) mod compile;
mod ecma;
pub(crate) mod format;
mod graph;
mod keywords;
pub(crate) mod number;
mod pattern;
pub(crate) mod types;
pub(crate) mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Number, Value};

use format::{NumberFormat, TextFormat};
use types::Types;

/// The number of a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

impl Id {
    /// Of the schema at `index`; the bound on schemas is far below what would not fit.
    fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// All schemas of a document that a message can meet.
#[derive(Debug)]
pub(crate) struct Schemas {
    all: Vec<Schema>,
    /// Stands in for a number that is none, and refuses everything.
    never: Schema,
}

impl Schemas {
    fn new(all: Vec<Schema>) -> Self {
        Self { all, never: Schema { verdict: Some(false), ..Schema::default() } }
    }

    pub(crate) fn get(&self, id: Id) -> &Schema {
        self.all.get(id.index()).unwrap_or(&self.never)
    }

    /// A schema and those that it is made of, each once, the nearest first.
    pub(crate) fn family(&self, id: Id) -> Vec<&Schema> {
        let mut known = BTreeSet::from([id]);
        let mut ids = vec![id];
        let mut family = Vec::new();
        while let Some(id) = ids.get(family.len()) {
            let schema = self.get(*id);
            family.push(schema);
            for part in &schema.parts {
                let (Part::All(more) | Part::Any(more) | Part::One(more)) = part else { continue };
                ids.extend(more.iter().copied().filter(|id| known.insert(*id)));
            }
        }
        family
    }
}

/// What a value must be. Rules that are not stated are empty.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// Where it stands in the document (RFC 6901).
    pub(crate) pointer: Box<str>,
    /// `true` and `false` as schemas.
    pub(crate) verdict: Option<bool>,
    /// `type`, with what `nullable` adds.
    pub(crate) types: Types,
    /// OpenAPI 3.0's `nullable`: `null` is taken, whatever else stands here.
    pub(crate) nullable: bool,
    /// `readOnly`.
    pub(crate) read_only: bool,
    /// `writeOnly`.
    pub(crate) write_only: bool,
    /// `enum`.
    pub(crate) one_of: Option<Box<[Value]>>,
    /// `const`.
    pub(crate) constant: Option<Box<Value>>,
    pub(crate) numbers: Option<Box<Numbers>>,
    pub(crate) texts: Option<Box<Texts>>,
    pub(crate) arrays: Option<Box<Arrays>>,
    pub(crate) objects: Option<Box<Objects>>,
    /// Other schemas that the same value must meet, in some combination.
    pub(crate) parts: Box<[Part]>,
    /// What is left over when all of the above has been looked at.
    pub(crate) rest: Option<Box<Rest>>,
    /// What the parts have to say too; see [`graph`].
    pub(crate) whole: Whole,
}

/// What a schema says together with the schemas that it is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Whole {
    /// No value of another type can meet it.
    pub(crate) types: Types,
    pub(crate) read_only: bool,
}

/// Rules for numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) limits: Vec<Limit>,
    pub(crate) step: Option<Number>,
    pub(crate) format: Option<NumberFormat>,
}

/// One end of a range.
#[derive(Debug)]
pub(crate) enum Limit {
    AtLeast(Number),
    MoreThan(Number),
    AtMost(Number),
    LessThan(Number),
}

/// Rules for strings; lengths in characters.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) length_min: Option<u64>,
    pub(crate) length_max: Option<u64>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) format: Option<TextFormat>,
}

/// A regular expression; compiled once for all places that have it.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As the document has it.
    pub(crate) text: Box<str>,
    pub(crate) regex: Arc<Regex>,
}

/// Rules for arrays.
#[derive(Debug, Default)]
pub(crate) struct Arrays {
    pub(crate) length_min: Option<u64>,
    pub(crate) length_max: Option<u64>,
    pub(crate) unique: bool,
    /// `prefixItems`.
    pub(crate) first: Box<[Id]>,
    /// `items`: those after the first.
    pub(crate) others: Option<Id>,
    pub(crate) contains: Option<Contains>,
}

/// How many items must meet a schema.
#[derive(Debug)]
pub(crate) struct Contains {
    pub(crate) schema: Id,
    pub(crate) count_min: u64,
    pub(crate) count_max: Option<u64>,
}

/// Schemas by name, sorted by it.
pub(crate) type Named = Box<[(Box<str>, Id)]>;
/// A list of names.
pub(crate) type Names = Box<[Box<str>]>;

/// Rules for objects.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) count_min: Option<u64>,
    pub(crate) count_max: Option<u64>,
    pub(crate) required: Names,
    /// `None` when none are described.
    pub(crate) properties: Option<Named>,
    pub(crate) patterns: Box<[(Pattern, Id)]>,
    pub(crate) additional: Option<Id>,
    /// `propertyNames`.
    pub(crate) names: Option<Id>,
    /// `dependentRequired`: names that have to be there when the first is.
    pub(crate) dependent: Box<[(Box<str>, Names)]>,
}

impl Objects {
    pub(crate) fn property(&self, name: &str) -> Option<Id> {
        let all = self.properties.as_deref()?;
        let at = all.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        all.get(at).map(|(_, id)| *id)
    }
}

/// Schemas for the same value.
#[derive(Debug)]
pub(crate) enum Part {
    /// `allOf` and `$ref`: every one.
    All(Box<[Id]>),
    /// `anyOf`: at least one.
    Any(Box<[Id]>),
    /// `oneOf`: exactly one.
    One(Box<[Id]>),
    /// `not`.
    Not(Id),
    /// `if`, `then`, `else`.
    If { test: Id, then: Option<Id>, otherwise: Option<Id> },
    /// `dependentSchemas`: when the name is there.
    Dependent(Named),
}

/// Rules for what no other keyword has looked at.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// `unevaluatedProperties`.
    pub(crate) properties: Option<Id>,
    /// `unevaluatedItems`.
    pub(crate) items: Option<Id>,
}

#[cfg(test)]
mod tests;

//! Schemas that are made of others for the same value (`$ref`, `allOf`, `anyOf`, …), taken as a
//! graph: it may not have a circle, because checking would never come to an end, and what a schema
//! says together with its parts is worked out once.

use base::Problem;
use catalog::openapi::Node;

use super::types::Types;
use super::{Id, Part, Schema, Whole};

/// How many schemas may lead to each other for one value.
const CHAIN_MAX: usize = 64;

/// Refuses circles and chains that are too long, and fills in [`Whole`].
pub(super) fn complete(all: &mut [Schema], nodes: &[Node<'_>]) -> Result<(), Problem> {
    let mut states = vec![State::New; all.len()];
    for start in 0..all.len() {
        visit(start, all, nodes, &mut states)?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the way from the start to here.
    Open,
    /// With the length of the longest chain from here.
    Done(usize),
}

/// Depth first, with a stack of its own: a document chooses how deep.
fn visit(
    start: usize,
    all: &mut [Schema],
    nodes: &[Node<'_>],
    states: &mut [State],
) -> Result<(), Problem> {
    let mut stack = vec![(start, false)];
    while let Some((index, left)) = stack.pop() {
        let (Some(state), Some(schema)) = (states.get(index).copied(), all.get(index)) else {
            continue;
        };
        let next: Vec<usize> = same_value(schema).map(Id::index).collect();
        match (state, left) {
            (State::Done(_), _) => {}
            (State::Open, true) => {
                let lengths = next.iter().filter_map(|next| match states.get(*next) {
                    Some(State::Done(length)) => Some(length + 1),
                    _ => None,
                });
                let length = lengths.max().unwrap_or_default();
                if length > CHAIN_MAX {
                    return Err(too_long(nodes.get(index)));
                }
                let whole = whole(schema, all);
                if let Some(schema) = all.get_mut(index) {
                    schema.whole = whole;
                }
                set(states, index, State::Done(length));
            }
            (State::Open, false) => {
                return Err(circular(nodes.get(index)));
            }
            (State::New, _) => {
                set(states, index, State::Open);
                stack.push((index, true));
                stack.extend(next.into_iter().map(|next| (next, false)));
            }
        }
    }
    Ok(())
}

fn set(states: &mut [State], index: usize, state: State) {
    if let Some(place) = states.get_mut(index) {
        *place = state;
    }
}

fn circular(node: Option<&Node<'_>>) -> Problem {
    let problem = match node {
        Some(node) => node.problem("circular_schema", "this schema is made of itself"),
        None => Problem::internal("a schema without a place"),
    };
    problem.hint("a schema may contain itself in a property or an item, but not be itself")
}

fn too_long(node: Option<&Node<'_>>) -> Problem {
    let detail = format!("this schema leads through more than {CHAIN_MAX} others");
    let problem = match node {
        Some(node) => node.problem("schema_too_deep", detail),
        None => Problem::internal("a schema without a place"),
    };
    problem.hint("refer to the last of them, or combine fewer schemas")
}

/// The schemas that the same value is checked against.
fn same_value(schema: &Schema) -> impl Iterator<Item = Id> + '_ {
    schema.parts.iter().flat_map(|part| {
        let (many, few): (&[Id], [Option<Id>; 3]) = match part {
            Part::All(ids) | Part::Any(ids) | Part::One(ids) => (ids, [None; 3]),
            Part::Not(id) => (&[], [Some(*id), None, None]),
            Part::If { test, then, otherwise } => (&[], [Some(*test), *then, *otherwise]),
            Part::Dependent(_) => (&[], [None; 3]),
        };
        let dependent: &[(Box<str>, Id)] = match part {
            Part::Dependent(ids) => ids,
            _ => &[],
        };
        let ids = many.iter().copied().chain(few.into_iter().flatten());
        ids.chain(dependent.iter().map(|(_, id)| *id))
    })
}

/// What a schema says together with its parts, which are complete.
fn whole(schema: &Schema, all: &[Schema]) -> Whole {
    let of = |id: &Id| all.get(id.index()).map(|part| part.whole).unwrap_or_default();
    let mut types = match schema.verdict {
        Some(false) => Types::NONE,
        _ => schema.types,
    };
    let listed = schema.one_of.iter().flat_map(|values| values.iter());
    if schema.one_of.is_some() {
        types = types.and(listed.map(Types::of).fold(Types::NONE, Types::or));
    }
    if let Some(constant) = &schema.constant {
        types = types.and(Types::of(constant));
    }
    let mut read_only = schema.read_only;
    for part in &schema.parts {
        match part {
            Part::All(ids) => {
                types = ids.iter().map(|id| of(id).types).fold(types, Types::and);
                read_only |= ids.iter().any(|id| of(id).read_only);
            }
            Part::Any(ids) | Part::One(ids) => {
                types = types.and(ids.iter().map(|id| of(id).types).fold(Types::NONE, Types::or));
            }
            Part::Not(_) | Part::If { .. } | Part::Dependent(_) => {}
        }
    }
    let types = if schema.nullable { types.or(Types::NULL) } else { types };
    Whole { types, read_only }
}

#[cfg(test)]
mod tests;

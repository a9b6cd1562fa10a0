//! The operations of a document.

use std::collections::{BTreeMap, HashMap};

use base::{OperationId, Problem};

use super::base_path::{self, Prefix};
use super::node::Node;
use super::outline::{self, Candidate, Ids, Visitor};
use super::{Dialect, fields};
use crate::api::usual_cost;
use crate::{Impact, Method, Operation, Template};
use traffic::limit::COST_MAX;

/// The longest summary that is kept, in characters.
const SUMMARY_CHARS_MAX: usize = 200;

/// What was found.
pub(super) struct Found {
    pub(super) operations: Vec<Operation>,
    pub(super) notes: Vec<String>,
}

struct Reader<'p> {
    dialect: Dialect,
    prefix: Prefix<'p>,
    impact: Impact,
    base: String,
    all_under: bool,
    ids: Ids,
    operations: BTreeMap<OperationId, Operation>,
    /// Shapes of templates by method, with the id of their operation.
    shapes: HashMap<(Method, String), OperationId>,
    notes: Vec<String>,
}

/// Reads all operations.
pub(super) fn read(
    root: &Node<'_>,
    dialect: Dialect,
    prefix: Prefix<'_>,
    impact: Impact,
) -> Result<Found, Problem> {
    let paths = outline::paths(root)?;
    let mut reader = Reader {
        dialect,
        prefix,
        impact,
        base: base_path::of(root, dialect)?,
        all_under: paths.iter().all(|(path, _)| prefix.contains(path)),
        ids: Ids::default(),
        operations: BTreeMap::new(),
        shapes: HashMap::new(),
        notes: Vec::new(),
    };
    outline::walk(paths, &mut reader)?;
    let operations = reader.operations.into_values().collect();
    Ok(Found { operations, notes: reader.notes })
}

impl<'d> Visitor<'d> for Reader<'_> {
    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    fn operation(&mut self, candidate: Candidate<'d>) -> Result<(), Problem> {
        self.take(&candidate)
    }
}

impl Reader<'_> {
    fn take(&mut self, candidate: &Candidate<'_>) -> Result<(), Problem> {
        let node = &candidate.node;
        self.ids.admit(candidate)?;
        let path = self.full_path(candidate)?;
        let id = self.ids.give(candidate, &mut self.notes)?;
        let shape = Template::parse(&path).map_err(|why| {
            candidate
                .item
                .problem("bad_path_template", format!("`{path}` is no path template: {why}"))
                .hint("write it like /orders/{id}")
        })?;
        if let Some(twin) = self.shapes.insert((candidate.method, shape.shape()), id.clone()) {
            let detail = format!(
                "{} {path} matches the same requests as operation `{twin}`",
                candidate.method
            );
            return Err(node
                .problem("ambiguous_operation", detail)
                .hint("remove one of the two, or give them different paths"));
        }
        let operation = self.described(candidate, id.clone(), path)?;
        self.operations.insert(id, operation);
        Ok(())
    }

    /// The template as callers write it; servers of the operation come before those of the path,
    /// and those before the document's.
    fn full_path(&self, candidate: &Candidate<'_>) -> Result<String, Problem> {
        let mut nearer = None;
        if self.dialect != Dialect::Swagger2 {
            nearer = base_path::own(&candidate.node, self.dialect)?;
            if nearer.is_none() {
                nearer = base_path::own(&candidate.item, self.dialect)?;
            }
        }
        let base = nearer.as_deref().unwrap_or(&self.base);
        if !candidate.path.starts_with('/') {
            let detail = format!("the path `{}` does not begin with a slash", candidate.path);
            return Err(candidate
                .item
                .problem("bad_path_template", detail)
                .hint("write it like /orders/{id}"));
        }
        Ok(self.prefix.full(base, candidate.path, self.all_under))
    }

    fn described(
        &self,
        candidate: &Candidate<'_>,
        id: OperationId,
        path: String,
    ) -> Result<Operation, Problem> {
        let node = &candidate.node;
        let harmless = node.text_of("x-side-effects").is_some_and(|word| word == "none");
        let mutating = candidate.method != Method::Get && !harmless;
        let tags = node.child("tags").map(|tags| tags.items()).unwrap_or_default();
        let is_admin = |tag: &Node<'_>| tag.text().is_some_and(|t| t.eq_ignore_ascii_case("admin"));
        let admin = tags.iter().any(is_admin);
        Ok(Operation {
            id,
            method: candidate.method,
            path,
            summary: summary(node),
            impact: impact(candidate.method, mutating, admin, self.impact),
            mutating,
            admin,
            fields: fields::of(node, self.dialect)?,
            cost: cost(node)?,
        })
    }
}

/// `x-cost`: what a request costs under limits.
fn cost(node: &Node<'_>) -> Result<u32, Problem> {
    let Some(stated) = node.child("x-cost") else { return Ok(usual_cost()) };
    let cost = stated.scalar().parse::<u32>().ok().filter(|cost| *cost <= COST_MAX);
    cost.ok_or_else(|| {
        stated
            .problem("bad_cost", format!("`{}` is not a cost", stated.scalar()))
            .hint(format!("write a whole number from 0 to {COST_MAX}"))
    })
}

/// The summary, else the first line of the description.
fn summary(node: &Node<'_>) -> Option<String> {
    let text = node.text_of("summary").or_else(|| node.text_of("description"))?;
    let line = text.lines().next().unwrap_or_default();
    Some(line.chars().take(SUMMARY_CHARS_MAX).collect())
}

/// See the module above: by what the operation does, within one step of the API's impact.
pub(crate) fn impact(method: Method, mutating: bool, admin: bool, api: Impact) -> Impact {
    let own = match (method, mutating) {
        (_, _) if admin => Impact::High,
        (Method::Delete, true) => Impact::High,
        (_, true) => Impact::Medium,
        (_, false) => Impact::Low,
    };
    match api {
        Impact::Low => own.min(Impact::Medium),
        Impact::Medium => own,
        Impact::High => own.max(Impact::Medium),
    }
}

#[cfg(test)]
mod tests;

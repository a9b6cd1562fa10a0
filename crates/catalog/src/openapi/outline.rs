//! Which operations a document has, with their ids and the places where they are described: what
//! reading operations and compiling checks of their messages have in common, so that an id means
//! the same operation to both.

use std::collections::BTreeSet;

use base::{OperationId, Problem};

use super::node::Node;
use super::{OPERATIONS_MAX, naming};
use crate::Method;

/// Members of a path item that are no operations.
const NOT_METHODS: [&str; 5] = ["parameters", "summary", "description", "servers", "$ref"];

/// An operation of a document and where it stands there.
#[derive(Debug, Clone)]
pub struct Outlined<'d> {
    /// The id that the imported operation has.
    pub id: OperationId,
    /// The method.
    pub method: Method,
    /// The template as the document has it, without base path or prefix.
    pub path: &'d str,
    /// The path item, where parameters of all its operations may stand.
    pub item: Node<'d>,
    /// The operation itself.
    pub node: Node<'d>,
}

/// One operation before it has an id.
pub(super) struct Candidate<'d> {
    pub(super) method: Method,
    pub(super) path: &'d str,
    pub(super) item: Node<'d>,
    pub(super) node: Node<'d>,
}

/// Who is shown the operations of a document.
pub(super) trait Visitor<'d> {
    /// Takes what was left out.
    fn note(&mut self, note: String);
    /// Takes an operation: first those with an id of their own, then the others.
    fn operation(&mut self, candidate: Candidate<'d>) -> Result<(), Problem>;
}

/// The operations of a document, in the order in which ids are given.
///
/// # Errors
/// What [`super::import`] refuses for the ids, with the same problem.
pub fn outline<'d>(root: &Node<'d>) -> Result<Vec<Outlined<'d>>, Problem> {
    let mut lister = Lister::default();
    walk(paths(root)?, &mut lister)?;
    Ok(lister.found)
}

#[derive(Default)]
struct Lister<'d> {
    ids: Ids,
    found: Vec<Outlined<'d>>,
}

impl<'d> Visitor<'d> for Lister<'d> {
    fn note(&mut self, _: String) {}

    fn operation(&mut self, candidate: Candidate<'d>) -> Result<(), Problem> {
        self.ids.admit(&candidate)?;
        let id = self.ids.give(&candidate, &mut Vec::new())?;
        let Candidate { method, path, item, node } = candidate;
        self.found.push(Outlined { id, method, path, item, node });
        Ok(())
    }
}

/// The paths of a document. OpenAPI 3.1 allows a document without (webhooks only); it has nothing
/// to protect.
pub(super) fn paths<'d>(root: &Node<'d>) -> Result<Vec<(&'d str, Node<'d>)>, Problem> {
    let paths = root.child("paths").map_or(Ok(Vec::new()), |paths| paths.members())?;
    Ok(paths.into_iter().filter(|(path, _)| !path.starts_with("x-")).collect())
}

/// Shows all operations to a visitor.
pub(super) fn walk<'d>(
    paths: Vec<(&'d str, Node<'d>)>,
    visitor: &mut impl Visitor<'d>,
) -> Result<(), Problem> {
    let mut nameless = Vec::new();
    let mut items = Vec::new();
    for (path, item) in paths {
        items.push((path, item.resolve()?));
    }
    for (path, item) in items {
        for (method, node) in methods(path, &item, visitor)? {
            let named = node.child("operationId").is_some();
            let candidate = Candidate { method, path, item: item.clone(), node };
            if named {
                visitor.operation(candidate)?;
            } else {
                nameless.push(candidate);
            }
        }
    }
    // After those with ids of their own, so that a derived id never takes a stated one.
    nameless.into_iter().try_for_each(|candidate| visitor.operation(candidate))
}

/// The operations of a path item.
fn methods<'d>(
    path: &str,
    item: &Node<'d>,
    visitor: &mut impl Visitor<'d>,
) -> Result<Vec<(Method, Node<'d>)>, Problem> {
    let mut out = Vec::new();
    for (name, node) in item.members()? {
        if NOT_METHODS.contains(&name) || name.starts_with("x-") {
            continue;
        }
        if name == "head" {
            if item.child("get").is_none() {
                visitor.note(format!(
                    "HEAD {path} is left out: HEAD counts as GET, which the path does not have"
                ));
            }
            continue;
        }
        match name.to_ascii_uppercase().parse() {
            Ok(method) => out.push((method, node)),
            Err(_) => visitor.note(format!("`{name}` under {path} is left out: no method")),
        }
    }
    Ok(out)
}

/// Gives ids, each once.
#[derive(Default)]
pub(super) struct Ids {
    taken: BTreeSet<OperationId>,
}

impl Ids {
    /// Refuses what is no operation, or one too many.
    pub(super) fn admit(&self, candidate: &Candidate<'_>) -> Result<(), Problem> {
        if self.taken.len() >= OPERATIONS_MAX {
            let detail = format!("the document has more than {OPERATIONS_MAX} operations");
            return Err(candidate
                .node
                .problem("too_many_operations", detail)
                .hint("split it by path into several APIs"));
        }
        candidate.node.members().map(|_| ())
    }

    /// The id of a candidate; notes when it is not the stated one.
    pub(super) fn give(
        &mut self,
        candidate: &Candidate<'_>,
        notes: &mut Vec<String>,
    ) -> Result<OperationId, Problem> {
        let id = self.id(candidate, notes)?;
        self.taken.insert(id.clone());
        Ok(id)
    }

    fn id(
        &self,
        candidate: &Candidate<'_>,
        notes: &mut Vec<String>,
    ) -> Result<OperationId, Problem> {
        let Some(place) = candidate.node.child("operationId") else {
            let taken = |id: &OperationId| self.taken.contains(id);
            return naming::derived(candidate.method, candidate.path, taken)
                .ok_or_else(|| candidate.node.problem("bad_operation_id", "no id can be made"));
        };
        let stated = place.text().map(str::trim).unwrap_or_default();
        let id = naming::cleaned(stated).ok_or_else(|| {
            place
                .problem("bad_operation_id", "this cannot be an id")
                .hint("an id has 1 to 128 letters, digits, or . _ : @ / ~ + -")
        })?;
        if self.taken.contains(&id) {
            return Err(place
                .problem("operation_id_twice", format!("the operationId `{id}` occurs twice"))
                .hint("give every operation its own operationId"));
        }
        if id.as_str() != stated {
            notes.push(format!("operationId `{stated}` is imported as `{id}`"));
        }
        Ok(id)
    }
}

#[cfg(test)]
mod tests;

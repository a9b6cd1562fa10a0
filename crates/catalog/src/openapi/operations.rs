//! The operations of a document.

use std::collections::{BTreeMap, HashMap};

use base::{OperationId, Problem};

use super::base_path::{self, Prefix};
use super::node::Node;
use super::{Dialect, OPERATIONS_MAX, fields, naming};
use crate::{Impact, Method, Operation, Template};

/// The longest summary that is kept, in characters.
const SUMMARY_CHARS_MAX: usize = 200;
/// Members of a path item that are no operations.
const NOT_METHODS: [&str; 5] = ["parameters", "summary", "description", "servers", "$ref"];

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
    operations: BTreeMap<OperationId, Operation>,
    /// Shapes of templates by method, with the id of their operation.
    shapes: HashMap<(Method, String), OperationId>,
    notes: Vec<String>,
}

/// One operation before it has an id.
struct Candidate<'d, 'n> {
    method: Method,
    path: &'n str,
    item: &'n Node<'d>,
    node: &'n Node<'d>,
}

/// Reads all operations.
pub(super) fn read(
    root: &Node<'_>,
    dialect: Dialect,
    prefix: Prefix<'_>,
    impact: Impact,
) -> Result<Found, Problem> {
    // OpenAPI 3.1 allows a document without paths (webhooks only); it has nothing to protect.
    let paths = root.child("paths").map_or(Ok(Vec::new()), |paths| paths.members())?;
    let paths: Vec<_> = paths.into_iter().filter(|(path, _)| !path.starts_with("x-")).collect();
    let mut reader = Reader {
        dialect,
        prefix,
        impact,
        base: base_path::of(root, dialect)?,
        all_under: paths.iter().all(|(path, _)| prefix.contains(path)),
        operations: BTreeMap::new(),
        shapes: HashMap::new(),
        notes: Vec::new(),
    };
    let mut nameless = Vec::new();
    let mut items = Vec::new();
    for (path, item) in paths {
        items.push((path, item.resolve()?));
    }
    for (path, item) in &items {
        for (method, node) in reader.methods(path, item)? {
            if node.child("operationId").is_some() {
                reader.take(&Candidate { method, path, item, node: &node })?;
            } else {
                nameless.push((method, *path, item, node));
            }
        }
    }
    // After those with ids of their own, so that a derived id never takes a stated one.
    for (method, path, item, node) in &nameless {
        reader.take(&Candidate { method: *method, path, item, node })?;
    }
    let operations = reader.operations.into_values().collect();
    Ok(Found { operations, notes: reader.notes })
}

impl Reader<'_> {
    /// The operations of a path item.
    fn methods<'d>(
        &mut self,
        path: &str,
        item: &Node<'d>,
    ) -> Result<Vec<(Method, Node<'d>)>, Problem> {
        let mut out = Vec::new();
        for (name, node) in item.members()? {
            if NOT_METHODS.contains(&name) || name.starts_with("x-") {
                continue;
            }
            if name == "head" {
                if item.child("get").is_none() {
                    self.notes.push(format!(
                        "HEAD {path} is left out: HEAD counts as GET, which the path does not have"
                    ));
                }
                continue;
            }
            match name.to_ascii_uppercase().parse() {
                Ok(method) => out.push((method, node)),
                Err(_) => self.notes.push(format!("`{name}` under {path} is left out: no method")),
            }
        }
        Ok(out)
    }

    fn take(&mut self, candidate: &Candidate<'_, '_>) -> Result<(), Problem> {
        let node = candidate.node;
        if self.operations.len() >= OPERATIONS_MAX {
            let detail = format!("the document has more than {OPERATIONS_MAX} operations");
            return Err(node
                .problem("too_many_operations", detail)
                .hint("split it by path into several APIs"));
        }
        node.members()?;
        let path = self.full_path(candidate)?;
        let id = self.id(candidate)?;
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
        let operation = self.operation(candidate, id.clone(), path)?;
        self.operations.insert(id, operation);
        Ok(())
    }

    /// The template as callers write it; servers of the operation come before those of the path,
    /// and those before the document's.
    fn full_path(&self, candidate: &Candidate<'_, '_>) -> Result<String, Problem> {
        let mut nearer = None;
        if self.dialect == Dialect::OpenApi3 {
            nearer = base_path::own(candidate.node, self.dialect)?;
            if nearer.is_none() {
                nearer = base_path::own(candidate.item, self.dialect)?;
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

    fn id(&mut self, candidate: &Candidate<'_, '_>) -> Result<OperationId, Problem> {
        let Some(place) = candidate.node.child("operationId") else {
            let taken = |id: &OperationId| self.operations.contains_key(id);
            return naming::derived(candidate.method, candidate.path, taken)
                .ok_or_else(|| candidate.node.problem("bad_operation_id", "no id can be made"));
        };
        let stated = place.text().map(str::trim).unwrap_or_default();
        let id = naming::cleaned(stated).ok_or_else(|| {
            place
                .problem("bad_operation_id", "this cannot be an id")
                .hint("an id has 1 to 128 letters, digits, or . _ : @ / ~ + -")
        })?;
        if self.operations.contains_key(&id) {
            return Err(place
                .problem("operation_id_twice", format!("the operationId `{id}` occurs twice"))
                .hint("give every operation its own operationId"));
        }
        if id.as_str() != stated {
            self.notes.push(format!("operationId `{stated}` is imported as `{id}`"));
        }
        Ok(id)
    }

    fn operation(
        &self,
        candidate: &Candidate<'_, '_>,
        id: OperationId,
        path: String,
    ) -> Result<Operation, Problem> {
        let node = candidate.node;
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
        })
    }
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

//! From a document to the checks of its operations.

mod bodies;
mod parameters;

use std::sync::Arc;

use base::{OperationId, Problem};
use catalog::openapi::{self, Dialect, Node, Outlined, Source};
use rustc_hash::FxHashMap;

use crate::Options;
use crate::operation::{Body, OperationContract, Query, Response};
use crate::schema::Schemas;
use crate::schema::compile::{Compiler, known_dialect};
use parameters::{Draft, In};

/// The most notes that are kept.
const NOTES_MAX: usize = 200;

/// An operation whose schemas are not compiled yet.
struct Half<'d> {
    id: OperationId,
    pointer: Box<str>,
    parameters: Vec<Draft<'d>>,
    body: Option<Body>,
    responses: Vec<Response>,
}

/// What reading carries along.
struct Reader<'d> {
    dialect: Dialect,
    root: Node<'d>,
    compiler: Compiler<'d>,
    notes: Notes,
}

/// What is not checked, for people to read.
#[derive(Default)]
struct Notes {
    kept: Vec<String>,
    more: usize,
}

type Operations = FxHashMap<OperationId, OperationContract>;

/// Reads a document: its operations, and notes on what is not checked.
pub(crate) fn document(
    text: &str,
    name: &str,
    options: Options,
) -> Result<(Operations, Vec<String>), Problem> {
    let value = openapi::parse(text, name)?;
    let source = Source { name, text };
    let root = Node::root(&source, &value);
    let dialect = openapi::dialect(&root)?;
    if let Some(place) = root.child("jsonSchemaDialect").filter(|_| dialect == Dialect::OpenApi31) {
        known_dialect(&place)?;
    }
    let compiler = Compiler::new(dialect);
    let mut reader = Reader { dialect, root, compiler, notes: Notes::default() };
    let mut halves = Vec::new();
    for operation in openapi::outline(&reader.root)? {
        halves.push(reader.half(&operation)?);
    }
    let keys = reader.keys_in_query()?;
    let Reader { compiler, mut notes, .. } = reader;
    let shared = Shared { schemas: Arc::new(compiler.finish()?), keys, options };
    let whole = |half: Half<'_>| (half.id.clone(), shared.whole(half, &mut notes));
    let operations = halves.into_iter().map(whole).collect();
    Ok((operations, notes.finish()))
}

impl<'d> Reader<'d> {
    fn half(&mut self, operation: &Outlined<'d>) -> Result<Half<'d>, Problem> {
        let id = &operation.id;
        let all = parameters::of(operation)?;
        let body = self.body(operation, &all)?;
        let mut parameters = Vec::new();
        for node in &all {
            parameters.extend(self.parameter(id, node)?);
        }
        let responses = self.responses(operation)?;
        let pointer = operation.node.pointer().into();
        Ok(Half { id: id.clone(), pointer, parameters, body, responses })
    }

    /// Names that keys have in the query, by the security schemes of the document.
    fn keys_in_query(&self) -> Result<Arc<[Box<str>]>, Problem> {
        let schemes = match self.dialect {
            Dialect::Swagger2 => self.root.child("securityDefinitions"),
            Dialect::OpenApi30 | Dialect::OpenApi31 => {
                self.root.child("components").and_then(|all| all.child("securitySchemes"))
            }
        };
        let mut names: Vec<Box<str>> = Vec::new();
        for (_, scheme) in schemes.map_or(Ok(Vec::new()), |all| all.members())? {
            let scheme = scheme.resolve()?;
            let says = |name: &str, word: &str| scheme.text_of(name).is_some_and(|t| t == word);
            if says("type", "apiKey") && says("in", "query") {
                names.extend(scheme.text_of("name").map(Box::from));
            }
        }
        Ok(names.into())
    }
}

/// What all operations have in common.
struct Shared {
    schemas: Arc<Schemas>,
    keys: Arc<[Box<str>]>,
    options: Options,
}

impl Shared {
    fn whole(&self, half: Half<'_>, notes: &mut Notes) -> OperationContract {
        let Half { id, pointer, parameters, body, mut responses } = half;
        responses.sort_by_key(|response| response.statuses);
        let (mut path, mut query, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        let mut strict = self.options.strict_query;
        for draft in parameters {
            let place = draft.place;
            let (parameter, any_name) = draft.finish(&self.schemas, &id, notes);
            strict &= !any_name;
            match place {
                In::Path => path.push(parameter),
                In::Query => query.push(parameter),
                In::Header => headers.push(parameter),
            }
        }
        OperationContract {
            schemas: Arc::clone(&self.schemas),
            pointer,
            path: path.into(),
            headers: headers.into(),
            query: Query { parameters: query.into(), strict, also: Arc::clone(&self.keys) },
            body,
            closed: self.options.closed,
            responses: responses.into(),
        }
    }
}

impl Notes {
    fn add(&mut self, id: &OperationId, what: impl AsRef<str>) {
        if self.kept.len() < NOTES_MAX {
            self.kept.push(format!("operation `{id}`: {}", what.as_ref()));
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} more things that are not checked", self.more));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests;

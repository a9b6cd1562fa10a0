//! From the nodes of a document to [`Schemas`]. What cannot be checked as it is written is a
//! problem that says where; only keywords that say nothing about a value are passed over.
//!
//! The dialects differ in few things, and where a document uses a word of another dialect, it is
//! taken as it is evidently meant (`const` in OpenAPI 3.0):
//! - `$ref` excludes its neighbours in Swagger 2.0 and OpenAPI 3.0, and stands beside them in 3.1.
//! - `nullable` (3.0) and `x-nullable` (2.0) let `null` in, unless an `enum` does not list it.
//! - `exclusiveMinimum` and `exclusiveMaximum` are flags in the older two and numbers in 3.1.
//! - `discriminator` repeats what `oneOf` says, and is not looked at.

use base::Problem;
use catalog::openapi::{Dialect, Node};
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::pattern::Patterns;
use super::{Id, Part, Rest, Schema, Schemas, graph, keywords};

/// How many schemas one document may have that its messages can meet.
const SCHEMAS_MAX: usize = 250_000;

/// What changes what a schema means in ways that are not followed, and what to write instead.
const UNSUPPORTED: [(&str, &str); 4] = [
    ("dependencies", "write `dependentRequired` or `dependentSchemas`"),
    ("$id", "remove it: references are JSON pointers within the document"),
    ("$dynamicRef", "write `$ref` with a JSON pointer"),
    ("$recursiveRef", "write `$ref` with a JSON pointer"),
];
/// The schema dialects that are those of OpenAPI 3.1.
const META_SCHEMAS: [&str; 2] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
];

/// Compiles the schemas of one document.
pub(crate) struct Compiler<'d> {
    pub(super) dialect: Dialect,
    pub(super) patterns: Patterns,
    /// Schemas by the address of their value, which stays where it is while the document is read.
    /// So a schema is compiled once, however many references lead to it, and may contain itself.
    known: FxHashMap<usize, Id>,
    nodes: Vec<(Node<'d>, Kind)>,
}

/// What a node is that a schema is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Schema,
    /// A parameter of Swagger 2.0, which has the keywords of its schema in itself, beside its own.
    Parameter,
}

impl<'d> Compiler<'d> {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            patterns: Patterns::default(),
            known: FxHashMap::default(),
            nodes: Vec::new(),
        }
    }

    /// The number of the schema at `node`, which is compiled in [`Self::finish`].
    pub(crate) fn schema(&mut self, node: &Node<'d>) -> Result<Id, Problem> {
        self.number(node, Kind::Schema)
    }

    /// The same for a parameter of Swagger 2.0.
    pub(crate) fn parameter(&mut self, node: &Node<'d>) -> Result<Id, Problem> {
        self.number(node, Kind::Parameter)
    }

    fn number(&mut self, node: &Node<'d>, kind: Kind) -> Result<Id, Problem> {
        let address = std::ptr::from_ref::<Value>(node.value()).addr();
        if let Some(id) = self.known.get(&address) {
            return Ok(*id);
        }
        let index = self.nodes.len();
        if index >= SCHEMAS_MAX {
            let detail = format!("the document has more than {SCHEMAS_MAX} schemas");
            return Err(node
                .problem("too_many_schemas", detail)
                .hint("split the API, or describe it with fewer schemas"));
        }
        self.known.insert(address, Id::of(index));
        self.nodes.push((node.clone(), kind));
        Ok(Id::of(index))
    }

    /// Compiles all schemas that were asked for, and those that they refer to.
    pub(crate) fn finish(mut self) -> Result<Schemas, Problem> {
        let mut all = Vec::new();
        while let Some((node, kind)) = self.nodes.get(all.len()).cloned() {
            all.push(self.compile(&node, kind)?);
        }
        let nodes: Vec<Node<'d>> = self.nodes.into_iter().map(|(node, _)| node).collect();
        graph::complete(&mut all, &nodes)?;
        Ok(Schemas::new(all))
    }

    fn compile(&mut self, node: &Node<'d>, kind: Kind) -> Result<Schema, Problem> {
        let mut schema = Schema { pointer: node.pointer().into(), ..Schema::default() };
        match node.value() {
            Value::Bool(verdict) => {
                schema.verdict = Some(*verdict);
                return Ok(schema);
            }
            Value::Object(_) => {}
            _ => {
                return Err(node
                    .problem("bad_schema", "a schema is expected here")
                    .hint("a schema is an object, `true` or `false`"));
            }
        }
        let reference = node.child("$ref").filter(|_| kind == Kind::Schema);
        if let Some(reference) = &reference {
            let target = self.schema(&referred(reference)?)?;
            schema.parts = [Part::All([target].into())].into();
            if self.dialect != Dialect::OpenApi31 {
                return Ok(schema);
            }
        }
        supported(node)?;
        keywords::of_any(self, node, &mut schema)?;
        schema.numbers = keywords::of_numbers(self, node)?;
        schema.texts = keywords::of_texts(self, node)?;
        schema.arrays = keywords::of_arrays(self, node)?;
        schema.objects = keywords::of_objects(self, node, kind == Kind::Schema)?;
        let mut parts = std::mem::take(&mut schema.parts).into_vec();
        parts.extend(keywords::of_parts(self, node)?);
        schema.parts = parts.into();
        schema.rest = self.rest(node)?;
        Ok(schema)
    }

    fn rest(&mut self, node: &Node<'d>) -> Result<Option<Box<Rest>>, Problem> {
        let properties = self.at(node, "unevaluatedProperties")?;
        let items = self.at(node, "unevaluatedItems")?;
        let stated = properties.is_some() || items.is_some();
        Ok(stated.then(|| Box::new(Rest { properties, items })))
    }

    /// The schema under a keyword.
    pub(super) fn at(&mut self, node: &Node<'d>, keyword: &str) -> Result<Option<Id>, Problem> {
        node.child(keyword).map(|node| self.schema(&node)).transpose()
    }
}

/// Where a `$ref` of a schema leads.
fn referred<'d>(reference: &Node<'d>) -> Result<Node<'d>, Problem> {
    let text = reference.text().ok_or_else(|| {
        reference
            .problem("bad_schema", "a reference is a text")
            .hint("write it like `#/components/schemas/Order`")
    })?;
    if text.starts_with('#') && !text.starts_with("#/") && text != "#" {
        return Err(reference
            .problem("unsupported_schema", format!("`{text}` refers to an anchor"))
            .hint("write a JSON pointer, like `#/components/schemas/Order`"));
    }
    reference.target()
}

/// Refuses what would change the meaning of other keywords.
fn supported(node: &Node<'_>) -> Result<(), Problem> {
    for (keyword, hint) in UNSUPPORTED {
        if let Some(place) = node.child(keyword) {
            let detail = format!("`{keyword}` is not supported in schemas");
            return Err(place.problem("unsupported_schema", detail).hint(hint));
        }
    }
    match node.child("$schema") {
        Some(place) => known_dialect(&place),
        None => Ok(()),
    }
}

/// Refuses a schema dialect that is not that of OpenAPI 3.1.
pub(crate) fn known_dialect(place: &Node<'_>) -> Result<(), Problem> {
    let stated = place.scalar();
    if META_SCHEMAS.contains(&stated.trim_end_matches('#')) {
        return Ok(());
    }
    Err(place
        .problem("unsupported_schema", format!("the schema dialect `{stated}` is not known"))
        .hint("write schemas in JSON Schema 2020-12 and leave the dialect out"))
}

#[cfg(test)]
mod tests;

//! Import of service descriptions: OpenAPI 3.0 and 3.1, Swagger 2.0, in JSON or YAML.
//!
//! A document is taken whole or refused with one problem that says where. What it leaves open is
//! decided here and nowhere else:
//! - **Base path**: see [`Prefix`].
//! - **Impact** of an operation: DELETE and administration are high, other changes medium, reads
//!   low; then moved to within one step of the API's own impact, because reads of a ledger are not
//!   trivial and deletes of a sandbox are no disaster.
//! - **HEAD** counts as GET and is not imported. Where a path has no GET, that is noted.
//! - **Fields** without `x-data-class` have the class of what encloses them, else `internal`.
//! - `$ref` reaches within the document only; the shell may bundle, this does not fetch.

mod base_path;
mod fields;
pub(crate) mod naming;
mod node;
mod operations;
mod outline;
mod parse;
mod place;

use base::Problem;

use crate::{DataClass, Impact, Operation};

pub use base_path::Prefix;
pub use node::{Node, Source};
pub(crate) use operations::impact;
pub use outline::{Outlined, outline};
pub use parse::document as parse;

/// The longest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most operations that a document may have.
pub const OPERATIONS_MAX: usize = 10_000;

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `info.title`.
    pub title: Option<String>,
    /// Where the document says its API lives: the path of `servers[0].url`, or `basePath`.
    pub base_path: String,
    /// `info.x-owner-team`.
    pub owner_team: Option<String>,
    /// `info.x-environment`.
    pub environment: Option<String>,
    /// `info.x-data-class`.
    pub data_class: Option<DataClass>,
    /// Sorted by id.
    pub operations: Vec<Operation>,
    /// What was left out or changed, for people to read.
    pub notes: Vec<String>,
}

/// Which dialect a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `swagger: "2.0"`.
    Swagger2,
    /// `openapi: 3.0.x`: schemas in a dialect of their own.
    OpenApi30,
    /// `openapi: 3.1.x`: schemas are JSON Schema 2020-12.
    OpenApi31,
}

/// Reads a document. `name` is the file or address that problems name; `prefix` is where the API
/// is proxied; `impact` is the API's own.
pub fn import(
    text: &str,
    name: &str,
    prefix: Prefix<'_>,
    impact: Impact,
) -> Result<Document, Problem> {
    let value = parse(text, name)?;
    let source = Source { name, text };
    let root = Node::root(&source, &value);
    let dialect = dialect(&root)?;
    let info = root.child("info");
    let text_of = |member: &str| info.as_ref().and_then(|info| info.text_of(member));
    let data_class = match info.as_ref().and_then(|info| info.child("x-data-class")) {
        Some(class) => Some(fields::class(&class)?),
        None => None,
    };
    let found = operations::read(&root, dialect, prefix, impact)?;
    Ok(Document {
        title: text_of("title"),
        base_path: base_path::of(&root, dialect)?,
        owner_team: text_of("x-owner-team"),
        environment: text_of("x-environment"),
        data_class,
        operations: found.operations,
        notes: found.notes,
    })
}

/// The dialect that a document says it is written in.
///
/// # Errors
/// It says none, or one that cannot be read.
pub fn dialect(root: &Node<'_>) -> Result<Dialect, Problem> {
    let version = |member: &str| root.child(member).map(|node| node.scalar());
    if let Some(version) = version("swagger") {
        return match version.as_str() {
            // Unquoted in YAML it is a number.
            "2.0" | "2" => Ok(Dialect::Swagger2),
            other => Err(unknown_version(root, "swagger", other)),
        };
    }
    match version("openapi") {
        Some(version) if version.starts_with("3.0") => Ok(Dialect::OpenApi30),
        Some(version) if version.starts_with("3.1") => Ok(Dialect::OpenApi31),
        Some(other) => Err(unknown_version(root, "openapi", &other)),
        None => Err(root
            .problem("not_openapi", "this is neither an OpenAPI nor a Swagger document")
            .hint("the document needs `openapi: 3.x` or `swagger: \"2.0\"` at its top")),
    }
}

fn unknown_version(root: &Node<'_>, member: &str, version: &str) -> Problem {
    let place = root.child(member).unwrap_or_else(|| root.clone());
    place
        .problem("unsupported_version", format!("version `{version}` cannot be read"))
        .hint("give OpenAPI 3.0 or 3.1, or Swagger 2.0")
}

#[cfg(test)]
mod tests;

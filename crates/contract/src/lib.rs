//! The contract of an API: requests and responses checked against the OpenAPI document that
//! describes them (OpenAPI 3.0 and 3.1, Swagger 2.0), and the reader of JSON that such checks need.
//!
//! A document is compiled whole or refused with a problem that says where: what cannot be checked
//! as it is written does not silently go unchecked. What is left unchecked on purpose is told by
//! [`Contract::notes`]. Violations hold names and what the document expects, never values.
//!
//! No I/O, no clock, no randomness. Does not know who calls and does not decide what becomes of a
//! message with violations; fetches no references.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

mod form;
mod media;
pub mod operation;
mod parameter;
pub mod path;
mod place;
mod read;
mod run;
mod schema;
pub mod strict;
mod text;
mod violation;
pub mod writable;

use base::{OperationId, Problem};
use rustc_hash::FxHashMap;

pub use operation::{Head, OperationContract};
pub use place::Place;
pub use violation::{Rule, VIOLATIONS_MAX, Violation};

/// What is checked beyond what the document says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Names in the query that the operation does not list are violations.
    pub strict_query: bool,
    /// Objects in requests take only the properties that some schema for them describes, unless a
    /// schema says with `additionalProperties` what others there may be. An object of which no
    /// schema describes any property stays open.
    pub closed: bool,
}

/// The checks of all operations of a document. Compiled once, then shared: all threads may use one
/// at the same time.
#[derive(Debug)]
pub struct Contract {
    operations: FxHashMap<OperationId, OperationContract>,
    notes: Vec<String>,
}

impl Contract {
    /// Compiles a document in JSON or YAML. `name` is the file or address that problems name. The
    /// operations have the ids that [`catalog::import`] gives them.
    ///
    /// # Errors
    /// A document that is none, that has what cannot be checked (a reference to another document,
    /// a pattern that looks ahead, a schema that is made of itself), or that is too large. The
    /// problem has the line where it can be found, the JSON pointer and a hint.
    pub fn compile(text: &str, name: &str, options: Options) -> Result<Self, Problem> {
        let (operations, notes) = read::document(text, name, options)?;
        Ok(Self { operations, notes })
    }

    /// The checks of an operation; `None` when the document does not have it.
    pub fn operation(&self, id: &OperationId) -> Option<&OperationContract> {
        self.operations.get(id)
    }

    /// What is not checked, for people to read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests;

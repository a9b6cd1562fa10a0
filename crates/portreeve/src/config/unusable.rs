//! A configuration that cannot be used, and how that is said.

use serde::Serialize;
use serde_json::json;

use super::diagnostic::{Diagnostic, Diagnostics};
use crate::failure::Failure;
use crate::output::Output;

/// One error, for scripts.
#[derive(Debug, Serialize)]
struct Wrong<'a> {
    line: Option<usize>,
    column: Option<usize>,
    what: &'a str,
    why: Option<&'a str>,
    hint: Option<&'a str>,
}

/// What can be wrong with a configuration: the file, or something that it names.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The file.
    File(Diagnostics),
    /// Something that it names.
    Named(Failure),
}

impl Unusable {
    /// Prints all of it: as text on standard error, as JSON on standard output.
    pub(crate) fn print(&self, out: Output) -> Result<(), Failure> {
        match self {
            Self::File(found) if out.json => {
                let errors: Vec<_> = found.items.iter().map(|item| wrong(found, item)).collect();
                out.line(&json!({"file": found.file, "errors": errors}))
            }
            Self::File(found) => {
                eprint!("{found}");
                Ok(())
            }
            Self::Named(failure) if out.json => {
                out.line(&json!({"file": failure.problem.place, "errors": [failure.problem]}))
            }
            Self::Named(failure) => {
                failure.print();
                Ok(())
            }
        }
    }
}

fn wrong<'a>(found: &'a Diagnostics, item: &'a Diagnostic) -> Wrong<'a> {
    let place = item.span.as_ref().map(|span| found.place(span));
    Wrong {
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        what: &item.what,
        why: item.why.as_deref(),
        hint: item.hint.as_deref(),
    }
}

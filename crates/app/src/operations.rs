//! From words to operations: what `read`, `write`, `all` and operation ids mean for one API.
//!
//! | word | covers |
//! |--|--|
//! | `read` | the operations that change nothing, as the catalogue has them now |
//! | `write` | these, and those that change something but are not administration |
//! | `all` | `*`: every operation, also those added later |
//!
//! Administration that changes something is never covered by a word but `all`: it is named. A word
//! wins over an operation with the same id.

use std::collections::BTreeSet;

use base::{OperationId, Problem, RoleId};
use catalog::{Api, Operation};
use grant::{Grant, OperationSet};

use crate::grant::granted;
use crate::input;

/// The words that stand for several operations.
pub(crate) const WORDS: [&str; 3] = ["read", "write", "all"];

/// What stands before the id of a role.
const ROLE: &str = "role:";

/// The roles that a list of words names, and the other words.
pub(crate) fn roles(can: &[String]) -> Result<(BTreeSet<RoleId>, Vec<String>), Problem> {
    let mut roles = BTreeSet::new();
    let mut rest = Vec::new();
    for word in can {
        match word.strip_prefix(ROLE) {
            Some(id) => drop(roles.insert(input::id("can", id)?)),
            None => rest.push(word.clone()),
        }
    }
    Ok((roles, rest))
}

/// The operations that a list of words and ids covers.
pub(crate) fn operations(can: &[String], api: &Api) -> Result<OperationSet, Problem> {
    if can.iter().any(|word| word == "all" || word == "*") {
        return Ok(OperationSet::ALL);
    }
    let mut ids = BTreeSet::new();
    for word in can {
        let covers: fn(&Operation) -> bool = match word.as_str() {
            "read" => |operation| !operation.mutating,
            "write" => |operation| !operation.mutating || !operation.admin,
            id => {
                ids.insert(named(id, api)?);
                continue;
            }
        };
        ids.extend(api.operations.iter().filter(|op| covers(op)).map(|op| op.id.clone()));
    }
    if ids.is_empty() {
        let detail = format!("that covers no operation of `{}`", api.name);
        let problem = Problem::invalid("nothing_granted", detail).at("can");
        return Err(match api.operations.is_empty() {
            true => problem.hint("import the API's operations first, or grant all"),
            false => problem.hint("say read, write, all or operation ids"),
        });
    }
    Ok(OperationSet::Only(ids))
}

/// Some of the operations that a grant covers now.
pub(crate) fn only(
    keep: &[String],
    grant: &Grant,
    api: Option<&Api>,
) -> Result<BTreeSet<OperationId>, Problem> {
    keep.iter().map(|id| existing(id, "operations", &[], granted(grant, api))).collect()
}

/// An operation by its id. What is none may be a slip of one of the words, too.
fn named(text: &str, api: &Api) -> Result<OperationId, Problem> {
    let ids = api.operations.iter().map(|operation| &operation.id);
    existing(text, "can", &WORDS, ids)
}

fn existing<'a>(
    text: &str,
    field: &str,
    words: &[&str],
    known: impl IntoIterator<Item = &'a OperationId>,
) -> Result<OperationId, Problem> {
    let known: Vec<_> = known.into_iter().collect();
    if let Some(id) = known.iter().find(|id| id.as_str() == text) {
        return Ok((*id).clone());
    }
    let detail = format!("there is no operation `{text}` here");
    let problem = Problem::invalid("unknown_operation", detail).at(field);
    let ids = known.into_iter().map(OperationId::as_str);
    Err(input::with_nearest(problem, text, words.iter().copied().chain(ids)))
}

//! Operations without a document: a plain list of them, as whoever runs a gRPC service has it.
//!
//! `/package.Service/Method` is a gRPC method: it is called by POST, and its id is its full name.
//! `METHOD /path/{template}` is any other operation, with an id made of both. What a list does not
//! say is taken for the worse: every method but GET changes something.

use std::collections::BTreeSet;

use base::{OperationId, Problem};

use crate::openapi::{OPERATIONS_MAX, impact, naming};
use crate::{Impact, Method, Operation, Template};

/// Reads a list. `prefix` is the path of the API, under which all of them lie; `impact` is the
/// API's own. Problems name the entry that is wrong, counted from 0.
pub fn operations(
    entries: &[impl AsRef<str>],
    prefix: &str,
    impact: Impact,
) -> Result<Vec<Operation>, Problem> {
    if entries.len() > OPERATIONS_MAX {
        let detail = format!("an API has at most {OPERATIONS_MAX} operations");
        return Err(Problem::invalid("too_many_operations", detail).at("operations"));
    }
    let mut found: Vec<Operation> = Vec::with_capacity(entries.len());
    let (mut shapes, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (index, entry) in entries.iter().enumerate() {
        let entry = entry.as_ref().trim();
        let wrong = |reason: &str, why: String| {
            Problem::invalid(reason, format!("`{entry}`: {why}"))
                .at(format!("operations[{index}]"))
                .hint("write it like /shop.Orders/Get, or GET /orders/{id}")
        };
        let (method, path) = split(entry).map_err(|why| wrong("bad_operation", why))?;
        let template =
            Template::parse(path).map_err(|error| wrong("bad_operation", error.to_string()))?;
        if !lies_under(path, prefix) {
            return Err(wrong("outside_api", format!("it is not under the API's path `{prefix}`")));
        }
        if !shapes.insert((method.unwrap_or(Method::Post), template.shape())) {
            return Err(wrong("operation_twice", "another entry matches the same".to_owned()));
        }
        let taken = |id: &OperationId| ids.contains(id);
        let id = id(method, path, taken)
            .ok_or_else(|| wrong("bad_operation", "no id can be made of it".to_owned()))?;
        ids.insert(id.clone());
        found.push(operation(id, method.unwrap_or(Method::Post), path, impact));
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

/// The method, where one is written, and the path.
fn split(entry: &str) -> Result<(Option<Method>, &str), String> {
    if entry.starts_with('/') {
        return Ok((None, entry));
    }
    let (method, path) = entry.split_once(' ').ok_or("it has no path".to_owned())?;
    let method = method.parse().map_err(|error: base::words::UnknownWord| error.to_string())?;
    Ok((Some(method), path.trim_start()))
}

fn lies_under(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn id(
    method: Option<Method>,
    path: &str,
    taken: impl Fn(&OperationId) -> bool,
) -> Option<OperationId> {
    match method {
        None => OperationId::parse(path.trim_matches('/')).ok().filter(|id| !taken(id)),
        Some(method) => naming::derived(method, path, taken),
    }
}

fn operation(id: OperationId, method: Method, path: &str, api: Impact) -> Operation {
    let mutating = method != Method::Get;
    Operation {
        id,
        method,
        path: path.to_owned(),
        summary: None,
        impact: impact(method, mutating, false, api),
        mutating,
        admin: false,
        fields: Vec::new(),
        cost: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_operation_of_the_api_is_refused_with_its_place() {
        let cases: [(&[&str], &str); 9] = [
            (&[""], "bad_operation"),
            (&["shop.Orders/Get"], "bad_operation"),
            (&["FETCH /orders"], "bad_operation"),
            (&["GET orders"], "bad_operation"),
            (&["/shop.Orders//Get"], "bad_operation"),
            (&["/shop.Orders/{x}{y}"], "bad_operation"),
            (&["/shop.Ordersx/Get"], "outside_api"),
            (&["/shop.Orders/Get", "/shop.Orders/Get"], "operation_twice"),
            (&["/shop.Orders/Get", "POST /shop.Orders/Get"], "operation_twice"),
        ];
        for (entries, reason) in cases {
            let problem = operations(entries, "/shop.Orders", Impact::Medium).unwrap_err();
            assert_eq!(problem.reason, reason, "{entries:?}");
            let place = format!("operations[{}]", entries.len() - 1);
            assert_eq!(problem.place.as_deref(), Some(place.as_str()), "{entries:?}");
        }
    }

    #[test]
    fn a_grpc_method_is_named_as_grpc_names_it() {
        let entries = ["/shop.Orders/Watch", "/shop.Orders/Get"];
        let found = operations(&entries, "/", Impact::Medium).unwrap();
        let seen: Vec<_> =
            found.iter().map(|op| (op.id.as_str(), op.method, op.mutating)).collect();
        let expected =
            [("shop.Orders/Get", Method::Post, true), ("shop.Orders/Watch", Method::Post, true)];
        assert_eq!(seen, expected);
        assert_eq!(found[0].path, "/shop.Orders/Get");
    }

    #[test]
    fn any_other_operation_is_named_by_method_and_path() {
        let entries = ["GET /orders/{id}", "DELETE  /orders/{id}", "GET /orders-{id}"];
        let found = operations(&entries, "/", Impact::High).unwrap();
        let seen: Vec<_> =
            found.iter().map(|op| (op.id.as_str(), op.mutating, op.impact)).collect();
        let expected = [
            ("delete_orders_id", true, Impact::High),
            ("get_orders_id", false, Impact::Medium),
            ("get_orders_id_2", false, Impact::Medium),
        ];
        assert_eq!(seen, expected);
    }
}

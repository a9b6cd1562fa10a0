//! Where the operations of a document live, as callers write it.

use base::Problem;

use super::Dialect;
use super::node::Node;

/// Where an API is proxied.
///
/// The full template of an operation is the document's base path and its own path, when that lies
/// under the API's prefix. If it does not, the document was written for another place: its paths
/// are taken as they are when all of them begin with the prefix already, and otherwise the prefix
/// takes the place of the base path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'p>(pub Option<&'p str>);

impl Prefix<'_> {
    /// The full template of `path`. `all_under` tells whether every path of the document begins
    /// with the prefix.
    pub(super) fn full(self, base: &str, path: &str, all_under: bool) -> String {
        let prefix = self.0.unwrap_or("/");
        if is_under(base, prefix) {
            return format!("{base}{path}");
        }
        if all_under { path.to_owned() } else { format!("{}{path}", prefix.trim_end_matches('/')) }
    }

    /// `path` begins with the prefix and a segment boundary.
    pub(super) fn contains(self, path: &str) -> bool {
        self.0.is_none_or(|prefix| is_under(path, prefix))
    }
}

fn is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The base path that applies at `node` (the document, a path item or an operation), without
/// trailing slash; empty when it gives none.
pub(super) fn of(node: &Node<'_>, dialect: Dialect) -> Result<String, Problem> {
    Ok(own(node, dialect)?.unwrap_or_default())
}

/// The base path that `node` itself states.
pub(super) fn own(node: &Node<'_>, dialect: Dialect) -> Result<Option<String>, Problem> {
    if dialect == Dialect::Swagger2 {
        return Ok(node.text_of("basePath").map(|base| normal(&base)));
    }
    let Some(server) = node.child("servers").and_then(|list| list.items().into_iter().next())
    else {
        return Ok(None);
    };
    let Some(url) = server.text_of("url") else {
        return Err(server
            .problem("bad_server", "a server needs a `url`")
            .hint("write the address that the API has, e.g. https://api.example.com/orders"));
    };
    Ok(Some(normal(path_of(&with_defaults(&url, &server)?))))
}

/// Puts the defaults of the server's variables in place of `{name}`.
fn with_defaults(url: &str, server: &Node<'_>) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let variable = server.child("variables").and_then(|all| all.child(name));
        let Some(default) = variable.and_then(|variable| variable.text_of("default")) else {
            return Err(server
                .problem("bad_server", format!("the variable `{name}` has no default"))
                .hint("give it one under `variables`"));
        };
        out.push_str(before);
        out.push_str(&default);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The path of an absolute or relative address (RFC 3986 §4.2), without query and fragment.
fn path_of(url: &str) -> &str {
    let authority = url.split_once("://").map(|(_, rest)| rest).or(url.strip_prefix("//"));
    let rest = authority
        .map_or(url, |rest| rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or_default());
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// With leading slash and without trailing one; empty for the root.
fn normal(path: &str) -> String {
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
}

#[cfg(test)]
mod tests;

//! What the scopes of a token leave of the grants. They never add anything.
//!
//! A scope names the operation by its id alone (`getOrder`), or by `<api id>:` and one of: the
//! operation's id, `read` (operations that change nothing), `write` (those that change
//! something), `all`. Scopes of any other form name nothing, so a token that has only such
//! scopes, or none, is refused wherever its issuer's scopes are enforced.

use base::ApiId;
use catalog::Operation;

/// Whether one of the scopes names the operation.
pub(crate) fn allow(scopes: &[String], api: &ApiId, operation: &Operation) -> bool {
    scopes.iter().any(|scope| {
        if scope == operation.id.as_str() {
            return true;
        }
        let within = scope.strip_prefix(api.as_str()).and_then(|rest| rest.strip_prefix(':'));
        match within {
            Some("all") => true,
            Some("read") => !operation.mutating,
            Some("write") => operation.mutating,
            Some(name) => name == operation.id.as_str(),
            None => false,
        }
    })
}

#[cfg(test)]
mod tests;

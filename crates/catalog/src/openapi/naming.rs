//! Ids of operations: the document's, or made of method and path.

use base::OperationId;

use crate::Method;

/// Leaves room for the number that makes an id unique.
const DERIVED_BYTES_MAX: usize = 100;

/// An id from a document, with what cannot stand in an id replaced by `_`.
pub(super) fn cleaned(text: &str) -> Option<OperationId> {
    if let Ok(id) = OperationId::parse(text.trim()) {
        return Some(id);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@/~+-".contains(c);
    let replaced: String = text.trim().chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    OperationId::parse(&replaced).ok()
}

/// `get_orders_id` for GET `/orders/{id}`; `taken` says which ids are used already.
pub(crate) fn derived(
    method: Method,
    path: &str,
    taken: impl Fn(&OperationId) -> bool,
) -> Option<OperationId> {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut stem = method.as_str().to_ascii_lowercase();
    for word in words {
        stem.push('_');
        stem.push_str(word);
    }
    if path.trim_matches('/').is_empty() {
        stem.push_str("_root");
    }
    stem.truncate(DERIVED_BYTES_MAX);
    let numbered = (2..).map(|number: u32| format!("{stem}_{number}"));
    std::iter::once(stem.clone())
        .chain(numbered)
        .filter_map(|text| OperationId::parse(&text).ok())
        .find(|id| !taken(id))
}

#[cfg(test)]
mod tests;

//! What became of a stream.

/// What a filter did. Bounded, whatever the body was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Properties that were removed, as the catalogue writes paths, sorted, at most 64. `[]` stands
    /// for values directly in a list at the root. A path is cut after 128 bytes.
    pub removed: Vec<String>,
    /// How many more removals there were, of properties that are not listed.
    pub removed_more: u64,
    /// Items of judged lists that were removed whole.
    pub items_removed: u64,
    /// Lines or events that were removed whole, because no alternative matched them.
    pub withheld: u64,
    /// Properties whose values passed (texts, numbers, `true`, `false`, `null`, also inside lists),
    /// sorted, at most 256. A path is cut after 512 bytes.
    pub seen: Vec<String>,
    /// Whether there were others.
    pub seen_more: bool,
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that went out.
    pub bytes_out: u64,
}

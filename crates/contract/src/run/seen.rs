//! Which parts of a value some keyword has looked at: what `unevaluatedProperties`,
//! `unevaluatedItems` and closed objects go by.

use std::collections::BTreeSet;

/// Collected while one value is checked.
#[derive(Debug, Default)]
pub(super) struct Seen<'v> {
    /// Names of properties.
    pub(super) names: BTreeSet<&'v str>,
    /// All items before this one.
    pub(super) items: usize,
    /// Single items, which `contains` picked.
    pub(super) picked: BTreeSet<usize>,
    /// Some schema that the value meets has `properties` or `patternProperties`.
    pub(super) described: bool,
    /// A schema that would have looked at more was not met or not finished, so that what is not
    /// seen may well be known. The message is refused anyway.
    pub(super) unsure: bool,
}

impl<'v> Seen<'v> {
    /// Takes in what another schema for the same value looked at.
    pub(super) fn take(&mut self, other: Self) {
        self.names.extend(other.names);
        self.picked.extend(other.picked);
        self.items = self.items.max(other.items);
        self.described |= other.described;
        self.unsure |= other.unsure;
    }
}

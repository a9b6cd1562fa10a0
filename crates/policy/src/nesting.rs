//! Groups in groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::GroupId;
use rustc_hash::FxHashMap;

/// Which groups each group has in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nesting(FxHashMap<GroupId, Vec<GroupId>>);

impl Nesting {
    /// Whether a group has just these groups in it.
    pub(crate) fn holds(&self, group: &GroupId, within: &[GroupId]) -> bool {
        self.0.get(group).map(Vec::as_slice).unwrap_or_default() == within
    }

    /// Sets what a group has in it. Returns, for every group that is or was within another, the
    /// groups above it, sorted. A circle adds nothing: nobody is above itself.
    pub(crate) fn put(
        &mut self,
        group: &GroupId,
        within: Vec<GroupId>,
    ) -> Vec<(GroupId, Arc<[GroupId]>)> {
        let mut touched: BTreeSet<GroupId> = self.0.values().flatten().cloned().collect();
        touched.extend(within.iter().cloned());
        if within.is_empty() {
            self.0.remove(group);
        } else {
            self.0.insert(group.clone(), within);
        }
        let mut parents: FxHashMap<&GroupId, Vec<&GroupId>> = FxHashMap::default();
        for (parent, children) in &self.0 {
            children.iter().for_each(|child| parents.entry(child).or_default().push(parent));
        }
        let above = |group: &GroupId| {
            let mut found: BTreeSet<&GroupId> = BTreeSet::new();
            let mut open = vec![group];
            while let Some(next) = open.pop() {
                let more = parents.get(next).into_iter().flatten().copied();
                open.extend(more.filter(|parent| found.insert(parent)));
            }
            found.remove(group);
            found.into_iter().cloned().collect()
        };
        touched.iter().map(|group| (group.clone(), above(group))).collect()
    }
}

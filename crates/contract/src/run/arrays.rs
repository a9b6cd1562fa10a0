//! Arrays.

use serde_json::Value;

use super::seen::Seen;
use super::{At, Run, nodes};
use crate::place::Step;
use crate::schema::values::{Distinct, distinct};
use crate::schema::{Arrays, Contains, Rest};
use crate::violation::Rule;

/// How many pairs of items that look alike are compared, for each item.
const PAIRS_PER_ITEM: usize = 8;
/// How many values are read in one step to tell whether items are alike.
const NODES_PER_STEP: usize = 4;

impl Run<'_> {
    pub(super) fn array<'v>(
        &mut self,
        at: At<'v, '_>,
        rules: &Arrays,
        items: &'v [Value],
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let limits = (rules.length_min, rules.length_max);
        let mut ok = self.size(at, limits, items.len(), "item");
        // What is too long is not looked through.
        if !ok || (rules.unique && !self.unique(at, items)) {
            if let Some(seen) = seen {
                seen.unsure = true;
            }
            return false;
        }
        ok &= self.items(at, rules, items, seen.as_deref_mut());
        if let Some(contains) = &rules.contains
            && self.goes_on(ok)
        {
            ok &= self.contains(at, contains, items, seen);
        }
        ok
    }

    fn items<'v>(
        &mut self,
        at: At<'v, '_>,
        rules: &Arrays,
        items: &'v [Value],
        seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let schemas = rules.first.iter().copied().map(Some).chain(std::iter::repeat(rules.others));
        let mut ok = true;
        for (index, (value, id)) in items.iter().zip(schemas).enumerate() {
            let Some(id) = id else { break };
            if !self.goes_on(ok) {
                break;
            }
            let spot = at.spot.down(Step::Index(index));
            ok &= self.child(At { id, value, spot: &spot });
        }
        if let Some(seen) = seen {
            let all = if rules.others.is_some() { usize::MAX } else { rules.first.len() };
            seen.items = seen.items.max(all);
        }
        ok
    }

    fn unique(&mut self, at: At<'_, '_>, items: &[Value]) -> bool {
        // All of every item is read, not only its outside.
        if !self.pay(nodes(at.value) / NODES_PER_STEP) {
            return false;
        }
        match distinct(items, items.len().saturating_mul(PAIRS_PER_ITEM)) {
            Distinct::All => true,
            Distinct::Not(index) => {
                let spot = at.spot.down(Step::Index(index));
                let at = At { spot: &spot, ..at };
                self.fail(at, Rule::WrongValue, || "is there twice".to_owned())
            }
            Distinct::TooCostly => {
                self.spent = true;
                false
            }
        }
    }

    fn contains<'v>(
        &mut self,
        at: At<'v, '_>,
        rule: &Contains,
        items: &'v [Value],
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let mut count = 0;
        for (index, value) in items.iter().enumerate() {
            let spot = at.spot.down(Step::Index(index));
            let item = At { id: rule.schema, value, spot: &spot };
            if self.plainly(|run| run.child(item)) {
                count += 1;
                if let Some(seen) = seen.as_deref_mut() {
                    seen.picked.insert(index);
                }
            }
            if self.is_over() {
                return false;
            }
        }
        let at = at.with(rule.schema);
        self.size(at, (Some(rule.count_min), rule.count_max), count, "item of this kind")
    }

    /// `unevaluatedProperties` and `unevaluatedItems`.
    pub(super) fn left_over<'v>(
        &mut self,
        at: At<'v, '_>,
        rest: &Rest,
        seen: &mut Seen<'v>,
    ) -> bool {
        if seen.unsure {
            return true;
        }
        match (at.value, rest.items, rest.properties) {
            (Value::Array(items), Some(id), _) => {
                let mut ok = true;
                for (index, value) in items.iter().enumerate().skip(seen.items) {
                    if !seen.picked.contains(&index) && self.goes_on(ok) {
                        let spot = at.spot.down(Step::Index(index));
                        ok &= self.child(At { id, value, spot: &spot });
                    }
                }
                seen.items = usize::MAX;
                ok
            }
            (Value::Object(members), _, Some(id)) => self.other_members(at, id, members, seen),
            _ => true,
        }
    }
}

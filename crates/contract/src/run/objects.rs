//! Objects.

use serde_json::{Map, Value};

use super::seen::Seen;
use super::{At, Direction, Run};
use crate::place::{Step, shortened};
use crate::schema::{Id, Objects, Part};
use crate::violation::Rule;

impl Run<'_> {
    pub(super) fn object<'v>(
        &mut self,
        at: At<'v, '_>,
        rules: &Objects,
        members: &'v Map<String, Value>,
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let mut ok = self.size(at, (rules.count_min, rules.count_max), members.len(), "property");
        if self.goes_on(ok) {
            ok &= self.required(at, &rules.required, members);
        }
        for (name, names) in &rules.dependent {
            if self.goes_on(ok) && members.contains_key(&**name) {
                ok &= self.required(at, names, members);
            }
        }
        let looks = rules.properties.is_some() || !rules.patterns.is_empty();
        let looks = looks || rules.additional.is_some() || rules.names.is_some();
        for (name, value) in members.iter().filter(|_| looks) {
            if self.goes_on(ok) {
                ok &= self.member(at, rules, (name, value), seen.as_deref_mut());
            }
        }
        if let Some(seen) = seen {
            seen.described |= rules.properties.is_some() || !rules.patterns.is_empty();
        }
        ok
    }

    /// One property, by its name, by patterns, or as one of the others.
    fn member<'v>(
        &mut self,
        at: At<'v, '_>,
        rules: &Objects,
        (name, value): (&'v String, &'v Value),
        seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let spot = at.spot.down(Step::Name(name));
        let mut known = false;
        let mut ok = true;
        if let Some(id) = rules.property(name) {
            known = true;
            ok &= self.child(At { id, value, spot: &spot });
        }
        for (pattern, id) in &rules.patterns {
            if self.goes_on(ok) && pattern.regex.is_match(name) {
                known = true;
                ok &= self.child(At { id: *id, value, spot: &spot });
            }
        }
        if let Some(id) = rules.additional.filter(|_| !known) {
            known = true;
            ok &= self.other_member(At { id, value, spot: &spot });
        }
        if let Some(id) = rules.names
            && self.goes_on(ok)
        {
            let text = Value::String(name.clone());
            let named = At { id, value: &text, spot: &spot };
            if !self.plainly(|run| run.child(named)) {
                ok = self.fail(named, Rule::UnknownProperty, || {
                    "has a name that the schema does not allow".to_owned()
                });
            }
        }
        if let Some(seen) = seen.filter(|_| known) {
            seen.names.insert(name);
        }
        ok
    }

    /// A property that is not described by name.
    fn other_member(&mut self, at: At<'_, '_>) -> bool {
        if self.schema(at.id).verdict == Some(false) {
            return self.unknown(at);
        }
        self.child(at)
    }

    fn unknown(&mut self, at: At<'_, '_>) -> bool {
        self.fail(at, Rule::UnknownProperty, || "is not a property of the schema".to_owned())
    }

    /// `unevaluatedProperties`.
    pub(super) fn other_members<'v>(
        &mut self,
        at: At<'v, '_>,
        id: Id,
        members: &'v Map<String, Value>,
        seen: &mut Seen<'v>,
    ) -> bool {
        let mut ok = true;
        for (name, value) in members {
            if seen.names.insert(name) && self.goes_on(ok) {
                let spot = at.spot.down(Step::Name(name));
                ok &= self.other_member(At { id, value, spot: &spot });
            }
        }
        ok
    }

    /// Closed objects: refuses what no schema of the value has looked at, if one of them says
    /// which properties there are. An object of which nothing is said stays open.
    pub(super) fn close(&mut self, at: At<'_, '_>, seen: &Seen<'_>) -> bool {
        let Value::Object(members) = at.value else { return true };
        if !seen.described || seen.unsure {
            return true;
        }
        let mut ok = true;
        for name in members.keys().filter(|name| !seen.names.contains(name.as_str())) {
            let spot = at.spot.down(Step::Name(name));
            ok = self.unknown(At { spot: &spot, ..at });
        }
        ok
    }

    fn required(
        &mut self,
        at: At<'_, '_>,
        names: &[Box<str>],
        members: &Map<String, Value>,
    ) -> bool {
        let mut ok = true;
        for name in names.iter().filter(|name| !members.contains_key(&***name)) {
            if self.goes_on(ok) && !self.is_of_responses(self.scope, name) {
                ok = self.fail(at, Rule::MissingProperty, || {
                    format!("must have the property `{}`", shortened(name))
                });
            }
        }
        ok
    }

    /// Whether the property is read-only and this a request: then `required` speaks of responses
    /// (OpenAPI 3.0.3, Schema Object), however the schema is put together.
    fn is_of_responses(&mut self, id: Id, name: &str) -> bool {
        if self.task.direction == Direction::Response || self.plain > 0 || !self.pay(1) {
            return false;
        }
        let schema = self.schema(id);
        let own = schema.objects.as_deref().and_then(|objects| objects.property(name));
        if own.is_some_and(|property| self.schema(property).whole.read_only) {
            return true;
        }
        schema.parts.iter().any(|part| match part {
            Part::All(ids) | Part::Any(ids) | Part::One(ids) => {
                ids.iter().any(|id| self.is_of_responses(*id, name))
            }
            Part::Not(_) | Part::If { .. } | Part::Dependent(_) => false,
        })
    }
}

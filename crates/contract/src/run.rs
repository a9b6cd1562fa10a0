//! Checking one value against a schema.
//!
//! The work is bounded by the size of the value, whatever the schema: without that, alternatives
//! that contain themselves take time that doubles with every level, and the caller chooses how many
//! levels there are. When the work is used up, that is a violation. What is not known to fit is
//! refused.
//!
//! A value without violations costs no memory but for alternatives, `unevaluatedProperties`, closed
//! objects and `uniqueItems`.

mod arrays;
mod combine;
mod explain;
mod objects;
mod scalars;
mod seen;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::place::{Place, Spot};
use crate::schema::types::Types;
use crate::schema::{Id, Schema, Schemas};
use crate::violation::{Rule, VIOLATIONS_MAX, Violation};
use seen::Seen;

/// Steps that every value may take, and how many more for each value in it. A step is one schema
/// that is applied to one value.
const STEPS: usize = 20_000;
const STEPS_PER_NODE: usize = 256;
/// How many schemas may be applied within each other, so that the stack suffices.
const DEPTH_MAX: usize = 400;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the caller: properties that are read-only may not be there.
    Request,
    /// From the upstream: properties that are write-only may not be there.
    Response,
}

/// What a value is checked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'t> {
    pub(crate) schemas: &'t Schemas,
    pub(crate) direction: Direction,
    /// Objects take only the properties that they are described with.
    pub(crate) closed: bool,
    /// The parameter that the value is; `None` for a body.
    pub(crate) parameter: Option<&'t Place>,
}

impl Task<'_> {
    /// What is wrong with the value.
    pub(crate) fn violations(&self, id: Id, value: &Value) -> Vec<Violation> {
        let mut run = Run::new(self, value);
        run.child(At { id, value, spot: &Spot::ROOT });
        run.finish(id)
    }

    /// Whether nothing is. Stops at the first violation.
    pub(crate) fn fits(&self, id: Id, value: &Value) -> bool {
        let mut run = Run::new(self, value);
        run.quiet = 1;
        run.child(At { id, value, spot: &Spot::ROOT }) && !run.spent
    }
}

/// A schema, the value it is applied to, and where that stands.
#[derive(Debug, Clone, Copy)]
struct At<'v, 's> {
    id: Id,
    value: &'v Value,
    spot: &'s Spot<'s>,
}

impl At<'_, '_> {
    /// Another schema for the same value.
    fn with(self, id: Id) -> Self {
        Self { id, ..self }
    }
}

struct Run<'t> {
    task: &'t Task<'t>,
    found: Vec<Violation>,
    steps: usize,
    depth: usize,
    /// The work is used up.
    spent: bool,
    /// Above 0 only the answer counts: nothing is told, and the first violation ends it.
    quiet: usize,
    /// Above 0 the value is only asked about (`not`, `if`, `contains`): closed objects and the
    /// direction would turn the answer around.
    plain: usize,
    /// The schema that the value at hand is checked against as a whole.
    scope: Id,
    /// Answers that were found quietly, by schema, address of the value and whether plainly:
    /// alternatives that contain themselves ask the same over and over.
    answers: FxHashMap<(Id, usize, bool), bool>,
}

impl<'t> Run<'t> {
    fn new(task: &'t Task<'t>, value: &Value) -> Self {
        Self {
            task,
            found: Vec::new(),
            steps: STEPS.saturating_add(nodes(value).saturating_mul(STEPS_PER_NODE)),
            depth: 0,
            spent: false,
            quiet: 0,
            plain: 0,
            scope: Id::default(),
            answers: FxHashMap::default(),
        }
    }

    fn finish(mut self, id: Id) -> Vec<Violation> {
        if self.spent && self.found.len() < VIOLATIONS_MAX {
            let place = self.place(&Spot::ROOT);
            let schema = self.schema(id).pointer.to_string();
            let what = "takes too much work to check".to_owned();
            self.found.push(Violation { rule: Rule::TooCostly, place, what, schema });
        }
        self.found
    }

    fn schema(&self, id: Id) -> &'t Schema {
        self.task.schemas.get(id)
    }

    fn place(&self, spot: &Spot<'_>) -> Place {
        self.task.parameter.cloned().unwrap_or_else(|| Place::Body(spot.pointer()))
    }

    /// Notes a violation; `false`, for the caller to return.
    fn fail(&mut self, at: At<'_, '_>, rule: Rule, what: impl FnOnce() -> String) -> bool {
        if self.quiet == 0 && !self.spent && self.found.len() < VIOLATIONS_MAX {
            let schema = self.schema(at.id).pointer.to_string();
            let mut what = what();
            if self.task.parameter.is_some() && !at.spot.is_root() {
                what = format!("at `{}` {what}", at.spot.pointer());
            }
            self.found.push(Violation { rule, place: self.place(at.spot), what, schema });
        }
        false
    }

    /// Nothing that follows changes the answer.
    fn is_over(&self) -> bool {
        self.spent || (self.quiet == 0 && self.found.len() >= VIOLATIONS_MAX)
    }

    /// After a violation: whether to go on and look for more.
    fn goes_on(&self, ok: bool) -> bool {
        (ok || self.quiet == 0) && !self.is_over()
    }

    /// Uses up work; `false` when there is none left.
    fn pay(&mut self, steps: usize) -> bool {
        match self.steps.checked_sub(steps) {
            Some(left) => self.steps = left,
            None => self.spent = true,
        }
        !self.spent
    }

    /// Only for the answer.
    fn quietly<R>(&mut self, ask: impl FnOnce(&mut Self) -> R) -> R {
        self.quiet += 1;
        let answer = ask(self);
        self.quiet -= 1;
        answer
    }

    /// Only for the answer, by the rules of the schema alone.
    fn plainly<R>(&mut self, ask: impl FnOnce(&mut Self) -> R) -> R {
        self.plain += 1;
        let answer = self.quietly(ask);
        self.plain -= 1;
        answer
    }

    /// Checks a value that no other schema has been applied to from outside of it.
    fn child(&mut self, at: At<'_, '_>) -> bool {
        if self.quiet == 0 || !(at.value.is_object() || at.value.is_array()) {
            return self.as_whole(at);
        }
        // The body does not move while it is checked.
        let address = std::ptr::from_ref(at.value).addr();
        let question = (at.id, address, self.plain > 0);
        if let Some(answer) = self.answers.get(&question) {
            return *answer;
        }
        let answer = self.as_whole(at);
        if !self.spent {
            self.answers.insert(question, answer);
        }
        answer
    }

    fn as_whole(&mut self, at: At<'_, '_>) -> bool {
        let scope = std::mem::replace(&mut self.scope, at.id);
        let closes = self.task.closed && self.plain == 0 && at.value.is_object();
        let ok = if closes {
            let mut seen = Seen::default();
            let ok = self.apply(at, Some(&mut seen));
            self.close(at, &seen) && ok
        } else {
            self.apply(at, None)
        };
        self.scope = scope;
        ok
    }

    /// Checks a value against one schema. `seen` collects which parts of the value were looked at.
    fn apply<'v>(&mut self, at: At<'v, '_>, seen: Option<&mut Seen<'v>>) -> bool {
        if self.is_over() || !self.pay(1) {
            return false;
        }
        if self.depth >= DEPTH_MAX {
            self.spent = true;
            return false;
        }
        self.depth += 1;
        let ok = self.within(at, seen);
        self.depth -= 1;
        ok
    }

    fn within<'v>(&mut self, at: At<'v, '_>, seen: Option<&mut Seen<'v>>) -> bool {
        let schema = self.schema(at.id);
        if let Some(verdict) = schema.verdict {
            return verdict || self.fail(at, Rule::WrongValue, || "is not allowed".to_owned());
        }
        if !self.goes_this_way(at, schema) {
            return false;
        }
        let Some(rest) = schema.rest.as_deref() else { return self.rules(at, schema, seen) };
        let mut mine = Seen::default();
        let mut ok = self.rules(at, schema, Some(&mut mine));
        if self.goes_on(ok) {
            ok &= self.left_over(at, rest, &mut mine);
        }
        if let Some(seen) = seen {
            seen.take(mine);
        }
        ok
    }

    /// Refuses a property that only messages of the other direction have.
    fn goes_this_way(&mut self, at: At<'_, '_>, schema: &Schema) -> bool {
        if self.plain > 0 || at.spot.is_root() {
            return true;
        }
        match self.task.direction {
            Direction::Request if schema.read_only => self.fail(at, Rule::ReadOnlyProperty, || {
                "is read-only: only the service sets it".to_owned()
            }),
            Direction::Response if schema.write_only => {
                self.fail(at, Rule::WriteOnlyProperty, || {
                    "is write-only: no response has it".to_owned()
                })
            }
            _ => true,
        }
    }

    /// All keywords but those for what is left over.
    fn rules<'v>(
        &mut self,
        at: At<'v, '_>,
        schema: &'t Schema,
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        if schema.nullable && at.value.is_null() {
            return self.listed(at, schema);
        }
        if !schema.types.has(Types::of(at.value)) {
            if let Some(seen) = seen {
                seen.unsure = true;
            }
            let expected = || format!("must be {}", schema.types.words());
            return self.fail(at, Rule::WrongType, expected);
        }
        let mut ok = self.listed(at, schema);
        if self.goes_on(ok) {
            ok &= self.of_type(at, schema, seen.as_deref_mut());
        }
        for part in &schema.parts {
            if self.goes_on(ok) {
                ok &= self.part(at, part, seen.as_deref_mut());
            }
        }
        if !ok && let Some(seen) = seen {
            // Keywords may have been passed over.
            seen.unsure |= self.quiet > 0 || self.is_over();
        }
        ok
    }

    fn of_type<'v>(
        &mut self,
        at: At<'v, '_>,
        schema: &'t Schema,
        seen: Option<&mut Seen<'v>>,
    ) -> bool {
        match (at.value, &schema.numbers, &schema.texts, &schema.arrays, &schema.objects) {
            (Value::Number(number), Some(rules), ..) => self.number(at, rules, number),
            (Value::String(text), _, Some(rules), ..) => self.text(at, rules, text),
            (Value::Array(items), .., Some(rules), _) => self.array(at, rules, items, seen),
            (Value::Object(members), .., Some(rules)) => self.object(at, rules, members, seen),
            _ => true,
        }
    }
}

/// How many values a value is made of.
fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;

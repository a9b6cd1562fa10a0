//! Which alternative was meant, to tell what is wrong with it.

use serde_json::Value;

use super::Run;
use crate::schema::types::Types;
use crate::schema::{Id, Part, Schema, values};

impl Run<'_> {
    /// Whether a value that does not meet a schema could still be meant for it: it has a type of
    /// it, and no property says otherwise.
    pub(super) fn could_be(&mut self, id: Id, value: &Value) -> bool {
        let schema = self.schema(id);
        self.pay(1)
            && schema.whole.types.has(Types::of(value))
            && self.names_agree(schema, value)
            && schema.parts.iter().all(|part| match part {
                Part::All(ids) => ids.iter().all(|id| self.could_be(*id, value)),
                _ => true,
            })
    }

    /// No property that the schema fixes has another value.
    fn names_agree(&self, schema: &Schema, value: &Value) -> bool {
        let (Value::Object(members), Some(rules)) = (value, schema.objects.as_deref()) else {
            return true;
        };
        rules.properties.iter().flat_map(|all| all.iter()).all(|(name, id)| {
            let rule = self.schema(*id);
            members.get(&**name).is_none_or(|value| {
                let listed = rule.one_of.as_deref();
                let constant = rule.constant.as_deref();
                listed.is_none_or(|all| all.iter().any(|one| values::equal(one, value)))
                    && constant.is_none_or(|one| values::equal(one, value))
            })
        })
    }
}

//! What one schema says of a value.

use std::collections::{BTreeMap, BTreeSet};

use base::Problem;
use serde_json::Value;

use super::{Classes, Part, Place, Said};
use crate::field;
use crate::openapi::node::Node;

/// Schemas for the value itself: in some cases, or beside others. The items of a list are at its
/// place.
const ALONE: [&str; 7] =
    ["if", "then", "else", "items", "contains", "additionalItems", "unevaluatedItems"];
/// Lists of such schemas.
const LISTS: [&str; 4] = ["oneOf", "anyOf", "prefixItems", "items"];
/// Such schemas by the name of a property that has to be there for them.
const BY_NAME: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Schemas for properties that are not named.
const OTHERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];

/// Whether a schema says something of what is in a value.
pub(super) fn has_parts(schema: &Node<'_>) -> bool {
    let more = ["allOf", "properties", "patternProperties"];
    let mut all = ALONE.iter().chain(&LISTS).chain(&BY_NAME).chain(&OTHERS).chain(&more);
    all.any(|keyword| schema.child(keyword).is_some())
}

/// The schemas, but for those of `allOf`, that say something of the same value.
pub(super) fn same_place<'d>(schema: &Node<'d>) -> Vec<Node<'d>> {
    let child = |keyword: &&str| schema.child(keyword);
    let alone = ALONE.iter().filter_map(child);
    let alone = alone.filter(|part| part.value().is_object());
    let lists = LISTS.iter().filter_map(child).flat_map(|list| list.items());
    let by_name = BY_NAME.iter().filter_map(child).flat_map(|parts| members(&parts));
    let by_name = by_name.map(|(_, part)| part).filter(|part| part.value().is_object());
    alone.chain(lists).chain(by_name).collect()
}

/// The members of an object; none of anything else.
fn members<'d>(node: &Node<'d>) -> Vec<(&'d str, Node<'d>)> {
    if node.value().is_object() { node.members().unwrap_or_default() } else { Vec::new() }
}

impl<'d> Place<'d> {
    /// All classes that are said of it.
    pub(super) fn classes(&self) -> Classes {
        self.said.iter().flat_map(|said| said.classes.iter().copied()).collect()
    }

    /// The classes of the texts, numbers and truth values that are described here; none where only
    /// objects and lists are, or nothing. A mark describes what has no properties.
    pub(super) fn values(&self, has_properties: bool) -> Classes {
        let describes =
            |said: &&Said<'_>| said.has_values() || (!has_properties && said.is_plain_mark());
        let values = self.said.iter().filter(describes);
        values.flat_map(|said| said.classes.iter().copied()).collect()
    }

    /// The schemas of the properties by the segment that stands for them in a path: their names, and
    /// `*` for all others.
    pub(super) fn children(&self) -> Result<BTreeMap<String, Vec<Part<'d>>>, Problem> {
        let mut named = Vec::new();
        for said in &self.said {
            let properties = said.schema.child("properties");
            let members = properties.map_or(Ok(Vec::new()), |all| all.members())?;
            named.push(members.into_iter().collect::<BTreeMap<_, _>>());
        }
        let names: BTreeSet<&str> = named.iter().flat_map(|own| own.keys().copied()).collect();
        let mut children: BTreeMap<String, Vec<Part<'d>>> = BTreeMap::new();
        for (said, own) in self.said.iter().zip(&named) {
            let others = said.others();
            for name in &names {
                let parts = children.entry(field::segment(name)).or_default();
                match own.get(name) {
                    Some(schema) => parts.push(said.part(schema)),
                    None => parts.extend(others.iter().map(|schema| said.part(schema))),
                }
                // Which names a pattern matches is not asked: it may be this one.
                parts.extend(said.by_pattern().iter().map(|schema| said.part(schema)));
            }
            let rest: Vec<_> = others.into_iter().chain(said.by_pattern()).collect();
            if !rest.is_empty() {
                let parts = children.entry(field::ANY.to_owned()).or_default();
                parts.extend(rest.iter().map(|schema| said.part(schema)));
            }
        }
        Ok(children)
    }
}

impl<'d> Said<'d> {
    fn part(&self, schema: &Node<'d>) -> Part<'d> {
        Part { schema: schema.clone(), classes: self.classes.clone(), depth: self.depth + 1 }
    }

    /// Schemas of the properties that it does not name.
    fn others(&self) -> Vec<Node<'d>> {
        let others = OTHERS.iter().filter_map(|keyword| self.schema.child(keyword));
        others.filter(|schema| *schema.value() != Value::Bool(false)).collect()
    }

    fn by_pattern(&self) -> Vec<Node<'d>> {
        let patterns = self.schema.child("patternProperties");
        let members = patterns.map(|all| members(&all)).unwrap_or_default();
        members.into_iter().map(|(_, schema)| schema).collect()
    }

    /// Whether all that it says is a class: somebody looked at it.
    fn is_plain_mark(&self) -> bool {
        self.is_marked && self.schema.child("type").is_none() && !has_parts(&self.schema)
    }

    /// Whether it says that a text, number or truth value stands here: by its type, or by what is
    /// allowed.
    fn has_values(&self) -> bool {
        let types: Vec<&str> = match self.schema.child("type") {
            Some(types) if types.value().is_array() => {
                types.value().as_array().into_iter().flatten().filter_map(Value::as_str).collect()
            }
            types => types.and_then(|word| word.text()).into_iter().collect(),
        };
        if !types.is_empty() {
            let is_plain = |word: &&str| ["string", "number", "integer", "boolean"].contains(word);
            return types.iter().any(is_plain) || types == ["null"];
        }
        let allowed = self.schema.child("enum").map(|list| list.items()).unwrap_or_default();
        let mut allowed = allowed.into_iter().chain(self.schema.child("const"));
        let is_plain = |value: &Value| !(value.is_null() || value.is_array() || value.is_object());
        allowed.any(|allowed| is_plain(allowed.value()))
    }
}

//! What one schema says of a value.

use std::collections::{BTreeMap, BTreeSet};

use base::Problem;
use serde_json::Value;

use super::{Child, Classes, Part, Place, Said};
use crate::openapi::node::Node;
use crate::{DataClass, field};

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
        let values = self.said.iter().filter(|said| said.names).filter(describes);
        let values: Classes = values.flat_map(|said| said.classes.iter().copied()).collect();
        if values.is_empty() {
            return values;
        }
        // What a pattern marks may be this one.
        let marks = self.said.iter().filter(|said| !said.names && said.is_marked);
        marks.flat_map(|said| said.classes.iter().copied()).chain(values.clone()).collect()
    }

    /// The schemas of the properties by the segment that stands for them in a path: their names, and
    /// `*` for all others; with the classes that marks on the whole give them where it is open, so
    /// that they may come though it does not describe them.
    pub(super) fn children(&self) -> Result<BTreeMap<String, Child<'d>>, Problem> {
        let mut named = Vec::new();
        for said in &self.said {
            let properties = said.schema.child("properties");
            let members = properties.map_or(Ok(Vec::new()), |all| all.members())?;
            named.push(members.into_iter().collect::<BTreeMap<_, _>>());
        }
        let names: BTreeSet<&str> = named.iter().flat_map(|own| own.keys().copied()).collect();
        let mut children: BTreeMap<String, Child<'d>> = BTreeMap::new();
        for (said, own) in self.said.iter().zip(&named) {
            let others = said.others();
            for name in &names {
                let child = children.entry(field::segment(name)).or_default();
                match own.get(name) {
                    Some(schema) => child.parts.push(said.part(schema)),
                    None if others.is_empty() => child.marks.extend(said.marks()),
                    None => child.parts.extend(others.iter().map(|schema| said.part(schema))),
                }
                child.parts.extend(said.by_pattern());
            }
            let rest: Vec<_> = others.iter().map(|schema| said.part(schema)).collect();
            let rest: Vec<_> = rest.into_iter().chain(said.by_pattern()).collect();
            if !rest.is_empty() {
                children.entry(field::ANY.to_owned()).or_default().parts.extend(rest);
            }
        }
        if let Some(child) = children.get_mut(field::ANY) {
            let open = self.said.iter().filter(|said| said.others().is_empty());
            child.marks.extend(open.flat_map(Said::marks));
        }
        Ok(children)
    }
}

impl<'d> Said<'d> {
    fn part(&self, schema: &Node<'d>) -> Part<'d> {
        let (schema, classes) = (schema.clone(), self.classes.clone());
        Part { schema, classes, names: self.names, depth: self.depth + 1 }
    }

    /// The classes that it gives to properties of which it says nothing.
    fn marks(&self) -> Classes {
        let types = self.types();
        let is_object = types.is_empty() || types.iter().any(|t| ["object", "array"].contains(t));
        let mut others = OTHERS.iter().filter_map(|keyword| self.schema.child(keyword));
        let is_closed = others.any(|schema| *schema.value() == Value::Bool(false));
        match is_object && !is_closed && self.classes.iter().any(|c| *c != DataClass::Internal) {
            true => self.classes.clone(),
            false => Classes::new(),
        }
    }

    /// Schemas of the properties that it does not name.
    fn others(&self) -> Vec<Node<'d>> {
        let others = OTHERS.iter().filter_map(|keyword| self.schema.child(keyword));
        others.filter(|schema| *schema.value() != Value::Bool(false)).collect()
    }

    /// The schemas of patterns. Which names they match is not asked: what they mark may be any of
    /// them, and what they describe none.
    fn by_pattern(&self) -> Vec<Part<'d>> {
        let patterns = self.schema.child("patternProperties");
        let members = patterns.map(|all| members(&all)).unwrap_or_default();
        let part = |(_, schema)| Part { names: false, ..self.part(&schema) };
        members.into_iter().map(part).collect()
    }

    fn types(&self) -> Vec<&'d str> {
        match self.schema.child("type") {
            Some(types) if types.value().is_array() => {
                types.value().as_array().into_iter().flatten().filter_map(Value::as_str).collect()
            }
            types => types.and_then(|word| word.text()).into_iter().collect(),
        }
    }

    /// Whether all that it says is a class: somebody looked at it.
    fn is_plain_mark(&self) -> bool {
        self.is_marked && self.schema.child("type").is_none() && !has_parts(&self.schema)
    }

    /// Whether it says that a text, number or truth value stands here: by its type, or by what is
    /// allowed.
    fn has_values(&self) -> bool {
        let types = self.types();
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

//! The fields of an operation's successful responses.

use std::collections::BTreeMap;

use base::Problem;

use super::Dialect;
use super::node::Node;
use crate::{DataClass, Field};

/// How deep schemas may nest.
const DEPTH_MAX: usize = 32;
/// How many schemas may be looked at for one operation: references can multiply without end.
const VISITS_MAX: usize = 20_000;

/// The class that a node states in `x-data-class`.
pub(super) fn class(node: &Node<'_>) -> Result<DataClass, Problem> {
    node.scalar().parse().map_err(|why: base::words::UnknownWord| {
        node.problem("unknown_data_class", why.to_string())
            .hint("write one of these words in `x-data-class`")
    })
}

/// Fields of all responses with status 2xx, sorted by path. Of a field that several of them have,
/// the most sensitive class counts.
pub(super) fn of(operation: &Node<'_>, dialect: Dialect) -> Result<Vec<Field>, Problem> {
    let mut walk = Walk { fields: BTreeMap::new(), visits: 0, open: Vec::new() };
    let responses = operation.child("responses");
    for (status, response) in responses.map_or(Ok(Vec::new()), |all| all.members())? {
        if !status.starts_with('2') {
            continue;
        }
        for schema in schemas(&response.resolve()?, dialect)? {
            walk.schema(&schema, "", DataClass::Internal)?;
        }
    }
    Ok(walk.fields.into_iter().map(|(path, class)| Field { path, class }).collect())
}

fn schemas<'d>(response: &Node<'d>, dialect: Dialect) -> Result<Vec<Node<'d>>, Problem> {
    if dialect == Dialect::Swagger2 {
        return Ok(response.child("schema").into_iter().collect());
    }
    let Some(content) = response.child("content") else { return Ok(Vec::new()) };
    let is_json = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        media.ends_with("json") || media == "*/*" || media == "application/*"
    };
    let media = content.members()?.into_iter().filter(|(name, _)| is_json(name));
    Ok(media.filter_map(|(_, media)| media.child("schema")).collect())
}

struct Walk {
    fields: BTreeMap<String, DataClass>,
    visits: usize,
    /// Pointers of the schemas that are being looked into, to notice when one contains itself.
    open: Vec<String>,
}

impl Walk {
    /// Collects what a schema describes under the dotted `name` of its value.
    fn schema(&mut self, node: &Node<'_>, name: &str, class: DataClass) -> Result<(), Problem> {
        self.visits += 1;
        if self.visits > VISITS_MAX || self.open.len() >= DEPTH_MAX {
            return Err(node
                .problem("schema_too_large", "the response schema is too large or too deep")
                .hint("describe the response with fewer or flatter schemas"));
        }
        // OpenAPI 3.1 allows members beside `$ref`; the nearer class counts.
        let class = stated(node)?.unwrap_or(class);
        let schema = node.resolve()?;
        let class = if schema.pointer() == node.pointer() {
            class
        } else {
            stated(node)?.or(stated(&schema)?).unwrap_or(class)
        };
        let pointer = schema.pointer();
        if self.open.contains(&pointer) {
            self.leaf(name, class);
            return Ok(());
        }
        self.open.push(pointer);
        let has_parts = self.parts(&schema, name, class)?;
        self.open.pop();
        if !has_parts {
            self.leaf(name, class);
        }
        Ok(())
    }

    /// Looks into what the schema is made of; false when it is a leaf.
    fn parts(&mut self, schema: &Node<'_>, name: &str, class: DataClass) -> Result<bool, Problem> {
        let mut has_parts = false;
        for combination in ["allOf", "oneOf", "anyOf"] {
            let parts = schema.child(combination).map(|list| list.items()).unwrap_or_default();
            for part in parts {
                has_parts = true;
                self.schema(&part, name, class)?;
            }
        }
        if let Some(items) = schema.child("items") {
            has_parts = true;
            self.schema(&items, name, class)?;
        }
        if let Some(properties) = schema.child("properties") {
            for (property, node) in properties.members()? {
                has_parts = true;
                let dot = if name.is_empty() { "" } else { "." };
                self.schema(&node, &format!("{name}{dot}{property}"), class)?;
            }
        }
        Ok(has_parts)
    }

    fn leaf(&mut self, name: &str, class: DataClass) {
        if name.is_empty() {
            return;
        }
        let known = self.fields.entry(name.to_owned()).or_insert(class);
        *known = (*known).max(class);
    }
}

fn stated(node: &Node<'_>) -> Result<Option<DataClass>, Problem> {
    node.child("x-data-class").map(|word| class(&word)).transpose()
}

#[cfg(test)]
mod tests;

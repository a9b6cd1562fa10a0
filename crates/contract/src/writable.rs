//! Which properties of a request body may be written: the guard of a grant against mass
//! assignment. It knows names only and no schema.
//!
//! Paths are dotted names (`address.city`), as those of an operation's response fields. Arrays are
//! transparent (`lines.sku` is the `sku` of every line), naming a path allows everything under it,
//! and `*` stands for one name, whatever it is. A property whose own name has a dot in it is not
//! reached by any path but `*`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::place::shortened;

/// The most names that are told.
pub const NAMES_MAX: usize = 10;
/// The most names in one path.
pub const SEGMENTS_MAX: usize = 32;

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// No name, or none between two dots.
    #[error("`{0}` has an empty name in it: write it like `address.city`")]
    EmptyName(String),
    /// More names than [`SEGMENTS_MAX`].
    #[error("a path has at most {SEGMENTS_MAX} names")]
    TooLong,
}

/// Paths that may be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    root: Names,
}

/// What is allowed under one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    /// The name itself and all under it.
    whole: bool,
    named: BTreeMap<String, Names>,
    any: Option<Box<Names>>,
}

impl Fields {
    /// Reads dotted paths. Without any, nothing may be written.
    ///
    /// # Errors
    /// A path with an empty name, or with too many.
    pub fn parse<'p>(paths: impl IntoIterator<Item = &'p str>) -> Result<Self, BadPath> {
        let mut root = Names::default();
        for path in paths {
            if path.split('.').any(|name| name.trim().is_empty()) {
                return Err(BadPath::EmptyName(path.to_owned()));
            }
            if path.split('.').nth(SEGMENTS_MAX).is_some() {
                return Err(BadPath::TooLong);
            }
            root.add(path);
        }
        Ok(Self { root })
    }
}

impl Names {
    fn add(&mut self, path: &str) {
        let mut names = self;
        for name in path.split('.') {
            names = match name {
                "*" => names.any.get_or_insert_default(),
                name => names.named.entry(name.to_owned()).or_default(),
            };
        }
        names.whole = true;
    }
}

/// Dotted names of the properties in `value` that no path allows, each once, sorted, at most
/// [`NAMES_MAX`] that come first in the value. Empty when all of it may be written.
///
/// Where only a part of a property may be written, putting a text, a number, `null` or an empty
/// object or list in its place writes more than that part, and so its name is among them. A value
/// that is no object and no list of objects has no properties.
pub fn check(value: &Value, allowed: &Fields) -> Vec<String> {
    let mut walk = Walk { outside: Vec::new(), path: Vec::new() };
    walk.value(value, &[&allowed.root]);
    walk.outside.sort_unstable();
    walk.outside
}

struct Walk<'v> {
    outside: Vec<String>,
    path: Vec<&'v str>,
}

impl<'v> Walk<'v> {
    /// Looks at what stands under the names so far, of which `names` are the readings: a plain
    /// name and `*` may both lead here.
    fn value(&mut self, value: &'v Value, names: &[&Names]) {
        if self.outside.len() >= NAMES_MAX {
            return;
        }
        match value {
            Value::Array(items) if !items.is_empty() => {
                items.iter().for_each(|item| self.value(item, names));
            }
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    self.path.push(name);
                    self.member(name, value, names);
                    self.path.pop();
                }
            }
            _ => self.tell(),
        }
    }

    fn member(&mut self, name: &str, value: &'v Value, names: &[&Names]) {
        let named = names.iter().filter_map(|names| names.named.get(name));
        let any = names.iter().filter_map(|names| names.any.as_deref());
        let next: Vec<&Names> = named.chain(any).collect();
        if next.iter().any(|names| names.whole) {
            return;
        }
        if next.is_empty() { self.tell() } else { self.value(value, &next) }
    }

    fn tell(&mut self) {
        let names: Vec<String> = self.path.iter().map(|name| shortened(name)).collect();
        let name = names.join(".");
        if !name.is_empty() && self.outside.len() < NAMES_MAX && !self.outside.contains(&name) {
            self.outside.push(name);
        }
    }
}

#[cfg(test)]
mod tests;

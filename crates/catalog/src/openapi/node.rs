//! A value of a document that knows where it stands.

use base::Problem;
use serde_json::{Map, Value};

use super::place;

/// How many references may lead to references.
const HOPS_MAX: usize = 32;

/// The document as text, to find lines in.
#[derive(Debug)]
pub struct Source<'d> {
    /// The file or address that problems name.
    pub name: &'d str,
    /// All of it.
    pub text: &'d str,
}

/// A value and the names that lead to it.
#[derive(Debug, Clone)]
pub struct Node<'d> {
    source: &'d Source<'d>,
    root: &'d Value,
    value: &'d Value,
    path: Vec<String>,
}

impl<'d> Node<'d> {
    /// The whole of a parsed document.
    pub fn root(source: &'d Source<'d>, value: &'d Value) -> Self {
        Self { source, root: value, value, path: Vec::new() }
    }

    /// A problem that names the document, line and column if they can be found, and the pointer.
    pub fn problem(&self, reason: &str, detail: impl Into<String>) -> Problem {
        let name = self.source.name;
        let pointer = self.pointer();
        let place = match place::find(self.source.text, &self.path) {
            Some((line, column)) => format!("{name}:{line}:{column} (#{pointer})"),
            None => format!("{name} (#{pointer})"),
        };
        Problem::invalid(reason, detail).at(place)
    }

    /// JSON Pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        let escape = |name: &String| name.replace('~', "~0").replace('/', "~1");
        self.path.iter().map(|name| format!("/{}", escape(name))).collect()
    }

    fn at(&self, value: &'d Value, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { value, path, ..*self }
    }

    /// The member `name` of an object.
    pub fn child(&self, name: &str) -> Option<Self> {
        self.value.as_object()?.get(name).map(|value| self.at(value, name))
    }

    /// The members of an object, in order of the document's reader.
    ///
    /// # Errors
    /// The value is no object.
    pub fn members(&self) -> Result<Vec<(&'d str, Self)>, Problem> {
        let object: &'d Map<String, Value> = self.value.as_object().ok_or_else(|| {
            self.problem("bad_document", "an object is expected here")
                .hint("write the members under it, each with its name")
        })?;
        Ok(object.iter().map(|(name, value)| (name.as_str(), self.at(value, name))).collect())
    }

    /// The items of an array; of anything else none.
    pub fn items(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| self.at(value, &index.to_string())).collect()
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&'d str> {
        self.value.as_str()
    }

    /// The text of a member, unless it is missing, empty, or no text.
    pub fn text_of(&self, name: &str) -> Option<String> {
        let text = self.value.as_object()?.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The value itself.
    pub fn value(&self) -> &'d Value {
        self.value
    }

    /// A text, number or truth value as written.
    pub fn scalar(&self) -> String {
        self.text().map_or_else(|| self.value.to_string(), str::to_owned)
    }

    /// What the value stands for: itself, or what its `$ref` leads to.
    ///
    /// # Errors
    /// The reference leaves the document, leads nowhere, or in circles.
    pub fn resolve(&self) -> Result<Self, Problem> {
        let mut node = self.clone();
        for _ in 0..HOPS_MAX {
            match node.child("$ref") {
                // A property may be called `$ref` too; then its value is a schema, not text.
                Some(reference) if reference.text().is_some() => node = reference.target()?,
                _ => return Ok(node),
            }
        }
        Err(self
            .problem("circular_reference", "this `$ref` leads from reference to reference")
            .hint("references may not form a circle of nothing but references"))
    }

    /// Where the text of a `$ref` points to (RFC 6901 §6: a pointer as a URI fragment).
    ///
    /// # Errors
    /// A reference to another document, or to nothing.
    pub fn target(&self) -> Result<Self, Problem> {
        let text = self.text().unwrap_or_default();
        let Some(pointer) = text.strip_prefix('#') else {
            return Err(self
                .problem("remote_reference", format!("`{text}` is in another document"))
                .hint("bundle the documents into one, then import that"));
        };
        let missing = || {
            self.problem("dangling_reference", format!("`{text}` leads nowhere"))
                .hint("correct the reference or add what it names")
        };
        let mut node = Self { value: self.root, path: Vec::new(), ..*self };
        if pointer.is_empty() {
            return Ok(node);
        }
        for token in pointer.strip_prefix('/').ok_or_else(missing)?.split('/') {
            let name = unescape(token).ok_or_else(missing)?;
            let next = match node.value {
                Value::Array(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                other => other.as_object().and_then(|members| members.get(&name)),
            };
            node = node.at(next.ok_or_else(missing)?, &name);
        }
        Ok(node)
    }
}

/// Undoes percent-encoding, then `~1` and `~0`.
fn unescape(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (hex, after) = after.split_at_checked(2)?;
            bytes.extend(base::encoding::from_hex(std::str::from_utf8(hex).ok()?)?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Some(String::from_utf8(bytes).ok()?.replace("~1", "/").replace("~0", "~"))
}

//! A request body that is read before the decision. What was read is what is forwarded, byte for
//! byte.

use std::borrow::Cow;

use contract::strict::{self, Trouble};
use contract::writable;
use httparse::Header;
use policy::{Reading, Writes};
use serde_json::Value;
use smallvec::SmallVec;

/// A body as it came, and what it says.
pub(crate) struct JudgedBody {
    bytes: Vec<u8>,
    content: Content,
    /// It is refused for having two readings alone.
    refuses_ambiguity: bool,
}

enum Content {
    Empty,
    Json(Value),
    /// Not JSON, by what its fields say.
    OtherType,
    /// Not JSON that has one reading.
    Unreadable(Trouble),
}

impl JudgedBody {
    /// Takes a whole body, by the values of its `content-type` and `content-encoding` fields.
    pub(crate) fn new(bytes: Vec<u8>, media: &[&[u8]], encodings: &[&[u8]]) -> Self {
        let content = if bytes.is_empty() {
            Content::Empty
        } else if encodings.is_empty() && matches!(media, [media] if is_json(media)) {
            let read = strict::parse(&bytes, strict::Limits::default());
            read.map_or_else(Content::Unreadable, Content::Json)
        } else {
            Content::OtherType
        };
        Self { bytes, content, refuses_ambiguity: false }
    }

    /// Takes a whole body that came with these fields. `refuses_ambiguity`: who asked for it refuses
    /// what has two readings.
    pub(crate) fn of(bytes: Vec<u8>, fields: &[Header<'_>], refuses_ambiguity: bool) -> Self {
        let all = |name: &str| -> SmallVec<[&[u8]; 1]> {
            let named = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            named.map(|field| field.value).collect()
        };
        let body = Self::new(bytes, &all("content-type"), &all("content-encoding"));
        Self { refuses_ambiguity, ..body }
    }

    /// Whether it is JSON that two readers may take for two things: a name twice in one object, or
    /// deeper than many of them follow.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let trouble = match &self.content {
            Content::Unreadable(trouble) => trouble,
            Content::Empty | Content::Json(_) | Content::OtherType => return false,
        };
        matches!(trouble, Trouble::NameTwice(_) | Trouble::TooDeep { .. })
    }

    /// Whether it is refused for that.
    pub(crate) fn is_refused(&self) -> bool {
        self.refuses_ambiguity && self.is_ambiguous()
    }

    /// The value that it is, or why none can be read.
    pub(crate) fn value(&self) -> Result<&Value, String> {
        match &self.content {
            Content::Json(value) => Ok(value),
            Content::Empty => Ok(&Value::Null),
            Content::OtherType => Err("cannot be read as JSON: charset or coding".to_owned()),
            Content::Unreadable(trouble) => Err(format!("cannot be read: {trouble}")),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The values of a property by its dotted name; of arrays, those of every element.
    pub(super) fn read(&self, path: &str) -> Reading<'_> {
        let root = match &self.content {
            Content::Empty => return Reading::absent(),
            Content::OtherType | Content::Unreadable(_) => return Reading::Unreadable,
            Content::Json(root) => root,
        };
        let mut values = SmallVec::new();
        match collect(root, path, &mut values) {
            Some(()) => Reading::Values(values),
            None => Reading::Unreadable,
        }
    }

    /// Whether every property is allowed by its dotted name or that of one around it.
    pub(super) fn writes(&self, allowed: &[String]) -> Writes {
        let root = match &self.content {
            Content::Empty => return Writes::Within,
            Content::OtherType | Content::Unreadable(_) => return Writes::Unreadable,
            Content::Json(root) if is_structure(root) => root,
            Content::Json(_) => return Writes::Outside(vec!["(value)".to_owned()]),
        };
        let Ok(allowed) = writable::Fields::parse(allowed.iter().map(String::as_str)) else {
            return Writes::Unreadable;
        };
        let outside = writable::check(root, &allowed);
        if outside.is_empty() { Writes::Within } else { Writes::Outside(outside) }
    }
}

fn is_json(media: &[u8]) -> bool {
    let Ok(media) = std::str::from_utf8(media) else { return false };
    let mut parts = media.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_utf8 = |part: &str| {
        let charset = part.to_ascii_lowercase();
        let charset =
            charset.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned());
        charset.is_none_or(|name| name == "utf-8")
    };
    let is_json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    is_json && parts.all(is_utf8)
}

/// Adds the values at a dotted name. `None`: one of them is no text, number or boolean, or a name
/// is there in another case too, which some readers take for the same (Go, .NET).
fn collect<'v>(
    value: &'v Value,
    path: &str,
    values: &mut SmallVec<[Cow<'v, str>; 1]>,
) -> Option<()> {
    if let Value::Array(items) = value {
        return items.iter().try_for_each(|item| collect(item, path, values));
    }
    let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, "")))
    else {
        values.push(match value {
            Value::String(text) => Cow::Borrowed(text),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        });
        return Some(());
    };
    let Value::Object(object) = value else { return None };
    let twins = object.keys().filter(|key| key.eq_ignore_ascii_case(name)).count();
    match object.get(name) {
        Some(inner) if twins == 1 => collect(inner, rest, values),
        None if twins == 0 => Some(()),
        _ => None,
    }
}

/// An object, or an array of objects: other values are no properties, and nothing says that they may
/// be written.
fn is_structure(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().all(is_structure),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

//! A request body that is read before the decision. What was read is what is forwarded, byte for
//! byte.

use contract::strict::{self, Trouble};
use httparse::Header;
use policy::reading::json;
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
    /// Steps that change something: what comes out is not in it.
    Patch(Value),
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
            let is_patch = media.iter().any(|media| json::is_patch(media));
            match strict::parse(&bytes, strict::Limits::default()) {
                Ok(value) if is_patch => Content::Patch(value),
                Ok(value) => Content::Json(value),
                Err(trouble) => Content::Unreadable(trouble),
            }
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
            Content::Empty | Content::Json(_) | Content::Patch(_) | Content::OtherType => {
                return false;
            }
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
            Content::Json(value) | Content::Patch(value) => Ok(value),
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
            Content::Patch(_) | Content::OtherType | Content::Unreadable(_) => {
                return Reading::Unreadable;
            }
            Content::Json(root) => root,
        };
        json::read(root, path)
    }

    /// Whether every property is allowed by its dotted name or that of one around it.
    pub(super) fn writes(&self, allowed: &[String]) -> Writes {
        let root = match &self.content {
            Content::Empty => return Writes::Within,
            Content::Patch(_) | Content::OtherType | Content::Unreadable(_) => {
                return Writes::Unreadable;
            }
            Content::Json(root) => root,
        };
        json::writes(root, allowed)
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

#[cfg(test)]
mod tests;

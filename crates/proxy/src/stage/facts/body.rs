//! A request body that is read before the decision. What was read is what is forwarded, byte for
//! byte.

use httparse::Header;
use policy::reading::json;
use policy::{Reading, Writes};
use serde_json::Value;
use smallvec::SmallVec;

/// A body as it came, and what it says.
pub(crate) struct JudgedBody {
    bytes: Vec<u8>,
    content: Content,
}

enum Content {
    Empty,
    Json(Value),
    /// Of another type, or not JSON that has one reading.
    Unreadable,
}

impl JudgedBody {
    /// Takes a whole body, by the values of its `content-type` and `content-encoding` fields.
    pub(crate) fn new(bytes: Vec<u8>, media: &[&[u8]], encodings: &[&[u8]]) -> Self {
        let content = if bytes.is_empty() {
            Content::Empty
        } else if encodings.is_empty() && matches!(media, [media] if is_json(media)) {
            json::parse(&bytes).map_or(Content::Unreadable, Content::Json)
        } else {
            Content::Unreadable
        };
        Self { bytes, content }
    }

    /// Takes a whole body that came with these fields.
    pub(crate) fn of(bytes: Vec<u8>, fields: &[Header<'_>]) -> Self {
        let all = |name: &str| -> SmallVec<[&[u8]; 1]> {
            let named = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            named.map(|field| field.value).collect()
        };
        Self::new(bytes, &all("content-type"), &all("content-encoding"))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The values of a property by its dotted name; of arrays, those of every element.
    pub(super) fn read(&self, path: &str) -> Reading<'_> {
        let root = match &self.content {
            Content::Empty => return Reading::absent(),
            Content::Unreadable => return Reading::Unreadable,
            Content::Json(root) => root,
        };
        json::read(root, path)
    }

    /// Whether every property is allowed by its dotted name or that of one around it.
    pub(super) fn writes(&self, allowed: &[String]) -> Writes {
        let root = match &self.content {
            Content::Empty => return Writes::Within,
            Content::Unreadable => return Writes::Unreadable,
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

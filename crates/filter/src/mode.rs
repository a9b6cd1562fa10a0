//! How documents stand in a body.

/// The framing of the documents in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One document (RFC 8259).
    Document,
    /// A document on each line that is not empty.
    Lines,
    /// Server-sent events, with a document as the data of each one.
    Events,
}

impl Mode {
    /// The mode for a `Content-Type`. `None`: what is inside is not known, so a body that has to be
    /// filtered must be refused. So is another charset than UTF-8.
    pub fn for_content_type(value: &str) -> Option<Self> {
        let mut parts = value.split(';');
        let media_type = parts.next()?.trim().to_ascii_lowercase();
        let is_utf8 = |parameter: &str| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                let value = value.trim();
                let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                quoted.unwrap_or(value).eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        };
        if !parts.all(is_utf8) {
            return None;
        }
        match media_type.as_str() {
            "application/json" => Some(Self::Document),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                Some(Self::Lines)
            }
            "text/event-stream" => Some(Self::Events),
            _ => is_of_json(&media_type).then_some(Self::Document),
        }
    }
}

/// Whether the type has the structured suffix of JSON (RFC 6839 §3.1).
fn is_of_json(media_type: &str) -> bool {
    let named = media_type.split_once('/').and_then(|(kind, rest)| {
        let subtype = rest.strip_suffix("+json")?;
        Some((kind, subtype))
    });
    let is_token = |text: &str| {
        let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.bytes().all(of_token)
    };
    named.is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

#[cfg(test)]
mod tests;

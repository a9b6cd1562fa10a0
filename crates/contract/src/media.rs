//! Media types (RFC 9110 §8.3): which of those that a document lists a message has.

/// A media type or range that a document lists, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// With its parameters, without blanks.
    whole: Box<str>,
}

/// How closely a range fits, from worst to best.
type Closeness = u8;

impl Range {
    /// Anything.
    pub(crate) const ANY: &'static str = "*/*";

    pub(crate) fn new(text: &str) -> Self {
        Self { whole: normal(text).into() }
    }

    /// As it is listed.
    pub(crate) fn as_str(&self) -> &str {
        &self.whole
    }

    /// Whether JSON can be of this type.
    pub(crate) fn allows_json(&self) -> bool {
        let essence = essence(&self.whole);
        is_json(essence) || matches!(essence, "*/*" | "application/*" | "text/*")
    }

    /// Whether what a caller sends of this type is read.
    pub(crate) fn is_read_sent(&self) -> bool {
        self.allows_json() || self.is_form()
    }

    /// Whether it is that of forms itself. Where anything will do, nobody says that a form is meant:
    /// it is the type that some programs give to whatever they send.
    pub(crate) fn is_form(&self) -> bool {
        is_form(&self.whole)
    }

    /// How closely a message's `Content-Type` fits, if it does.
    pub(crate) fn fits(&self, content_type: &str) -> Option<Closeness> {
        let given = essence(content_type);
        let (kind, subtype) = given.split_once('/')?;
        let token = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
            !text.is_empty() && text.chars().all(allowed)
        };
        if !token(kind) || !token(subtype) {
            return None;
        }
        let own = essence(&self.whole);
        if own.eq_ignore_ascii_case(given) {
            // A version in the parameters tells one from another, where the message has it.
            return Some(match self.whole.contains(';') {
                true if *self.whole == *normal(content_type) => 4,
                true => 2,
                false => 3,
            });
        }
        match own.split_once('/')? {
            ("*", "*") => Some(0),
            (own, "*") if own.eq_ignore_ascii_case(kind) => Some(1),
            _ => None,
        }
    }
}

/// Whether a message of this type is JSON (RFC 8259, RFC 6839 §3.1).
pub(crate) fn is_json(content_type: &str) -> bool {
    let Some((_, subtype)) = essence(content_type).split_once('/') else { return false };
    let suffix = subtype.rsplit_once('+').map(|(_, suffix)| suffix);
    subtype.eq_ignore_ascii_case("json") || suffix.is_some_and(|s| s.eq_ignore_ascii_case("json"))
}

/// Whether a message of this type is the body of a form (WHATWG URL §5).
pub(crate) fn is_form(content_type: &str) -> bool {
    essence(content_type).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Without parameters.
fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

fn normal(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests;

//! Ties: what binds the object of a request to its caller. `path.tenant = identity.tenant` holds
//! when every value on the left is one of the values on the right; what is missing, or cannot be
//! read, does not hold.
//!
//! ```text
//! tie    = place " = " source *( " | " source )
//! place  = "path." name / "query." name / "header." name / "body." field / "response." field
//! source = "identity." name / "claim." name / "related." name / DQUOTE text DQUOTE
//! ```
//! A `field` is a dotted name. In `body.` arrays are transparent and all their elements must
//! agree. In `response.` a `[]` names the list whose items are judged one by one
//! (`response.items[].tenant`); without one the whole response is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest tie, in bytes.
const BYTES_MAX: usize = 512;

/// Where a value of the request or the response stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A parameter of the path template, by its name there.
    Path(String),
    /// A query parameter: each of its values, percent-decoded.
    Query(String),
    /// A header field, lower case: each of its values.
    Header(String),
    /// A property of the JSON body, dotted.
    Body(String),
    /// A property of the JSON response, dotted, with `[]` after the list whose items are judged.
    Response(String),
}

/// What the caller brings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An attribute of the identity: `id`, `owner`, `environment`, `kind`, `vendor`, `email`, or one
    /// that it was given.
    Identity(String),
    /// A claim of the token, dotted.
    Claim(String),
    /// The objects that the identity has this relation to.
    Related(String),
    /// This text.
    Text(String),
}

/// One condition on the object of a request. Serialised as its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tie {
    /// What is judged.
    pub place: Place,
    /// What it must be one of; never empty.
    pub sources: Vec<Source>,
}

/// Why a text is not a tie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTie {
    /// There is no `=`.
    #[error("`{0}` has no ` = `")]
    NoEquals(String),
    /// The left side names no part of a request or response.
    #[error("`{0}` is not path.…, query.…, header.…, body.… or response.…")]
    Place(String),
    /// The right side names nothing that a caller brings.
    #[error("`{0}` is not identity.…, claim.…, related.… or a text in double quotes")]
    Source(String),
    /// A name is empty or has a character that no name has.
    #[error("`{0}` is not a name")]
    Name(String),
    /// Too long.
    #[error("a tie has at most {BYTES_MAX} bytes")]
    TooLong,
}

impl std::str::FromStr for Tie {
    type Err = BadTie;
    fn from_str(text: &str) -> Result<Self, BadTie> {
        if text.len() > BYTES_MAX {
            return Err(BadTie::TooLong);
        }
        let (left, right) =
            text.split_once('=').ok_or_else(|| BadTie::NoEquals(text.trim().to_owned()))?;
        let sources = split_sources(right).into_iter().map(source).collect::<Result<_, _>>()?;
        Ok(Self { place: place(left.trim())?, sources })
    }
}

/// Splits at `|` outside double quotes.
fn split_sources(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c| {
        quoted ^= c == '"';
        c == '|' && !quoted
    })
    .map(str::trim)
    .collect()
}

fn place(text: &str) -> Result<Place, BadTie> {
    let unknown = || BadTie::Place(text.to_owned());
    // `response[].tenant` reads better than the dot that the grammar asks for.
    let list = text.strip_prefix("response").filter(|rest| rest.starts_with("[]"));
    let listed = list.map(|name| ("response", name));
    let (part, name) = listed.or_else(|| text.split_once('.')).ok_or_else(unknown)?;
    let plain = || named(name, is_name).map(str::to_owned);
    match part {
        "path" => Ok(Place::Path(plain()?)),
        "query" => Ok(Place::Query(named(name, is_query_name)?.to_owned())),
        "header" => Ok(Place::Header(named(name, is_token)?.to_ascii_lowercase())),
        "body" => Ok(Place::Body(named(name, is_dotted)?.to_owned())),
        "response" => Ok(Place::Response(named(name, is_listed)?.to_owned())),
        _ => Err(unknown()),
    }
}

fn source(text: &str) -> Result<Source, BadTie> {
    let unknown = || BadTie::Source(text.to_owned());
    if let Some(rest) = text.strip_prefix('"') {
        let inner = rest.strip_suffix('"').filter(|inner| !inner.contains('"'));
        return inner.map(|inner| Source::Text(inner.to_owned())).ok_or_else(unknown);
    }
    let (part, name) = text.split_once('.').ok_or_else(unknown)?;
    match part {
        "identity" => Ok(Source::Identity(named(name, is_name)?.to_owned())),
        "claim" => Ok(Source::Claim(named(name, is_claim)?.to_owned())),
        "related" => Ok(Source::Related(named(name, is_name)?.to_owned())),
        _ => Err(unknown()),
    }
}

fn named(name: &str, is_good: fn(&str) -> bool) -> Result<&str, BadTie> {
    if is_good(name) { Ok(name) } else { Err(BadTie::Name(name.to_owned())) }
}

/// Letters, digits, `_` and `-`.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn is_query_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.[]:".contains(&b))
}

/// A header field's name (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_tchar)
}

/// A claim may be named by a URI (`https://example.com/tenant`).
fn is_claim(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"\"|=".contains(&b))
}

fn is_property(name: &str) -> bool {
    let is_good = |c: char| !c.is_control() && !" \"|=[]".contains(c);
    !name.is_empty() && name.chars().all(is_good)
}

fn is_dotted(name: &str) -> bool {
    name.split('.').all(is_property)
}

/// A dotted name in which a part may end in `[]`, and the first may be `[]` alone.
fn is_listed(name: &str) -> bool {
    let (first, rest) = name.split_once('.').map_or((name, None), |(a, b)| (a, Some(b)));
    let mut parts = rest.into_iter().flat_map(|rest| rest.split('.')).peekable();
    let first_is_good = (first == "[]" && rest.is_some()) || is_part(first);
    let last_is_list = name.ends_with("[]");
    first_is_good && !last_is_list && parts.all(is_part)
}

fn is_part(part: &str) -> bool {
    is_property(part.strip_suffix("[]").unwrap_or(part))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(name) => write!(f, "path.{name}"),
            Self::Query(name) => write!(f, "query.{name}"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Body(name) => write!(f, "body.{name}"),
            Self::Response(name) => write!(f, "response.{name}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(name) => write!(f, "identity.{name}"),
            Self::Claim(name) => write!(f, "claim.{name}"),
            Self::Related(name) => write!(f, "related.{name}"),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} =", self.place)?;
        for (index, source) in self.sources.iter().enumerate() {
            write!(f, "{}{source}", if index == 0 { " " } else { " | " })?;
        }
        Ok(())
    }
}

impl From<Tie> for String {
    fn from(tie: Tie) -> String {
        tie.to_string()
    }
}

impl TryFrom<String> for Tie {
    type Error = BadTie;
    fn try_from(text: String) -> Result<Self, BadTie> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;

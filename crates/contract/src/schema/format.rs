//! Formats that are checked. Where a specification leaves room, the wider reading is taken: a
//! format that is wrongly refused stops a caller who did nothing wrong. Formats that are not here
//! (`password`, `binary`, own ones) are remarks, as JSON Schema has it.

mod date;
mod net;

use serde_json::Number;

use super::number;

/// What a string has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `full-time`.
    Time,
    /// RFC 3339, appendix A.
    Duration,
    /// RFC 9562 §4.
    Uuid,
    /// RFC 5321 `Mailbox`.
    Email,
    /// RFC 1123 §2.1.
    Hostname,
    /// Dotted decimal.
    Ipv4,
    /// RFC 4291 §2.2.
    Ipv6,
    /// RFC 3986, with a scheme.
    Uri,
    /// RFC 3986 §4.1.
    UriReference,
    /// RFC 6901.
    JsonPointer,
    /// Base64, RFC 4648 §4.
    Byte,
}

impl TextFormat {
    const WORDS: [(Self, &str); 13] = [
        (Self::DateTime, "date-time"),
        (Self::Date, "date"),
        (Self::Time, "time"),
        (Self::Duration, "duration"),
        (Self::Uuid, "uuid"),
        (Self::Email, "email"),
        (Self::Hostname, "hostname"),
        (Self::Ipv4, "ipv4"),
        (Self::Ipv6, "ipv6"),
        (Self::Uri, "uri"),
        (Self::UriReference, "uri-reference"),
        (Self::JsonPointer, "json-pointer"),
        (Self::Byte, "byte"),
    ];

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(format, _)| *format)
    }

    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(format, _)| *format == self).map_or("", |(_, word)| word)
    }

    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::DateTime => date::date_time(text).is_some(),
            Self::Date => date::date(text).is_some(),
            Self::Time => date::time(text).is_some(),
            Self::Duration => date::duration(text).is_some(),
            Self::Uuid => is_uuid(text),
            Self::Email => net::is_email(text),
            Self::Hostname => net::is_hostname(text),
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => net::is_uri(text),
            Self::UriReference => net::is_uri_reference(text),
            Self::JsonPointer => is_json_pointer(text),
            Self::Byte => is_base64(text),
        }
    }
}

/// What an integer has to fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberFormat {
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
}

impl NumberFormat {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "int32" => Some(Self::Int32),
            "int64" => Some(Self::Int64),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }

    pub(crate) fn fits(self, value: &Number) -> bool {
        let Some(integer) = number::integer(value) else { return false };
        match self {
            Self::Int32 => i32::try_from(integer).is_ok(),
            Self::Int64 => i64::try_from(integer).is_ok(),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq(lengths) && groups.iter().all(hex)
}

fn is_json_pointer(text: &str) -> bool {
    let escaped = |token: &str| token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || (text.starts_with('/') && escaped(text))
}

fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    data.bytes().all(alphabet) && padding <= 2 && text.len().is_multiple_of(4)
}

#[cfg(test)]
mod tests;

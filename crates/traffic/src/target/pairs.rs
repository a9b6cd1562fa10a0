//! The parameters of a query, as those who read forms read it.

use std::borrow::Cow;

use super::octet;

/// Each parameter's name and value, in order, decoded as `application/x-www-form-urlencoded` (WHATWG
/// URL §5.1): split at `&`, `+` is a space. `None` for one that does not decode to UTF-8.
pub fn pairs(query: &str) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name)?, decoded(value)?))
    })
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                out.push(octet(*high, *low)?);
                tail
            }
            (b'%', _) => return None,
            (b'+', tail) => {
                out.push(b' ');
                tail
            }
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;

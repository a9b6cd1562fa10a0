//! How the parts of a request are read for conditions. The gate reads requests that came, others
//! read requests that are only asked about: by the same functions, so that both read alike.
//!
//! What those behind the gate may read in another way than this is not read at all: a condition on
//! it does not hold.

use std::borrow::Cow;

use catalog::capture;
use smallvec::SmallVec;
use traffic::headers;
use traffic::target::pairs::pairs;

use crate::Reading;

pub mod json;

/// A parameter of the path, by the template that the canonical path fits. What the template does not
/// have is absent, as every parameter is without a template.
pub fn path<'r>(template: Option<&str>, path: &str, name: &str) -> Reading<'r> {
    match template.filter(|template| capture::has(template, name)) {
        Some(template) => {
            capture::parameter(template, path, name).map_or(Reading::Unreadable, Reading::one)
        }
        None => Reading::absent(),
    }
}

/// Whether the path of an operation has a parameter of this name: what is not told of it is not
/// known, and what it does not have is absent.
pub fn is_in_path(template: Option<&str>, name: &str) -> bool {
    template.is_some_and(|template| capture::has(template, name))
}

/// A parameter of a query: each of its values.
pub fn query<'q>(query: Option<&'q str>, name: &str) -> Reading<'q> {
    let Some(query) = query else { return Reading::absent() };
    // A separator to some readers, data to others.
    if query.contains(';') {
        return Reading::Unreadable;
    }
    let mut values = SmallVec::new();
    for pair in pairs(query) {
        let Some((found, value)) = pair else { return Reading::Unreadable };
        if found == name {
            values.push(value);
        } else if is_alias(&found, name) {
            return Reading::Unreadable;
        }
    }
    Reading::Values(values)
}

/// A header field: the values of each field of its name, in order. `fields`: all that travel on,
/// as another spelling that application servers take for the same name is another reading.
pub fn header<'h>(fields: impl Iterator<Item = (&'h str, &'h [u8])>, name: &str) -> Reading<'h> {
    let mut values = SmallVec::new();
    for (found, value) in fields {
        if !found.eq_ignore_ascii_case(name) {
            if headers::is_alias(found, name) {
                return Reading::Unreadable;
            }
            continue;
        }
        let Ok(value) = std::str::from_utf8(value) else { return Reading::Unreadable };
        // A list to those who split it (RFC 9110 §5.6.1), one value to others.
        if value.contains(',') {
            return Reading::Unreadable;
        }
        values.push(Cow::Borrowed(value));
    }
    Reading::Values(values)
}

/// Whether some readers take the parameter `found` for `name`: by another case, or as PHP does
/// (`name[]`, `na.me`).
pub fn is_alias(found: &str, name: &str) -> bool {
    let plain = found.trim_start().split('[').next().unwrap_or_default();
    let is_mark = |c: char| matches!(c, '.' | ' ');
    plain.replace(is_mark, "_").eq_ignore_ascii_case(&name.replace(is_mark, "_"))
}

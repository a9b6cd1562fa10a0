//! A request as conditions read it: by the one form that is forwarded.
//!
//! What those behind the gate may read in another way than this is not read at all: a condition on
//! it does not hold.

use std::borrow::Cow;

use catalog::capture;
use grant::Place;
use policy::{Reading, Request, Writes};
use smallvec::SmallVec;
use traffic::target::pairs::pairs;

use super::Received;

mod body;

pub(crate) use body::JudgedBody;

/// Reads one request.
pub(super) struct Reader<'r, 'h>(&'r Received<'h>);

impl<'r, 'h> Reader<'r, 'h> {
    pub(super) fn new(received: &'r Received<'h>) -> Self {
        Self(received)
    }

    fn path(&self, name: &str) -> Reading<'_> {
        let template = self.0.operation.map(|operation| operation.path.as_str());
        let value = template.map(|path| capture::parameter(path, self.0.target.path(), name));
        match value {
            Some(Some(value)) => Reading::one(value),
            Some(None) => Reading::Unreadable,
            None => Reading::absent(),
        }
    }

    fn query(&self, name: &str) -> Reading<'_> {
        let Some(query) = self.0.target.query() else { return Reading::absent() };
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

    fn header(&self, name: &str) -> Reading<'_> {
        let mut values = SmallVec::new();
        for (index, field) in self.0.arrival.fields.iter().enumerate() {
            if !field.name.eq_ignore_ascii_case(name) || !self.0.fields.travels(index) {
                continue;
            }
            let Ok(value) = std::str::from_utf8(field.value) else { return Reading::Unreadable };
            // A list to those who split it (RFC 9110 §5.6.1), one value to others.
            if value.contains(',') {
                return Reading::Unreadable;
            }
            values.push(Cow::Borrowed(value));
        }
        Reading::Values(values)
    }

    /// The body; `Err(true)` = it was not read yet.
    fn body(&self) -> Result<&JudgedBody, bool> {
        self.0.body.ok_or(!self.0.fields.framing.is_empty())
    }
}

impl Request for Reader<'_, '_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        match place {
            Place::Path(name) => self.path(name),
            Place::Query(name) => self.query(name),
            Place::Header(name) => self.header(name),
            Place::Body(path) => match self.body() {
                Ok(body) => body.read(path),
                Err(true) => Reading::Later,
                Err(false) => Reading::absent(),
            },
            Place::Response(_) => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        match self.body() {
            Ok(body) => body.writes(allowed),
            Err(true) => Writes::Later,
            Err(false) => Writes::Within,
        }
    }
}

/// Whether some readers take the parameter `found` for `name`: by another case, or as PHP does
/// (`name[]`, `na.me`).
fn is_alias(found: &str, name: &str) -> bool {
    let plain = found.trim_start().split('[').next().unwrap_or_default();
    let is_mark = |c: char| matches!(c, '.' | ' ');
    plain.replace(is_mark, "_").eq_ignore_ascii_case(&name.replace(is_mark, "_"))
}

//! A request as conditions read it: by the one form that is forwarded.

use grant::Place;
use policy::{Reading, Request, Writes, reading};

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
        reading::path(template, self.0.target.path(), name)
    }

    fn header(&self, name: &str) -> Reading<'_> {
        let fields = self.0.arrival.fields.iter().enumerate();
        let travelling = fields.filter(|(index, _)| self.0.fields.travels(*index));
        reading::header(travelling.map(|(_, field)| (field.name, field.value)), name)
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
            Place::Query(name) => reading::query(self.0.target.query(), name),
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

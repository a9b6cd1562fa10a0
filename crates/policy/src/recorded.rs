//! A recorded request, as conditions read it. What no record keeps counts as not read yet, so that
//! an answer that depends on it says so.

use catalog::Operation;
use grant::Place;
use traffic::CallRecord;

use crate::facts::{Reading, Request, Writes};
use crate::reading;

/// What a record keeps of a request: its path, and whether there was a body.
#[derive(Debug, Clone, Copy)]
pub struct RecordedRequest<'a> {
    record: &'a CallRecord,
    template: Option<&'a str>,
}

impl<'a> RecordedRequest<'a> {
    /// The request of a record, to this operation.
    pub fn new(record: &'a CallRecord, operation: Option<&'a Operation>) -> Self {
        Self { record, template: operation.map(|operation| operation.path.as_str()) }
    }
}

impl Request for RecordedRequest<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        let Place::Path(name) = place else { return Reading::Later };
        reading::path(self.template, &self.record.path, name)
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        if self.record.bytes_in == 0 { Writes::Within } else { Writes::Later }
    }
}

//! The checks of one operation. Made by [`crate::Contract::compile`].

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::form;
use crate::media::{self, Range};
use crate::parameter::Parameter;
use crate::place::{Place, shortened};
use crate::run::{Direction, Task};
use crate::schema::{Id, Schemas};
use crate::text::decoded;
use crate::violation::{Rule, VIOLATIONS_MAX, Violation};

/// What is known of a request before its body is read.
#[derive(Clone, Copy)]
pub struct Head<'h> {
    /// Names and values of path parameters, the values as the path spells them; see
    /// [`crate::path::values`]. Not looked at unless [`OperationContract::reads_path`].
    pub path_params: &'h [(&'h str, &'h str)],
    /// The query as sent, without `?`.
    pub query: Option<&'h str>,
    /// The lines of a header field by its name, which is in the spelling of the document.
    pub headers: &'h dyn Fn(&str) -> Vec<&'h [u8]>,
    /// The `Content-Type`, if there is one.
    pub content_type: Option<&'h str>,
    /// Whether a body follows.
    pub has_body: bool,
}

/// What an operation takes and gives, shared by all requests at once.
#[derive(Debug)]
pub struct OperationContract {
    pub(crate) schemas: Arc<Schemas>,
    /// Where the document describes it.
    pub(crate) pointer: Box<str>,
    pub(crate) path: Box<[Parameter]>,
    pub(crate) headers: Box<[Parameter]>,
    pub(crate) query: Query,
    pub(crate) body: Option<Body>,
    /// Closed objects in requests.
    pub(crate) closed: bool,
    /// Empty when the document lists none.
    pub(crate) responses: Box<[Response]>,
}

/// What may stand in the query.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) parameters: Box<[Parameter]>,
    /// Refuses names that are neither parameters nor among `also`.
    pub(crate) strict: bool,
    /// Names that keys have, by the document's security schemes.
    pub(crate) also: Arc<[Box<str>]>,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) media: Box<[Media]>,
    pub(crate) pointer: Box<str>,
}

/// A media type that a body can have.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) range: Range,
    /// For JSON, and for forms in requests; `None` when nothing is said or it is not checked.
    pub(crate) schema: Option<Id>,
}

/// What a response with one of some statuses is.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) statuses: Statuses,
    /// Empty when the document lists no content.
    pub(crate) media: Box<[Media]>,
    pub(crate) pointer: Box<str>,
}

/// Statuses by the closeness with which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Statuses {
    One(u16),
    /// `2XX` as 2.
    Class(u16),
    Default,
}

impl OperationContract {
    /// Whether path parameters are checked, so that their values are needed.
    pub fn reads_path(&self) -> bool {
        !self.path.is_empty()
    }

    /// Whether some body of a request is checked against a schema.
    pub fn needs_body(&self) -> bool {
        self.media_of_body().iter().any(|one| one.schema.is_some())
    }

    /// Whether a body of this type is: only then does it have to be read and parsed.
    pub fn reads_body(&self, content_type: Option<&str>) -> bool {
        schema_of(self.media_of_body(), content_type).is_some() || self.reads_form(content_type)
    }

    /// Whether it is read as the body of a form, and checked with [`Self::check_form`].
    pub fn reads_form(&self, content_type: Option<&str>) -> bool {
        form_of(self.media_of_body(), content_type).is_some()
    }

    fn media_of_body(&self) -> &[Media] {
        self.body.as_ref().map(|body| &*body.media).unwrap_or_default()
    }

    /// Whether some response is checked against a schema.
    pub fn needs_responses(&self) -> bool {
        self.responses.iter().any(|response| checks_json(&response.media))
    }

    /// Whether a response with this status and type is checked against a schema.
    pub fn reads_response(&self, status: u16, content_type: Option<&str>) -> bool {
        let media = self.response(status).map(|one| &*one.media).unwrap_or_default();
        schema_of(media, content_type).is_some()
    }

    /// What is wrong with a request before its body: parameters, whether there is a body, and its
    /// media type. The first [`VIOLATIONS_MAX`], in the order path, query, header fields, body.
    pub fn check_head(&self, head: &Head<'_>) -> Vec<Violation> {
        let mut found = Vec::new();
        for parameter in &self.path {
            let value = head.path_params.iter().find(|(name, _)| *name == &*parameter.name);
            found.extend(parameter.in_path(&self.schemas, value.map(|(_, value)| *value)));
        }
        self.check_query(head.query.unwrap_or_default(), &mut found);
        for parameter in &self.headers {
            let lines = (head.headers)(&parameter.name);
            found.extend(parameter.in_header(&self.schemas, &lines));
        }
        found.extend(self.check_body_head(head));
        found.truncate(VIOLATIONS_MAX);
        found
    }

    fn check_query(&self, query: &str, found: &mut Vec<Violation>) {
        if self.query.parameters.is_empty() && (!self.query.strict || query.is_empty()) {
            return;
        }
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name, true), decoded(value, true)) {
                (Some(name), Some(value)) => pairs.push((name, value)),
                _ => found.push(Violation {
                    rule: Rule::UnreadableParameter,
                    place: Place::Query(shortened(name)),
                    what: "cannot be decoded".to_owned(),
                    schema: self.pointer.to_string(),
                }),
            }
        }
        for parameter in &self.query.parameters {
            found.extend(parameter.in_query(&self.schemas, &pairs));
        }
        let known = |name: &str| {
            self.query.parameters.iter().any(|parameter| parameter.has_name(name))
                || self.query.also.iter().any(|also| **also == *name)
        };
        let unknown = pairs.iter().filter(|(name, _)| self.query.strict && !known(name));
        found.extend(unknown.take(VIOLATIONS_MAX).map(|(name, _)| Violation {
            rule: Rule::UnknownParameter,
            place: Place::Query(shortened(name)),
            what: "is not a parameter of the operation".to_owned(),
            schema: self.pointer.to_string(),
        }));
    }

    fn check_body_head(&self, head: &Head<'_>) -> Option<Violation> {
        let violation = |rule, place, what: String, schema: &str| {
            Some(Violation { rule, place, what, schema: schema.to_owned() })
        };
        let whole = || Place::Body(String::new());
        match (&self.body, head.has_body) {
            (None, false) => None,
            (Some(body), false) if body.required => {
                violation(Rule::MissingBody, whole(), "has to be there".to_owned(), &body.pointer)
            }
            (Some(_), false) => None,
            (None, true) => {
                let what = "is not described for the operation".to_owned();
                violation(Rule::UnexpectedBody, whole(), what, &self.pointer)
            }
            (Some(body), true) => unlisted(&body.media, head.content_type, &body.pointer),
        }
    }

    /// What is wrong with the body of a request: the first [`VIOLATIONS_MAX`], always in the same
    /// order. Nothing when a body of this type is not checked.
    pub fn check_body(&self, content_type: Option<&str>, body: &Value) -> Vec<Violation> {
        self.check(self.media_of_body(), content_type, body, Direction::Request)
    }

    /// What is wrong with the body of a form, as for JSON: its properties are what its names and
    /// values stand for by the schema. Nothing when such bodies are not checked.
    pub fn check_form(&self, content_type: Option<&str>, form: &[u8]) -> Vec<Violation> {
        let Some(id) = form_of(self.media_of_body(), content_type) else { return Vec::new() };
        let task = self.task(Direction::Request);
        match form::read(&task, id, form) {
            Ok(value) => task.violations(id, &value),
            Err(violation) => vec![violation],
        }
    }

    fn task(&self, direction: Direction) -> Task<'_> {
        let closed = self.closed && direction == Direction::Request;
        Task { schemas: &self.schemas, direction, closed, parameter: None }
    }

    /// What is wrong with a response before its body: the status and the media type. Without
    /// `content_type`, which a response without body does not have, only the status. Nothing when
    /// the document lists no responses.
    pub fn check_response_head(&self, status: u16, content_type: Option<&str>) -> Vec<Violation> {
        if self.responses.is_empty() {
            return Vec::new();
        }
        let Some(response) = self.response(status) else {
            return vec![Violation {
                rule: Rule::UnlistedStatus,
                place: Place::Status(status),
                what: "is not a status of the operation".to_owned(),
                schema: self.pointer.to_string(),
            }];
        };
        if content_type.is_none() || response.media.is_empty() {
            return Vec::new();
        }
        unlisted(&response.media, content_type, &response.pointer).into_iter().collect()
    }

    /// What is wrong with the body of a response, as for that of a request.
    pub fn check_response_body(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: &Value,
    ) -> Vec<Violation> {
        let media = self.response(status).map(|one| &*one.media).unwrap_or_default();
        self.check(media, content_type, body, Direction::Response)
    }

    fn check(
        &self,
        media: &[Media],
        content_type: Option<&str>,
        body: &Value,
        direction: Direction,
    ) -> Vec<Violation> {
        let Some(id) = schema_of(media, content_type) else { return Vec::new() };
        self.task(direction).violations(id, body)
    }

    /// What the document says for a status, the closest first: they are sorted.
    fn response(&self, status: u16) -> Option<&Response> {
        self.responses.iter().find(|response| match response.statuses {
            Statuses::One(one) => one == status,
            Statuses::Class(class) => class == status / 100,
            Statuses::Default => true,
        })
    }
}

fn checks_json(media: &[Media]) -> bool {
    media.iter().any(|one| one.schema.is_some() && one.range.allows_json())
}

/// The schema for a body of this type, if it is JSON and has one.
fn schema_of(media: &[Media], content_type: Option<&str>) -> Option<Id> {
    let content_type = content_type.filter(|given| media::is_json(given))?;
    closest(media, content_type)?.schema
}

/// The schema for a body of this type, if it is that of a form and has one.
fn form_of(media: &[Media], content_type: Option<&str>) -> Option<Id> {
    let content_type = content_type.filter(|given| media::is_form(given))?;
    closest(media, content_type).filter(|one| one.range.is_form())?.schema
}

fn closest<'m>(media: &'m [Media], content_type: &str) -> Option<&'m Media> {
    let fitting = media.iter().filter_map(|one| Some((one.range.fits(content_type)?, one)));
    fitting.max_by_key(|(closeness, _)| *closeness).map(|(_, one)| one)
}

/// A violation, unless the media type is listed.
fn unlisted(media: &[Media], content_type: Option<&str>, pointer: &str) -> Option<Violation> {
    let fits = |given| closest(media, given).is_some();
    // Bytes without a type may be anything; that is enough only where anything will do.
    let anything = media.iter().any(|one| one.range.as_str() == Range::ANY);
    if content_type.map_or(anything, fits) {
        return None;
    }
    let listed: Vec<&str> =
        media.iter().take(VIOLATIONS_MAX).map(|one| one.range.as_str()).collect();
    Some(Violation {
        rule: Rule::UnsupportedMediaType,
        place: Place::MediaType,
        what: format!("must be {}", listed.join(" or ")),
        schema: pointer.to_owned(),
    })
}

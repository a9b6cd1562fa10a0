//! What a question tells of the request that it is about, as conditions read it. What is not told
//! cannot be read, so that no condition holds by it.

use base::Problem;
use catalog::Operation;
use grant::Place;
use policy::{Reading, Request, Writes, reading};
use serde_json::Value;
use traffic::Target;
use traffic::headers::{RequestFields, Version};

use super::question::{Resource, not, object};
use crate::view::Properties;

/// Values by their names, each with all that it has.
type Named = Vec<(String, Vec<String>)>;

/// What is told of a request. `None` = nothing is known of this part.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    path: Option<Named>,
    query: Option<Named>,
    /// Those that would travel on, with names in lower case.
    header: Option<Vec<(String, String)>>,
    /// `null`: there is none.
    body: Option<Value>,
}

impl Given {
    /// Reads the properties of a resource. The path and the query of a target are its own.
    pub(super) fn read(
        properties: Option<&Properties>,
        target: Option<&Target>,
    ) -> Result<Self, Problem> {
        let part = |name: &str| {
            let place = format!("resource.properties.{name}");
            object(properties, name, &place)?.map(|part| named(part, &place)).transpose()
        };
        let (path, query) = match target {
            Some(_) => (None, None),
            None => (part("path")?, part("query")?),
        };
        let header = part("header")?.map(travelling).transpose()?;
        let body = properties.and_then(|known| known.get("body")).cloned();
        Ok(Self { path, query, header, body })
    }

    /// As a request for this resource.
    pub(super) fn of<'g>(
        &'g self,
        resource: &'g Resource,
        operation: Option<&'g Operation>,
    ) -> Asked<'g> {
        let template = operation.map(|operation| operation.path.as_str());
        Asked { given: self, target: resource.target(), template }
    }
}

/// Texts, numbers and booleans, alone or in lists.
fn named(part: &Properties, place: &str) -> Result<Named, Problem> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(not("made of texts and lists of texts", place))
        }
    };
    let values = |(name, value): (&String, &Value)| {
        let values = match value {
            Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
            value => vec![text(value)?],
        };
        Ok((name.clone(), values))
    };
    part.iter().map(values).collect()
}

/// The fields that the gate would read, judged as it judges those of a request.
fn travelling(named: Named) -> Result<Vec<(String, String)>, Problem> {
    let each = |(name, values): (String, Vec<String>)| {
        values.into_iter().map(move |value| (name.clone(), value))
    };
    let fields: Vec<(String, String)> = named.into_iter().flat_map(each).collect();
    let pairs = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let judged = RequestFields::judge(Version::Http11, pairs).map_err(|reason| {
        let detail = format!("the gate refuses these fields ({reason})");
        Problem::invalid("bad_header", detail).at("resource.properties.header")
    })?;
    let travels = fields.iter().enumerate().filter(|(index, _)| judged.travels(*index));
    Ok(travels.map(|(_, (name, value))| (name.to_ascii_lowercase(), value.clone())).collect())
}

/// A request that is only asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'g> {
    given: &'g Given,
    target: Option<&'g Target>,
    template: Option<&'g str>,
}

impl Asked<'_> {
    fn path(&self, name: &str) -> Reading<'_> {
        match self.target {
            Some(target) => reading::path(self.template, target.path(), name),
            None if !reading::is_in_path(self.template, name) => Reading::absent(),
            // Every request has a value here: not to be told it is not to know it.
            None => match values(self.given.path.as_ref(), name) {
                Some([value]) => Reading::one(value.as_str()),
                _ => Reading::Unreadable,
            },
        }
    }

    fn query(&self, name: &str) -> Reading<'_> {
        if let Some(target) = self.target {
            return reading::query(target.query(), name);
        }
        let Some(query) = &self.given.query else { return Reading::Unreadable };
        if query.iter().any(|(found, _)| found != name && reading::is_alias(found, name)) {
            return Reading::Unreadable;
        }
        all(values(Some(query), name).unwrap_or_default())
    }

    fn header(&self, name: &str) -> Reading<'_> {
        let Some(fields) = &self.given.header else { return Reading::Unreadable };
        let fields = fields.iter().map(|(found, value)| (found.as_str(), value.as_bytes()));
        reading::header(fields, name)
    }

    /// `None`: nobody can know what it says.
    fn body(&self) -> Option<&Value> {
        let mut fields = self.given.header.iter().flatten();
        let is_patch = fields.any(|(name, value)| {
            name == "content-type" && reading::json::is_patch(value.as_bytes())
        });
        self.given.body.as_ref().filter(|_| !is_patch)
    }
}

fn values<'n>(named: Option<&'n Named>, name: &str) -> Option<&'n [String]> {
    let mut parts = named?.iter();
    parts.find(|(found, _)| found == name).map(|(_, values)| values.as_slice())
}

fn all(values: &[String]) -> Reading<'_> {
    Reading::Values(values.iter().map(|value| value.as_str().into()).collect())
}

impl Request for Asked<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        match place {
            Place::Path(name) => self.path(name),
            Place::Query(name) => self.query(name),
            Place::Header(name) => self.header(name),
            Place::Body(path) => match self.body() {
                None => Reading::Unreadable,
                Some(Value::Null) => Reading::absent(),
                Some(body) => reading::json::read(body, path),
            },
            Place::Response(_) => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        match self.body() {
            None => Writes::Unreadable,
            Some(Value::Null) => Writes::Within,
            Some(body) => reading::json::writes(body, allowed),
        }
    }
}

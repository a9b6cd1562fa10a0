//! Parameters: of the operation, and of its path item where the operation does not have them.

use base::{OperationId, Problem};
use catalog::openapi::{Dialect, Node, Outlined};

use super::{Notes, Reader};
use crate::media;
use crate::parameter::{List, Object, Parameter, Reading, Typed};
use crate::place::Place;
use crate::schema::{Id, Schemas};

/// Header fields whose parameters do not count (OpenAPI 3.0.3, Parameter Object): the gate and the
/// media types have their say on them.
const NOT_PARAMETERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    Path,
    Query,
    Header,
}

/// A parameter whose schema is not compiled yet.
pub(super) struct Draft<'d> {
    pub(super) place: In,
    node: Node<'d>,
    name: String,
    required: bool,
    empty: bool,
    style: Style,
}

/// How a parameter is written.
enum Style {
    Json(Id),
    Typed(Id, List, Object),
    /// In a way that is not read here: which.
    Unread(String),
}

/// The parameters of an operation, resolved, each once.
pub(super) fn of<'d>(operation: &Outlined<'d>) -> Result<Vec<Node<'d>>, Problem> {
    let mut all: Vec<(String, Node<'d>)> = Vec::new();
    for owner in [&operation.node, &operation.item] {
        for node in owner.child("parameters").map(|list| list.items()).unwrap_or_default() {
            let node = node.resolve()?;
            let key = key(&node)?;
            if all.iter().all(|(known, _)| *known != key) {
                all.push((key, node));
            }
        }
    }
    Ok(all.into_iter().map(|(_, node)| node).collect())
}

/// What tells one parameter from another: place and name; those of header fields have no case.
fn key(node: &Node<'_>) -> Result<String, Problem> {
    let place = node.text_of("in");
    // A body is one, whatever it is called.
    let is_body = place.as_deref() == Some("body");
    let name = node.text_of("name").or_else(|| is_body.then(String::new));
    let (Some(place), Some(name)) = (place, name) else {
        return Err(node
            .problem("bad_parameter", "a parameter needs `name` and `in`")
            .hint("write where the parameter stands: path, query or header"));
    };
    let name = if place == "header" { name.to_ascii_lowercase() } else { name };
    Ok(format!("{place} {name}"))
}

impl<'d> Reader<'d> {
    /// Reads one parameter; `None` for those that belong to a body, and those that do not count.
    pub(super) fn parameter(
        &mut self,
        id: &OperationId,
        node: &Node<'d>,
    ) -> Result<Option<Draft<'d>>, Problem> {
        let name = node.text_of("name").unwrap_or_default();
        let place = match node.text_of("in").unwrap_or_default().as_str() {
            "path" => In::Path,
            "query" => In::Query,
            "header" if NOT_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) => {
                return Ok(None);
            }
            "header" => In::Header,
            "cookie" => {
                self.notes.add(id, format!("the cookie `{name}` is not checked"));
                return Ok(None);
            }
            "body" | "formData" if self.dialect == Dialect::Swagger2 => return Ok(None),
            other => {
                return Err(node
                    .problem("bad_parameter", format!("a parameter cannot be in `{other}`"))
                    .hint("write one of path, query, header, cookie"));
            }
        };
        let style = match self.dialect {
            Dialect::Swagger2 => self.swagger_style(node)?,
            Dialect::OpenApi30 | Dialect::OpenApi31 => self.style(node, place)?,
        };
        Ok(Some(Draft {
            place,
            node: node.clone(),
            name,
            required: place == In::Path || states(node, "required"),
            empty: states(node, "allowEmptyValue"),
            style,
        }))
    }

    fn style(&mut self, node: &Node<'d>, place: In) -> Result<Style, Problem> {
        if let Some(content) = node.child("content") {
            let member = content.members()?.into_iter().next();
            return Ok(match member.map(|(name, media)| (name, media.child("schema"))) {
                Some((name, Some(schema))) if media::is_json(name) => {
                    Style::Json(self.compiler.schema(&schema)?)
                }
                _ => Style::Unread("it is written in a media type other than JSON".to_owned()),
            });
        }
        let Some(schema) = node.child("schema") else {
            return Ok(Style::Unread("it has no schema".to_owned()));
        };
        let default = if place == In::Query { "form" } else { "simple" };
        let style = node.text_of("style").unwrap_or_else(|| default.to_owned());
        let explode = node.child("explode").and_then(|flag| flag.value().as_bool());
        let exploded = explode.unwrap_or(style == "form");
        let (list, object) = match (place, style.as_str(), exploded) {
            (In::Query, "form", true) => (List::Repeated, Object::Spread),
            (In::Query, "spaceDelimited" | "pipeDelimited", true) => {
                (List::Repeated, Object::Unread)
            }
            (In::Query, "form", false) => (List::Split(','), Object::Unread),
            (In::Query, "spaceDelimited", false) => (List::Split(' '), Object::Unread),
            (In::Query, "pipeDelimited", false) => (List::Split('|'), Object::Unread),
            (In::Query, "deepObject", _) => (List::Repeated, Object::Deep),
            (In::Path | In::Header, "simple", _) => (List::Split(','), Object::Unread),
            _ => return Ok(Style::Unread(format!("its style `{style}` is not read"))),
        };
        Ok(Style::Typed(self.compiler.schema(&schema)?, list, object))
    }

    fn swagger_style(&mut self, node: &Node<'d>) -> Result<Style, Problem> {
        let format = node.text_of("collectionFormat").unwrap_or_else(|| "csv".to_owned());
        let list = match format.as_str() {
            "csv" => List::Split(','),
            "ssv" => List::Split(' '),
            "tsv" => List::Split('\t'),
            "pipes" => List::Split('|'),
            "multi" => List::Repeated,
            other => return Ok(Style::Unread(format!("its format `{other}` is not read"))),
        };
        Ok(Style::Typed(self.compiler.parameter(node)?, list, Object::Unread))
    }
}

fn states(node: &Node<'_>, flag: &str) -> bool {
    node.child(flag).is_some_and(|flag| flag.value().as_bool() == Some(true))
}

impl Draft<'_> {
    /// The parameter, and whether any name in the query may be one of its properties.
    pub(super) fn finish(
        self,
        schemas: &Schemas,
        id: &OperationId,
        notes: &mut Notes,
    ) -> (Parameter, bool) {
        let name = self.name;
        let mut unread = None;
        let reading = match self.style {
            Style::Json(schema) => Reading::Json(schema),
            Style::Unread(why) => {
                unread = Some(why);
                Reading::Unchecked
            }
            Style::Typed(schema, list, object) => {
                let typed = Typed::new(schemas, schema, list, object);
                if typed.is_unread() {
                    unread = Some("objects are not read in its style".to_owned());
                    Reading::Unchecked
                } else {
                    Reading::Typed(typed)
                }
            }
        };
        if let Some(why) = unread {
            let what = format!("of the parameter `{name}` only its presence is checked: {why}");
            notes.add(id, what);
        }
        let any_name = matches!(&reading, Reading::Typed(typed) if typed.takes_any_name());
        let place = match self.place {
            In::Path => Place::Path(name.clone()),
            In::Query => Place::Query(name.clone()),
            In::Header => Place::Header(name.clone()),
        };
        let parameter = Parameter {
            name: name.into(),
            place,
            required: self.required,
            empty: self.empty,
            reading,
            pointer: self.node.pointer().into(),
        };
        (parameter, any_name)
    }
}

//! Bodies of requests and responses.

use base::{OperationId, Problem};
use catalog::openapi::{Dialect, Node, Outlined};

use super::Reader;
use crate::media::Range;
use crate::operation::{Body, Media, Response, Statuses};
use crate::schema::Id;

impl<'d> Reader<'d> {
    /// The body of a request; `parameters` has it in Swagger 2.0.
    pub(super) fn body(
        &mut self,
        operation: &Outlined<'d>,
        parameters: &[Node<'d>],
    ) -> Result<Option<Body>, Problem> {
        if self.dialect == Dialect::Swagger2 {
            return self.swagger_body(operation, parameters);
        }
        let Some(stated) = operation.node.child("requestBody") else { return Ok(None) };
        let body = stated.resolve()?;
        let media = self.content(&operation.id, &body, "a request's body", Range::is_read_sent)?;
        Ok(Some(Body {
            required: is_required(&body),
            media: media.unwrap_or_else(|| vec![anything(None)]).into(),
            pointer: body.pointer().into(),
        }))
    }

    fn swagger_body(
        &mut self,
        operation: &Outlined<'d>,
        parameters: &[Node<'d>],
    ) -> Result<Option<Body>, Problem> {
        let is_in = |node: &&Node<'d>, place: &str| node.text_of("in").is_some_and(|t| t == place);
        if let Some(node) = parameters.iter().find(|node| is_in(node, "body")) {
            let schema = node.child("schema").map(|one| self.compiler.schema(&one)).transpose()?;
            let media = self.listed(operation, "consumes", schema, Range::is_read_sent);
            let pointer = node.pointer().into();
            return Ok(Some(Body { required: is_required(node), media: media.into(), pointer }));
        }
        let fields: Vec<_> = parameters.iter().filter(|node| is_in(node, "formData")).collect();
        let Some(first) = fields.first() else { return Ok(None) };
        self.notes.add(&operation.id, "the fields of its form are not checked");
        let media = self.listed(operation, "consumes", None, Range::is_read_sent);
        let required = fields.iter().any(|node| is_required(node));
        Ok(Some(Body { required, media: media.into(), pointer: first.pointer().into() }))
    }

    /// What is said for each status.
    pub(super) fn responses(&mut self, operation: &Outlined<'d>) -> Result<Vec<Response>, Problem> {
        let mut out = Vec::new();
        let listed = operation.node.child("responses");
        for (status, node) in listed.map_or(Ok(Vec::new()), |all| all.members())? {
            if status.starts_with("x-") {
                continue;
            }
            let statuses = statuses(status).ok_or_else(|| {
                node.problem("bad_status", format!("`{status}` is no status"))
                    .hint("write a status like 200, a class like 2XX, or default")
            })?;
            let response = node.resolve()?;
            let media = if self.dialect == Dialect::Swagger2 {
                self.swagger_response(operation, &response)?
            } else {
                let what = format!("a response's body with status {status}");
                self.content(&operation.id, &response, &what, Range::allows_json)?
                    .unwrap_or_default()
            };
            out.push(Response {
                statuses,
                media: media.into(),
                pointer: response.pointer().into(),
            });
        }
        if out.is_empty() {
            self.notes.add(&operation.id, "its responses are not checked: none are listed");
        }
        Ok(out)
    }

    fn swagger_response(
        &mut self,
        operation: &Outlined<'d>,
        response: &Node<'d>,
    ) -> Result<Vec<Media>, Problem> {
        let Some(schema) = response.child("schema") else { return Ok(Vec::new()) };
        let schema = self.compiler.schema(&schema)?;
        Ok(self.listed(operation, "produces", Some(schema), Range::allows_json))
    }

    /// The media types of `content`; `None` when it lists none.
    fn content(
        &mut self,
        id: &OperationId,
        owner: &Node<'d>,
        what: &str,
        is_read: fn(&Range) -> bool,
    ) -> Result<Option<Vec<Media>>, Problem> {
        let Some(content) = owner.child("content") else { return Ok(None) };
        let mut out = Vec::new();
        for (name, media) in content.members()? {
            let range = Range::new(name);
            let stated = media.resolve()?.child("schema");
            let schema = match &stated {
                Some(schema) if is_read(&range) => Some(self.compiler.schema(schema)?),
                Some(_) => {
                    self.notes.add(id, format!("{what} is not checked as `{name}`"));
                    None
                }
                None => None,
            };
            out.push(Media { range, schema });
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// The media types that Swagger 2.0 lists for an operation, else for the document.
    fn listed(
        &self,
        operation: &Outlined<'d>,
        list: &str,
        schema: Option<Id>,
        is_read: fn(&Range) -> bool,
    ) -> Vec<Media> {
        let listed = operation.node.child(list).or_else(|| self.root.child(list));
        let names = listed.map(|list| list.items()).unwrap_or_default();
        let media = |name: &Node<'_>| {
            let range = Range::new(name.text()?);
            let schema = schema.filter(|_| is_read(&range));
            Some(Media { range, schema })
        };
        let media: Vec<Media> = names.iter().filter_map(media).collect();
        if media.is_empty() { vec![anything(schema)] } else { media }
    }
}

fn anything(schema: Option<Id>) -> Media {
    Media { range: Range::new(Range::ANY), schema }
}

fn is_required(node: &Node<'_>) -> bool {
    node.child("required").is_some_and(|flag| flag.value().as_bool() == Some(true))
}

fn statuses(text: &str) -> Option<Statuses> {
    if text == "default" {
        return Some(Statuses::Default);
    }
    if let Some(class) = text.to_ascii_uppercase().strip_suffix("XX") {
        return class.parse().ok().filter(|class| (1..=5).contains(class)).map(Statuses::Class);
    }
    text.parse().ok().filter(|status| (100..=599).contains(status)).map(Statuses::One)
}

//! The API's own reference: the OpenAPI document, and a page made from it on the server. No
//! script and nothing from elsewhere, so that the strictest content security policy fits.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::response::{Html, IntoResponse};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::problem::ProblemDocument;

/// The head of the document; the routes add themselves.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "portreeve admin API", description = "What the console and the command line do."),
    components(schemas(ProblemDocument)),
    security(("admin_token" = [])),
)]
struct Head;

pub(crate) fn head() -> OpenApi {
    Head::openapi()
}

/// Adds what holds for every operation: the security scheme and the shape of problems.
pub(crate) fn finished(mut document: OpenApi) -> OpenApi {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An admin token, `pr_admin_…`"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("admin_token", SecurityScheme::Http(scheme));
    let problem = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name("ProblemDocument"))))
        .build();
    let problem = ResponseBuilder::new()
        .description("An RFC 9457 problem")
        .content("application/problem+json", problem)
        .build();
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item) {
            // Handlers are called `list` and `show` in many modules; in the document each
            // operation has a name of its own.
            let tag = operation.tags.iter().flatten().next();
            operation.operation_id =
                tag.zip(operation.operation_id.as_ref()).map(|(tag, name)| format!("{tag}_{name}"));
            let responses = &mut operation.responses.responses;
            // The rest has the error responses of a specification of its own.
            if !responses.contains_key("default") {
                responses.insert("default".to_owned(), RefOr::T(problem.clone()));
            }
        }
    }
    document
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("DELETE", &mut item.delete),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

pub(crate) fn text(document: &OpenApi) -> String {
    // The document is made of strings and maps: it has a JSON form.
    document.to_json().unwrap_or_default()
}

/// `/api/docs`
pub(crate) async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(rendered(crate::openapi())))
}

/// `/api/docs.css`
pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("docs.css"))
}

/// One operation with its method and path.
type Entry = (String, &'static str, Operation);

fn rendered(document: OpenApi) -> String {
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for (path, mut item) in document.paths.paths {
        for (method, operation) in operations_mut(&mut item) {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            groups.entry(tag).or_default().push((path.clone(), method, operation.clone()));
        }
    }
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>portreeve admin API</title><link rel=\"stylesheet\" href=\"/api/docs.css\"></head>\
         <body><main><h1>portreeve admin API</h1><p>Every operation takes an admin token as \
         <code>authorization: Bearer pr_admin_…</code>, JSON in and out, and answers problems as \
         <code>application/problem+json</code>. The document for tools: \
         <a href=\"/api/openapi.json\">openapi.json</a>.</p>",
    );
    for (tag, entries) in &groups {
        // Writing into a String cannot fail.
        let _ = write!(html, "<h2 id=\"{0}\">{0}</h2>", escaped(tag));
        for entry in entries {
            section(entry, &mut html);
        }
    }
    html.push_str("</main></body></html>");
    html
}

fn section((path, method, operation): &Entry, html: &mut String) {
    let summary = operation.summary.as_deref().unwrap_or_default();
    let _ = write!(
        html,
        "<section><h3><b>{method}</b> <code>{}</code></h3><p>{}</p>",
        escaped(path),
        escaped(summary)
    );
    let parameters = operation.parameters.iter().flatten().filter_map(written);
    let rows: Vec<String> = parameters
        .map(|parameter| {
            let text = parameter.description.as_deref().unwrap_or("");
            let (name, text) = (escaped(&parameter.name), escaped(text));
            format!("<tr><th scope=\"row\"><code>{name}</code></th><td>{text}</td></tr>")
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(
            html,
            "<table><caption>Parameters</caption><tbody>{}</tbody></table>",
            rows.concat()
        );
    }
    if let Some(body) = operation.request_body.as_ref().and_then(body_name) {
        let _ = write!(html, "<p>Body: <code>{}</code></p>", escaped(&body));
    }
    html.push_str("</section>");
}

/// The value itself; the document refers to nothing but schemas.
fn written<T>(value: &RefOr<T>) -> Option<&T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

fn body_name(body: &RefOr<RequestBody>) -> Option<String> {
    let content = written(written(body)?.content.get("application/json")?)?;
    match content.schema.as_ref()? {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_document_cannot_become_markup() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn the_page_has_every_operation_of_the_document() {
        let document = crate::openapi();
        let page = rendered(document.clone());
        for path in document.paths.paths.keys() {
            assert!(page.contains(&escaped(path)), "{path}");
        }
        assert!(!page.contains("<script"));
    }
}

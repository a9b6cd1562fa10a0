//! Around every page: who is this, may this form be taken, and with which headers the answer
//! leaves. A handler cannot forget any of it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use base::Problem;
use base::problem::ProblemKind;
use serde::Deserialize;

use crate::cookie;
use crate::page::error::ErrorPage;
use crate::shell::{Choices, RequestFacts, Section, Viewer};
use crate::{Console, Desk};

/// The largest form: a note and a few ids.
const FORM_BYTES_MAX: usize = 64 * 1024;

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Sets the headers that every answer of the console carries, assets included.
///
/// Answers are not compressed, on purpose. Pages carry the session's form token beside text from
/// the address (search, filters), and the length of what is compressed together tells one by the
/// other, TLS or not (BREACH, CVE-2013-3587). A token that is masked anew in each page would lift
/// that; assets, which hold no secret, are fetched once and kept for good.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Finds out who visits, refuses forged forms, and gives failures their page.
pub(crate) async fn guard<D: Desk>(
    State(console): State<Console<D>>,
    mut request: Request,
    next: Next,
) -> Response {
    let facts = match visitor(&console, request.headers(), request.uri()).await {
        Ok(facts) => Arc::new(facts),
        Err(problem) => {
            let facts = facts(&console, request.headers(), request.uri(), None);
            return error_page(&facts, &problem);
        }
    };
    let is_form = !matches!(*request.method(), Method::GET | Method::HEAD);
    if is_form {
        request = match genuine(request, facts.viewer.as_ref()).await {
            Ok(request) => request,
            Err(problem) => return error_page(&facts, &problem),
        };
    }
    request.extensions_mut().insert(Arc::clone(&facts));
    let response = next.run(request).await;
    with_page(&facts, response)
}

fn facts<D: Desk>(
    console: &Console<D>,
    headers: &HeaderMap,
    uri: &Uri,
    viewer: Option<Viewer>,
) -> RequestFacts {
    let here = uri.path_and_query().map_or("/", |part| part.as_str()).to_owned();
    RequestFacts { viewer, choices: choices(headers), now: console.config.clock.now(), here }
}

fn choices(headers: &HeaderMap) -> Choices {
    let standard = Choices::default();
    let read = |name| cookie::read(headers, name);
    let theme = read("portreeve-theme").and_then(|word| word.parse().ok());
    let grouping = read("portreeve-group").and_then(|word| word.parse().ok());
    Choices {
        theme: theme.unwrap_or(standard.theme),
        shortcuts: read("portreeve-keys") != Some("off"),
        grouping: grouping.unwrap_or(standard.grouping),
    }
}

/// An unknown or ended session is nobody; only a fault of the store is a problem.
async fn visitor<D: Desk>(
    console: &Console<D>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<RequestFacts, Problem> {
    let name = cookie::session_name(console.config.secure_cookies);
    let viewer = match cookie::read(headers, name) {
        None => None,
        Some(value) => match console.desk.session(value).await {
            Ok(session) => Some(Viewer { actor: session.actor, csrf: session.csrf }),
            Err(problem) if faulty(problem.kind) => return Err(problem),
            Err(_) => None,
        },
    };
    Ok(facts(console, headers, uri, viewer))
}

fn faulty(kind: ProblemKind) -> bool {
    matches!(kind, ProblemKind::Internal | ProblemKind::Unavailable)
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

/// Lets a form through when this console sent it: the browser says so (`Sec-Fetch-Site`, else
/// `Origin` against `Host`) and it carries the token of the session.
async fn genuine(request: Request, viewer: Option<&Viewer>) -> Result<Request, Problem> {
    if !same_origin(request.headers()) {
        let detail = "This form was not sent from this console, so nothing was changed.";
        return Err(
            Problem::forbidden("cross_origin", detail).hint("Open the page here and try again.")
        );
    }
    let Some(viewer) = viewer else {
        let detail = "Nobody is signed in, so nothing was changed.";
        return Err(Problem::new(ProblemKind::Unauthenticated, "no_session", detail)
            .hint("Open a new sign-in link, then send the form again."));
    };
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| Problem::invalid("form_too_large", "The form is larger than 64 KiB."))?;
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let token = token_of(copy).await;
    if !same_text(&token, &viewer.csrf) {
        let detail = "The form does not belong to this session, so nothing was changed.";
        return Err(
            Problem::forbidden("bad_form_token", detail).hint("Reload the page and send it again.")
        );
    }
    Ok(rebuilt(parts, bytes))
}

fn rebuilt(parts: axum::http::request::Parts, bytes: Bytes) -> Request {
    Request::from_parts(parts, Body::from(bytes))
}

async fn token_of(request: Request) -> String {
    match Form::<Token>::from_request(request, &()).await {
        Ok(Form(token)) => token.csrf,
        Err(_) => String::new(),
    }
}

fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST)
}

/// Compares without stopping at the first difference, so that time says nothing about the token.
fn same_text(given: &str, wanted: &str) -> bool {
    let differences = given.bytes().zip(wanted.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    !wanted.is_empty() && given.len() == wanted.len() && differences == 0
}

/// Gives a failure, of ours or of the framework, its page.
fn with_page(facts: &RequestFacts, mut response: Response) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Box<Problem>>() {
        return error_page(facts, &problem);
    }
    let status = response.status();
    let has_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("text/html")));
    if has_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    error_page_of_status(facts, status)
}

fn error_page_of_status(facts: &RequestFacts, status: StatusCode) -> Response {
    let problem = match status {
        StatusCode::NOT_FOUND => {
            Problem::new(ProblemKind::NotFound, "not_found", "There is no such page.")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::invalid("method_not_allowed", "This page does not take that method.")
        }
        status if status.is_server_error() => Problem::internal("A page failed."),
        _ => Problem::invalid("bad_request", "The address or the form could not be read."),
    };
    let mut response = error_page(facts, &problem);
    *response.status_mut() = status;
    response
}

fn error_page(facts: &RequestFacts, problem: &Problem) -> Response {
    let status = crate::failure::status(problem.kind);
    if status.is_server_error() {
        tracing::error!(reason = %problem.reason, detail = %problem.detail, path = %facts.here,
            "a console page failed");
    }
    let page = ErrorPage::new(facts.shell(Section::Elsewhere), status.as_u16(), problem);
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => (status, "The page could not be rendered.").into_response(),
    }
}

#[cfg(test)]
mod tests;

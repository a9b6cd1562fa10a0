//! Problems as RFC 9457 documents. A handler returns a [`Refused`]; the outermost layer, which
//! knows the request id, writes the body. So every answer that is not a success has the same
//! shape, those of the router included.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::problem::ProblemKind;
use base::{Problem, RequestId};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Where the problem types are described.
const TYPES: &str = "https://portreeve.dev/problems/";

/// A problem on its way out of a handler.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Problem, pub(crate) Option<StatusCode>);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem, None)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = self.1.unwrap_or_else(|| status_of(self.0.kind));
        let mut response = status.into_response();
        response.extensions_mut().insert(Arrived(self.0));
        response
    }
}

/// The problem of a response whose body is not written yet.
#[derive(Debug, Clone)]
struct Arrived(Problem);

/// An RFC 9457 problem document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDocument {
    /// Stable URI of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Stable code, e.g. `not_found`.
    reason: String,
    /// What happened this time.
    detail: String,
    /// Which part of the request, or which object.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Names this request in the log.
    request_id: String,
}

pub(crate) fn status_of(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::Invalid => StatusCode::BAD_REQUEST,
        ProblemKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ProblemKind::Forbidden => StatusCode::FORBIDDEN,
        ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::Conflict => StatusCode::CONFLICT,
        ProblemKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ProblemKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Writes the bodies of problems, and gives every answer its request id.
pub(crate) async fn write(id: RequestId, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Some(Arrived(problem)) = response.extensions_mut().remove::<Arrived>() {
        log(&problem, &id, method.as_str(), &path);
        response = document(problem, &id, response.status());
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        // Where the asker numbers its requests, the answer has the asker's id already.
        response.headers_mut().entry("x-request-id").or_insert(value);
    }
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

fn log(problem: &Problem, id: &RequestId, method: &str, path: &str) {
    if problem.kind == ProblemKind::Internal {
        tracing::error!(request_id = %id, method, path, "{}", problem.detail);
    } else {
        tracing::debug!(request_id = %id, method, path, reason = problem.reason, "refused");
    }
}

fn document(problem: Problem, id: &RequestId, status: StatusCode) -> Response {
    // What broke inside is for the log: it may name files, queries and addresses.
    let problem = match problem.kind {
        ProblemKind::Internal => Problem::internal("portreeve failed to do this")
            .hint("the server's log has the cause under the request id"),
        _ => problem,
    };
    let body = ProblemDocument {
        kind: format!("{TYPES}{}", problem.reason.replace('_', "-")),
        title: title(&problem.reason),
        status: status.as_u16(),
        reason: problem.reason,
        detail: problem.detail,
        place: problem.place,
        hint: problem.hint,
        request_id: id.to_string(),
    };
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"portreeve\""));
    }
    response
}

/// `not_found` → `Not found`.
fn title(reason: &str) -> String {
    let words = reason.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

//! How a handler says no. A failure becomes a bare response that carries its problem; the guard,
//! which knows the visitor, renders it as a page.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::Problem;
use base::problem::ProblemKind;

/// Why a page is not shown.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// A use case, or the request itself, was refused.
    Problem(Box<Problem>),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Problem::internal(format!("a page could not be rendered: {error}")).into()
    }
}

/// The status that fits a problem.
pub(crate) fn status(kind: ProblemKind) -> StatusCode {
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

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn => see_other("/sign-in"),
            Self::Problem(problem) => {
                let mut response = status(problem.kind).into_response();
                response.extensions_mut().insert(problem);
                response
            }
        }
    }
}

/// Sends the browser to another page with GET.
pub(crate) fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

//! What handlers take: who asks, the parts of the path, parameters and bodies, each refused with
//! the name of what is wrong.

use app::{Actor, App};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::IntoResponse;
use base::Problem;
use base::problem::ProblemKind;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::Arc;

use crate::problem::Refused;

/// Who asks, proved by an admin token.
#[derive(Debug, Clone)]
pub(crate) struct Asking(pub(crate) Actor);

impl<S> FromRequestParts<S> for Asking
where
    S: Send + Sync,
    Arc<App>: FromRef<S>,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let token = bearer(&parts.headers)?;
        let app = Arc::<App>::from_ref(state);
        Ok(Self(app.actor_of_token(token).await?))
    }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || {
        Problem::new(ProblemKind::Unauthenticated, "no_credential", "the admin API takes a token")
            .hint("send `authorization: Bearer pr_admin_…`; the command line takes it from PORTREEVE_TOKEN")
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    let token = token.trim_matches(' ');
    match scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        true => Ok(token),
        false => Err(missing()),
    }
}

/// The id in the path.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(error) => Err(Problem::invalid("bad_path", error.body_text()).at("path").into()),
        }
    }
}

/// Parameters after the `?`; those that the operation does not have are errors.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(error) => {
                let detail = error.body_text();
                let detail =
                    detail.trim_start_matches("Failed to deserialize query string: ").to_owned();
                Err(Problem::invalid("bad_parameter", detail).at("query").into())
            }
        }
    }
}

/// A JSON body; members that the operation does not have are errors.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            let problem = Problem::invalid("not_json", "the body must be JSON")
                .at("content-type")
                .hint("send `content-type: application/json`");
            return Err(Refused(problem, Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let place = format!("body, line {}, column {}", error.line(), error.column());
            let text = error.to_string();
            let why = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Problem::invalid("bad_body", why).at(place).into()
        })
    }
}

fn unread(error: BytesRejection) -> Refused {
    let detail = error.body_text();
    match error.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let problem = Problem::invalid("too_large", "the body is too large").at("body");
            Refused(problem, Some(StatusCode::PAYLOAD_TOO_LARGE))
        }
        _ => Problem::invalid("bad_body", detail).at("body").into(),
    }
}

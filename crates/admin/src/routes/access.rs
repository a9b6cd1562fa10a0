//! `/access/v1`: the AuthZEN Authorization API 1.0, and where it is described
//! (`/.well-known/authzen-configuration`). Errors are text, as its §10.1.2 has them, and each answer
//! has the request id of its question.

use std::sync::Arc;

use app::view::{
    ActionSearch, Decision, Evaluated, Evaluation, Evaluations, Found, FoundAction, FoundEntity,
    ResourceSearch, SubjectSearch,
};
use app::{Actor, App};
use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base::Problem;
use base::problem::ProblemKind;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::Asking;
use crate::facts::Facts;
use crate::observe::Questions;
use crate::problem::{Refused, status_of};

const REQUEST_ID: &str = "x-request-id";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(evaluation))
        .routes(routes!(evaluations))
        .routes(routes!(search_subject))
        .routes(routes!(search_resource))
        .routes(routes!(search_action))
        .routes(routes!(configuration))
        .layer(middleware::from_fn(with_request_id))
}

/// Who asks, and what.
struct Question<T>(Actor, T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Question<T>
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Declined;

    async fn from_request(request: Request, state: &S) -> Result<Self, Declined> {
        let (mut parts, body) = request.into_parts();
        let asking = Asking::from_request_parts(&mut parts, state).await;
        let Asking(actor) = asking.map_err(|Refused(problem, _)| Declined(problem))?;
        if !is_json(&parts.headers) {
            let problem = Problem::invalid("not_json", "the body must be JSON")
                .at("content-type")
                .hint("send `content-type: application/json`");
            return Err(Declined(problem));
        }
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|error| Problem::invalid("bad_body", error.body_text()))?;
        Ok(Self(actor, app::ask::read(&body)?))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// A problem as text.
struct Declined(Problem);

impl From<Problem> for Declined {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status = status_of(problem.kind);
        // What broke inside is for the log.
        let text = match problem.kind {
            ProblemKind::Internal => {
                tracing::error!("a question was not answered: {}", problem.detail);
                "portreeve failed to answer this".to_owned()
            }
            _ => problem.to_string(),
        };
        let mut response = (status, text).into_response();
        if problem.kind == ProblemKind::Unauthenticated {
            let challenge = HeaderValue::from_static("Bearer realm=\"portreeve\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Gives the id of a request back in its answer, to the byte.
async fn with_request_id(request: Request, next: Next) -> Response {
    let mut ids = request.headers().get_all(REQUEST_ID).iter();
    let id = ids.next().filter(|_| ids.next().is_none()).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Would the gate let this pass?
#[utoipa::path(post, path = "/access/v1/evaluation", tag = "access", request_body = Evaluation,
    responses((status = 200, body = Decision),
        (status = "default", body = String, content_type = "text/plain")))]
async fn evaluation(
    State(app): State<Arc<App>>,
    State(questions): State<Arc<Questions>>,
    Question(actor, asked): Question<Evaluation>,
) -> Result<Json<Decision>, Declined> {
    let decision = app.evaluate(&actor, &asked).await?;
    questions.decided(decision.decision);
    Ok(Json(decision))
}

/// Would the gate let these pass?
#[utoipa::path(post, path = "/access/v1/evaluations", tag = "access", request_body = Evaluations,
    responses((status = 200, body = Evaluated),
        (status = "default", body = String, content_type = "text/plain")))]
async fn evaluations(
    State(app): State<Arc<App>>,
    State(questions): State<Arc<Questions>>,
    Question(actor, asked): Question<Evaluations>,
) -> Result<Json<Evaluated>, Declined> {
    let evaluated = app.evaluate_all(&actor, asked).await?;
    match &evaluated {
        Evaluated::One(decision) => questions.decided(decision.decision),
        Evaluated::Several { evaluations } => {
            evaluations.iter().for_each(|one| questions.decided(one.decision));
        }
    }
    Ok(Json(evaluated))
}

/// Who may do this?
#[utoipa::path(post, path = "/access/v1/search/subject", tag = "access",
    request_body = SubjectSearch,
    responses((status = 200, body = Found<FoundEntity>),
        (status = "default", body = String, content_type = "text/plain")))]
async fn search_subject(
    State(app): State<Arc<App>>,
    State(questions): State<Arc<Questions>>,
    Question(actor, asked): Question<SubjectSearch>,
) -> Result<Json<Found<FoundEntity>>, Declined> {
    questions.searched();
    Ok(Json(app.search_subjects(&actor, &asked).await?))
}

/// On what may it do this?
#[utoipa::path(post, path = "/access/v1/search/resource", tag = "access",
    request_body = ResourceSearch,
    responses((status = 200, body = Found<FoundEntity>),
        (status = "default", body = String, content_type = "text/plain")))]
async fn search_resource(
    State(app): State<Arc<App>>,
    State(questions): State<Arc<Questions>>,
    Question(actor, asked): Question<ResourceSearch>,
) -> Result<Json<Found<FoundEntity>>, Declined> {
    questions.searched();
    Ok(Json(app.search_resources(&actor, &asked).await?))
}

/// What may it do on this?
#[utoipa::path(post, path = "/access/v1/search/action", tag = "access",
    request_body = ActionSearch,
    responses((status = 200, body = Found<FoundAction>),
        (status = "default", body = String, content_type = "text/plain")))]
async fn search_action(
    State(app): State<Arc<App>>,
    State(questions): State<Arc<Questions>>,
    Question(actor, asked): Question<ActionSearch>,
) -> Result<Json<Found<FoundAction>>, Declined> {
    questions.searched();
    Ok(Json(app.search_actions(&actor, &asked).await?))
}

/// Where the access API is (AuthZEN §9).
#[derive(Debug, Serialize, ToSchema)]
struct AccessConfiguration {
    /// The decision point: where the console's port is reached.
    policy_decision_point: String,
    /// Answers one question.
    access_evaluation_endpoint: String,
    /// Answers several.
    access_evaluations_endpoint: String,
    /// Finds subjects.
    search_subject_endpoint: String,
    /// Finds resources.
    search_resource_endpoint: String,
    /// Finds actions.
    search_action_endpoint: String,
}

/// Where the access API is
#[utoipa::path(get, path = "/.well-known/authzen-configuration", tag = "access", security(()),
    responses((status = 200, body = AccessConfiguration)))]
async fn configuration(State(facts): State<Arc<dyn Facts>>) -> impl IntoResponse {
    let url = facts.console_url();
    let url = url.trim_end_matches('/');
    let at = |path: &str| format!("{url}/access/v1/{path}");
    let configuration = AccessConfiguration {
        policy_decision_point: url.to_owned(),
        access_evaluation_endpoint: at("evaluation"),
        access_evaluations_endpoint: at("evaluations"),
        search_subject_endpoint: at("search/subject"),
        search_resource_endpoint: at("search/resource"),
        search_action_endpoint: at("search/action"),
    };
    ([(CACHE_CONTROL, "max-age=300")], Json(configuration))
}

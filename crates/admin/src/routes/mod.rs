//! The routes, each registered together with its documentation: an operation that is served is in
//! the document, and the other way round.

mod access;
mod apis;
mod calls;
mod findings;
mod grants;
mod identities;
mod keys;
mod policies;
mod reviews;
mod roles;
mod signals;
mod streams;
mod system;

use std::sync::{Arc, Mutex, PoisonError};

use app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use base::{Clock, Entropy, Problem, RequestId};
use http::StatusCode;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::docs;
use crate::facts::Facts;
use crate::observe::{self, Questions};
use crate::problem::{self, Refused};

/// The largest body, in bytes, but for API documents.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What the API is made of.
pub struct Parts {
    /// Does everything.
    pub app: Arc<App>,
    /// The running process.
    pub facts: Arc<dyn Facts>,
    /// For request ids.
    pub clock: Arc<dyn Clock>,
    /// For request ids.
    pub entropy: Box<dyn Entropy>,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) app: Arc<App>,
    pub(crate) facts: Arc<dyn Facts>,
    pub(crate) questions: Arc<Questions>,
    document: Arc<str>,
    numbers: Arc<Numbers>,
}

/// Where request ids come from.
struct Numbers {
    clock: Arc<dyn Clock>,
    entropy: Mutex<Box<dyn Entropy>>,
}

impl Numbers {
    fn next(&self) -> RequestId {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        RequestId::generate(self.clock.now(), &mut *entropy)
    }
}

impl FromRef<Shared> for Arc<App> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.app)
    }
}

impl FromRef<Shared> for Arc<Questions> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.questions)
    }
}

impl FromRef<Shared> for Arc<dyn Facts> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.facts)
    }
}

/// The paths that this door answers: `/api/**`, `/access/v1/**` with its `/.well-known` document,
/// `/livez`, `/readyz`, `/metrics`.
pub fn router(parts: Parts) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document = docs::finished(document);
    let shared = Shared {
        app: parts.app,
        facts: parts.facts,
        questions: Arc::default(),
        document: docs::text(&document).into(),
        numbers: Arc::new(Numbers { clock: parts.clock, entropy: Mutex::new(parts.entropy) }),
    };
    let unknown = || async { Refused::from(Problem::not_found("operation", "with this path")) };
    let api = routes
        .method_not_allowed_fallback(wrong_method)
        .route("/api/openapi.json", axum::routing::get(document_text))
        .route("/api/docs", axum::routing::get(docs::page))
        .route("/api/docs.css", axum::routing::get(docs::style))
        .route("/api", axum::routing::any(unknown))
        .route("/api/", axum::routing::any(unknown))
        .route("/api/{*rest}", axum::routing::any(unknown))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    Router::new()
        .merge(api)
        .merge(observe::routes())
        .layer(middleware::from_fn_with_state(shared.clone(), numbered))
        .with_state(shared)
}

/// The document that describes the API.
pub fn openapi() -> OpenApi {
    docs::finished(documented().split_for_parts().1)
}

fn documented() -> OpenApiRouter<Shared> {
    let v1 = OpenApiRouter::new()
        .merge(system::routes())
        .merge(apis::routes())
        .merge(identities::routes())
        .merge(keys::routes())
        .merge(grants::routes())
        .merge(roles::routes())
        .merge(policies::routes())
        .merge(calls::routes())
        .merge(streams::routes())
        .merge(findings::routes())
        .merge(signals::routes())
        .merge(reviews::routes());
    OpenApiRouter::with_openapi(docs::head()).merge(access::routes()).nest("/api/v1", v1)
}

async fn numbered(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    problem::write(shared.numbers.next(), request, next).await
}

async fn wrong_method(request: Request) -> Refused {
    let detail = format!("this path has no operation {}", request.method());
    let problem = Problem::invalid("method_not_allowed", detail).hint("see /api/docs");
    Refused(problem, Some(StatusCode::METHOD_NOT_ALLOWED))
}

async fn document_text(State(shared): State<Shared>) -> impl axum::response::IntoResponse {
    ([(http::header::CONTENT_TYPE, "application/json")], shared.document.to_string())
}

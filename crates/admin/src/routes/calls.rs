//! `/calls`

use std::sync::Arc;

use app::App;
use app::view::{CallView, Explanation, Page};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Id, Parameters};
use crate::form::CallFilter;
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(explain))
}

/// Search recorded requests, newest first
#[utoipa::path(get, path = "/calls", tag = "calls", params(CallFilter),
    responses((status = 200, body = Page<CallView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<CallFilter>,
) -> Result<Json<Page<CallView>>, Refused> {
    Ok(Json(app.calls(&actor, filter.into()).await?))
}

/// Why a request was decided as it was, and what would allow it
#[utoipa::path(get, path = "/calls/{id}/explanation", tag = "calls",
    params(("id" = String, Path, description = "The request id that the caller was told")),
    responses((status = 200, body = Explanation)))]
async fn explain(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<Explanation>, Refused> {
    Ok(Json(app.explain(&actor, &id).await?))
}

//! `/streams`

use std::sync::Arc;

use app::App;
use app::view::StreamView;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Parameters};
use crate::form::StreamFilter;
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Requests that are open at this node's gate, the oldest first
#[utoipa::path(get, path = "/streams", tag = "streams", params(StreamFilter),
    responses((status = 200, body = Vec<StreamView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<StreamFilter>,
) -> Result<Json<Vec<StreamView>>, Refused> {
    Ok(Json(app.streams(&actor, filter.into()).await?))
}

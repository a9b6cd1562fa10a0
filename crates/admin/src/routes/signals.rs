//! `/signals`

use std::sync::Arc;

use app::App;
use app::view::SignalView;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Parameters};
use crate::form::SignalFilter;
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Behaviour that wants attention, the latest first
#[utoipa::path(get, path = "/signals", tag = "signals", params(SignalFilter),
    responses((status = 200, body = Vec<SignalView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<SignalFilter>,
) -> Result<Json<Vec<SignalView>>, Refused> {
    Ok(Json(app.signals(&actor, filter.into()).await?))
}

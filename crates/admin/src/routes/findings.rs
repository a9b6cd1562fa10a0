//! `/findings`

use std::sync::Arc;

use app::App;
use app::view::FindingView;
use axum::Json;
use axum::extract::State;
use base::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Parameters};
use crate::form::FindingFilter;
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(recheck))
}

/// List detected problems with access
#[utoipa::path(get, path = "/findings", tag = "findings", params(FindingFilter),
    responses((status = 200, body = Vec<FindingView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<FindingFilter>,
) -> Result<Json<Vec<FindingView>>, Refused> {
    Ok(Json(app.findings(&actor, filter.into()).await?))
}

/// Run the rules now
#[utoipa::path(post, path = "/findings/recheck", tag = "findings",
    responses((status = 200, body = Vec<FindingView>)))]
async fn recheck(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<FindingView>>, Refused> {
    if !actor.is_admin() {
        return Err(Problem::forbidden("not_admin", "only administrators run the rules").into());
    }
    app.flush_usage().await?;
    app.detect_findings().await?;
    let open = FindingFilter { state: Some("open".to_owned()), ..FindingFilter::default() };
    Ok(Json(app.findings(&actor, open.into()).await?))
}

//! `/apis`

use std::sync::Arc;

use app::App;
use app::view::{ApiDetail, ApiView, ChangeReceipt, Changed, NewApi, PutChecks, SetLimits};
use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id};
use crate::form::{ImportDocument, SetMode};
use crate::problem::Refused;

/// The largest body with an API document in it, in bytes.
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let large = OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(import))
        .layer(DefaultBodyLimit::max(DOCUMENT_BYTES_MAX));
    large
        .routes(routes!(show, remove))
        .routes(routes!(set_mode))
        .routes(routes!(set_limits))
        .routes(routes!(set_checks))
}

/// List the APIs
#[utoipa::path(get, path = "/apis", tag = "apis",
    responses((status = 200, body = Vec<ApiView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ApiView>>, Refused> {
    Ok(Json(app.apis(&actor).await?))
}

/// Protect a service
#[utoipa::path(post, path = "/apis", tag = "apis", request_body = NewApi,
    responses((status = 200, body = ApiDetail)))]
async fn add(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewApi>,
) -> Result<Json<ApiDetail>, Refused> {
    Ok(Json(app.add_api(&actor, new).await?))
}

/// Show one API with its operations and grants
#[utoipa::path(get, path = "/apis/{id}", tag = "apis",
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = ApiDetail)))]
async fn show(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<ApiDetail>, Refused> {
    Ok(Json(app.api(&actor, &id).await?))
}

/// Stop protecting a service: its requests are refused
#[utoipa::path(delete, path = "/apis/{id}", tag = "apis",
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = ChangeReceipt)))]
async fn remove(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.remove_api(&actor, &id).await?))
}

/// Replace the operations by those of a document
#[utoipa::path(put, path = "/apis/{id}/operations", tag = "apis", request_body = ImportDocument,
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = Changed<ApiDetail>)))]
async fn import(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(given): Body<ImportDocument>,
) -> Result<Json<Changed<ApiDetail>>, Refused> {
    let name = given.document_name.as_deref().unwrap_or("document");
    Ok(Json(app.import_operations(&actor, &id, &given.document, name).await?))
}

/// Set what happens to requests that no grant covers
#[utoipa::path(put, path = "/apis/{id}/mode", tag = "apis", request_body = SetMode,
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = ChangeReceipt)))]
async fn set_mode(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<SetMode>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.set_api_mode(&actor, &id, &wanted.mode).await?))
}

/// Set how much of an API may be used, and what its operations cost
#[utoipa::path(put, path = "/apis/{id}/limits", tag = "apis", request_body = SetLimits,
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = ChangeReceipt)))]
async fn set_limits(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<SetLimits>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.set_api_limits(&actor, &id, wanted).await?))
}

/// Set what is checked of requests and responses against the document
#[utoipa::path(put, path = "/apis/{id}/checks", tag = "apis", request_body = PutChecks,
    params(("id" = String, Path, description = "Id or name")),
    responses((status = 200, body = ApiDetail)))]
async fn set_checks(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<PutChecks>,
) -> Result<Json<ApiDetail>, Refused> {
    Ok(Json(app.set_checks(&actor, &id, wanted).await?))
}

//! `/reviews`, `/items` and `/review-definitions`

use std::sync::Arc;

use app::App;
use app::view::{ItemView, NewDecision, ReviewDefinition, ReviewStatus, ReviewView, SignOffView};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id};
use crate::form::{Extend, Reason, Sign};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(definitions))
        .routes(routes!(list, start))
        .routes(routes!(status))
        .routes(routes!(extend))
        .routes(routes!(cancel))
        .routes(routes!(items))
        .routes(routes!(decide, undo))
        .routes(routes!(preview, sign))
        .routes(routes!(evidence))
}

/// Reviews that the configuration defines
#[utoipa::path(get, path = "/review-definitions", tag = "reviews",
    responses((status = 200, body = Vec<ReviewDefinition>)))]
async fn definitions(
    _signed_in: Asking,
    State(shared): State<Shared>,
) -> Json<Vec<ReviewDefinition>> {
    Json(shared.facts.review_definitions())
}

/// List reviews
#[utoipa::path(get, path = "/reviews", tag = "reviews",
    responses((status = 200, body = Vec<ReviewView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ReviewView>>, Refused> {
    Ok(Json(app.reviews(&actor).await?))
}

/// Start a review
#[utoipa::path(post, path = "/reviews", tag = "reviews", request_body = ReviewDefinition,
    responses((status = 200, body = ReviewView)))]
async fn start(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(definition): Body<ReviewDefinition>,
) -> Result<Json<ReviewView>, Refused> {
    Ok(Json(app.start_review(&actor, definition).await?))
}

/// Progress and proof of a review
#[utoipa::path(get, path = "/reviews/{id}", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ReviewStatus)))]
async fn status(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<ReviewStatus>, Refused> {
    Ok(Json(app.review_status(&actor, &id).await?))
}

/// Move the end of an active review, so that decisions are taken longer
#[utoipa::path(post, path = "/reviews/{id}/extend", operation_id = "extend_review", tag = "reviews",
    params(("id" = String, Path)), request_body = Extend,
    responses((status = 200, body = ReviewStatus)))]
async fn extend(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(body): Body<Extend>,
) -> Result<Json<ReviewStatus>, Refused> {
    Ok(Json(app.extend_review(&actor, &id, body.days).await?))
}

/// Give an active review up: what was signed in it has no effect
#[utoipa::path(post, path = "/reviews/{id}/cancel", operation_id = "cancel_review", tag = "reviews",
    params(("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = ReviewStatus)))]
async fn cancel(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(body): Body<Reason>,
) -> Result<Json<ReviewStatus>, Refused> {
    Ok(Json(app.cancel_review(&actor, &id, &body.reason).await?))
}

/// List the items that the caller may see
#[utoipa::path(get, path = "/reviews/{id}/items", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = Vec<ItemView>)))]
async fn items(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<Vec<ItemView>>, Refused> {
    Ok(Json(app.review_items(&actor, &id).await?))
}

/// Draft a decision; nothing changes before it is signed
#[utoipa::path(put, path = "/items/{id}/draft", tag = "reviews", request_body = NewDecision,
    params(("id" = String, Path)), responses((status = 200, body = ItemView)))]
async fn decide(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(decision): Body<NewDecision>,
) -> Result<Json<ItemView>, Refused> {
    Ok(Json(app.decide(&actor, &id, decision).await?))
}

/// Take a draft back
#[utoipa::path(delete, path = "/items/{id}/draft", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ItemView)))]
async fn undo(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<ItemView>, Refused> {
    Ok(Json(app.undo(&actor, &id).await?))
}

/// What signing would do
#[utoipa::path(get, path = "/reviews/{id}/sign-off", tag = "reviews",
    params(("id" = String, Path)), responses((status = 200, body = SignOffView)))]
async fn preview(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<SignOffView>, Refused> {
    Ok(Json(app.sign_off(&actor, &id).await?))
}

/// Sign the caller's drafts: they become decisions for good and are carried out
#[utoipa::path(post, path = "/reviews/{id}/sign-off", tag = "reviews", request_body = Sign,
    params(("id" = String, Path)), responses((status = 200, body = ReviewStatus)))]
async fn sign(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(seen): Body<Sign>,
) -> Result<Json<ReviewStatus>, Refused> {
    Ok(Json(app.sign(&actor, &id, seen.drafts_digest.as_deref()).await?))
}

/// The evidence bundle, to be verified offline
#[utoipa::path(get, path = "/reviews/{id}/evidence", tag = "reviews",
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/json")))]
async fn evidence(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<impl IntoResponse, Refused> {
    let bundle = app.build_evidence(&actor, &id).await?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"evidence.json\""),
    ];
    Ok((headers, bundle))
}

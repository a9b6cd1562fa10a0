//! `/grants` and `/suggestions`

use std::sync::Arc;

use app::App;
use app::view::{ChangeReceipt, GrantView, NewGrant, SuggestionView, Withdraw};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id, Parameters};
use crate::form::{GrantFilter, Narrow, Reason};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, give))
        .routes(routes!(show))
        .routes(routes!(narrow))
        .routes(routes!(revoke))
        .routes(routes!(withdraw))
        .routes(routes!(suggestions))
}

/// List grants with their use
#[utoipa::path(get, path = "/grants", tag = "grants", params(GrantFilter),
    responses((status = 200, body = Vec<GrantView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<GrantFilter>,
) -> Result<Json<Vec<GrantView>>, Refused> {
    Ok(Json(app.grants(&actor, filter.into()).await?))
}

/// Allow operations of an API
#[utoipa::path(post, path = "/grants", tag = "grants", request_body = NewGrant,
    responses((status = 200, body = GrantView)))]
async fn give(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewGrant>,
) -> Result<Json<GrantView>, Refused> {
    Ok(Json(app.give_grant(&actor, new).await?))
}

/// Show one grant
#[utoipa::path(get, path = "/grants/{id}", tag = "grants", params(("id" = String, Path)),
    responses((status = 200, body = GrantView)))]
async fn show(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<GrantView>, Refused> {
    Ok(Json(app.grant(&actor, &id).await?))
}

/// Keep only some operations of a grant
#[utoipa::path(post, path = "/grants/{id}/narrow", tag = "grants", request_body = Narrow,
    params(("id" = String, Path)), responses((status = 200, body = ChangeReceipt)))]
async fn narrow(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<Narrow>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.narrow_grant(&actor, &id, &wanted.operations, &wanted.reason).await?))
}

/// Remove a grant
#[utoipa::path(post, path = "/grants/{id}/revoke", tag = "grants", request_body = Reason,
    params(("id" = String, Path)), responses((status = 200, body = ChangeReceipt)))]
async fn revoke(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(why): Body<Reason>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.revoke_grant(&actor, &id, &why.reason).await?))
}

/// Take a grant back step by step: in the log, then for a share of its requests
#[utoipa::path(post, path = "/grants/{id}/withdraw", tag = "grants", request_body = Withdraw,
    params(("id" = String, Path)), responses((status = 200, body = ChangeReceipt)))]
async fn withdraw(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<Withdraw>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.withdraw_grant(&actor, &id, &wanted).await?))
}

/// Narrower forms of grants that recorded use supports
#[utoipa::path(get, path = "/suggestions", tag = "grants",
    responses((status = 200, body = Vec<SuggestionView>)))]
async fn suggestions(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<SuggestionView>>, Refused> {
    Ok(Json(app.suggestions(&actor).await?))
}

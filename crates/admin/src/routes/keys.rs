//! `/keys`

use std::sync::Arc;

use app::App;
use app::view::{ChangeReceipt, CredentialView, IssuedCredential, NewCredential};
use axum::Json;
use axum::extract::State;
use base::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id, Parameters};
use crate::form::{KeyFilter, Reason};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(show)).routes(routes!(revoke))
}

/// List credentials; never their secrets
#[utoipa::path(get, path = "/keys", tag = "keys", params(KeyFilter),
    responses((status = 200, body = Vec<CredentialView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<KeyFilter>,
) -> Result<Json<Vec<CredentialView>>, Refused> {
    Ok(Json(app.keys(&actor, filter.identity.as_deref()).await?))
}

/// Show one credential; never its secret
#[utoipa::path(get, path = "/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = CredentialView)))]
async fn show(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<CredentialView>, Refused> {
    let mut keys = app.keys(&actor, None).await?.into_iter();
    let found = keys.find(|key| key.id == id);
    Ok(Json(found.ok_or_else(|| Problem::not_found("credential", &id))?))
}

/// Issue a credential; its secret is shown this once
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = NewCredential,
    responses((status = 200, body = IssuedCredential)))]
async fn issue(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewCredential>,
) -> Result<Json<IssuedCredential>, Refused> {
    Ok(Json(app.issue_key(&actor, new).await?))
}

/// Refuse a credential for good
#[utoipa::path(post, path = "/keys/{id}/revoke", tag = "keys", request_body = Reason,
    params(("id" = String, Path)), responses((status = 200, body = ChangeReceipt)))]
async fn revoke(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(why): Body<Reason>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.revoke_key(&actor, &id, &why.reason).await?))
}

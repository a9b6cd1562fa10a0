//! `/roles` and `/relations`

use std::sync::Arc;

use app::App;
use app::view::{ChangeReceipt, Changed, PutRole, RelationView, RoleView};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id, Parameters};
use crate::form::{Reason, RelationFilter, SetRelation};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put))
        .routes(routes!(remove))
        .routes(routes!(relations, put_relation))
}

/// List roles
#[utoipa::path(get, path = "/roles", tag = "roles",
    responses((status = 200, body = Vec<RoleView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<RoleView>>, Refused> {
    Ok(Json(app.roles(&actor).await?))
}

/// Make or replace a role
#[utoipa::path(put, path = "/roles/{id}", tag = "roles", request_body = PutRole,
    params(("id" = String, Path)), responses((status = 200, body = Changed<RoleView>)))]
async fn put(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<PutRole>,
) -> Result<Json<Changed<RoleView>>, Refused> {
    Ok(Json(app.put_role(&actor, &id, wanted).await?))
}

/// Remove a role: grants that give it cover nothing by it
#[utoipa::path(post, path = "/roles/{id}/remove", tag = "roles", request_body = Reason,
    params(("id" = String, Path)), responses((status = 200, body = ChangeReceipt)))]
async fn remove(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(why): Body<Reason>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.remove_role(&actor, &id, &why.reason).await?))
}

/// List the relations of a subject
#[utoipa::path(get, path = "/relations", tag = "roles", params(RelationFilter),
    responses((status = 200, body = Vec<RelationView>)))]
async fn relations(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<RelationFilter>,
) -> Result<Json<Vec<RelationView>>, Refused> {
    Ok(Json(app.relations(&actor, &filter.subject).await?))
}

/// Set the objects that a subject has a relation to
#[utoipa::path(put, path = "/relations", tag = "roles", request_body = SetRelation,
    responses((status = 200, body = Changed<RelationView>)))]
async fn put_relation(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(SetRelation { subject, name, wanted }): Body<SetRelation>,
) -> Result<Json<Changed<RelationView>>, Refused> {
    Ok(Json(app.put_relation(&actor, &subject, &name, wanted).await?))
}

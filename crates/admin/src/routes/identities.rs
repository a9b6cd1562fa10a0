//! `/identities` and `/groups`

use std::sync::Arc;

use app::App;
use app::view::{
    ChangeReceipt, Changed, GroupView, IdentityDetail, IdentityView, NewIdentity, Page,
    PutAttributes,
};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id, Parameters};
use crate::form::{IdentityFilter, PutGroup, Reason, SetOwner};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(show))
        .routes(routes!(set_owner))
        .routes(routes!(set_attributes))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(groups))
        .routes(routes!(put_group))
}

/// List identities
#[utoipa::path(get, path = "/identities", tag = "identities", params(IdentityFilter),
    responses((status = 200, body = Page<IdentityView>)))]
async fn list(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<IdentityFilter>,
) -> Result<Json<Page<IdentityView>>, Refused> {
    Ok(Json(app.identities(&actor, filter.into()).await?))
}

/// Add an identity
#[utoipa::path(post, path = "/identities", tag = "identities", request_body = NewIdentity,
    responses((status = 200, body = IdentityView)))]
async fn add(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewIdentity>,
) -> Result<Json<IdentityView>, Refused> {
    Ok(Json(app.add_identity(&actor, new).await?))
}

/// Show one identity with its grants and credentials
#[utoipa::path(get, path = "/identities/{id}", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = IdentityDetail)))]
async fn show(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<IdentityDetail>, Refused> {
    Ok(Json(app.identity(&actor, &id).await?))
}

/// Give an identity an owner
#[utoipa::path(put, path = "/identities/{id}/owner", tag = "identities", request_body = SetOwner,
    params(("id" = String, Path)), responses((status = 200, body = Changed<IdentityView>)))]
async fn set_owner(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<SetOwner>,
) -> Result<Json<Changed<IdentityView>>, Refused> {
    Ok(Json(app.set_owner(&actor, &id, &wanted.owner).await?))
}

/// Set what is known of an identity, for conditions
#[utoipa::path(put, path = "/identities/{id}/attributes", tag = "identities",
    request_body = PutAttributes, params(("id" = String, Path)),
    responses((status = 200, body = Changed<PutAttributes>)))]
async fn set_attributes(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(wanted): Body<PutAttributes>,
) -> Result<Json<Changed<PutAttributes>>, Refused> {
    Ok(Json(app.set_attributes(&actor, &id, &wanted.attributes).await?))
}

/// Stop an identity for now: its requests are refused
#[utoipa::path(post, path = "/identities/{id}/suspend", tag = "identities",
    request_body = Reason, params(("id" = String, Path)),
    responses((status = 200, body = ChangeReceipt)))]
async fn suspend(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(why): Body<Reason>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.suspend_identity(&actor, &id, &why.reason).await?))
}

/// Undo a suspension
#[utoipa::path(post, path = "/identities/{id}/resume", tag = "identities",
    request_body = Reason, params(("id" = String, Path)),
    responses((status = 200, body = ChangeReceipt)))]
async fn resume(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(why): Body<Reason>,
) -> Result<Json<ChangeReceipt>, Refused> {
    Ok(Json(app.resume_identity(&actor, &id, &why.reason).await?))
}

/// List groups
#[utoipa::path(get, path = "/groups", tag = "identities",
    responses((status = 200, body = Vec<GroupView>)))]
async fn groups(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<GroupView>>, Refused> {
    Ok(Json(app.groups(&actor).await?))
}

/// Make or replace a group
#[utoipa::path(put, path = "/groups/{id}", tag = "identities", request_body = PutGroup,
    params(("id" = String, Path)), responses((status = 200, body = Changed<GroupView>)))]
async fn put_group(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(group): Body<PutGroup>,
) -> Result<Json<Changed<GroupView>>, Refused> {
    Ok(Json(app.put_group(&actor, &id, &group.name, &group.members, &group.groups).await?))
}

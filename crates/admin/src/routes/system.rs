//! Who asks, the server about itself, sign-in and admin tokens, the ledger, search.

use std::sync::Arc;

use app::App;
use app::view::{AdminTokenView, AuditView, ChainStatus, Page, SearchHit, Today};
use axum::Json;
use axum::extract::State;
use base::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Id, Parameters};
use crate::form::{
    AdminToken, AuditFilter, NewAdminToken, NewSignInLink, Reason, SearchFor, SignInLink, Status,
    Whoami,
};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(whoami))
        .routes(routes!(status))
        .routes(routes!(today))
        .routes(routes!(search))
        .routes(routes!(audit_events))
        .routes(routes!(chain))
        .routes(routes!(admin_tokens, issue_admin_token))
        .routes(routes!(revoke_admin_token))
        .routes(routes!(sign_in_link))
}

fn described(actor: &app::Actor) -> Whoami {
    Whoami {
        id: actor.id.to_string(),
        name: actor.name.clone(),
        role: actor.role.as_str().to_owned(),
    }
}

/// Who the token acts for
#[utoipa::path(get, path = "/whoami", tag = "system", responses((status = 200, body = Whoami)))]
async fn whoami(Asking(actor): Asking) -> Json<Whoami> {
    Json(described(&actor))
}

/// The server about itself
#[utoipa::path(get, path = "/status", tag = "system", responses((status = 200, body = Status)))]
async fn status(
    Asking(actor): Asking,
    State(shared): State<Shared>,
) -> Result<Json<Status>, Refused> {
    let ledger = shared.app.chain_status(&actor).await?;
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        proxy: shared.facts.proxy_url(),
        ruleset_version: shared.app.ruleset().load().version(),
        ledger,
        verifier_key: shared.app.verifier_key(),
        actor: described(&actor),
    }))
}

/// What waits for the caller
#[utoipa::path(get, path = "/today", tag = "system", responses((status = 200, body = Today)))]
async fn today(Asking(actor): Asking, State(app): State<Arc<App>>) -> Result<Json<Today>, Refused> {
    Ok(Json(app.today(&actor).await?))
}

/// Find identities, APIs, grants and requests by text
#[utoipa::path(get, path = "/search", tag = "system", params(SearchFor),
    responses((status = 200, body = Vec<SearchHit>)))]
async fn search(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<SearchFor>,
) -> Result<Json<Vec<SearchHit>>, Refused> {
    Ok(Json(app.search(&actor, &wanted.text).await?))
}

/// Administrative events, newest first
#[utoipa::path(get, path = "/audit", tag = "ledger", params(AuditFilter),
    responses((status = 200, body = Page<AuditView>)))]
async fn audit_events(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(filter): Parameters<AuditFilter>,
) -> Result<Json<Page<AuditView>>, Refused> {
    Ok(Json(app.audit_events(&actor, filter.into()).await?))
}

/// The state of the ledger, after a check of the whole chain
#[utoipa::path(get, path = "/audit/chain", tag = "ledger",
    responses((status = 200, body = ChainStatus)))]
async fn chain(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<ChainStatus>, Refused> {
    Ok(Json(app.chain_status(&actor).await?))
}

/// Issue an admin token for a person; shown this once
#[utoipa::path(post, path = "/admin-tokens", tag = "system", request_body = NewAdminToken,
    responses((status = 200, body = AdminToken)))]
async fn issue_admin_token(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewAdminToken>,
) -> Result<Json<AdminToken>, Refused> {
    let role = new.role.parse().map_err(|error: base::words::UnknownWord| {
        Problem::invalid("bad_role", error.to_string()).at("role")
    })?;
    let token = app.issue_admin_token(&actor, &new.identity, role).await?;
    Ok(Json(AdminToken { token }))
}

/// List the admin tokens, without their secrets
#[utoipa::path(get, path = "/admin-tokens", tag = "system",
    responses((status = 200, body = Vec<AdminTokenView>)))]
async fn admin_tokens(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<AdminTokenView>>, Refused> {
    Ok(Json(app.admin_tokens(&actor).await?))
}

/// Refuse an admin token for good
#[utoipa::path(post, path = "/admin-tokens/{id}/revoke", tag = "system",
    params(("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = Vec<AdminTokenView>)))]
async fn revoke_admin_token(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(body): Body<Reason>,
) -> Result<Json<Vec<AdminTokenView>>, Refused> {
    app.revoke_admin_token(&actor, &id, &body.reason).await?;
    Ok(Json(app.admin_tokens(&actor).await?))
}

/// Make a link that signs one person in at the console, once, within 15 minutes
#[utoipa::path(post, path = "/sign-in-links", tag = "system", request_body = NewSignInLink,
    responses((status = 200, body = SignInLink)))]
async fn sign_in_link(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(new): Body<NewSignInLink>,
) -> Result<Json<SignInLink>, Refused> {
    let code = app.sign_in_link(&actor, &new.identity).await?;
    Ok(Json(SignInLink { link: format!("/?once={code}") }))
}

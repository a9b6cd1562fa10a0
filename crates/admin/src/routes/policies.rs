//! `/policy`: the policy set, its tests, and changes that are tried out and published together

use std::sync::Arc;

use app::App;
use app::view::{
    AdvanceRollout, CaseView, ChangeSet, Explanation, ExportView, PolicyView, ProofView,
    ProveRequest, PublishView, ReplayRequest, ReplayView, RolloutRow, RolloutView, StartRollout,
    TestRequest, WrittenRequest,
};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::extract::{Asking, Body, Parameters};
use crate::form::{DryRun, Reason, RollBack};
use crate::problem::Refused;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(versions))
        .routes(routes!(test))
        .routes(routes!(replay))
        .routes(routes!(publish))
        .routes(routes!(roll_back))
        .routes(routes!(explain_written))
        .routes(routes!(prove))
        .routes(routes!(export))
        .routes(routes!(list_rollouts, start_rollout))
        .routes(routes!(show_rollout))
        .routes(routes!(advance_rollout))
        .routes(routes!(return_rollout))
}

/// Show the policy set
#[utoipa::path(get, path = "/policy", tag = "policy", responses((status = 200, body = PolicyView)))]
async fn show(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<PolicyView>, Refused> {
    Ok(Json(app.policy(&actor).await?))
}

/// List the versions of the policy set
#[utoipa::path(get, path = "/policy/versions", tag = "policy",
    responses((status = 200, body = Vec<PolicyView>)))]
async fn versions(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<PolicyView>>, Refused> {
    Ok(Json(app.policy_versions(&actor).await?))
}

/// Run tests of policy
#[utoipa::path(post, path = "/policy/test", tag = "policy", request_body = TestRequest,
    responses((status = 200, body = Vec<CaseView>)))]
async fn test(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(asked): Body<TestRequest>,
) -> Result<Json<Vec<CaseView>>, Refused> {
    Ok(Json(app.test_policy(&actor, asked).await?))
}

/// Judge recorded calls again, as if a change were in force
#[utoipa::path(post, path = "/policy/replay", tag = "policy", request_body = ReplayRequest,
    responses((status = 200, body = ReplayView)))]
async fn replay(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(asked): Body<ReplayRequest>,
) -> Result<Json<ReplayView>, Refused> {
    Ok(Json(app.replay(&actor, asked).await?))
}

/// Publish a change, all of it or nothing
#[utoipa::path(post, path = "/policy/publish", tag = "policy", request_body = ChangeSet,
    params(DryRun), responses((status = 200, body = PublishView)))]
async fn publish(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Parameters(DryRun { dry_run }): Parameters<DryRun>,
    Body(change): Body<ChangeSet>,
) -> Result<Json<PublishView>, Refused> {
    Ok(Json(app.publish_policy(&actor, change, dry_run).await?))
}

/// Publish an earlier version of the policy set again
#[utoipa::path(post, path = "/policy/rollback", tag = "policy", request_body = RollBack,
    responses((status = 200, body = PublishView)))]
async fn roll_back(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(wanted): Body<RollBack>,
) -> Result<Json<PublishView>, Refused> {
    Ok(Json(app.roll_policy_back(&actor, wanted.version, &wanted.reason).await?))
}

/// Explain a request that is only written down
#[utoipa::path(post, path = "/policy/explain", tag = "policy", request_body = WrittenRequest,
    responses((status = 200, body = Explanation)))]
async fn explain_written(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(request): Body<WrittenRequest>,
) -> Result<Json<Explanation>, Refused> {
    Ok(Json(app.explain_written(&actor, request).await?))
}

/// Prove something about all requests
#[utoipa::path(post, path = "/policy/prove", tag = "policy", request_body = ProveRequest,
    responses((status = 200, body = ProofView)))]
async fn prove(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(asked): Body<ProveRequest>,
) -> Result<Json<ProofView>, Refused> {
    Ok(Json(app.prove_policy(&actor, asked).await?))
}

/// Write what decides down as Cedar policies
#[utoipa::path(get, path = "/policy/export", tag = "policy",
    responses((status = 200, body = ExportView)))]
async fn export(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<ExportView>, Refused> {
    Ok(Json(app.export_policy(&actor).await?))
}

/// List the rollouts of changes
#[utoipa::path(get, path = "/policy/rollouts", tag = "policy",
    responses((status = 200, body = Vec<RolloutRow>)))]
async fn list_rollouts(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<RolloutRow>>, Refused> {
    Ok(Json(app.rollouts(&actor).await?))
}

/// Put a change in force step by step: first in the records only, or for a share of the callers
#[utoipa::path(post, path = "/policy/rollouts", tag = "policy", request_body = StartRollout,
    responses((status = 200, body = RolloutView)))]
async fn start_rollout(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(asked): Body<StartRollout>,
) -> Result<Json<RolloutView>, Refused> {
    Ok(Json(app.start_rollout(&actor, asked).await?))
}

/// Show the rollout that is open, or the last one
#[utoipa::path(get, path = "/policy/rollout", tag = "policy",
    responses((status = 200, body = RolloutView)))]
async fn show_rollout(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
) -> Result<Json<RolloutView>, Refused> {
    Ok(Json(app.rollout(&actor).await?))
}

/// Take the open rollout to more callers, or to all
#[utoipa::path(post, path = "/policy/rollout/advance", tag = "policy",
    request_body = AdvanceRollout, responses((status = 200, body = RolloutView)))]
async fn advance_rollout(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(wanted): Body<AdvanceRollout>,
) -> Result<Json<RolloutView>, Refused> {
    Ok(Json(app.advance_rollout(&actor, wanted).await?))
}

/// Take the change of the open rollout back
#[utoipa::path(post, path = "/policy/rollout/return", tag = "policy", request_body = Reason,
    responses((status = 200, body = RolloutView)))]
async fn return_rollout(
    Asking(actor): Asking,
    State(app): State<Arc<App>>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<RolloutView>, Refused> {
    Ok(Json(app.return_rollout(&actor, &reason).await?))
}

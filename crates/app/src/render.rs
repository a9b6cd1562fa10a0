//! Views of values: what lists and details show, with names, counts and use filled in by one query
//! per kind, not per row.

use std::collections::HashMap;

use base::{Problem, Span, Timestamp};
use catalog::{Api, Operation};
use grant::{Grant, GrantSubject, OperationSet};
use identity::{Credential, Identity, Seasonality};
use policy::Ruleset;
use store::{Connection, Named};

use crate::used::{By, Used, WINDOW_DAYS, used};
use crate::view::{
    ApiView, CredentialView, GrantView, GrantedOperation, IdentityView, OperationView,
    ReceivedFieldView, TimeoutsView,
};

fn text(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

/// APIs as lists show them.
pub(crate) async fn apis(state: &mut Connection, apis: &[&Api]) -> Result<Vec<ApiView>, Problem> {
    let owners: Vec<_> = apis.iter().filter_map(|api| api.owner.clone()).collect();
    let names = state.names(&owners).await?;
    let view = |api: &&Api| {
        let owner = api.owner.as_ref().and_then(|owner| names.get(owner));
        ApiView { owner_name: owner.map(|owner| owner.name.clone()), ..api_alone(api) }
    };
    Ok(apis.iter().map(view).collect())
}

fn api_alone(api: &Api) -> ApiView {
    ApiView {
        id: api.id.to_string(),
        name: api.name.clone(),
        path: api.path.clone(),
        mode: api.mode.to_string(),
        impact: api.impact.to_string(),
        owner: api.owner.clone(),
        owner_name: None,
        upstream: api.upstream.clone(),
        protocol: api.protocol.to_string(),
        accept: api.accept.iter().map(ToString::to_string).collect(),
        environment: api.environment.clone(),
        hosts: api.hosts.clone(),
        operations_count: api.operations.len() as u64,
        origin: api.origin.clone(),
        timeouts: TimeoutsView {
            connect: api.timeouts.connect.to_string(),
            response: api.timeouts.response.to_string(),
            idle: api.timeouts.idle.to_string(),
            call: api.timeouts.call.map(|call| call.to_string()),
        },
        limits: api.limits.iter().map(ToString::to_string).collect(),
        costs: api.costs.iter().map(|(operation, cost)| (operation.to_string(), *cost)).collect(),
    }
}

/// One operation with its use.
pub(crate) fn operation(
    api: &Api,
    operation: &Operation,
    used: &HashMap<String, Used>,
) -> OperationView {
    let used = used.get(operation.id.as_str()).cloned().unwrap_or_default();
    OperationView {
        id: operation.id.to_string(),
        method: operation.method.to_string(),
        path: operation.path.clone(),
        summary: operation.summary.clone(),
        impact: operation.impact.to_string(),
        mutating: operation.mutating,
        admin: operation.admin,
        cost: api.cost_of(operation),
        calls_90d: used.calls,
        callers_90d: used.callers,
        last_used_at: text(used.last_at),
    }
}

/// Identities as lists show them.
pub(crate) async fn identities(
    state: &mut Connection,
    identities: &[Identity],
    now: Timestamp,
) -> Result<Vec<IdentityView>, Problem> {
    let ids: Vec<_> = identities.iter().map(|identity| identity.id.as_str()).collect();
    let owners: Vec<_> =
        identities.iter().filter_map(|i| Some(i.owner.as_ref()?.to_string())).collect();
    let owners = state.names(&owners).await?;
    let grants = state.live_grants_count(&ids, now).await?;
    let credentials = state.live_credentials_count(&ids, now).await?;
    let used = used(state, By::Identity, &ids, now).await?;
    let findings = state.open_findings_count(&ids).await?;
    let view = |identity: &Identity| {
        let id = identity.id.as_str();
        let count = |of: &HashMap<String, u64>| of.get(id).copied().unwrap_or_default();
        let owner = identity.owner.as_ref().and_then(|owner| owners.get(&owner.to_string()));
        IdentityView {
            grants_count: count(&grants),
            credentials_count: count(&credentials),
            findings_count: count(&findings),
            last_seen_at: text(used.get(id).and_then(|used| used.last_at)),
            ..identity_alone(identity, owner)
        }
    };
    Ok(identities.iter().map(view).collect())
}

fn identity_alone(identity: &Identity, owner: Option<&Named>) -> IdentityView {
    IdentityView {
        id: identity.id.to_string(),
        kind: identity.kind.to_string(),
        seasonality: (identity.seasonality != Seasonality::None)
            .then(|| identity.seasonality.to_string()),
        name: identity.name.clone(),
        owner: identity.owner.as_ref().map(ToString::to_string),
        owner_name: owner.map(|owner| owner.name.clone()),
        // No owner at all is another problem than one who is gone.
        owner_active: identity.owner.is_none() || owner.is_some_and(|o| o.status == "active"),
        environment: identity.environment.to_string(),
        purpose: identity.purpose.clone(),
        status: identity.status.to_string(),
        last_seen_at: None,
        grants_count: 0,
        credentials_count: 0,
        findings_count: 0,
        created_at: identity.created_at.to_string(),
    }
}

/// Credentials as lists show them.
pub(crate) async fn credentials(
    state: &mut Connection,
    credentials: &[Credential],
    now: Timestamp,
) -> Result<Vec<CredentialView>, Problem> {
    let ids: Vec<_> = credentials.iter().map(|credential| credential.id.as_str()).collect();
    let used = used(state, By::Credential, &ids, now).await?;
    let view = |credential: &Credential| {
        let used = used.get(credential.id.as_str()).cloned().unwrap_or_default();
        CredentialView {
            id: credential.id.to_string(),
            identity_id: credential.identity.to_string(),
            class: credential.class.to_string(),
            label: credential.label.clone(),
            status: credential.status.to_string(),
            created_at: credential.created_at.to_string(),
            expires_at: text(credential.expires_at),
            last_used_at: text(used.last_at.max(credential.last_used_before)),
            calls_90d: used.calls,
        }
    };
    Ok(credentials.iter().map(view).collect())
}

/// Grants as lists show them.
pub(crate) async fn grants(
    state: &mut Connection,
    grants: &[Grant],
    ruleset: &Ruleset,
    now: Timestamp,
) -> Result<Vec<GrantView>, Problem> {
    let ids: Vec<_> = grants.iter().map(|grant| grant.id.as_str()).collect();
    let used = used(state, By::Grant, &ids, now).await?;
    let mut subjects: Vec<_> = grants.iter().map(|grant| grant.subject.to_string()).collect();
    subjects.extend(grants.iter().filter_map(|grant| grant.approved_by.clone()));
    subjects.sort();
    subjects.dedup();
    let names = state.names(&subjects).await?;
    let view = |grant: &Grant| {
        let used = used.get(grant.id.as_str()).cloned().unwrap_or_default();
        let name = |id: &str| names.get(id).map(|named| named.name.clone());
        GrantView {
            subject_name: name(&grant.subject.to_string())
                .unwrap_or_else(|| subject_id(&grant.subject).to_owned()),
            approved_by_name: grant.approved_by.as_deref().and_then(name),
            ..grant_alone(grant, used, ruleset)
        }
    };
    Ok(grants.iter().map(view).collect())
}

/// Adds which fields were received under the grants.
pub(crate) async fn with_fields_seen(
    state: &mut Connection,
    mut views: Vec<GrantView>,
    now: Timestamp,
) -> Result<Vec<GrantView>, Problem> {
    let ids: Vec<_> = views.iter().map(|view| view.id.clone()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let since = now - Span::from_days(WINDOW_DAYS);
    for row in state.received_under(&ids, since).await? {
        if let Some(view) = views.iter_mut().find(|view| view.id == row.grant_id.as_str()) {
            view.fields_seen.push(ReceivedFieldView {
                operation: row.operation.to_string(),
                path: row.path,
                last_at: row.last_at.to_string(),
            });
        }
    }
    Ok(views)
}

fn grant_alone(grant: &Grant, used: Used, ruleset: &Ruleset) -> GrantView {
    let api = ruleset.api(&grant.api);
    let flat = ruleset.roles().flatten(grant);
    let (operations, count) = match &flat.operations {
        OperationSet::All(_) => (vec!["*".to_owned()], api.map_or(0, |api| api.operations.len())),
        OperationSet::Only(ids) => (ids.iter().map(ToString::to_string).collect(), ids.len()),
    };
    GrantView {
        id: grant.id.to_string(),
        version: grant.version,
        subject: grant.subject.to_string(),
        subject_name: String::new(),
        api_id: grant.api.to_string(),
        api_name: api.map_or(grant.api.as_str(), |api| &api.name).to_owned(),
        named: named(grant, &used, api.map(AsRef::as_ref)),
        operations,
        operations_count: count as u64,
        roles: grant.roles.iter().map(ToString::to_string).collect(),
        fields: grant.fields.clone(),
        terms: crate::terms::view(&grant.terms),
        withdrawal: grant.terms.withdrawal.as_ref().map(crate::terms::withdrawal_view),
        status: grant.status.to_string(),
        reason: grant.reason.to_string(),
        approved_by: grant.approved_by.clone(),
        approved_by_name: None,
        created_at: grant.created_at.to_string(),
        expires_at: text(grant.expires_at),
        calls_90d: used.calls,
        operations_used: used.operations.into_iter().collect(),
        fields_seen: Vec::new(),
        last_used_at: text(used.last_at),
    }
}

fn named(grant: &Grant, used: &Used, api: Option<&Api>) -> Vec<GrantedOperation> {
    let ids: Vec<String> = match &grant.operations {
        OperationSet::All(_) => used.operations.iter().cloned().collect(),
        OperationSet::Only(ids) => ids.iter().map(ToString::to_string).collect(),
    };
    let view = |id: String| GrantedOperation {
        title: title(api, &id),
        used: used.operations.contains(&id),
        id,
    };
    ids.into_iter().map(view).collect()
}

/// What people call an operation: the summary of its document, else its id.
pub(crate) fn title(api: Option<&Api>, id: &str) -> String {
    let known = api.and_then(|api| api.operations.iter().find(|op| op.id.as_str() == id));
    known.and_then(|op| op.summary.clone()).unwrap_or_else(|| id.to_owned())
}

fn subject_id(subject: &GrantSubject) -> &str {
    match subject {
        GrantSubject::Identity(id) => id.as_str(),
        GrantSubject::Group(id) => id.as_str(),
    }
}

//! Makes the demo's company, through the same use cases as every other door.

use std::collections::BTreeMap;

use app::view::{NewApi, NewCredential, NewGrant, NewIdentity, ReviewDefinition, ReviewScope};
use app::{Actor, App};
use base::{CredentialId, GrantId, IdentityId, Problem, Span, Timestamp};

use super::calls;
use super::clock::DemoClock;
use super::company::{APIS, CALLERS, Caller};
use crate::serve::core::Core;

/// How long the company has existed: longer than the window, so that nothing is too young to be
/// judged.
pub(super) const AGE: Span = Span::from_days(120);

/// The person for whom everything is.
pub(super) const PERSON: &str = "robin";

const SEED: u64 = 42;

/// Ids that the company's objects got.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    credentials: BTreeMap<String, CredentialId>,
    grants: BTreeMap<(String, String), GrantId>,
}

impl Holdings {
    pub(super) fn credential(&self, caller: &str) -> Option<&CredentialId> {
        self.credentials.get(caller)
    }

    pub(super) fn of(&self, caller: &str, api: &str) -> Option<&GrantId> {
        self.grants.get(&(caller.to_owned(), api.to_owned()))
    }
}

/// portreeve acting for the demo.
pub(super) fn actor() -> Result<Actor, Problem> {
    let id = IdentityId::parse("system:demo").map_err(|e| Problem::internal(e.to_string()))?;
    Ok(Actor::system(id))
}

/// Declares the APIs, which lead to the sample upstream of this run.
pub(super) async fn declare(app: &App, upstream: &str) -> Result<(), Problem> {
    let apis = APIS.iter().map(|api| NewApi {
        name: api.name.to_owned(),
        path: api.path.to_owned(),
        upstream: upstream.to_owned(),
        owner: Some(PERSON.to_owned()),
        impact: Some("medium".to_owned()),
        document: Some(api.document.to_owned()),
        document_name: Some(format!("{}.yaml", api.name)),
        ..NewApi::default()
    });
    app.declare_apis(&actor()?, apis.collect()).await
}

/// Makes the company in the past, its calls up to now, its findings and its review.
pub(super) async fn make(core: &Core, clock: &DemoClock, upstream: &str) -> Result<(), Problem> {
    let (app, system) = (&core.app, actor()?);
    for (name, purpose) in [("Robin", "Owns the shop's services"), ("Kim", "Platform security")] {
        let person = NewIdentity {
            name: name.to_owned(),
            id: Some(name.to_lowercase()),
            kind: "person".to_owned(),
            purpose: Some(purpose.to_owned()),
            email: Some(format!("{}@example.com", name.to_lowercase())),
            ..NewIdentity::default()
        };
        app.add_identity(&system, person).await?;
    }
    declare(app, upstream).await?;
    let mut holdings = Holdings::default();
    for caller in &CALLERS {
        hire(app, &system, caller, &mut holdings).await?;
    }
    clock.arrive();
    record(core, &holdings).await?;
    app.detect_findings().await?;
    app.start_review(&system, review()).await?;
    Ok(())
}

async fn hire(
    app: &App,
    system: &Actor,
    caller: &Caller,
    holdings: &mut Holdings,
) -> Result<(), Problem> {
    let identity = NewIdentity {
        name: caller.id.to_owned(),
        kind: caller.kind.to_owned(),
        owner: Some(PERSON.to_owned()),
        purpose: Some(caller.purpose.to_owned()),
        ..NewIdentity::default()
    };
    app.add_identity(system, identity).await?;
    let key = NewCredential {
        identity: caller.id.to_owned(),
        expires_in: Some("365d".to_owned()),
        ..NewCredential::default()
    };
    let issued = app.issue_key(system, key).await?;
    let id = CredentialId::try_from(issued.credential.id).map_err(internal)?;
    holdings.credentials.insert(caller.id.to_owned(), id);
    for holding in caller.grants {
        let grant = NewGrant {
            subject: caller.id.to_owned(),
            api: holding.api.to_owned(),
            can: holding.operations.iter().map(|(operation, _)| (*operation).to_owned()).collect(),
            ..NewGrant::default()
        };
        let given = app.give_grant(system, grant).await?;
        let id = GrantId::try_from(given.id).map_err(internal)?;
        holdings.grants.insert((caller.id.to_owned(), holding.api.to_owned()), id);
    }
    Ok(())
}

async fn record(core: &Core, holdings: &Holdings) -> Result<(), Problem> {
    let ruleset = core.app.ruleset().load_full();
    let now: Timestamp = core.clock.now();
    for record in calls::generate(holdings, &ruleset, now, SEED)? {
        core.log.append(record).map_err(|error| Problem::internal(error.to_string()))?;
    }
    core.log.flush().await.map_err(|error| Problem::internal(error.to_string()))?;
    core.app.flush_usage().await?;
    Ok(())
}

/// The review that waits: every machine, Robin decides.
pub(super) fn review() -> ReviewDefinition {
    ReviewDefinition {
        name: "machines".to_owned(),
        of: ReviewScope {
            kinds: vec!["service_account".to_owned(), "ai_agent".to_owned()],
            ..ReviewScope::default()
        },
        by: vec!["owner".to_owned(), "api owner".to_owned()],
        fallback: "kim".to_owned(),
        days: Some(14),
        instructions: Some(
            "Keep what a service needs to do its work, and nothing else.".to_owned(),
        ),
    }
}

fn internal(error: base::id::BadId) -> Problem {
    Problem::internal(error.to_string())
}

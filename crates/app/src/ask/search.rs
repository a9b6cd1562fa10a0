//! Searches: who, on what, does what? Each result is a question that was answered with yes, by the
//! same code that answers one, so a search never lists what an evaluation refuses, nor leaves out
//! what one allows.

use std::sync::Arc;

use base::Problem;
use policy::Ruleset;
use tokio::sync::Semaphore;

use super::facts::Given;
use super::page::{Cursor, Listed};
use super::pass::{Known, Open, Pass};
use super::question::{Circumstances, Resource, Subject, SubjectType};
use crate::calls::Sight;
use crate::view::{
    ActionSearch, AskedResource, Found, FoundAction, FoundContext, FoundEntity, ResourceSearch,
    Sought, SubjectSearch,
};
use crate::{Actor, App};

/// How many searches look at the ruleset at once; others wait for their turn.
const SEARCHES_MAX: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(SEARCHES_MAX);

/// What all searches are made of.
pub(super) struct Search {
    pub(super) ruleset: Arc<Ruleset>,
    pub(super) sight: Sight,
    pub(super) given: Given,
    pub(super) circumstances: Circumstances,
}

impl Search {
    /// Goes through the candidates, asks the sources about those whose answer hangs on them, and
    /// goes through them again, until there is nothing to ask.
    async fn run<T: Send + 'static>(
        self,
        app: &App,
        work: impl Fn(&mut Pass<'_>) -> Listed + Send + Sync + 'static,
        entity: impl Fn(String) -> T,
    ) -> Result<Found<T>, Problem> {
        let context = FoundContext { ruleset_version: self.ruleset.version() };
        let shared = Arc::new((self, work));
        let mut known = Known::default();
        loop {
            let (listed, open, told) = pass(Arc::clone(&shared), known).await?;
            known = told;
            if open.is_empty() {
                let (page, names) = listed;
                return Ok(Found {
                    page,
                    context,
                    results: names.into_iter().map(entity).collect(),
                });
            }
            known.ask(app, open).await;
        }
    }
}

/// Once through the candidates, away from the threads that answer: a search may look at everybody.
async fn pass<W>(shared: Arc<(Search, W)>, known: Known) -> Result<(Listed, Open, Known), Problem>
where
    W: Fn(&mut Pass<'_>) -> Listed + Send + Sync + 'static,
{
    let closed = |error: tokio::sync::AcquireError| Problem::internal(error.to_string());
    let _turn = TURNS.acquire().await.map_err(closed)?;
    let work = move || {
        let (search, work) = &*shared;
        let mut pass = Pass::new(search, &known);
        let listed = work(&mut pass);
        let open = pass.open();
        (listed, open, known)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(error.to_string()))
}

impl App {
    /// The identities that may do this, by their ids.
    pub async fn search_subjects(
        &self,
        actor: &Actor,
        asked: &SubjectSearch,
    ) -> Result<Found<FoundEntity>, Problem> {
        let cursor = Cursor::read(asked.page.as_ref(), asked)?;
        let resource = Resource::read(&asked.resource)?;
        let target = resource.as_ref().and_then(Resource::target);
        let given = Given::read(asked.resource.properties.as_ref(), target)?;
        let (properties, context) = (asked.subject.properties.as_ref(), asked.context.as_ref());
        let circumstances = Circumstances::read(properties, context, self.now())?;
        let search = self.search_for(actor, given, circumstances).await?;
        let known = SubjectType::of(&asked.subject.kind).zip(resource);
        let action = asked.action.name.clone();
        let work = move |pass: &mut Pass<'_>| match &known {
            Some((kind, resource)) => pass.subjects(*kind, resource, &action, &cursor),
            None => Default::default(),
        };
        search.run(self, work, |id| FoundEntity { kind: asked.subject.kind.clone(), id }).await
    }

    /// The APIs on which an identity may do this, by their ids.
    pub async fn search_resources(
        &self,
        actor: &Actor,
        asked: &ResourceSearch,
    ) -> Result<Found<FoundEntity>, Problem> {
        let cursor = Cursor::read(asked.page.as_ref(), asked)?;
        if asked.resource.kind == "route" {
            return Err(Problem::invalid("not_countable", "routes cannot be listed")
                .at("resource.type")
                .hint("search for resources of type `api`, and for actions on a route"));
        }
        let given = Given::read(asked.resource.properties.as_ref(), None)?;
        let (properties, context) = (asked.subject.properties.as_ref(), asked.context.as_ref());
        let circumstances = Circumstances::read(properties, context, self.now())?;
        let search = self.search_for(actor, given, circumstances).await?;
        let subject = Subject::read(&asked.subject);
        let (is_api, action) = (is_api(&asked.resource), asked.action.name.clone());
        let work = move |pass: &mut Pass<'_>| match subject.find(pass.ruleset()) {
            Some(who) if is_api => pass.apis(who, &action, &cursor),
            _ => Default::default(),
        };
        search.run(self, work, |id| FoundEntity { kind: asked.resource.kind.clone(), id }).await
    }

    /// What an identity may do on an API or a route, by name.
    pub async fn search_actions(
        &self,
        actor: &Actor,
        asked: &ActionSearch,
    ) -> Result<Found<FoundAction>, Problem> {
        let cursor = Cursor::read(asked.page.as_ref(), asked)?;
        let resource = Resource::read(&asked.resource)?;
        let search = self.search_about(actor, asked, resource.as_ref()).await?;
        let subject = Subject::read(&asked.subject);
        let work = move |pass: &mut Pass<'_>| match (subject.find(pass.ruleset()), &resource) {
            (Some(who), Some(resource)) => pass.actions(who, resource, &cursor),
            _ => Default::default(),
        };
        search.run(self, work, |name| FoundAction { name }).await
    }

    async fn search_about(
        &self,
        actor: &Actor,
        asked: &ActionSearch,
        resource: Option<&Resource>,
    ) -> Result<Search, Problem> {
        let AskedResource { properties, .. } = &asked.resource;
        let given = Given::read(properties.as_ref(), resource.and_then(Resource::target))?;
        let (properties, context) = (asked.subject.properties.as_ref(), asked.context.as_ref());
        let circumstances = Circumstances::read(properties, context, self.now())?;
        self.search_for(actor, given, circumstances).await
    }

    async fn search_for(
        &self,
        actor: &Actor,
        given: Given,
        circumstances: Circumstances,
    ) -> Result<Search, Problem> {
        let sight = self.sight(actor).await?;
        Ok(Search { ruleset: self.ruleset().load_full(), sight, given, circumstances })
    }
}

fn is_api(sought: &Sought) -> bool {
    sought.kind == "api"
}

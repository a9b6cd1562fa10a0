//! Searches: who, on what, does what? Each result is a question that was answered with yes, by the
//! same code that answers one, so a search never lists what an evaluation refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{IdentityId, Problem};
use catalog::Method;
use policy::{Answers, Ruleset};
use tokio::sync::Semaphore;

use super::facts::Given;
use super::judge::judge;
use super::page::Cursor;
use super::question::{Circumstances, Resource, Seen, Subject, SubjectType, seen};
use crate::calls::Sight;
use crate::view::{
    ActionSearch, AskedResource, Found, FoundAction, FoundContext, FoundEntity, PageFound,
    ResourceSearch, Sought, SubjectSearch,
};
use crate::{Actor, App};

/// How many searches run at once; others wait for their turn.
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
    fn allows(&self, who: &IdentityId, resource: &Resource, action: &str) -> bool {
        let Some((entry, operation)) = resource.find(&self.ruleset, action) else { return false };
        if seen(&self.sight, Some(who), Some(&entry.api().id)) == Seen::Nothing {
            return false;
        }
        let asked = self.given.of(resource, operation);
        let none = Answers::default();
        // What would have to be looked up is not listed: a search asks nobody.
        matches!(
            judge(&self.ruleset, who, (entry, operation), &asked, &self.circumstances, &none),
            Ok(Ok(_))
        )
    }

    pub(super) fn subjects(
        &self,
        kind: SubjectType,
        resource: &Resource,
        action: &str,
        cursor: Cursor,
    ) -> (PageFound, Vec<String>) {
        let candidates = match resource.find(&self.ruleset, action) {
            Some((entry, Some(operation))) => {
                self.ruleset.covered(&entry.api().id, &operation.id, self.circumstances.now)
            }
            _ => Vec::new(),
        };
        let is_sought = |id: &IdentityId| {
            self.ruleset.kind_of(id).is_some_and(|known| kind.takes(known))
                && self.allows(id, resource, action)
        };
        let keep = |id: &str| id.parse().is_ok_and(|id| is_sought(&id));
        cursor.take(candidates.iter().map(IdentityId::as_str), keep)
    }

    pub(super) fn apis(
        &self,
        who: &IdentityId,
        action: &str,
        cursor: Cursor,
    ) -> (PageFound, Vec<String>) {
        let ids: BTreeSet<_> = self.ruleset.apis().map(|api| api.id.clone()).collect();
        let keep =
            |id: &str| id.parse().is_ok_and(|id| self.allows(who, &Resource::Api(id), action));
        cursor.take(ids.iter().map(base::ApiId::as_str), keep)
    }

    pub(super) fn actions(
        &self,
        who: &IdentityId,
        resource: &Resource,
        cursor: Cursor,
    ) -> (PageFound, Vec<String>) {
        let names: BTreeSet<String> = match resource {
            Resource::Api(id) => {
                let operations = self.ruleset.api(id).map(|api| &api.operations);
                operations.into_iter().flatten().map(|one| one.id.to_string()).collect()
            }
            Resource::Route { .. } => {
                let head = std::iter::once("HEAD".to_owned());
                Method::ALL.iter().map(ToString::to_string).chain(head).collect()
            }
        };
        let keep = |action: &str| self.allows(who, resource, action);
        cursor.take(names.iter().map(String::as_str), keep)
    }

    /// Away from the threads that answer: a search may look at everybody.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> (PageFound, Vec<String>) + Send + 'static,
        entity: impl Fn(String) -> T,
    ) -> Result<Found<T>, Problem> {
        let closed = |error: tokio::sync::AcquireError| Problem::internal(error.to_string());
        let _turn = TURNS.acquire().await.map_err(closed)?;
        let context = FoundContext { ruleset_version: self.ruleset.version() };
        let found = tokio::task::spawn_blocking(move || work(&self)).await;
        let (page, names) = found.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Found { page, context, results: names.into_iter().map(entity).collect() })
    }
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
        let work = move |search: &Search| match known {
            Some((kind, resource)) => search.subjects(kind, &resource, &action, cursor),
            None => Default::default(),
        };
        search.run(work, |id| FoundEntity { kind: asked.subject.kind.clone(), id }).await
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
        let work = move |search: &Search| match subject.find(&search.ruleset) {
            Some(who) if is_api => search.apis(who, &action, cursor),
            _ => Default::default(),
        };
        search.run(work, |id| FoundEntity { kind: asked.resource.kind.clone(), id }).await
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
        let work = move |search: &Search| match (subject.find(&search.ruleset), &resource) {
            (Some(who), Some(resource)) => search.actions(who, resource, cursor),
            _ => Default::default(),
        };
        search.run(work, |name| FoundAction { name }).await
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

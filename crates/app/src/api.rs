//! APIs: the catalogue of what the gate protects.

pub(crate) mod checks;
mod declare;
mod limits;

use base::{ApiId, Problem, Span};
use catalog::openapi::{self, Prefix};
use catalog::{Accept, Api, ApiMode, Impact, Operation, Protocol, Timeouts};
use grant::Grant;
use identity::{Environment, Origin};
pub use limits::check_limits;
use store::{GrantFilter, Tx};

use crate::authority::Authority;
use crate::identity::existing_owner;
use crate::view::{ApiDetail, ApiView, ChangeReceipt, Changed, NewApi, NewTimeouts};
use crate::{Actor, App, address, input, render, used};

/// Live grants of one API that its page shows.
const GRANTS_SHOWN_MAX: u32 = 1_000;
/// The longest that the gate waits for an upstream.
pub const TIMEOUT_MAX: Span = Span::from_secs(3_600);

impl App {
    /// The APIs that the actor sees, sorted by name.
    pub async fn apis(&self, actor: &Actor) -> Result<Vec<ApiView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let ruleset = self.ruleset().load_full();
        let seen: Vec<_> =
            ruleset.apis().map(AsRef::as_ref).filter(|api| authority.sees_api(api)).collect();
        let mut views = render::apis(&mut state, &seen).await?;
        views.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(views)
    }

    /// One API with its operations and the grants on it.
    pub async fn api(&self, actor: &Actor, id_or_name: &str) -> Result<ApiDetail, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let api = state.api_by_id_or_name(id_or_name).await?;
        let api = api.filter(|api| authority.sees_api(api));
        let api = api.ok_or_else(|| self.no_api(&authority, "api", id_or_name))?;
        let used = used::used_operations(&mut state, &api.id, self.now()).await?;
        let mut operations: Vec<_> =
            api.operations.iter().map(|one| render::operation(&api, one, &used)).collect();
        operations.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        let filter = GrantFilter {
            api: Some(api.id.to_string()),
            status: Some("active".to_owned()),
            ..GrantFilter::default()
        };
        let grants = state.grants(&filter, "", GRANTS_SHOWN_MAX).await?;
        let ruleset = self.ruleset().load_full();
        let grants = render::grants(&mut state, &grants, &ruleset, self.now()).await?;
        let view = render::apis(&mut state, &[&api]).await?.into_iter().next();
        let api = view.ok_or_else(|| Problem::internal("no view of an API"))?;
        let id: ApiId = input::id("id", &api.id)?;
        let checks = checks::view(&mut state, &id, &ruleset).await?;
        Ok(ApiDetail { api, operations, grants, checks })
    }

    /// Adds an API, with the operations of its document if it comes with one.
    pub async fn add_api(&self, actor: &Actor, new: NewApi) -> Result<ApiDetail, Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_administer("add an API")?;
        let mut api = parse(&new, self.now(), origin_of(actor))?;
        let given = self.document_of(&new).await?;
        api.operations = operations_of(given.as_ref(), &new.operations, &api)?;
        api.check_limits()?;
        let mut tx = self.begin(actor).await?;
        check_owner(&mut tx, &authority, api.owner.as_deref()).await?;
        check_free(&mut tx, &api).await?;
        tx.save_api(audit::Event::ApiAdded, None, &api).await?;
        checks::save(&mut tx, &api.id, given.as_ref(), new.checks.as_ref()).await?;
        self.commit(tx).await?;
        let mut detail = self.api(actor, api.id.as_str()).await?;
        given.iter().for_each(|given| checks::note(&mut detail, given));
        Ok(detail)
    }

    /// The document that an API comes with.
    async fn document_of(&self, new: &NewApi) -> Result<Option<Given>, Problem> {
        let name = new.document_name.as_deref();
        if !new.operations.is_empty() && (new.document.is_some() || new.document_url.is_some()) {
            let detail = "give a document or a list of operations, not both";
            return Err(Problem::invalid("two_documents", detail).at("operations"));
        }
        match (&new.document, &new.document_url) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => {
                Err(Problem::invalid("two_documents", "give the document or its address, not both")
                    .at("document_url"))
            }
            (Some(text), None) => Ok(Some(Given::new(name.unwrap_or("document"), text))),
            (None, Some(url)) => {
                let text = self.fetcher.fetch(url).await.map_err(|p| p.at("document_url"))?;
                Ok(Some(Given::new(name.unwrap_or(url), &text)))
            }
        }
    }

    /// Reads the operations of an API anew. Grants that name an operation which is gone allow
    /// nothing there; grants of `*` cover what is new. Messages are checked against the new document
    /// as they were against the one before. What is open by an operation that is gone ends.
    pub async fn import_operations(
        &self,
        actor: &Actor,
        id_or_name: &str,
        document: &str,
        name: &str,
    ) -> Result<Changed<ApiDetail>, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = self.seen_api(&mut tx, &authority, "api", id_or_name).await?;
        let hint = "ask the API's owner or an administrator";
        authority.must(authority.owns_api(&before), "change the operations of this API", hint)?;
        let given = Given::new(name, document);
        let after =
            Api { operations: operations_of(Some(&given), &[], &before)?, ..before.clone() };
        after.check_limits()?;
        if after != before {
            tx.save_api(audit::Event::ApiOperationsImported, Some(&before), &after).await?;
        }
        checks::save(&mut tx, &before.id, Some(&given), None).await?;
        let receipt = self.settle(tx).await?;
        let mut now = self.api(actor, before.id.as_str()).await?;
        checks::note(&mut now, &given);
        Ok(Changed { now, receipt })
    }

    /// Takes an API out of the catalogue: the gate knows its path no more. An API on which grants
    /// are in force stays, because removing it would hide them from reviews.
    pub async fn remove_api(
        &self,
        actor: &Actor,
        id_or_name: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let api = self.seen_api(&mut tx, &authority, "api", id_or_name).await?;
        authority.must_administer("remove an API")?;
        check_origin(&api)?;
        if let Some(grant) = grant_in_force(&mut tx, &api.id).await? {
            let detail = format!("grants on `{}` are in force, e.g. {}", api.name, grant.id);
            return Err(Problem::conflict("api_in_use", detail).hint("revoke them first"));
        }
        checks::save(&mut tx, &api.id, None, None).await?;
        tx.remove_api(&api).await?;
        let change = self.commit(tx).await?;
        self.receipt(change).await
    }

    /// Sets what happens to requests that no grant covers.
    pub async fn set_api_mode(
        &self,
        actor: &Actor,
        id_or_name: &str,
        mode: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let mode: ApiMode = input::word("mode", mode)?;
        let mut tx = self.begin(actor).await?;
        self.set_mode_in(&mut tx, actor, id_or_name, mode).await?;
        self.settle(tx).await
    }

    /// The same within a transaction of the caller's.
    pub(crate) async fn set_mode_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id_or_name: &str,
        mode: ApiMode,
    ) -> Result<(), Problem> {
        let authority = Authority::of(tx, actor).await?;
        let before = self.seen_api(tx, &authority, "api", id_or_name).await?;
        authority.must_administer("change the mode of an API")?;
        if before.mode != mode {
            let after = Api { mode, ..before.clone() };
            tx.save_api(audit::Event::ApiChanged, Some(&before), &after).await?;
        }
        Ok(())
    }

    /// The API that the caller means, as far as they may know of it.
    pub(crate) async fn seen_api(
        &self,
        state: &mut store::Connection,
        authority: &Authority<'_>,
        field: &str,
        id_or_name: &str,
    ) -> Result<Api, Problem> {
        let api = state.api_by_id_or_name(id_or_name).await?;
        let api = api.filter(|api| authority.sees_api(api));
        api.ok_or_else(|| self.no_api(authority, field, id_or_name))
    }

    fn no_api(&self, authority: &Authority<'_>, field: &str, id_or_name: &str) -> Problem {
        let ruleset = self.ruleset().load();
        let seen: Vec<_> = ruleset.apis().filter(|api| authority.sees_api(api)).collect();
        let known = seen.iter().flat_map(|api| [api.id.as_str(), api.name.as_str()]);
        input::with_nearest(Problem::not_found("API", id_or_name).at(field), id_or_name, known)
    }
}

/// A document as it came, and the file or address that problems name.
struct Given {
    name: String,
    text: String,
}

impl Given {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }
}

/// The operations of an API: of its document, or as they are listed.
fn operations_of(
    given: Option<&Given>,
    listed: &[String],
    api: &Api,
) -> Result<Vec<Operation>, Problem> {
    let Some(given) = given else {
        return catalog::list::operations(listed, &api.path, api.impact);
    };
    Ok(openapi::import(&given.text, &given.name, Prefix(Some(&api.path)), api.impact)?.operations)
}

/// The origin of what an actor makes.
pub(crate) fn origin_of(actor: &Actor) -> Origin {
    match actor.channel {
        crate::Channel::Console | crate::Channel::Api => Origin::Console,
        crate::Channel::File => Origin::File,
        crate::Channel::System => Origin::System,
    }
}

fn parse(new: &NewApi, now: base::Timestamp, origin: Origin) -> Result<Api, Problem> {
    let name = input::line("name", &new.name)?;
    let id: ApiId = match &new.id {
        Some(id) => input::id("id", id)?,
        None => input::id("name", &name).map_err(|p| p.hint("or give it an id of its own"))?,
    };
    let environment =
        input::word_or("environment", new.environment.as_deref(), Environment::Production)?;
    let accept: Result<Vec<Accept>, Problem> =
        new.accept.iter().map(|word| input::word("accept", word)).collect();
    let accept = Some(accept?).filter(|accept| !accept.is_empty());
    Ok(Api {
        id,
        name,
        hosts: new.hosts.iter().map(|host| address::host(host)).collect::<Result<_, _>>()?,
        path: address::path_prefix(&new.path)?,
        upstream: address::upstream(&new.upstream)?,
        protocol: input::word_or("protocol", new.protocol.as_deref(), Protocol::usual())?,
        mode: input::word_or("mode", new.mode.as_deref(), ApiMode::Enforce)?,
        impact: input::word_or("impact", new.impact.as_deref(), Impact::Medium)?,
        owner: new.owner.clone(),
        environment: environment.to_string(),
        accept: accept.unwrap_or_else(|| vec![Accept::Token, Accept::Key]),
        timeouts: timeouts(&new.timeouts)?,
        limits: limits::limits(&new.limits)?,
        costs: limits::costs(&new.costs)?,
        operations: Vec::new(),
        origin: origin.to_string(),
        created_at: now,
    })
}

fn timeouts(new: &NewTimeouts) -> Result<Timeouts, Problem> {
    let usual = Timeouts::default();
    let given = |field: &str, text: &str| {
        let span = input::span(field, text)?;
        if span > TIMEOUT_MAX {
            let detail = format!("{span} is longer than {TIMEOUT_MAX}");
            return Err(Problem::invalid("timeout_too_long", detail)
                .at(field)
                .hint("a caller that waits holds a connection; let it ask again instead"));
        }
        Ok(span)
    };
    let limit = |field: &str, text: &Option<String>, usual: Span| match text {
        Some(text) => given(field, text),
        None => Ok(usual),
    };
    Ok(Timeouts {
        connect: limit("timeouts.connect", &new.connect, usual.connect)?,
        response: limit("timeouts.response", &new.response, usual.response)?,
        idle: limit("timeouts.idle", &new.idle, usual.idle)?,
        call: new.call.as_deref().map(|text| given("timeouts.call", text)).transpose()?,
    })
}

async fn check_owner(
    tx: &mut Tx,
    authority: &Authority<'_>,
    owner: Option<&str>,
) -> Result<(), Problem> {
    match owner {
        Some(owner) => existing_owner(tx, authority, owner).await.map(|_| ()),
        None => Ok(()),
    }
}

async fn check_free(tx: &mut Tx, api: &Api) -> Result<(), Problem> {
    for (field, text) in [("id", api.id.as_str()), ("name", api.name.as_str())] {
        if let Some(other) = tx.api_by_id_or_name(text).await? {
            let detail = format!("`{text}` is API `{}` already", other.id);
            return Err(Problem::conflict("already_exists", detail).at(field));
        }
    }
    Ok(())
}

/// A grant in force on an API, if there is one. Expired ones count as active in the store.
async fn grant_in_force(tx: &mut Tx, api: &ApiId) -> Result<Option<Grant>, Problem> {
    let filter = GrantFilter {
        api: Some(api.to_string()),
        status: Some("active".to_owned()),
        ..GrantFilter::default()
    };
    let (now, mut after) = (tx.at(), String::new());
    loop {
        let held = tx.grants(&filter, &after, GRANTS_SHOWN_MAX).await?;
        let Some(last) = held.last() else { return Ok(None) };
        after = last.id.to_string();
        let live = held.into_iter().find(|grant| grant.is_live(now));
        if live.is_some() {
            return Ok(live);
        }
    }
}

fn check_origin(api: &Api) -> Result<(), Problem> {
    if api.origin == Origin::File.as_str() {
        let detail = format!("API `{}` is maintained by the configuration file", api.name);
        return Err(Problem::conflict("other_origin", detail).hint("take it out of the file"));
    }
    Ok(())
}

//! Roles: named sets of operations that grants can give.

use std::collections::BTreeSet;

use base::{Problem, RoleId};
use catalog::Api;
use grant::{OperationSet, Role, RoleTable};
use store::Tx;

use crate::api::origin_of;
use crate::authority::Authority;
use crate::operations::operations;
use crate::view::{ChangeReceipt, Changed, PutRole, RoleView};
use crate::{Actor, App, input};

impl App {
    /// The roles of the APIs that the actor sees, sorted by id.
    pub async fn roles(&self, actor: &Actor) -> Result<Vec<RoleView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let table: RoleTable = state.roles().await?.into_iter().collect();
        let ruleset = self.ruleset().load();
        let seen = |role: &&Role| {
            let api = ruleset.api(&role.api);
            !role.removed && (actor.reads_all() || api.is_some_and(|api| authority.owns_api(api)))
        };
        Ok(table.iter().filter(seen).map(|role| view(role, &table)).collect())
    }

    /// Makes a role, or sets what one covers. Grants that give it cover that when this returns.
    pub async fn put_role(
        &self,
        actor: &Actor,
        id: &str,
        wanted: PutRole,
    ) -> Result<Changed<RoleView>, Problem> {
        let mut tx = self.begin(actor).await?;
        let (role, table) = self.put_role_in(&mut tx, actor, id, wanted).await?;
        let receipt = self.settle(tx).await?;
        Ok(Changed { now: view(&role, &table), receipt })
    }

    /// The same within a transaction of the caller's.
    pub(crate) async fn put_role_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &str,
        wanted: PutRole,
    ) -> Result<(Role, RoleTable), Problem> {
        let id: RoleId = input::id("id", id)?;
        let name = input::line("name", wanted.name.as_deref().unwrap_or(id.as_str()))?;
        let authority = Authority::of(tx, actor).await?;
        let api = self.seen_api(tx, &authority, "api", &wanted.api).await?;
        let hint = "ask the API's owner or an administrator";
        authority.must(authority.owns_api(&api), "make a role of this API", hint)?;
        let mut table: RoleTable = tx.roles().await?.into_iter().collect();
        let before = table.get(&id).cloned();
        if before.as_ref().is_some_and(|role| role.api != api.id && !role.removed) {
            let detail = format!("role `{id}` is of another API");
            return Err(Problem::conflict("other_api", detail).at("id"));
        }
        let own = match wanted.can.is_empty() {
            true => OperationSet::Only(BTreeSet::new()),
            false => operations(&wanted.can, &api)?,
        };
        let role = Role {
            includes: included(&wanted.includes, &id, &api, &table)?,
            operations: own,
            name,
            api: api.id.clone(),
            removed: false,
            origin: before.as_ref().map_or(origin_of(actor), |role| role.origin),
            created_at: before.as_ref().map_or(tx.at(), |role| role.created_at),
            id,
        };
        if role.includes.is_empty() && role.operations == OperationSet::Only(BTreeSet::new()) {
            let detail = "a role of nothing is no role";
            return Err(Problem::invalid("nothing_covered", detail).at("can"));
        }
        if before.as_ref() != Some(&role) {
            tx.save_role(before.as_ref(), &role, None).await?;
        }
        table.put(role.clone());
        Ok((role, table))
    }

    /// Removes a role: grants that give it cover nothing by it when this returns.
    pub async fn remove_role(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let found = tx.role(id).await?.filter(|role| !role.removed);
        let before = found.ok_or_else(|| Problem::not_found("role", id))?;
        let ruleset = self.ruleset().load_full();
        let owns = ruleset.api(&before.api).is_some_and(|api| authority.owns_api(api));
        authority.must(owns, "remove this role", "ask the API's owner or an administrator")?;
        let after = Role { removed: true, ..before.clone() };
        tx.save_role(Some(&before), &after, note.as_deref()).await?;
        self.settle(tx).await
    }
}

/// The roles to include: of the same API, and none that includes this one.
fn included(
    wanted: &[String],
    id: &RoleId,
    api: &Api,
    table: &RoleTable,
) -> Result<BTreeSet<RoleId>, Problem> {
    let mut includes = BTreeSet::new();
    for text in wanted {
        let other: RoleId = input::id("includes", text)?;
        let known = table.get(&other).filter(|role| !role.removed && role.api == api.id);
        if known.is_none() {
            let detail = format!("there is no role `{other}` of `{}`", api.name);
            let problem = Problem::invalid("unknown_role", detail).at("includes");
            let names = table.iter().filter(|role| role.api == api.id).map(|r| r.id.as_str());
            return Err(input::with_nearest(problem, text, names));
        }
        if table.includes(&other, id) {
            let detail = format!("role `{other}` includes `{id}`");
            return Err(Problem::invalid("circular_role", detail).at("includes"));
        }
        includes.insert(other);
    }
    Ok(includes)
}

fn view(role: &Role, table: &RoleTable) -> RoleView {
    let texts = |set: &OperationSet| match set {
        OperationSet::All(_) => vec!["*".to_owned()],
        OperationSet::Only(ids) => ids.iter().map(ToString::to_string).collect(),
    };
    RoleView {
        id: role.id.to_string(),
        name: role.name.clone(),
        api_id: role.api.to_string(),
        operations: texts(&role.operations),
        includes: role.includes.iter().map(ToString::to_string).collect(),
        covers: texts(&table.covers(&role.id, &role.api)),
        origin: role.origin.to_string(),
    }
}

//! Grants: given, narrowed, revoked. Whatever takes access away works on the version that the
//! caller saw, where they name one, so that an old plan cannot undo a newer grant.

use std::collections::BTreeSet;

use base::{GrantId, IdentityId, OperationId, Problem, RoleId, Timestamp};
use catalog::Api;
use grant::{Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, RoleTable, Withdrawal};
use identity::Identity;
use store::{Connection, GrantFilter, Tx};

use crate::api::origin_of;
use crate::authority::Authority;
use crate::operations::{only, operations, roles};
use crate::terms::{self, fields};
use crate::view::{ChangeReceipt, GrantQuery, GrantView, NewGrant, Withdraw};
use crate::{Actor, App, input, near, render};

/// Rows of a list unless asked otherwise, and at most.
const PAGE: u32 = 1_000;
const PAGE_MAX: u32 = 10_000;

/// What a narrowing leaves, and what it says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Narrowing {
    /// The operations that stay.
    pub(crate) operations: BTreeSet<OperationId>,
    /// The new reason for being; `None` keeps the old one.
    pub(crate) reason: Option<GrantReason>,
    /// Why, in the actor's words.
    pub(crate) note: Option<String>,
}

impl App {
    /// The grants that match and that the actor sees, sorted by id.
    pub async fn grants(
        &self,
        actor: &Actor,
        query: GrantQuery,
    ) -> Result<Vec<GrantView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let ruleset = self.ruleset().load_full();
        // What the actor sees is told apart by the store: there may be a million others.
        let visible_to = authority.narrowed_to();
        let filter = GrantFilter { visible_to, ..filter(&mut state, &query).await? };
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let after = query.after.as_deref().unwrap_or_default();
        let seen = state.grants(&filter, after, limit).await?;
        render::grants(&mut state, &seen, &ruleset, self.now()).await
    }

    /// One grant.
    pub async fn grant(&self, actor: &Actor, id: &str) -> Result<GrantView, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let grant = self.seen_grant(&mut state, &authority, id).await?;
        self.grant_view(&mut state, grant).await
    }

    async fn grant_view(&self, state: &mut Connection, grant: Grant) -> Result<GrantView, Problem> {
        let ruleset = self.ruleset().load_full();
        let now = self.now();
        let views = render::grants(state, &[grant], &ruleset, now).await?;
        let views = render::with_fields_seen(state, views, now).await?;
        views.into_iter().next().ok_or_else(|| Problem::internal("no view of a grant"))
    }

    /// Gives a grant. See [`NewGrant::can`] for what the words cover.
    pub async fn give_grant(&self, actor: &Actor, new: NewGrant) -> Result<GrantView, Problem> {
        let mut tx = self.begin(actor).await?;
        let id = self.draw(GrantId::generate);
        let grant = self.give_in(&mut tx, actor, &new, id).await?;
        self.commit(tx).await?;
        self.grant_view(&mut *self.read().await?, grant).await
    }

    /// The same within a transaction of the caller's.
    pub(crate) async fn give_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        new: &NewGrant,
        id: GrantId,
    ) -> Result<Grant, Problem> {
        let subject: GrantSubject = input::id("subject", &new.subject)?;
        let until = new.until.as_deref().map(|until| input::future("until", until, self.now()));
        let expires_at = until.transpose()?;
        let fields = fields(new.fields.as_deref())?;
        let now = self.now();
        let terms = new.terms.as_ref().map(|wanted| terms::parse(wanted, now)).transpose()?;
        let (roles, can) = roles(&new.can)?;
        let authority = Authority::of(tx, actor).await?;
        let api = self.seen_api(tx, &authority, "api", &new.api).await?;
        let hint = "ask the API's owner or an administrator";
        authority.must(authority.owns_api(&api), "give access to this API", hint)?;
        let holders = existing_subject(tx, &authority, &subject).await?;
        if !actor.is_admin() && authority.is_own_access(tx, &holders).await? {
            let detail = "nobody gives access to themselves or to what they answer for";
            return Err(Problem::forbidden("own_access", detail)
                .at("subject")
                .hint("ask an administrator"));
        }
        let grant = Grant {
            id,
            version: 1,
            subject,
            api: api.id.clone(),
            operations: match can.is_empty() && !roles.is_empty() {
                true => OperationSet::Only(BTreeSet::new()),
                false => operations(&can, &api)?,
            },
            roles: existing_roles(tx, roles, &api).await?,
            fields,
            terms: terms.unwrap_or_default(),
            created_at: tx.at(),
            expires_at,
            status: GrantStatus::Active,
            reason: GrantReason::Direct,
            requested_by: None,
            approved_by: Some(actor.id.to_string()),
            last_certified_at: None,
            last_certified_by: None,
            origin: origin_of(actor),
        };
        terms::check_against(&grant, &api, &self.ruleset().load())?;
        check_new(tx, &grant).await?;
        tx.save_grant(audit::Event::GrantGiven, None, &grant, None).await?;
        Ok(grant)
    }

    /// Makes a grant cover less: some of its operations, as a new version.
    pub async fn narrow_grant(
        &self,
        actor: &Actor,
        id: &str,
        keep: &[String],
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let mut tx = self.begin(actor).await?;
        let before = self.reducible(&mut tx, actor, id).await?;
        let operations = self.kept(&mut tx, &before, keep).await?;
        let narrowing = Narrowing { operations, reason: None, note };
        self.narrow_in(&mut tx, &before, narrowing).await?;
        let change = self.commit(tx).await?;
        self.receipt(change).await
    }

    /// The operations of a grant that are to stay, by their ids.
    pub(crate) async fn kept(
        &self,
        tx: &mut Tx,
        before: &Grant,
        keep: &[String],
    ) -> Result<BTreeSet<OperationId>, Problem> {
        let api = tx.api(before.api.as_str()).await?;
        let table: RoleTable = tx.roles().await?.into_iter().collect();
        only(keep, &table.flatten(before), api.as_ref())
    }

    /// Removes a grant for good. Its row stays, for records name it.
    pub async fn revoke_grant(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let mut tx = self.begin(actor).await?;
        let before = self.reducible(&mut tx, actor, id).await?;
        self.revoke_in(&mut tx, &before, note.as_deref()).await?;
        let change = self.commit(tx).await?;
        self.receipt(change).await
    }

    /// Takes a grant back step by step: first only in the log, then for a share of its requests.
    /// Nobody is given anything by it; the last step is to revoke the grant.
    pub async fn withdraw_grant(
        &self,
        actor: &Actor,
        id: &str,
        wanted: &Withdraw,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(&wanted.reason))?;
        let stage = terms::stage(&wanted.stage)?;
        let mut tx = self.begin(actor).await?;
        let before = self.reducible(&mut tx, actor, id).await?;
        check_live(&before, self.now())?;
        let at = tx.at();
        let by = actor.id.to_string();
        let mut after = Grant { version: before.version + 1, ..before.clone() };
        after.terms.withdrawal = stage.map(|stage| Withdrawal { stage, since: at, by });
        let same = |grant: &Grant| grant.terms.withdrawal.as_ref().map(|taken| taken.stage);
        if same(&before) == same(&after) {
            let detail = format!("grant `{}` is at that stage already", before.id);
            return Err(Problem::conflict("already_withdrawn", detail).at("stage"));
        }
        let event = audit::Event::GrantWithdrawalChanged;
        tx.save_grant(event, Some(&before), &after, note.as_deref()).await?;
        let change = self.commit(tx).await?;
        self.receipt(change).await
    }

    /// A grant that the actor may take away from.
    pub(crate) async fn reducible(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &str,
    ) -> Result<Grant, Problem> {
        let authority = Authority::of(tx, actor).await?;
        let grant = self.seen_grant(tx, &authority, id).await?;
        let holder = holder(tx, &authority, &grant).await?;
        let ruleset = self.ruleset().load();
        let owns_api = ruleset.api(&grant.api).is_some_and(|api| authority.owns_api(api));
        let owns_holder = holder.is_some_and(|identity| authority.owns_identity(&identity));
        let hint = "ask the owner of the API or of the identity";
        authority.must(owns_api || owns_holder, "take this access away", hint)?;
        Ok(grant)
    }

    async fn seen_grant(
        &self,
        state: &mut Connection,
        authority: &Authority<'_>,
        id: &str,
    ) -> Result<Grant, Problem> {
        let unknown = || Problem::not_found("grant", id);
        let grant = state.grant(id).await?.ok_or_else(unknown)?;
        let holder = holder(state, authority, &grant).await?;
        let ruleset = self.ruleset().load();
        let seen = authority.sees_grant(&grant, holder.as_ref(), &ruleset);
        seen.then_some(grant).ok_or_else(unknown)
    }

    /// Narrows a grant as it was read, within a transaction of the caller's; the caller has asked
    /// whether the actor may.
    pub(crate) async fn narrow_in(
        &self,
        tx: &mut Tx,
        before: &Grant,
        narrowing: Narrowing,
    ) -> Result<Grant, Problem> {
        check_live(before, self.now())?;
        let operations = OperationSet::Only(narrowing.operations);
        if operations == OperationSet::Only(BTreeSet::new()) {
            let detail = "a grant of nothing is no grant";
            return Err(Problem::invalid("nothing_left", detail)
                .at("operations")
                .hint("revoke the grant instead"));
        }
        let table: RoleTable = tx.roles().await?.into_iter().collect();
        let covered = table.flatten(before).operations;
        if !covered.covers(&operations) || operations.covers(&covered) {
            let detail = format!("grant `{}` would not cover less than now", before.id);
            return Err(Problem::conflict("not_narrower", detail).at("operations"));
        }
        let after = Grant {
            version: before.version + 1,
            operations,
            // What is left is named: a role that grows later gives nothing back.
            roles: BTreeSet::new(),
            reason: narrowing.reason.unwrap_or(before.reason),
            ..before.clone()
        };
        let event = audit::Event::GrantNarrowed;
        tx.save_grant(event, Some(before), &after, narrowing.note.as_deref()).await?;
        Ok(after)
    }

    /// Revokes a grant as it was read, within a transaction of the caller's; the caller has asked
    /// whether the actor may. An expired grant can be revoked: it must not come back.
    pub(crate) async fn revoke_in(
        &self,
        tx: &mut Tx,
        before: &Grant,
        note: Option<&str>,
    ) -> Result<Grant, Problem> {
        if before.status == GrantStatus::Revoked {
            let detail = format!("grant `{}` is revoked already", before.id);
            return Err(Problem::conflict("already_revoked", detail));
        }
        let after =
            Grant { version: before.version + 1, status: GrantStatus::Revoked, ..before.clone() };
        tx.save_grant(audit::Event::GrantRevoked, Some(before), &after, note).await?;
        Ok(after)
    }
}

/// The identity that holds a grant, as far as authority asks for it.
async fn holder(
    state: &mut Connection,
    authority: &Authority<'_>,
    grant: &Grant,
) -> Result<Option<Identity>, Problem> {
    match &grant.subject {
        GrantSubject::Identity(id) if authority.narrowed_to().is_some() => {
            Ok(state.identity(id.as_str()).await?)
        }
        GrantSubject::Identity(_) | GrantSubject::Group(_) => Ok(None),
    }
}

async fn filter(state: &mut Connection, query: &GrantQuery) -> Result<GrantFilter, Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let status = given(&query.status).map(|word| input::word::<GrantStatus>("status", &word));
    let api = match given(&query.api) {
        // A removed API is still named by its old grants, then by id.
        Some(text) => {
            state.api_by_id_or_name(&text).await?.map(|api| api.id.to_string()).or(Some(text))
        }
        None => None,
    };
    Ok(GrantFilter {
        subject: given(&query.subject),
        api,
        status: status.transpose()?.map(|status| status.to_string()),
        visible_to: None,
    })
}

/// Who holds what is given to a subject, which exists: the identity, or the members of the group.
pub(crate) async fn existing_subject(
    tx: &mut Tx,
    authority: &Authority<'_>,
    subject: &GrantSubject,
) -> Result<Vec<IdentityId>, Problem> {
    let (what, id, guess) = match subject {
        GrantSubject::Identity(id) => {
            if let Some(found) = tx.identity(id.as_str()).await? {
                return Ok(vec![found.id]);
            }
            ("identity", id.as_str(), near::identity(tx, authority, id.as_str()).await?)
        }
        GrantSubject::Group(id) => {
            if let Some(found) = tx.group(id.as_str()).await? {
                return Ok(tx.belonging_to(found.id.as_str()).await?);
            }
            let guess = near::group(tx, authority, id.as_str()).await?;
            ("group", id.as_str(), guess.map(|guess| format!("group:{guess}")))
        }
    };
    Err(near::hinted(Problem::not_found(what, id).at("subject"), guess))
}

/// The roles, which exist and are of the API.
async fn existing_roles(
    tx: &mut Tx,
    wanted: BTreeSet<RoleId>,
    api: &Api,
) -> Result<BTreeSet<RoleId>, Problem> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let known: Vec<_> = tx.roles().await?;
    let of_api = || known.iter().filter(|role| role.api == api.id && !role.removed);
    match wanted.iter().find(|id| !of_api().any(|role| role.id == **id)) {
        None => Ok(wanted),
        Some(unknown) => {
            let detail = format!("there is no role `{unknown}` of `{}`", api.name);
            let problem = Problem::invalid("unknown_role", detail).at("can");
            let names = of_api().map(|role| role.id.as_str());
            Err(input::with_nearest(problem, unknown.as_str(), names))
        }
    }
}

/// The same access twice would have to be reviewed and revoked twice.
async fn check_new(tx: &mut Tx, grant: &Grant) -> Result<(), Problem> {
    let filter = GrantFilter {
        subject: Some(grant.subject.to_string()),
        api: Some(grant.api.to_string()),
        status: Some("active".to_owned()),
        visible_to: None,
    };
    let now = tx.at();
    let held = tx.grants(&filter, "", PAGE).await?;
    let same = held.iter().find(|held| {
        held.is_live(now)
            && held.operations == grant.operations
            && held.fields == grant.fields
            && held.roles == grant.roles
            && held.terms == grant.terms
            && held.expires_at == grant.expires_at
    });
    match same {
        None => Ok(()),
        Some(same) => {
            let detail = format!("grant `{}` gives exactly this already", same.id);
            Err(Problem::conflict("already_granted", detail).at(same.id.as_str()))
        }
    }
}

fn check_live(grant: &Grant, now: Timestamp) -> Result<(), Problem> {
    if grant.is_live(now) {
        return Ok(());
    }
    let state = match grant.status {
        GrantStatus::Active => "expired",
        other => other.as_str(),
    };
    let detail = format!("grant `{}` is {state}", grant.id);
    Err(Problem::conflict(format!("already_{state}"), detail))
}

/// The API's operations are needed where `*` is narrowed.
pub(crate) fn granted<'a>(grant: &'a Grant, api: Option<&'a Api>) -> Vec<&'a OperationId> {
    match &grant.operations {
        OperationSet::Only(ids) => ids.iter().collect(),
        OperationSet::All(_) => {
            api.into_iter().flat_map(|api| &api.operations).map(|op| &op.id).collect()
        }
    }
}

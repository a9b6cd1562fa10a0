//! Identities: who calls, who answers for them, and whether they may act.

use std::collections::{BTreeMap, BTreeSet};

use base::{IdentityId, Problem};
use grant::GrantStatus;
use identity::{Environment, Identity, IdentityKind, IdentityStatus, Owner, Seasonality};
use store::{Connection, GrantFilter, IdentityFilter};

use crate::api::origin_of;
use crate::authority::Authority;
use crate::view::{
    CallQuery, ChangeReceipt, Changed, IdentityDetail, IdentityQuery, IdentityView, NewIdentity,
    Page, PutAttributes, SignalQuery,
};
use crate::{Actor, App, input, near, render};

/// Rows of a page unless asked otherwise, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 1_000;
/// Grants of one identity that its page shows.
const GRANTS_SHOWN_MAX: u32 = 1_000;
/// Calls of one identity that its page shows.
const CALLS_SHOWN_MAX: u32 = 20;
/// What conditions know of every identity by these names.
const BUILT_IN: [&str; 6] = ["id", "kind", "environment", "owner", "vendor", "email"];

impl App {
    /// The identities that the actor sees, sorted by id.
    pub async fn identities(
        &self,
        actor: &Actor,
        query: IdentityQuery,
    ) -> Result<Page<IdentityView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let filter = filter(&query, &authority)?;
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let after = query.after.as_deref().unwrap_or_default();
        // One more than asked tells whether there is a next page.
        let mut rows = state.identities(&filter, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| last.id.to_string());
        let total = state.identities_count(&filter).await?;
        let items = render::identities(&mut state, &rows, self.now()).await?;
        Ok(Page { items, total, next })
    }

    /// Everything on one identity.
    pub async fn identity(&self, actor: &Actor, id: &str) -> Result<IdentityDetail, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let identity = seen_identity(&mut state, &authority, id).await?;
        let now = self.now();
        let rows = std::slice::from_ref(&identity);
        let view = render::identities(&mut state, rows, now).await?.into_iter().next();
        let credentials = state.credentials_of(&identity.id).await?;
        let filter = GrantFilter { subject: Some(id.to_owned()), ..GrantFilter::default() };
        let mut grants = state.grants(&filter, "", GRANTS_SHOWN_MAX).await?;
        let revoked = |status| status == GrantStatus::Revoked;
        grants.sort_by_key(|grant| {
            (revoked(grant.status), std::cmp::Reverse((grant.created_at, grant.id.clone())))
        });
        let ruleset = self.ruleset().load_full();
        let findings = state.findings_around(id).await?;
        let grants = render::grants(&mut state, &grants, &ruleset, now).await?;
        let mut detail = IdentityDetail {
            identity: view.ok_or_else(|| Problem::not_found("identity", id))?,
            grants: render::with_fields_seen(&mut state, grants, now).await?,
            credentials: render::credentials(&mut state, &credentials, now).await?,
            groups: state.groups_of(id).await?.iter().map(ToString::to_string).collect(),
            findings: crate::findings::finding_views(&mut state, findings).await?,
            signals: Vec::new(),
            recent_calls: Vec::new(),
        };
        // Reading call records takes its own look at the state, and so do signals.
        drop(state);
        let noticed = SignalQuery { identity: Some(id.to_owned()), since: None };
        detail.signals = self.signals(actor, noticed).await?;
        let recent = CallQuery {
            identity: Some(id.to_owned()),
            limit: Some(CALLS_SHOWN_MAX),
            ..CallQuery::default()
        };
        detail.recent_calls = self.calls(actor, recent).await?.items;
        Ok(detail)
    }

    /// Registers an identity.
    pub async fn add_identity(
        &self,
        actor: &Actor,
        new: NewIdentity,
    ) -> Result<IdentityView, Problem> {
        let identity = parse(&new, self.now(), actor)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("register an identity")?;
        if let Some(owner) = &identity.owner {
            existing_owner(&mut tx, &authority, &owner.to_string()).await?;
        }
        let taken = |field: &str, text: &str| {
            let detail = format!("there is an identity `{text}` already");
            Err(Problem::conflict("already_exists", detail).at(field))
        };
        if tx.identity(identity.id.as_str()).await?.is_some() {
            return taken("id", identity.id.as_str());
        }
        if tx.identity_name_taken(&identity.name).await? {
            return taken("name", &identity.name);
        }
        tx.save_identity(audit::Event::IdentityAdded, None, &identity, None).await?;
        self.commit(tx).await?;
        self.identity_view(identity).await
    }

    async fn identity_view(&self, identity: Identity) -> Result<IdentityView, Problem> {
        let mut state = self.read().await?;
        let views = render::identities(&mut state, &[identity], self.now()).await?;
        views.into_iter().next().ok_or_else(|| Problem::internal("no view of an identity"))
    }

    /// Sets what is known of an identity. Conditions hold by it when this returns.
    pub async fn set_attributes(
        &self,
        actor: &Actor,
        id: &str,
        wanted: &BTreeMap<String, Vec<String>>,
    ) -> Result<Changed<PutAttributes>, Problem> {
        let attributes = attributes(wanted)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = seen_identity(&mut tx, &authority, id).await?;
        authority.must_administer("set what is known of an identity")?;
        let after = Identity { attributes, ..before.clone() };
        if after != before {
            let event = audit::Event::IdentityAttributesSet;
            tx.save_identity(event, Some(&before), &after, None).await?;
        }
        let now = PutAttributes { attributes: after.attributes };
        Ok(Changed { now, receipt: self.settle(tx).await? })
    }

    /// Makes somebody else answer for an identity.
    pub async fn set_owner(
        &self,
        actor: &Actor,
        id: &str,
        owner: &str,
    ) -> Result<Changed<IdentityView>, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = seen_identity(&mut tx, &authority, id).await?;
        authority.must_administer("hand over an identity")?;
        let owner = existing_owner(&mut tx, &authority, owner).await?;
        if owner == Owner::Person(before.id.clone()) {
            let detail = format!("`{id}` cannot answer for itself");
            return Err(Problem::invalid("own_owner", detail).at("owner"));
        }
        let after = Identity { owner: Some(owner), ..before.clone() };
        if after != before {
            let event = audit::Event::IdentityOwnerSet;
            tx.save_identity(event, Some(&before), &after, None).await?;
        }
        let receipt = self.settle(tx).await?;
        Ok(Changed { now: self.identity_view(after).await?, receipt })
    }

    /// Stops an identity for now: every request with any of its credentials is refused.
    pub async fn suspend_identity(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = seen_identity(&mut tx, &authority, id).await?;
        let theirs = before.is_non_human() && authority.owns_identity(&before);
        authority.must(theirs, "suspend this identity", "ask its owner or an administrator")?;
        if before.id == actor.id {
            let detail = "you would lock yourself out";
            return Err(Problem::conflict("own_identity", detail).hint("ask another administrator"));
        }
        expect_status(&before, IdentityStatus::Active)?;
        self.set_status(tx, before, IdentityStatus::Suspended, reason).await
    }

    /// Lets a suspended identity act again.
    pub async fn resume_identity(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = seen_identity(&mut tx, &authority, id).await?;
        authority.must_administer("resume an identity")?;
        expect_status(&before, IdentityStatus::Suspended)?;
        self.set_status(tx, before, IdentityStatus::Active, reason).await
    }

    async fn set_status(
        &self,
        mut tx: store::Tx,
        before: Identity,
        status: IdentityStatus,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let event = match status {
            IdentityStatus::Active => audit::Event::IdentityResumed,
            IdentityStatus::Suspended | IdentityStatus::Disabled => audit::Event::IdentitySuspended,
        };
        let after = Identity { status, ..before.clone() };
        tx.save_identity(event, Some(&before), &after, note.as_deref()).await?;
        self.settle(tx).await
    }
}

/// Attributes whose names conditions can write, each value once.
fn attributes(
    wanted: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    let mut attributes = BTreeMap::new();
    for (name, values) in wanted {
        let place = format!("attributes.{name}");
        if !grant::tie::is_name(name) || BUILT_IN.contains(&name.as_str()) {
            let detail = format!("`{name}` cannot be the name of an attribute");
            return Err(Problem::invalid("bad_attribute", detail)
                .at(place)
                .hint("use letters, digits, _ and -, and no built-in name such as id or owner"));
        }
        let values = values.iter().map(|value| input::line(&place, value));
        let values: BTreeSet<String> = values.collect::<Result<_, _>>()?;
        if !values.is_empty() {
            attributes.insert(name.clone(), values.into_iter().collect());
        }
    }
    Ok(attributes)
}

fn expect_status(identity: &Identity, expected: IdentityStatus) -> Result<(), Problem> {
    if identity.status == expected {
        return Ok(());
    }
    let detail = format!("identity `{}` is {}", identity.id, identity.status);
    Err(Problem::conflict(format!("already_{}", identity.status), detail))
}

fn filter(query: &IdentityQuery, authority: &Authority<'_>) -> Result<IdentityFilter, Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let kind = given(&query.kind).map(|kind| input::word::<IdentityKind>("kind", &kind));
    let status = given(&query.status).map(|word| input::word::<IdentityStatus>("status", &word));
    Ok(IdentityFilter {
        text: given(&query.text),
        kind: kind.transpose()?.map(|kind| kind.to_string()),
        owner: given(&query.owner),
        status: status.transpose()?.map(|status| status.to_string()),
        visible_to: authority.narrowed_to(),
    })
}

/// The identity, as far as the actor may know of it.
pub(crate) async fn seen_identity(
    state: &mut Connection,
    authority: &Authority<'_>,
    id: &str,
) -> Result<Identity, Problem> {
    let found = state.identity(id).await?.filter(|identity| authority.sees_identity(identity));
    if let Some(identity) = found {
        return Ok(identity);
    }
    let guess = near::identity(state, authority, id).await?;
    Err(near::hinted(Problem::not_found("identity", id), guess))
}

/// An owner who exists: a person, or a group.
pub(crate) async fn existing_owner(
    state: &mut Connection,
    authority: &Authority<'_>,
    text: &str,
) -> Result<Owner, Problem> {
    let owner: Owner = input::id("owner", text)?;
    let exists = match &owner {
        Owner::Group(id) => state.group(id.as_str()).await?.is_some(),
        Owner::Person(id) => match state.identity(id.as_str()).await? {
            None => false,
            Some(identity) if identity.kind != IdentityKind::Person => {
                let detail = format!("`{id}` is a {}; owners are people or groups", identity.kind);
                return Err(Problem::invalid("owner_not_a_person", detail).at("owner"));
            }
            Some(_) => true,
        },
    };
    if exists {
        return Ok(owner);
    }
    let guess = match &owner {
        Owner::Group(id) => near::group(state, authority, id.as_str()).await?,
        Owner::Person(id) => near::identity(state, authority, id.as_str()).await?,
    };
    let guess = guess.map(|guess| match &owner {
        Owner::Group(_) => format!("group:{guess}"),
        Owner::Person(_) => guess,
    });
    let problem = Problem::invalid("unknown_owner", format!("there is no owner `{text}`"))
        .at("owner")
        .hint("write the id of a person or group:<id> that is there already");
    Err(near::hinted(problem, guess))
}

fn parse(new: &NewIdentity, now: base::Timestamp, actor: &Actor) -> Result<Identity, Problem> {
    let name = input::line("name", &new.name)?;
    let id: IdentityId = match &new.id {
        Some(id) => input::id("id", id)?,
        None => input::id("name", &name).map_err(|p| p.hint("or give it an id of its own"))?,
    };
    // These prefixes mean something else where an id is expected.
    if ["group:", "system:"].iter().any(|prefix| id.as_str().starts_with(prefix)) {
        let detail = format!("`{id}` would read as something else than an identity");
        return Err(Problem::invalid("reserved_id", detail).at("id"));
    }
    let owner = new.owner.as_deref().map(|owner| input::id::<Owner>("owner", owner));
    Ok(Identity {
        id,
        kind: input::word("kind", &new.kind)?,
        name,
        owner: owner.transpose()?,
        environment: input::word_or(
            "environment",
            new.environment.as_deref(),
            Environment::Production,
        )?,
        purpose: input::maybe_line("purpose", new.purpose.as_deref())?,
        email: input::maybe_line("email", new.email.as_deref())?,
        manager: None,
        vendor: None,
        contract_end: None,
        status: IdentityStatus::Active,
        left_at: None,
        seasonality: input::word_or("seasonality", new.seasonality.as_deref(), Seasonality::None)?,
        attributes: attributes(&new.attributes)?,
        origin: origin_of(actor),
        created_at: now,
    })
}

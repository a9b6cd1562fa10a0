//! Groups: named sets of identities that grants and ownership can be given to.

use std::collections::{BTreeMap, BTreeSet};

use base::{GroupId, IdentityId, Problem};
use identity::{Group, Origin};
use store::Tx;

use crate::api::origin_of;
use crate::authority::Authority;
use crate::view::{Changed, GroupView};
use crate::{Actor, App, input, near};

impl App {
    /// The groups that the actor sees, sorted by id: a member those they are in.
    pub async fn groups(&self, actor: &Actor) -> Result<Vec<GroupView>, Problem> {
        let mut state = self.read().await?;
        let mut groups = state.groups().await?;
        if !actor.reads_all() {
            groups.retain(|group| group.members.contains(&actor.id));
        }
        Ok(groups.iter().map(view).collect())
    }

    /// Makes a group, or sets the name and members of one. Who is in it no more has nothing by it
    /// when this returns.
    pub async fn put_group(
        &self,
        actor: &Actor,
        id: &str,
        name: &str,
        members: &[String],
        groups: &[String],
    ) -> Result<Changed<GroupView>, Problem> {
        let id: GroupId = input::id("id", id)?;
        let name = input::line("name", name)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("change a group")?;
        let before = tx.group(id.as_str()).await?;
        if before.as_ref().is_some_and(|group| group.origin == Origin::Scim) {
            let detail = format!("group `{id}` is maintained by the directory");
            return Err(Problem::conflict("other_origin", detail).hint("change it there"));
        }
        let after = Group {
            members: existing_members(&mut tx, &authority, members).await?,
            groups: existing_groups(&mut tx, &authority, groups, &id).await?,
            name,
            origin: before.as_ref().map_or(origin_of(actor), |group| group.origin),
            created_at: before.as_ref().map_or(tx.at(), |group| group.created_at),
            id,
        };
        if before.as_ref() != Some(&after) {
            tx.save_group(before.as_ref(), &after).await?;
        }
        Ok(Changed { now: view(&after), receipt: self.settle(tx).await? })
    }
}

async fn existing_members(
    tx: &mut Tx,
    authority: &Authority<'_>,
    members: &[String],
) -> Result<Vec<IdentityId>, Problem> {
    let names = tx.names(members).await?;
    let mut ids = BTreeSet::new();
    for member in members {
        if !names.contains_key(member) || member.starts_with("group:") {
            let detail = format!("there is no identity `{member}`");
            let problem = Problem::invalid("unknown_identity", detail).at("members");
            return Err(near::hinted(problem, near::identity(tx, authority, member).await?));
        }
        ids.insert(input::id("members", member)?);
    }
    Ok(ids.into_iter().collect())
}

/// The groups to have within: known, and none of them around this one.
async fn existing_groups(
    tx: &mut Tx,
    authority: &Authority<'_>,
    groups: &[String],
    id: &GroupId,
) -> Result<Vec<GroupId>, Problem> {
    let mut within = BTreeSet::new();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let all: BTreeMap<GroupId, Group> =
        tx.groups().await?.into_iter().map(|group| (group.id.clone(), group)).collect();
    for text in groups {
        let inner: GroupId = input::id("groups", text)?;
        if !all.contains_key(&inner) {
            let problem = Problem::invalid("unknown_group", format!("there is no group `{inner}`"));
            let guess = near::group(tx, authority, inner.as_str()).await?;
            return Err(near::hinted(problem.at("groups"), guess));
        }
        if is_within(id, &inner, &all) {
            let detail = format!("`{inner}` is `{id}` or has it within");
            return Err(Problem::invalid("circular_group", detail).at("groups"));
        }
        within.insert(inner);
    }
    Ok(within.into_iter().collect())
}

/// Whether `id` is `outer` or within it, however deep.
fn is_within(id: &GroupId, outer: &GroupId, all: &BTreeMap<GroupId, Group>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![outer];
    while let Some(next) = open.pop() {
        if next == id {
            return true;
        }
        let inner = all.get(next).into_iter().flat_map(|group| &group.groups);
        open.extend(inner.filter(|group| seen.insert(*group)));
    }
    false
}

fn view(group: &Group) -> GroupView {
    GroupView {
        id: group.id.to_string(),
        name: group.name.clone(),
        members: group.members.iter().map(ToString::to_string).collect(),
        groups: group.groups.iter().map(ToString::to_string).collect(),
        origin: group.origin.to_string(),
    }
}

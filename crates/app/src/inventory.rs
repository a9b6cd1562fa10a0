//! The inventory that findings and reviews are read from: one snapshot of the state with its use.

use std::collections::{BTreeMap, BTreeSet};

use base::{GroupId, IdentityId, Problem, Timestamp};
use grant::RoleTable;
use identity::Group;
use review::window::WINDOW_DAYS_MAX;
use review::{Inventory, InventoryParts, UsageFacts, Window};
use store::{Cursor, Object, Snapshot};

use crate::App;
use crate::used::WINDOW_DAYS;

impl App {
    /// Reads and seals everything, as of now.
    pub(crate) async fn inventory(&self) -> Result<Inventory, Problem> {
        let now = self.now();
        let mut state = self.read().await?;
        let mut parts = InventoryParts {
            as_of: now,
            ruleset_version: state.version(),
            identities: Vec::new(),
            groups: Vec::new(),
            credentials: Vec::new(),
            apis: Vec::new(),
            grants: Vec::new(),
            usage: usage(&mut state, now).await?,
            exceptions: Vec::new(),
        };
        let mut roles = RoleTable::default();
        let mut cursor = Cursor::Start;
        while !matches!(cursor, Cursor::End) {
            let (batch, next) = state.load(cursor).await?;
            cursor = next;
            batch.objects()?.into_iter().for_each(|object| sort_in(&mut parts, &mut roles, object));
        }
        drop(state);
        // A review counts operations and people: what roles and inner groups come to today.
        let nested = nested_members(&parts.groups);
        parts.groups.iter_mut().for_each(|group| with_inner(group, &nested));
        // Sorting and digesting tens of thousands of rows would hold up the node's other work.
        let sealed = tokio::task::spawn_blocking(move || Inventory::seal(parts)).await;
        let sealed = sealed.map_err(|error| Problem::internal(error.to_string()))?;
        sealed.map_err(|error| Problem::internal(error.to_string()))
    }
}

fn sort_in(parts: &mut InventoryParts, roles: &mut RoleTable, object: Object) {
    match object {
        Object::Api(api) => parts.apis.push(api),
        Object::ApiRemoved(_) | Object::Contract(_) | Object::ContractRemoved(_) => {}
        Object::Identity(identity) => parts.identities.push(identity),
        Object::Group(group) => parts.groups.push(group),
        Object::Credential(credential) => parts.credentials.push(credential),
        // Roles are read before the grants that name them.
        Object::Grant(grant) => parts.grants.push(roles.flatten(&grant)),
        Object::Role(role) => roles.put(role),
        Object::Relation(_) | Object::Guardrails(_) => {}
    }
}

/// The members of every group that is within another, by group.
fn nested_members(groups: &[Group]) -> BTreeMap<GroupId, Group> {
    let nests = groups.iter().any(|group| !group.groups.is_empty());
    let all = groups.iter().filter(|_| nests);
    all.map(|group| (group.id.clone(), group.clone())).collect()
}

/// Makes the members of the groups within a group its own.
fn with_inner(group: &mut Group, all: &BTreeMap<GroupId, Group>) {
    let mut seen: BTreeSet<GroupId> = BTreeSet::from([group.id.clone()]);
    let mut open = group.groups.clone();
    let mut members: BTreeSet<IdentityId> = group.members.iter().cloned().collect();
    while let Some(next) = open.pop() {
        if let Some(inner) = all.get(&next).filter(|_| seen.insert(next.clone())) {
            members.extend(inner.members.iter().cloned());
            open.extend(inner.groups.iter().cloned());
        }
    }
    group.members = members.into_iter().collect();
}

/// Use in the window, day by day, so that no more than one day of cells is in memory besides what
/// is kept of them. Records reach as far back as the first day that has any.
async fn usage(state: &mut Snapshot, now: Timestamp) -> Result<UsageFacts, Problem> {
    let days = u32::try_from(WINDOW_DAYS).unwrap_or(WINDOW_DAYS_MAX);
    let first = state.first_usage_day().await?.map(Timestamp::from_day);
    let coverage = Window::coverage_since(now, days, first);
    let window = Window::ending(now, days, coverage);
    let mut usage = UsageFacts::empty(window);
    for day in window.from.day()..=window.until.day() {
        for (key, cell) in state.usage_of_day(day).await? {
            usage.add(&key, &cell);
        }
    }
    for row in state.received_since(window.from).await? {
        usage.note_received(&row.grant_id, row.operation, row.path, row.last_at);
    }
    for (credential, at) in state.last_use_before(window.from.day()).await? {
        usage.note_earlier_use(credential, at);
    }
    Ok(usage)
}

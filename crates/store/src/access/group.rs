//! Groups and their members.

use std::collections::{BTreeMap, BTreeSet};

use base::{GroupId, IdentityId};
use identity::Group;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, name, origin, created_at FROM identity_group";
pub(super) const INTO: &str = "identity_group (id, name, origin, created_at)";
pub(super) const INTO_WITHIN: &str = "group_within (group_id, member_id)";
pub(super) const INTO_MEMBERS: &str = "membership (group_id, identity_id)";

fn read(mut row: Row) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.parsed()?,
        name: row.text()?,
        members: Vec::new(),
        groups: Vec::new(),
        origin: row.parsed()?,
        created_at: row.time()?,
    })
}

pub(super) fn values(group: &Group) -> Vec<Value> {
    vec![
        Value::text(&group.id),
        Value::text(&group.name),
        Value::text(group.origin),
        group.created_at.into(),
    ]
}

pub(super) fn self_values(group: &Group) -> Vec<Value> {
    vec![Value::text(&group.id), Value::text(&group.id)]
}

/// Every pair of groups of which the first has the second in it, however deep.
fn within(nesting: &BTreeMap<GroupId, Vec<GroupId>>) -> BTreeSet<(GroupId, GroupId)> {
    let mut pairs = BTreeSet::new();
    for outer in nesting.keys() {
        let mut open: Vec<&GroupId> = vec![outer];
        while let Some(next) = open.pop() {
            for inner in nesting.get(next).into_iter().flatten() {
                if inner != outer && pairs.insert((outer.clone(), inner.clone())) {
                    open.push(inner);
                }
            }
        }
    }
    pairs
}

pub(super) fn member_values(group: &Group) -> Vec<Vec<Value>> {
    let pair = |member| vec![Value::text(&group.id), Value::text(member)];
    group.members.iter().map(pair).collect()
}

impl Connection {
    /// Every group with its members, sorted by id.
    pub async fn groups(&mut self) -> Result<Vec<Group>, StoreError> {
        let rows = self.fetch(&format!("{SELECT} ORDER BY id"), vec![]).await?;
        let groups: Result<Vec<Group>, StoreError> = rows.into_iter().map(read).collect();
        const SQL: &str = "SELECT group_id, identity_id FROM membership ORDER BY 1, 2";
        let mut members: BTreeMap<GroupId, Vec<IdentityId>> = BTreeMap::new();
        for mut row in self.fetch(SQL, vec![]).await? {
            members.entry(row.parsed()?).or_default().push(row.parsed()?);
        }
        let mut nested = self.nesting().await?;
        let with = |mut group: Group| {
            group.members = members.remove(&group.id).unwrap_or_default();
            group.groups = nested.remove(&group.id).unwrap_or_default();
            group
        };
        Ok(groups?.into_iter().map(with).collect())
    }

    /// One group with its members.
    pub async fn group(&mut self, id: &str) -> Result<Option<Group>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        let Some(row) = self.fetch_first(&sql, vec![Value::text(id)]).await? else {
            return Ok(None);
        };
        const SQL: &str = "SELECT identity_id FROM membership WHERE group_id = $1 ORDER BY 1";
        let mut group = read(row)?;
        for mut row in self.fetch(SQL, vec![Value::text(id)]).await? {
            group.members.push(row.parsed()?);
        }
        group.groups = self.nesting().await?.remove(&group.id).unwrap_or_default();
        Ok(Some(group))
    }

    /// The groups that each group has in it, sorted. Groups in groups are few.
    async fn nesting(&mut self) -> Result<BTreeMap<GroupId, Vec<GroupId>>, StoreError> {
        const SQL: &str = "SELECT group_id, member_id FROM nesting ORDER BY 1, 2";
        let mut nesting: BTreeMap<GroupId, Vec<GroupId>> = BTreeMap::new();
        for mut row in self.fetch(SQL, vec![]).await? {
            nesting.entry(row.parsed()?).or_default().push(row.parsed()?);
        }
        Ok(nesting)
    }

    /// The identities in a group, also by a group in it, sorted.
    pub async fn belonging_to(&mut self, group: &str) -> Result<Vec<IdentityId>, StoreError> {
        const SQL: &str = "SELECT identity_id FROM belonging WHERE group_id = $1 ORDER BY 1";
        let rows = self.fetch(SQL, vec![Value::text(group)]).await?;
        rows.into_iter().map(|mut row| row.parsed()).collect()
    }

    /// The groups that an identity is in, also by a group in them, sorted.
    pub async fn groups_of(&mut self, identity: &str) -> Result<Vec<GroupId>, StoreError> {
        const SQL: &str = "SELECT group_id FROM belonging WHERE identity_id = $1 ORDER BY 1";
        let rows = self.fetch(SQL, vec![Value::text(identity)]).await?;
        rows.into_iter().map(|mut row| row.parsed()).collect()
    }
}

impl Tx {
    /// Writes a new or changed group and its members.
    pub async fn save_group(
        &mut self,
        before: Option<&Group>,
        group: &Group,
    ) -> Result<u64, StoreError> {
        let event = audit::Event::GroupChanged;
        let change = NewChange::new(event, "group", &group.id, before, Some(group))?;
        match before {
            None => self.insert_rows(INTO, vec![values(group)]).await?,
            Some(_) => {
                const SQL: &str = "UPDATE identity_group SET name = $2, origin = $3, \
                                   created_at = $4 WHERE id = $1";
                self.change_one(SQL, values(group), "group", &group.id).await?;
                const CLEAR: &str = "DELETE FROM membership WHERE group_id = $1";
                self.execute(CLEAR, vec![Value::text(&group.id)]).await?;
            }
        }
        self.insert_rows(INTO_MEMBERS, member_values(group)).await?;
        if before.is_none() {
            self.insert_rows(INTO_WITHIN, vec![self_values(group)]).await?;
        }
        if before.map_or(&[][..], |before| &before.groups) != group.groups {
            self.nest(std::slice::from_ref(group)).await?;
        }
        self.record(change).await
    }

    /// Writes which groups these have in them, and works out again which group is within which.
    pub(super) async fn nest(&mut self, groups: &[Group]) -> Result<(), StoreError> {
        for group in groups {
            const CLEAR: &str = "DELETE FROM nesting WHERE group_id = $1";
            self.execute(CLEAR, vec![Value::text(&group.id)]).await?;
            let pair = |inner| vec![Value::text(&group.id), Value::text(inner)];
            let rows = group.groups.iter().map(pair).collect();
            self.insert_rows("nesting (group_id, member_id)", rows).await?;
        }
        self.execute("DELETE FROM group_within WHERE group_id <> member_id", vec![]).await?;
        let pairs = within(&self.nesting().await?);
        let row = |(outer, inner): (GroupId, GroupId)| vec![Value::text(outer), Value::text(inner)];
        self.insert_rows(INTO_WITHIN, pairs.into_iter().map(row).collect()).await
    }
}

//! Groups and their members.

use std::collections::BTreeMap;

use base::{GroupId, IdentityId};
use identity::Group;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, name, origin, created_at FROM identity_group";
pub(super) const INTO: &str = "identity_group (id, name, origin, created_at)";
pub(super) const INTO_MEMBERS: &str = "membership (group_id, identity_id)";

fn read(mut row: Row) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.parsed()?,
        name: row.text()?,
        members: Vec::new(),
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
        let with = |mut group: Group| {
            group.members = members.remove(&group.id).unwrap_or_default();
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
        Ok(Some(group))
    }

    /// The groups that an identity is a member of, sorted.
    pub async fn groups_of(&mut self, identity: &str) -> Result<Vec<GroupId>, StoreError> {
        const SQL: &str = "SELECT group_id FROM membership WHERE identity_id = $1 ORDER BY 1";
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
        self.record(change).await
    }
}

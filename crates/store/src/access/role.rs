//! Roles.

use grant::Role;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str =
    "SELECT id, name, api_id, operations, includes, removed, origin, created_at FROM role";
const INTO: &str = "role (id, name, api_id, operations, includes, removed, origin, created_at)";

fn read(mut row: Row) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.parsed()?,
        name: row.text()?,
        api: row.parsed()?,
        operations: row.json()?,
        includes: row.json()?,
        removed: row.int()? != 0,
        origin: row.parsed()?,
        created_at: row.time()?,
    })
}

fn values(role: &Role) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        Value::text(&role.id),
        Value::text(&role.name),
        Value::text(&role.api),
        Value::json(&role.operations)?,
        Value::json(&role.includes)?,
        i64::from(role.removed).into(),
        Value::text(role.origin),
        role.created_at.into(),
    ])
}

impl Connection {
    /// Every role, removed ones too, sorted by id.
    pub async fn roles(&mut self) -> Result<Vec<Role>, StoreError> {
        let rows = self.fetch(&format!("{SELECT} ORDER BY id"), vec![]).await?;
        rows.into_iter().map(read).collect()
    }

    /// One role.
    pub async fn role(&mut self, id: &str) -> Result<Option<Role>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read).transpose()
    }
}

impl Tx {
    /// Writes a new or changed role.
    pub async fn save_role(
        &mut self,
        before: Option<&Role>,
        role: &Role,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        let event = audit::Event::RoleChanged;
        let change = NewChange::new(event, "role", &role.id, before, Some(role))?;
        match before {
            None => self.insert_rows(INTO, vec![values(role)?]).await?,
            Some(_) => {
                const SQL: &str = "UPDATE role SET name = $2, api_id = $3, operations = $4, \
                                   includes = $5, removed = $6, origin = $7, created_at = $8 \
                                   WHERE id = $1";
                self.change_one(SQL, values(role)?, "role", &role.id).await?;
            }
        }
        self.record(change.because(note)).await
    }
}

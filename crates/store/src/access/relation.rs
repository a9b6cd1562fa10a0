//! Relations of subjects to objects.

use grant::Relation;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT subject, name, objects, updated_at FROM relation";
const INTO: &str = "relation (subject, name, objects, updated_at)";
const OVER: &str = "ON CONFLICT (subject, name) DO UPDATE SET objects = excluded.objects, \
                    updated_at = excluded.updated_at";

fn read(mut row: Row) -> Result<Relation, StoreError> {
    Ok(Relation {
        subject: row.parsed()?,
        name: row.text()?,
        objects: row.json()?,
        updated_at: row.time()?,
    })
}

impl Connection {
    /// Relations sorted by subject and name, those after `after`, at most `limit`.
    pub async fn relations(
        &mut self,
        after: Option<&(String, String)>,
        limit: u32,
    ) -> Result<Vec<Relation>, StoreError> {
        let (subject, name) = after.map_or(("", ""), |(subject, name)| (subject, name));
        let sql = format!(
            "{SELECT} WHERE subject > $1 OR (subject = $1 AND name > $2) \
             ORDER BY subject, name LIMIT $3"
        );
        let values = vec![Value::text(subject), Value::text(name), i64::from(limit).into()];
        self.fetch(&sql, values).await?.into_iter().map(read).collect()
    }

    /// The relations of one subject, sorted by name.
    pub async fn relations_of(&mut self, subject: &str) -> Result<Vec<Relation>, StoreError> {
        let sql = format!("{SELECT} WHERE subject = $1 ORDER BY name");
        self.fetch(&sql, vec![Value::text(subject)]).await?.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Writes a relation; without objects it is gone.
    pub async fn save_relation(
        &mut self,
        before: Option<&Relation>,
        relation: &Relation,
    ) -> Result<u64, StoreError> {
        let event = audit::Event::RelationChanged;
        let id = format!("{} {}", relation.subject, relation.name);
        let change = NewChange::new(event, "relation", id, before, Some(relation))?;
        let key = vec![Value::text(&relation.subject), Value::text(&relation.name)];
        if relation.objects.is_empty() {
            const SQL: &str = "DELETE FROM relation WHERE subject = $1 AND name = $2";
            self.execute(SQL, key).await?;
        } else {
            let rest = [Value::json(&relation.objects)?, relation.updated_at.into()];
            let row = key.into_iter().chain(rest).collect();
            self.insert_rows_or(INTO, vec![row], OVER).await?;
        }
        self.record(change).await
    }
}

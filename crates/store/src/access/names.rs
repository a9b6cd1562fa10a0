//! Names and counts for lists: one query per list and kind, not one per row.

use std::collections::HashMap;

use base::Timestamp;

use crate::StoreError;
use crate::sql::{Connection, Value};

/// Ids per statement, well below what either database takes.
const IDS_PER_QUERY: usize = 500;

/// What a list shows of an owner or subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Display name.
    pub name: String,
    /// Status, as its word; `active` for groups.
    pub status: String,
}

impl Connection {
    /// Names of identities by id, and of groups by `group:<id>`. What does not exist is absent.
    pub async fn names(&mut self, of: &[String]) -> Result<HashMap<String, Named>, StoreError> {
        const IDENTITIES: &str = "SELECT id, name, status FROM identity WHERE id IN";
        const GROUPS: &str =
            "SELECT 'group:' || id, name, 'active' FROM identity_group WHERE id IN";
        let (groups, identities): (Vec<&str>, Vec<&str>) =
            of.iter().map(String::as_str).partition(|id| id.starts_with("group:"));
        let groups: Vec<_> = groups.iter().filter_map(|id| id.strip_prefix("group:")).collect();
        let mut names = HashMap::new();
        for (sql, ids) in [(IDENTITIES, identities), (GROUPS, groups)] {
            for mut row in self.fetch_in(sql, "", &ids, vec![]).await? {
                names.insert(row.text()?, Named { name: row.text()?, status: row.text()? });
            }
        }
        Ok(names)
    }

    /// How many grants are in force for each of these subjects.
    pub async fn live_grants_count(
        &mut self,
        subjects: &[&str],
        now: Timestamp,
    ) -> Result<HashMap<String, u64>, StoreError> {
        const SQL: &str = "SELECT subject, COUNT(*) FROM access_grant WHERE status = 'active' \
                           AND (expires_at IS NULL OR expires_at > $1) AND subject IN";
        self.counts(SQL, " GROUP BY subject", subjects, now).await
    }

    /// How many credentials are accepted for each of these identities.
    pub async fn live_credentials_count(
        &mut self,
        identities: &[&str],
        now: Timestamp,
    ) -> Result<HashMap<String, u64>, StoreError> {
        const SQL: &str = "SELECT identity_id, COUNT(*) FROM credential WHERE status = 'active' \
                           AND (expires_at IS NULL OR expires_at > $1) AND identity_id IN";
        self.counts(SQL, " GROUP BY identity_id", identities, now).await
    }

    async fn counts(
        &mut self,
        head: &'static str,
        tail: &'static str,
        ids: &[&str],
        now: Timestamp,
    ) -> Result<HashMap<String, u64>, StoreError> {
        let rows = self.fetch_in(head, tail, ids, vec![now.into()]).await?;
        rows.into_iter().map(|mut row| Ok((row.text()?, row.count()?))).collect()
    }

    /// Runs `head (ids) tail`, in portions, and gives all rows. `values` are `$1` and on.
    pub(crate) async fn fetch_in(
        &mut self,
        head: &'static str,
        tail: &'static str,
        ids: &[&str],
        values: Vec<Value>,
    ) -> Result<Vec<crate::sql::Row>, StoreError> {
        let mut rows = Vec::new();
        for portion in ids.chunks(IDS_PER_QUERY) {
            let marks: Vec<_> =
                (values.len() + 1..).take(portion.len()).map(|n| format!("${n}")).collect();
            let mut values = values.clone();
            values.extend(portion.iter().map(Value::text));
            rows.extend(self.fetch(&format!("{head} ({}){tail}", marks.join(", ")), values).await?);
        }
        Ok(rows)
    }
}

//! Grants. A changed grant is written only over the version that it was made from.

use std::collections::BTreeSet;

use grant::{Grant, Terms};
use serde::Serialize;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, version, subject, api_id, operations, fields, created_at, \
                      expires_at, status, reason, requested_by, approved_by, last_certified_at, \
                      last_certified_by, origin, roles, terms FROM access_grant";
pub(super) const INTO: &str = "access_grant (id, version, subject, api_id, operations, fields, \
                               created_at, expires_at, status, reason, requested_by, approved_by, \
                               last_certified_at, last_certified_by, origin, roles, terms)";

/// Which grants. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// Subject as written: `robin`, `group:x`.
    pub subject: Option<String>,
    /// API id.
    pub api: Option<String>,
    /// Status, as its word.
    pub status: Option<String>,
    /// Only grants to this identity, to what it or a group it is in owns, or to such a group, and
    /// grants on APIs that it or such a group owns.
    pub visible_to: Option<String>,
}

/// $1 subject, $2 API, $3 status, $4 viewer. NULL does not filter.
const MATCHES: &str = "($1 IS NULL OR subject = $1) AND ($2 IS NULL OR api_id = $2) \
                       AND ($3 IS NULL OR status = $3) AND ($4 IS NULL OR subject = $4 \
                       OR subject IN (SELECT 'group:' || group_id FROM belonging \
                       WHERE identity_id = $4) \
                       OR subject IN (SELECT id FROM identity WHERE owner = $4 OR owner IN \
                       (SELECT 'group:' || group_id FROM belonging WHERE identity_id = $4)) \
                       OR api_id IN (SELECT id FROM api WHERE owner = $4 OR owner IN \
                       (SELECT 'group:' || group_id FROM belonging WHERE identity_id = $4)))";

pub(super) fn read(mut row: Row) -> Result<Grant, StoreError> {
    let mut grant = Grant {
        id: row.parsed()?,
        version: u32::try_from(row.int()?)
            .map_err(|error| StoreError::corrupt("version", error))?,
        subject: row.parsed()?,
        api: row.parsed()?,
        operations: row.json()?,
        roles: BTreeSet::new(),
        fields: row.maybe_json()?,
        terms: Terms::default(),
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        status: row.parsed()?,
        reason: row.parsed()?,
        requested_by: row.maybe_text()?,
        approved_by: row.maybe_text()?,
        last_certified_at: row.maybe_time()?,
        last_certified_by: row.maybe_text()?,
        origin: row.parsed()?,
    };
    grant.roles = row.maybe_json()?.unwrap_or_default();
    grant.terms = row.maybe_json()?.unwrap_or_default();
    Ok(grant)
}

pub(super) fn values(grant: &Grant) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        Value::text(&grant.id),
        i64::from(grant.version).into(),
        Value::text(&grant.subject),
        Value::text(&grant.api),
        Value::json(&grant.operations)?,
        grant.fields.as_ref().map_or(Ok(Value::Text(None)), Value::json)?,
        grant.created_at.into(),
        Value::maybe_time(grant.expires_at),
        Value::text(grant.status),
        Value::text(grant.reason),
        Value::maybe_text(grant.requested_by.as_ref()),
        Value::maybe_text(grant.approved_by.as_ref()),
        Value::maybe_time(grant.last_certified_at),
        Value::maybe_text(grant.last_certified_by.as_ref()),
        Value::text(grant.origin),
        given(&grant.roles, grant.roles.is_empty())?,
        given(&grant.terms, grant.terms.is_empty())?,
    ])
}

/// NULL where there is nothing to say: of a million grants nearly all have no terms.
fn given<T: Serialize>(value: &T, is_empty: bool) -> Result<Value, StoreError> {
    if is_empty { Ok(Value::Text(None)) } else { Value::json(value) }
}

impl Connection {
    /// One grant.
    pub async fn grant(&mut self, id: &str) -> Result<Option<Grant>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read).transpose()
    }

    /// Grants sorted by id, those after `after`, at most `limit`.
    pub async fn grants(
        &mut self,
        filter: &GrantFilter,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        self.grant_rows(filter, after, limit).await?.into_iter().map(read).collect()
    }

    /// The same, for who reads the rows elsewhere.
    pub(super) async fn grant_rows(
        &mut self,
        filter: &GrantFilter,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = format!("{SELECT} WHERE {MATCHES} AND id > $5 ORDER BY id LIMIT $6");
        let values = vec![
            Value::maybe_text(filter.subject.as_ref()),
            Value::maybe_text(filter.api.as_ref()),
            Value::maybe_text(filter.status.as_ref()),
            Value::maybe_text(filter.visible_to.as_ref()),
            Value::text(after),
            i64::from(limit).into(),
        ];
        self.fetch(&sql, values).await
    }
}

impl Tx {
    /// Writes a new or changed grant. A changed one has the next version; when the stored version
    /// is not the one before, somebody else was faster and nothing is written.
    pub async fn save_grant(
        &mut self,
        event: audit::Event,
        before: Option<&Grant>,
        grant: &Grant,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        let change = NewChange::new(event, "grant", &grant.id, before, Some(grant))?;
        match before {
            None => self.insert_rows(INTO, vec![values(grant)?]).await?,
            Some(before) => {
                const SQL: &str = "UPDATE access_grant SET version = $2, subject = $3, \
                                   api_id = $4, operations = $5, fields = $6, created_at = $7, \
                                   expires_at = $8, status = $9, reason = $10, \
                                   requested_by = $11, approved_by = $12, \
                                   last_certified_at = $13, last_certified_by = $14, \
                                   origin = $15, roles = $16, terms = $17 \
                                   WHERE id = $1 AND version = $18";
                let mut values = values(grant)?;
                values.push(i64::from(before.version).into());
                self.change_one(SQL, values, "grant", &grant.id).await?;
            }
        }
        self.record(change.because(note)).await
    }
}

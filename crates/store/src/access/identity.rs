//! Identities.

use std::collections::{BTreeMap, BTreeSet};

use base::IdentityId;
use identity::Identity;

use super::contains;
use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, kind, name, owner, environment, purpose, email, manager, vendor, \
                      contract_end, status, left_at, seasonality, origin, created_at, attributes FROM identity";
pub(super) const INTO: &str = "identity (id, kind, name, owner, environment, purpose, email, \
                               manager, vendor, contract_end, status, left_at, seasonality, \
                               origin, created_at, attributes)";
/// $1 text pattern, $2 kind, $3 owner, $4 status, $5 viewer: one who sees only themselves and what
/// they own. NULL does not filter.
const MATCHES: &str = "($1 IS NULL OR LOWER(id) LIKE $1 ESCAPE '!' \
                       OR LOWER(name) LIKE $1 ESCAPE '!') \
                       AND ($2 IS NULL OR kind = $2) \
                       AND ($3 IS NULL OR owner = $3 OR ($3 = 'none' AND owner IS NULL)) \
                       AND ($4 IS NULL OR status = $4) \
                       AND ($5 IS NULL OR id = $5 OR owner = $5 OR owner IN \
                       (SELECT 'group:' || group_id FROM belonging WHERE identity_id = $5))";

/// Which identities. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityFilter {
    /// Part of the id or name, in any case.
    pub text: Option<String>,
    /// Kind, as its word.
    pub kind: Option<String>,
    /// Owner as written: `robin`, `group:x`; `none` for those without one.
    pub owner: Option<String>,
    /// Status, as its word.
    pub status: Option<String>,
    /// Only this identity, and those that it or a group it is in owns.
    pub visible_to: Option<String>,
}

impl IdentityFilter {
    fn values(&self) -> Vec<Value> {
        vec![
            Value::maybe_text(self.text.as_deref().map(contains)),
            Value::maybe_text(self.kind.as_ref()),
            Value::maybe_text(self.owner.as_ref()),
            Value::maybe_text(self.status.as_ref()),
            Value::maybe_text(self.visible_to.as_ref()),
        ]
    }
}

pub(super) fn read(mut row: Row) -> Result<Identity, StoreError> {
    let mut identity = Identity {
        id: row.parsed()?,
        kind: row.parsed()?,
        name: row.text()?,
        owner: row.maybe_parsed()?,
        environment: row.parsed()?,
        purpose: row.maybe_text()?,
        email: row.maybe_text()?,
        manager: row.maybe_parsed()?,
        vendor: row.maybe_text()?,
        contract_end: row.maybe_time()?,
        status: row.parsed()?,
        left_at: row.maybe_time()?,
        seasonality: row.parsed()?,
        attributes: BTreeMap::new(),
        origin: row.parsed()?,
        created_at: row.time()?,
    };
    identity.attributes = row.maybe_json()?.unwrap_or_default();
    Ok(identity)
}

pub(super) fn values(identity: &Identity) -> Result<Vec<Value>, StoreError> {
    let attributes = &identity.attributes;
    Ok(vec![
        Value::text(&identity.id),
        Value::text(identity.kind),
        Value::text(&identity.name),
        Value::maybe_text(identity.owner.as_ref()),
        Value::text(identity.environment),
        Value::maybe_text(identity.purpose.as_ref()),
        Value::maybe_text(identity.email.as_ref()),
        Value::maybe_text(identity.manager.as_ref()),
        Value::maybe_text(identity.vendor.as_ref()),
        Value::maybe_time(identity.contract_end),
        Value::text(identity.status),
        Value::maybe_time(identity.left_at),
        Value::text(identity.seasonality),
        Value::text(identity.origin),
        identity.created_at.into(),
        if attributes.is_empty() { Value::Text(None) } else { Value::json(attributes)? },
    ])
}

impl Connection {
    /// One identity.
    pub async fn identity(&mut self, id: &str) -> Result<Option<Identity>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read).transpose()
    }

    /// Identities sorted by id, those after `after`, at most `limit`.
    pub async fn identities(
        &mut self,
        filter: &IdentityFilter,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        let sql = format!("{SELECT} WHERE {MATCHES} AND id > $6 ORDER BY id LIMIT $7");
        let mut values = filter.values();
        values.extend([Value::text(after), i64::from(limit).into()]);
        self.fetch(&sql, values).await?.into_iter().map(read).collect()
    }

    /// The ids of all identities that a viewer sees: see [`IdentityFilter::visible_to`].
    pub async fn identities_seen_by(
        &mut self,
        viewer: Option<String>,
    ) -> Result<BTreeSet<IdentityId>, StoreError> {
        let filter = IdentityFilter { visible_to: viewer, ..IdentityFilter::default() };
        let sql = format!("SELECT id FROM identity WHERE {MATCHES}");
        let rows = self.fetch(&sql, filter.values()).await?;
        rows.into_iter().map(|mut row| row.parsed()).collect()
    }

    /// How many identities the filter matches.
    pub async fn identities_count(&mut self, filter: &IdentityFilter) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM identity WHERE {MATCHES}");
        let row = self.fetch_first(&sql, filter.values()).await?;
        row.map_or(Ok(0), |mut row| row.count())
    }

    /// Whether an identity has this name.
    pub async fn identity_name_taken(&mut self, name: &str) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT id FROM identity WHERE name = $1";
        Ok(self.fetch_first(SQL, vec![Value::text(name)]).await?.is_some())
    }
}

impl Tx {
    /// Writes a new or changed identity.
    pub async fn save_identity(
        &mut self,
        event: audit::Event,
        before: Option<&Identity>,
        identity: &Identity,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        let change = NewChange::new(event, "identity", &identity.id, before, Some(identity))?;
        match before {
            None => self.insert_rows(INTO, vec![values(identity)?]).await?,
            Some(_) => {
                const SQL: &str = "UPDATE identity SET kind = $2, name = $3, owner = $4, \
                                   environment = $5, purpose = $6, email = $7, manager = $8, \
                                   vendor = $9, contract_end = $10, status = $11, left_at = $12, \
                                   seasonality = $13, origin = $14, created_at = $15, \
                                   attributes = $16 WHERE id = $1";
                self.change_one(SQL, values(identity)?, "identity", &identity.id).await?;
            }
        }
        self.record(change.because(note)).await
    }
}

//! Credentials.

use base::{Digest, IdentityId};
use identity::Credential;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, identity_id, class, label, lookup, environment, created_at, \
                      expires_at, rotates, status, revoked_at, created_by, last_used_before \
                      FROM credential";
pub(super) const INTO: &str = "credential (id, identity_id, class, label, lookup, environment, \
                               created_at, expires_at, rotates, status, revoked_at, created_by, \
                               last_used_before)";

fn read(mut row: Row) -> Result<Credential, StoreError> {
    Ok(Credential {
        id: row.parsed()?,
        identity: row.parsed()?,
        class: row.parsed()?,
        label: row.text()?,
        lookup: row.digest()?,
        environment: row.parsed()?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        rotates: row.maybe_parsed()?,
        status: row.parsed()?,
        revoked_at: row.maybe_time()?,
        created_by: row.text()?,
        last_used_before: row.maybe_time()?,
    })
}

pub(super) fn values(credential: &Credential) -> Vec<Value> {
    vec![
        Value::text(&credential.id),
        Value::text(&credential.identity),
        Value::text(credential.class),
        Value::text(&credential.label),
        credential.lookup.into(),
        Value::text(credential.environment),
        credential.created_at.into(),
        Value::maybe_time(credential.expires_at),
        Value::maybe_text(credential.rotates.as_ref()),
        Value::text(credential.status),
        Value::maybe_time(credential.revoked_at),
        Value::text(&credential.created_by),
        Value::maybe_time(credential.last_used_before),
    ]
}

impl Connection {
    /// One credential.
    pub async fn credential(&mut self, id: &str) -> Result<Option<Credential>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read).transpose()
    }

    /// Credentials sorted by id, those after `after`, at most `limit`.
    pub async fn credentials(
        &mut self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = self.fetch(&sql, vec![Value::text(after), i64::from(limit).into()]).await?;
        rows.into_iter().map(read).collect()
    }

    /// The credentials of one identity, newest first.
    pub async fn credentials_of(
        &mut self,
        identity: &IdentityId,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!("{SELECT} WHERE identity_id = $1 ORDER BY created_at DESC, id DESC");
        let rows = self.fetch(&sql, vec![Value::text(identity)]).await?;
        rows.into_iter().map(read).collect()
    }

    /// The credential that is not revoked and has this lookup value.
    pub async fn credential_by_lookup(
        &mut self,
        lookup: Digest,
    ) -> Result<Option<Credential>, StoreError> {
        let sql = format!("{SELECT} WHERE lookup = $1 AND status <> 'revoked'");
        self.fetch_first(&sql, vec![lookup.into()]).await?.map(read).transpose()
    }
}

impl Tx {
    /// Writes a new or changed credential. Its change row holds the keyed hash, never a secret.
    pub async fn save_credential(
        &mut self,
        event: audit::Event,
        before: Option<&Credential>,
        credential: &Credential,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        let change = NewChange::new(event, "credential", &credential.id, before, Some(credential))?;
        match before {
            None => self.insert_rows(INTO, vec![values(credential)]).await?,
            Some(_) => {
                const SQL: &str = "UPDATE credential SET identity_id = $2, class = $3, \
                                   label = $4, lookup = $5, environment = $6, created_at = $7, \
                                   expires_at = $8, rotates = $9, status = $10, revoked_at = $11, \
                                   created_by = $12, last_used_before = $13 WHERE id = $1";
                self.change_one(SQL, values(credential), "credential", &credential.id).await?;
            }
        }
        self.record(change.because(note)).await
    }
}

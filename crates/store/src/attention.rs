//! Counts and short lists of what needs somebody's attention, over the access state.

use base::Timestamp;
use identity::Credential;

use crate::StoreError;
use crate::sql::{Connection, Value};

impl Connection {
    /// Active credentials that end in `[from, until)`, the first to end first; only those of
    /// identities that `owner` is or owns, if named. At most `limit`.
    pub async fn expiring_credentials(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        owner: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = "SELECT credential.id FROM credential \
             JOIN identity ON identity.id = credential.identity_id \
             WHERE credential.status = 'active' AND credential.expires_at >= $1 \
             AND credential.expires_at < $2 \
             AND ($3 IS NULL OR identity.owner = $3 OR identity.id = $3) \
             ORDER BY credential.expires_at, credential.id LIMIT $4";
        let values =
            vec![from.into(), until.into(), Value::maybe_text(owner), i64::from(limit).into()];
        let mut found = Vec::new();
        for mut row in self.fetch(SQL, values).await? {
            found.extend(self.credential(&row.text()?).await?);
        }
        Ok(found)
    }

    /// Active machine identities that no active person, and no group with an active member,
    /// answers for.
    pub async fn unowned_identities(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM identity machine \
             WHERE machine.kind <> 'person' AND machine.status = 'active' \
             AND NOT EXISTS (SELECT 1 FROM identity person WHERE person.id = machine.owner \
             AND person.status = 'active' AND (person.left_at IS NULL OR person.left_at > $1)) \
             AND NOT EXISTS (SELECT 1 FROM belonging \
             JOIN identity person ON person.id = belonging.identity_id \
             WHERE 'group:' || belonging.group_id = machine.owner \
             AND person.status = 'active' AND (person.left_at IS NULL OR person.left_at > $1))";
        let row = self.fetch_first(SQL, vec![now.into()]).await?;
        row.ok_or_else(|| StoreError::corrupt("count", "no row"))?.count()
    }
}

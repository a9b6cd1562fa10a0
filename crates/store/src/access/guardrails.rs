//! The guardrails: one value. Its earlier versions stand in the change log.

use grant::Guardrails;

use crate::sql::{Connection, Value};
use crate::{NewChange, StoreError, Tx};

/// The id under which changes of the guardrails are logged: there is one set of them.
pub const GUARDRAILS_ID: &str = "all";

impl Connection {
    /// The guardrails as published last; `None` while there never were any.
    pub async fn guardrails(&mut self) -> Result<Option<Guardrails>, StoreError> {
        const SQL: &str =
            "SELECT version, files, updated_at, updated_by FROM guardrails WHERE one = 1";
        let Some(mut row) = self.fetch_first(SQL, vec![]).await? else { return Ok(None) };
        Ok(Some(Guardrails {
            version: u32::try_from(row.int()?)
                .map_err(|error| StoreError::corrupt("version", error))?,
            files: row.json()?,
            updated_at: row.time()?,
            updated_by: row.text()?,
        }))
    }
}

impl Tx {
    /// Publishes guardrails over the version that they were made from.
    pub async fn save_guardrails(
        &mut self,
        before: Option<&Guardrails>,
        guardrails: &Guardrails,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        let event = audit::Event::GuardrailsPublished;
        let change = NewChange::new(event, "guardrails", GUARDRAILS_ID, before, Some(guardrails))?;
        let values = vec![
            i64::from(guardrails.version).into(),
            Value::json(&guardrails.files)?,
            guardrails.updated_at.into(),
            Value::text(&guardrails.updated_by),
        ];
        match before {
            None => {
                const INTO: &str = "guardrails (one, version, files, updated_at, updated_by)";
                let row = std::iter::once(1i64.into()).chain(values).collect();
                self.insert_rows(INTO, vec![row]).await?;
            }
            Some(before) => {
                const SQL: &str = "UPDATE guardrails SET version = $1, files = $2, \
                                   updated_at = $3, updated_by = $4 WHERE version = $5";
                let last = std::iter::once(i64::from(before.version).into());
                let values = values.into_iter().chain(last).collect();
                self.change_one(SQL, values, "guardrails", GUARDRAILS_ID).await?;
            }
        }
        self.record(change.because(note)).await
    }
}

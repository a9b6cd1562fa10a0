//! What the gate decides by: APIs, identities, groups, credentials, grants, roles, relations,
//! guardrails, contracts.
//!
//! Every noun has the same shape: `NAME_COLUMNS` and a row reader in the same order, queries on
//! [`crate::Connection`], and one `save_…` on [`crate::Tx`] that takes the value before and after,
//! writes the row and records the change.

mod api;
mod bulk;
mod contract;
mod credential;
mod grant;
mod group;
mod guardrails;
mod identity;
mod load;
mod names;
mod relation;
mod role;

pub use bulk::World;
pub use grant::GrantFilter;
pub use guardrails::GUARDRAILS_ID;
pub use identity::IdentityFilter;
pub use load::{Batch, Cursor};
pub use names::Named;

use crate::sql::Value;
use crate::{StoreError, Tx};

impl Tx {
    /// Runs an `UPDATE` or `DELETE` of exactly one row; none means that it changed in between.
    pub(crate) async fn change_one(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        kind: &'static str,
        id: impl ToString,
    ) -> Result<(), StoreError> {
        match self.execute(sql, values).await? {
            0 => Err(StoreError::Stale { kind, id: id.to_string() }),
            _ => Ok(()),
        }
    }
}

/// A pattern that finds `text` anywhere, with the wildcards of LIKE taken literally. To be used
/// with `ESCAPE '!'` on lower-cased columns.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

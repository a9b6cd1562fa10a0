//! The state of portreeve in SQLite or PostgreSQL: one SQL text for both, one transaction per
//! change, and a change log that other nodes follow.
//!
//! What it does not do: decide anything. Who may change what is `app`'s; what a change means is
//! core's. No type of the database library is visible outside.
//!
//! # To add a noun
//! 1. Write its tables in the same-numbered file of `migrations/sqlite` and `migrations/postgres`
//!    and list the pair in `MIGRATIONS` (`open.rs`). A file that was released is never changed.
//!    Columns: `TEXT`, and `INTEGER` (SQLite, `STRICT`) or `BIGINT` (PostgreSQL); moments are
//!    microseconds, enums their words, lists and documents JSON text. Ids that are paged by are
//!    `COLLATE "C"` on PostgreSQL.
//! 2. Give it a module. Queries are `impl Connection` (so that both [`Tx`] and [`Snapshot`] have
//!    them): `self.fetch(SQL, vec![Value::text(id)])`, rows read left to right. A sum needs
//!    `CAST(SUM(x) AS BIGINT)`, because PostgreSQL makes it a decimal.
//! 3. Writes are `impl Tx`. One that changes administrative state takes the value before and after
//!    and ends with [`Tx::record`]: that is the change row and the ledger entry in one. Only
//!    folded data (usage, receipts, sessions' last use) goes without.
//! 4. Add its cases to `tests/`, where one suite runs on both databases.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod access;
mod attention;
pub mod change;
pub mod error;
pub mod finding;
pub mod ledger;
pub mod limit;
mod node;
mod open;
pub mod received;
pub mod review;
mod rollout;
pub mod session;
mod signal;
mod sql;
mod stream;
mod tx;
pub mod usage;

pub use access::{Batch, Cursor, GUARDRAILS_ID, GrantFilter, IdentityFilter, Named, World};
pub use change::{Change, ChangeRow, Object};
pub use error::StoreError;
pub use finding::{FindingFilter, FindingRow, FindingState};
pub use ledger::{LedgerCheck, LedgerFilter, LedgerHead};
pub use limit::LimitTx;
pub use node::NodeRow;
pub use open::{Snapshot, Store};
pub use received::ReceivedRow;
pub use review::{CampaignRow, Counts};
pub use rollout::{DifferenceKey, RolledOut, RolloutCount};
pub use sql::Connection;
pub use tx::{Committed, NewChange, Tx, Writer};
pub use usage::{AnchoredSegment, UsedBy, UsedRow, Watermark};

base::words! {
    /// The door an act came through.
    Channel {
        /// The console's pages.
        Console = "console",
        /// The admin API, the command line included.
        Api = "api",
        /// The configuration file.
        File = "file",
        /// portreeve itself: jobs, the demo.
        System = "system",
    }
}

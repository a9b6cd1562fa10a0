//! Use in the last 90 days, as lists show it. The one place where views meet the usage that the
//! gate's records are folded into.

use std::collections::{BTreeSet, HashMap};

use base::{ApiId, Span, Timestamp};
use store::{Connection, StoreError, UsedBy, UsedRow};

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
    state: &mut Connection,
    by: By,
    ids: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Used>, StoreError> {
    let by = match by {
        By::Grant => UsedBy::Grant,
        By::Credential => UsedBy::Credential,
        By::Identity => UsedBy::Identity,
    };
    let mut found: HashMap<String, Used> = HashMap::new();
    for row in state.used(by, ids, first_day(now)).await? {
        let used = found.entry(row.id).or_default();
        used.calls += row.calls;
        // Callers of several operations are the same people; the busiest operation is the floor.
        used.callers = used.callers.max(row.callers);
        used.operations.extend(row.operation);
        used.last_at = used.last_at.max(Some(row.last_at));
    }
    Ok(found)
}

/// Use of the operations of an API, by operation id.
pub(crate) async fn used_operations(
    state: &mut Connection,
    api: &ApiId,
    now: Timestamp,
) -> Result<HashMap<String, Used>, StoreError> {
    let rows = state.used_operations(api, first_day(now)).await?;
    let used = |row: UsedRow| {
        let operation = row.operation?;
        let used = Used {
            calls: row.calls,
            operations: BTreeSet::from([operation.clone()]),
            callers: row.callers,
            last_at: Some(row.last_at),
        };
        Some((operation, used))
    };
    Ok(rows.into_iter().filter_map(used).collect())
}

/// The first day of the window that ends now.
fn first_day(now: Timestamp) -> i64 {
    (now - Span::from_days(WINDOW_DAYS)).day()
}

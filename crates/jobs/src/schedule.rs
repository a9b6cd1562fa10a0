//! Which jobs there are and how often they run.

use std::sync::Arc;
use std::time::Duration;

use app::App;

use crate::supervise::{Job, PAUSE_MAX, Supervisor};

/// A node that does not follow the others enforces what was, so it never waits longer to look.
const CATCH_UP_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How often each job runs.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Folded usage reaches the store; what a kill -9 can lose until it is repaired.
    pub usage: Duration,
    /// Batches of call records are anchored in the ledger.
    pub anchor: Duration,
    /// The change log is read for what other nodes did.
    pub catch_up: Duration,
    /// What calls say of a change that is being rolled out is counted, and the change taken back.
    pub rollout: Duration,
    /// The finding rules run.
    pub findings: Duration,
    /// Unfinished removals are tried again and proved.
    pub remediation: Duration,
    /// Call records older than the retention time are deleted.
    pub retention: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            usage: Duration::from_secs(2),
            anchor: Duration::from_secs(5),
            catch_up: Duration::from_millis(500),
            rollout: Duration::from_millis(500),
            findings: Duration::from_secs(3_600),
            remediation: Duration::from_secs(5),
            retention: Duration::from_secs(3_600),
        }
    }
}

/// Starts the jobs of the application.
pub fn start(supervisor: &Supervisor, app: &Arc<App>, schedule: &Schedule) {
    macro_rules! job {
        ($name:literal, $every:expr, $pause_max:expr, $last_round:literal, $method:ident) => {{
            let app = Arc::clone(app);
            supervisor.run(Job {
                name: $name,
                every: $every,
                pause_max: $pause_max,
                last_round: $last_round,
                round: Box::new(move || {
                    let app = Arc::clone(&app);
                    Box::pin(async move { app.$method().await.map(|_| ()) })
                }),
            });
        }};
    }
    job!("usage", schedule.usage, PAUSE_MAX, true, flush_usage);
    job!("anchor", schedule.anchor, PAUSE_MAX, true, anchor_call_records);
    job!("catch_up", schedule.catch_up, CATCH_UP_PAUSE_MAX, false, catch_up);
    job!("rollout", schedule.rollout, CATCH_UP_PAUSE_MAX, true, tend_rollout);
    job!("findings", schedule.findings, PAUSE_MAX, false, detect_findings);
    job!("remediation", schedule.remediation, PAUSE_MAX, false, remediate);
    job!("retention", schedule.retention, PAUSE_MAX, false, expire_call_records);
}

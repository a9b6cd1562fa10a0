//! Database, ledger and decision log. They are opened as at a start; while a server holds them,
//! the server itself is the one to ask.

use std::sync::Arc;

use app::Actor;
use base::{IdentityId, Problem};

use super::Finding;
use crate::config::Settings;
use crate::serve::core::{Core, Plan};
use crate::system::SystemClock;

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let opened = match Plan::of(settings) {
        Ok(plan) => Core::open(plan, Arc::new(SystemClock)).await,
        Err(problem) => Err(problem),
    };
    let core = match opened {
        Ok(core) => core,
        Err(problem) if problem.reason == "decision_log_locked" => {
            let detail = "a server holds the data; `portreeve status` asks it";
            return vec![Finding::skipped("state", detail)];
        }
        Err(problem) => return vec![Finding::problem("database", &problem)],
    };
    let version = core.app.ruleset().load().version();
    let mut found = vec![Finding::ok("database", format!("ruleset version {version}"))];
    found.push(ledger(&core).await.unwrap_or_else(|p| Finding::problem("ledger", &p)));
    found.push(decision_log(&core));
    if let Err(problem) = core.app.leave().await {
        found.push(Finding::problem("database", &problem));
    }
    found
}

async fn ledger(core: &Core) -> Result<Finding, Problem> {
    let id = IdentityId::parse("system:doctor").map_err(|e| Problem::internal(e.to_string()))?;
    let status = core.app.chain_status(&Actor::system(id)).await?;
    Ok(match status.problem {
        None if status.intact => Finding::ok("ledger", format!("{} entries, intact", status.size)),
        problem => Finding::failed(
            "ledger",
            problem.unwrap_or_else(|| "the chain does not hold".to_owned()),
            "stop, keep the data as it is, and compare it with a backup or a witness's checkpoint",
        ),
    })
}

fn decision_log(core: &Core) -> Finding {
    let verified = core.log.verify();
    match verified.faults.first() {
        None => {
            let detail = format!("{} records in {} segments", verified.records, verified.segments);
            Finding::ok("decision log", detail)
        }
        Some(fault) => {
            let batch = fault.batch.map(|batch| format!(", batch {batch}")).unwrap_or_default();
            Finding::failed(
                "decision log",
                format!("segment {}{batch}: {}", fault.segment, fault.what),
                "keep the file for the investigation; later segments are not affected",
            )
        }
    }
}

//! The gate's limits and the store meet here: the gate says what is asked of its busy keys, the
//! application settles it with the other nodes, and the gate takes over what came of it. Never on
//! the way of a request.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use app::limits::Unsettled;
use base::{Clock, Problem};
use jobs::{Job, Supervisor};
use proxy::Limiter;

/// How often a node has a round, when nothing makes it hurry.
const ROUND_EVERY: Duration = Duration::from_millis(250);
/// From one round to the next at least, however much there is to say.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// While the store does not answer, a node tries again so often.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The first round, before the gate opens: what a former life used of quotas, and in a fleet what
/// was agreed on, is known before anybody is admitted.
pub(super) async fn begin(
    app: &Arc<App>,
    limiter: &Limiter,
    clock: &dyn Clock,
) -> Result<(), Problem> {
    if app.shares_limits() {
        limiter.join(clock.now());
    }
    app.recover_quotas().await?;
    round(app, limiter, clock).await
}

/// Has rounds from now on.
pub(super) fn start(
    supervisor: &Supervisor,
    app: &Arc<App>,
    limiter: &Arc<Limiter>,
    clock: &Arc<dyn Clock>,
) {
    let (app, limiter, clock) = (Arc::clone(app), Arc::clone(limiter), Arc::clone(clock));
    supervisor.run(Job {
        name: "limits",
        every: PAUSE_MIN,
        pause_max: PAUSE_MAX,
        last_round: false,
        round: Box::new(move || {
            let (app, limiter, clock) =
                (Arc::clone(&app), Arc::clone(&limiter), Arc::clone(&clock));
            Box::pin(async move {
                // Nobody wants a round: then it is time for the next one all the same.
                let _ = tokio::time::timeout(ROUND_EVERY - PAUSE_MIN, limiter.wanted()).await;
                round(&app, &limiter, &*clock).await
            })
        }),
    });
}

/// The last round: advances that were not used are given back, and the others divide the rest.
pub(super) async fn end(app: &Arc<App>, limiter: &Limiter, clock: &dyn Clock) {
    if let Err(problem) = app.settle_limits(limiter.ask_last(clock.now())).await {
        tracing::warn!(problem = %Problem::from(problem), "advances of quotas count as used");
    }
}

async fn round(app: &Arc<App>, limiter: &Limiter, clock: &dyn Clock) -> Result<(), Problem> {
    let asked = limiter.ask(clock.now());
    match app.settle_limits(asked.clone()).await {
        Ok(settled) => {
            limiter.settle(settled, clock.now());
            Ok(())
        }
        Err(unsettled) => {
            let reached = matches!(unsettled, Unsettled::Unknown(_));
            limiter.miss(&asked, reached, clock.now());
            Err(unsettled.into())
        }
    }
}

#[cfg(test)]
mod tests;

//! Runs jobs in rounds and survives whatever a round does.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Problem;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A failing job waits at most this long for its next round, unless it says otherwise.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One round of a job.
pub type Round = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>>;

/// Something done again and again.
pub struct Job {
    /// What logs and metrics call it.
    pub name: &'static str,
    /// From the end of one round to the start of the next.
    pub every: Duration,
    /// How long it waits at most for its next round while it fails.
    pub pause_max: Duration,
    /// Does one more round at shutdown, so that nothing in memory is left behind.
    pub last_round: bool,
    /// Makes a round.
    pub round: Box<dyn Fn() -> Round + Send + Sync>,
}

/// How a job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its name.
    pub name: &'static str,
    /// Rounds that ended well.
    pub completed: u64,
    /// Rounds that failed or panicked.
    pub failed: u64,
    /// Failed rounds since the last that ended well.
    pub failing: u32,
    /// Why the last round failed; `None` after one that ended well.
    pub problem: Option<String>,
}

/// Holds running jobs.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    stop: CancellationToken,
    tasks: TaskTracker,
    health: Arc<Mutex<Vec<Health>>>,
}

impl Supervisor {
    /// Starts a job. Its first round is one period away.
    pub fn run(&self, job: Job) {
        let index = {
            let mut all = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            let name = job.name;
            all.push(Health { name, completed: 0, failed: 0, failing: 0, problem: None });
            all.len() - 1
        };
        let supervisor = self.clone();
        self.tasks.spawn(async move { supervisor.rounds(job, index).await });
    }

    async fn rounds(&self, job: Job, index: usize) {
        let mut pause = job.every;
        while self.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let outcome = round(&job).await;
            let failing = self.note(index, &job, outcome);
            // Doubling keeps a broken database from being hammered by everything that waits.
            let factor = 1u32.checked_shl(failing.min(16)).unwrap_or(u32::MAX);
            pause = job.every.saturating_mul(factor).min(job.pause_max.max(job.every));
        }
        if job.last_round {
            let outcome = round(&job).await;
            self.note(index, &job, outcome);
        }
    }

    fn note(&self, index: usize, job: &Job, outcome: Result<(), String>) -> u32 {
        let mut all = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(health) = all.get_mut(index) else { return 0 };
        match outcome {
            Ok(()) => {
                if health.failing > 0 {
                    tracing::info!(job = job.name, "works again");
                }
                health.completed += 1;
                health.failing = 0;
                health.problem = None;
            }
            Err(problem) => {
                health.failed += 1;
                health.failing = health.failing.saturating_add(1);
                tracing::warn!(job = job.name, failing = health.failing, "{problem}");
                health.problem = Some(problem);
            }
        }
        health.failing
    }

    /// How each job is doing, in order of start.
    pub fn health(&self) -> Vec<Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all jobs: running rounds finish, last rounds are done.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// One round, in a task of its own: a panic ends the round and nothing else.
async fn round(job: &Job) -> Result<(), String> {
    match tokio::spawn((job.round)()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => Err(problem.to_string()),
        Err(error) if error.is_panic() => Err("panicked".to_owned()),
        Err(_) => Err("was aborted".to_owned()),
    }
}

#[cfg(test)]
mod tests;

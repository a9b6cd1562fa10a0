use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

fn job(
    every: Duration,
    last_round: bool,
    round: impl Fn(u32) -> Round + Send + Sync + 'static,
) -> (Job, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&count);
    let round = Box::new(move || round(seen.fetch_add(1, Ordering::SeqCst)));
    (Job { name: "test", every, pause_max: PAUSE_MAX, last_round, round }, count)
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_round_and_the_next_one_comes() {
    let supervisor = Supervisor::default();
    let (job, _) = job(SECOND, false, |number| {
        Box::pin(async move {
            assert!(number > 0, "the first round panics");
            Ok(())
        })
    });
    supervisor.run(job);
    tokio::time::sleep(SECOND + SECOND / 2).await;
    let health = supervisor.health();
    assert_eq!(health[0].problem.as_deref(), Some("panicked"));
    tokio::time::sleep(SECOND * 2).await;
    let health = supervisor.health();
    assert_eq!((health[0].failing, health[0].problem.clone()), (0, None));
    assert!(health[0].completed >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_failing_job_waits_longer_each_time() {
    let supervisor = Supervisor::default();
    let (job, count) =
        job(SECOND, false, |_| Box::pin(async { Err(Problem::internal("the database is away")) }));
    supervisor.run(job);
    tokio::time::sleep(SECOND * 16).await;
    // Rounds at 1, 3, 7 and 15 seconds.
    assert_eq!(count.load(Ordering::SeqCst), 4);
    assert_eq!(supervisor.health()[0].failed, 4);
}

#[tokio::test(start_paused = true)]
async fn a_failing_job_waits_no_longer_than_it_says() {
    let supervisor = Supervisor::default();
    let (job, count) =
        job(SECOND, false, |_| Box::pin(async { Err(Problem::internal("the database is away")) }));
    supervisor.run(Job { pause_max: SECOND * 2, ..job });
    tokio::time::sleep(SECOND * 16).await;
    // Rounds at 1, 3, 5, … 15 seconds.
    assert_eq!(count.load(Ordering::SeqCst), 8);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_round_and_gives_a_last_one() {
    let supervisor = Supervisor::default();
    let (job, count) = job(SECOND, true, |_| {
        Box::pin(async {
            tokio::time::sleep(SECOND * 5).await;
            Ok(())
        })
    });
    supervisor.run(job);
    tokio::time::sleep(SECOND * 2).await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
    supervisor.stop().await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(supervisor.health()[0].completed, 2);
}

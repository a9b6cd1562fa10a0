//! How fast records go to disk and what they cost:
//! `cargo bench -p portreeve-decision-log --bench append -- [records] [durable]`.
//!
//! Prints records a second, and processor time and bytes a record: of the thread that appends and
//! of the one that writes.

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::Instant;

use base::Span;
use common::{Directory, START, Seeded, SetClock, record, wait};
use portreeve_decision_log::{DecisionLog, Options};

/// Processor time of a thread in microseconds, from the system's scheduler statistics.
fn cpu_us(task: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/self/{task}schedstat")).unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1_000.0
}

/// The kernel's id of the writer's thread.
fn writer_task() -> Option<String> {
    std::fs::read_dir("/proc/self/task").ok()?.flatten().find_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        (name.trim() == "decision-log").then(|| task.file_name().to_string_lossy().into_owned())
    })
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let count: usize = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(500_000);
    let durable = arguments.get(2).is_some_and(|word| word == "durable");
    let directory = Directory::new("append");
    let options = Options { durable, queue_max: count.max(4_096), ..Options::default() };
    let clock = SetClock::at(START);
    let log = DecisionLog::open(directory.path(), options, Arc::clone(&clock) as _)
        .expect("the target directory takes files");

    let mut random = Seeded(1);
    let records: Vec<_> =
        (0..count).map(|n| record(&mut random, START + Span::from_micros(10 * n as i64))).collect();
    let task = writer_task().map_or(String::new(), |task| format!("task/{task}/"));
    let (started, main_before, writer_before) = (Instant::now(), cpu_us(""), cpu_us(&task));
    for record in records {
        log.append(record).expect("the queue holds every record");
    }
    let main_us = cpu_us("") - main_before;
    wait(log.flush()).expect("the disk takes every record");
    let seconds = started.elapsed().as_secs_f64();
    let writer_us = cpu_us(&task) - writer_before;
    wait(log.seal()).expect("the segment can be sealed");

    let per_record = |total: f64| total / count as f64;
    println!("{count} records, {:.0} records/s", count as f64 / seconds);
    println!("append {:.2} us CPU/record", per_record(main_us));
    println!("write  {:.2} us CPU/record", per_record(writer_us));
    println!("size   {:.1} B/record", per_record(log.stats().bytes as f64));
}

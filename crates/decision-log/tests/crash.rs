//! `kill -9` at any moment loses nothing that was acknowledged. The test runs itself as a child
//! that appends and prints what was acknowledged, kills it, and reads the log.

mod common;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use base::Timestamp;
use common::*;
use portreeve_decision_log::{DecisionLog, Options, Order};

const CHILD: &str = "append-until-killed";

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match arguments.as_slice() {
        [_, mode, directory, seed] if mode == CHILD => child(Path::new(directory), seed),
        _ => parent(),
    }
}

/// Four threads append; each prints an id when, and only when, its record is durable.
fn child(directory: &Path, seed: &str) {
    let small = Options { segment_bytes: 64 << 10, ..options() };
    let log = DecisionLog::open(directory, small, SetClock::at(START)).unwrap();
    let seed: u64 = seed.parse().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                let mut random = Seeded(seed * 4 + thread);
                loop {
                    let record = record(&mut random, START);
                    let line = format!("{}\n", record.request_id);
                    wait(log.append_durable(record)).unwrap();
                    // One write per line: a line that arrives is whole.
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn parent() {
    let directory = Directory::new("kill");
    let mut acknowledged = HashSet::new();
    for round in 0..5u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, directory.path().to_str().unwrap(), &round.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..50 + 37 * round {
            acknowledged.insert(lines.next().unwrap().unwrap());
        }
        child.kill().unwrap();
        // What was printed before the kill took effect was acknowledged too.
        acknowledged.extend(lines.map_while(Result::ok));
        child.wait().unwrap();
        check(&directory, &acknowledged, round);
    }
    println!("kill -9 lost none of {} acknowledged records", acknowledged.len());
}

fn check(directory: &Directory, acknowledged: &HashSet<String>, round: u32) {
    let log = open(directory, options());
    let mut found = HashSet::new();
    log.scan(Timestamp::MIN, Timestamp::MAX, Order::OldestFirst, &mut |_, record| {
        assert!(found.insert(record.request_id.to_string()), "a record stands twice");
        ControlFlow::Continue(())
    })
    .unwrap();
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "round {round}: lost {lost:?}");
    assert!(!log.recovered().is_empty(), "round {round}: the child was not writing");
    assert_eq!(log.verify().faults, []);
}

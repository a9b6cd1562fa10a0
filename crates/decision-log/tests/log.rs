//! What the log promises while it runs: limits, order, visibility, retention.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use base::{Span, Timestamp};
use common::*;
use portreeve_decision_log::{DecisionLog, LogError, Options, Order, Position, WhenFull};
use traffic::CallRecord;

fn all(log: &DecisionLog, order: Order) -> Vec<CallRecord> {
    let mut found = Vec::new();
    log.scan(Timestamp::MIN, Timestamp::MAX, order, &mut |_, record| {
        found.push(record.clone());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let directory = Directory::new("settings");
    for bad in [
        Options { batch_max: 0, ..options() },
        Options { batch_max: 1 << 20, ..options() },
        Options { queue_max: 1, ..options() },
        Options { segment_bytes: 10, ..options() },
    ] {
        let found = open_at(&directory, bad, SetClock::at(START));
        assert!(matches!(found, Err(LogError::BadOptions(_))), "{found:?}");
    }
}

#[test]
fn a_second_writer_is_refused() {
    let directory = Directory::new("locked");
    let first = open(&directory, options());
    let second = open_at(&directory, options(), SetClock::at(START));
    assert!(matches!(second, Err(LogError::Locked(_))), "{second:?}");
    drop(first);
    open_at(&directory, options(), SetClock::at(START)).unwrap();
}

#[test]
fn a_log_at_its_size_refuses_and_keeps_what_it_was_given() {
    let directory = Directory::new("full");
    let small = Options { segment_bytes: 4_096, log_bytes_max: Some(8_192), ..options() };
    let log = open(&directory, small.clone());
    let given = records(2_000);
    let mut taken = 0;
    for record in &given {
        if log.check_room().is_err() {
            break;
        }
        log.append(record.clone()).unwrap();
        taken += 1;
        drop(wait(log.flush()));
    }
    assert!(taken < given.len(), "it never said that it is full");
    assert!(matches!(log.check_room(), Err(LogError::Full(_))));
    assert!(log.stats().blocked);
    let durable = wait(log.append_durable(given[taken].clone()));
    assert!(matches!(durable, Err(LogError::Full(_))), "{durable:?}");

    // Retention makes room, and nothing that was taken is missing.
    let kept_before = all(&log, Order::OldestFirst).len();
    let expired: u64 =
        log.expire(Timestamp::MAX, &|_| true).unwrap().iter().map(|seal| seal.records).sum();
    wait(log.flush()).unwrap();
    assert!(log.check_room().is_ok());
    let kept = all(&log, Order::OldestFirst);
    assert_eq!(kept_before as u64, expired + (kept.len() - (taken + 1 - kept_before)) as u64);
    assert_eq!(kept, given[usize::try_from(expired).unwrap()..=taken]);
    assert_eq!(log.stats().dropped, 0);
}

#[test]
fn a_log_that_may_drop_counts_every_missing_record() {
    let directory = Directory::new("dropping");
    let small = Options {
        segment_bytes: 4_096,
        log_bytes_max: Some(8_192),
        when_full: WhenFull::Drop,
        ..options()
    };
    let log = open(&directory, small);
    let given = records(1_000);
    for record in &given {
        assert!(log.check_room().is_ok(), "requests pass");
        drop(log.append(record.clone()));
        drop(wait(log.flush()));
    }
    let kept = all(&log, Order::OldestFirst).len() as u64;
    let dropped = log.stats().dropped;
    assert!(dropped > 0);
    assert_eq!(kept + dropped, given.len() as u64);
}

#[test]
fn a_disk_that_takes_nothing_refuses_and_recovers() {
    let directory = Directory::new("gone");
    let log = open(&directory, options());
    let given = records(3);
    std::fs::remove_dir_all(directory.path()).unwrap();
    let lost = wait(log.append_durable(given[0].clone()));
    assert!(matches!(lost, Err(LogError::Io { .. })), "{lost:?}");
    assert!(log.check_room().is_err());
    std::fs::create_dir_all(directory.path()).unwrap();
    wait(log.append_durable(given[1].clone())).unwrap();
    assert!(log.check_room().is_ok());
    assert_eq!(all(&log, Order::OldestFirst), given[..2], "also the one that waited");
}

#[test]
fn nothing_is_taken_after_the_end() {
    let directory = Directory::new("closed");
    let log = open(&directory, options());
    let given = records(10);
    given.iter().for_each(|record| log.append(record.clone()).unwrap());
    drop(log);
    let log = open(&directory, options());
    assert_eq!(log.recovered(), [], "it was closed in order");
    assert_eq!(all(&log, Order::OldestFirst), given);
}

#[test]
fn records_come_back_in_either_order_with_their_range() {
    let directory = Directory::new("scan");
    let log = open(&directory, Options { segment_bytes: 8_192, ..options() });
    let given = records(1_500);
    write_sealed(&log, &given, 64);
    assert!(log.seals().len() > 3);
    assert_eq!(all(&log, Order::OldestFirst), given);
    let mut backwards = all(&log, Order::NewestFirst);
    backwards.reverse();
    assert_eq!(backwards, given);

    let (from, until) = (given[300].at, given[900].at);
    let mut found = Vec::new();
    log.scan(from, until, Order::OldestFirst, &mut |_, record| {
        found.push(record.clone());
        if found.len() == 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(found, given[300..400]);

    let even = |record: &CallRecord| record.at.as_micros() % 2_000 == 0;
    let newest = log.newest(from, until, 10, &even).unwrap();
    let mut expected: Vec<_> = given[300..900].iter().filter(|r| even(r)).cloned().collect();
    expected.reverse();
    assert_eq!(newest.total, expected.len() as u64);
    assert_eq!(newest.records, expected[..10]);
    assert_eq!(log.newest(from, until, 0, &even).unwrap().records, []);
}

#[test]
fn the_newest_request_is_first_although_it_ended_early() {
    let directory = Directory::new("newest");
    let log = open(&directory, options());
    let mut given = records(9);
    given.swap(0, 8);
    given.swap(2, 5);
    write_sealed(&log, &given, 3);
    let newest = log.newest(Timestamp::MIN, Timestamp::MAX, 4, &|_| true).unwrap().records;
    given.sort_by_key(|record| std::cmp::Reverse(record.at));
    assert_eq!(newest, given[..4]);
}

#[test]
fn matches_are_counted_to_a_bound_and_no_batch_is_read_beyond_it() {
    let directory = Directory::new("bound");
    let log = open(&directory, options());
    let given = records(12_000);
    write_sealed(&log, &given, 1_000);
    let read = std::cell::Cell::new(0);
    let count = |_: &CallRecord| {
        read.set(read.get() + 1);
        true
    };
    let newest = log.newest(Timestamp::MIN, Timestamp::MAX, 3, &count).unwrap();
    assert_eq!(newest.total, portreeve_decision_log::COUNTED_MAX);
    assert_eq!(newest.records, [11_999, 11_998, 11_997].map(|index: usize| given[index].clone()));
    assert!((10_000..12_000).contains(&read.get()), "{}", read.get());
}

#[test]
fn a_record_is_visible_before_its_segment_is_sealed() {
    let directory = Directory::new("visible");
    let log = open(&directory, options());
    let given = records(1);
    wait(log.append_durable(given[0].clone())).unwrap();
    assert_eq!(log.seals(), []);
    assert_eq!(all(&log, Order::NewestFirst), given);
}

#[test]
fn a_reader_that_stopped_continues_after_the_batch_it_saw() {
    let directory = Directory::new("follow");
    let log = open(&directory, Options { segment_bytes: 8_192, batch_max: 100, ..options() });
    write_sealed(&log, &records(1_000), 300);
    let follow = |after| {
        let mut seen: Vec<(Position, usize)> = Vec::new();
        log.batches_after(after, &mut |position, records| {
            seen.push((position, records.len()));
            ControlFlow::Continue(())
        })
        .unwrap();
        seen
    };
    let all = follow(None);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(all.iter().map(|(_, records)| records).sum::<usize>(), 1_000);
    assert!(all.iter().all(|(_, records)| *records <= 100));
    assert_eq!(follow(Some(all[4].0)), all[5..]);
    assert_eq!(follow(Some(all.last().unwrap().0)), []);
}

#[test]
fn a_request_is_found_by_its_id() {
    let directory = Directory::new("find");
    let log = open(&directory, options());
    let mut given = records(300);
    given[7].request_id = "chosen".parse().unwrap();
    write_sealed(&log, &given, 50);
    for index in [0, 7, 150, 299] {
        let found = log.find(&given[index].request_id).unwrap();
        assert_eq!(found.as_ref(), Some(&given[index]));
    }
    assert_eq!(log.find(&"r_00000000000000000000000000".parse().unwrap()).unwrap(), None);
    assert_eq!(log.find(&"unknown".parse().unwrap()).unwrap(), None);
}

#[test]
fn an_old_segment_is_sealed_by_age() {
    let directory = Directory::new("age");
    let clock = SetClock::at(START);
    let log = open_at(&directory, options(), Arc::clone(&clock)).unwrap();
    wait(log.append_durable(records(1)[0].clone())).unwrap();
    clock.advance(Options::default().segment_age);
    wait(log.flush()).unwrap();
    wait(log.flush()).unwrap();
    assert_eq!(log.seals().len(), 1);
}

#[test]
fn retention_deletes_whole_segments_and_says_which() {
    let directory = Directory::new("retention");
    let log = open(&directory, options());
    let given = records(300);
    given.chunks(100).for_each(|part| write_sealed(&log, part, 50));
    let seals = log.seals();
    assert_eq!(log.expire(given[0].at, &|_| true).unwrap(), []);
    assert_eq!(log.expire(given[150].at, &|_| false).unwrap(), [], "not put on record yet");
    let deleted = log.expire(given[150].at, &|_| true).unwrap();
    assert_eq!(deleted, seals[..1], "the second holds younger records too");
    assert_eq!(all(&log, Order::OldestFirst), given[100..]);
    assert_eq!(log.verify().faults, [], "what is left still holds");
    assert_eq!(directory.segments().len(), 2);
}

#[test]
fn a_realistic_mix_takes_at_most_sixty_bytes_a_record() {
    let directory = Directory::new("size");
    let given = records(50_000);
    let log = open(&directory, options());
    write_sealed(&log, &given, 2_000);
    let per_record = log.stats().bytes as f64 / given.len() as f64;
    assert!(per_record <= 60.0, "{per_record:.1} bytes a record");
    assert_eq!(log.seals()[0].records, 50_000);
}

#[test]
fn a_clock_that_stands_still_loses_nothing() {
    let directory = Directory::new("still");
    let lazy = Options { durable: false, sync_interval: Span::from_secs(60), ..options() };
    let log = open(&directory, lazy);
    let given = records(500);
    given.iter().for_each(|record| log.append(record.clone()).unwrap());
    wait(log.flush()).unwrap();
    assert_eq!(all(&log, Order::OldestFirst), given);
}

#[test]
fn a_number_is_never_given_twice_also_when_nothing_is_left() {
    let directory = Directory::new("numbers");
    let log = open(&directory, options());
    log.append(records(1)[0].clone()).unwrap();
    wait(log.seal()).unwrap();
    let first = log.expire(Timestamp::MAX, &|_| true).unwrap().remove(0);
    assert!(log.seals().is_empty());
    drop(log);

    // The next process gets as far as starting a segment, the one after it further.
    let torn = directory.path().join("calls-00000000000000000002.seg");
    std::fs::write(&torn, [0; 4_096]).unwrap();
    drop(open(&directory, options()));
    assert!(!torn.exists());
    let log = open(&directory, options());
    log.append(records(1)[0].clone()).unwrap();
    wait(log.seal()).unwrap();
    let next = log.seals().remove(0);
    assert_eq!((first.segment, next.segment), (1, 3));
    assert_ne!(first.chain, next.chain, "the chain goes on, it does not start again");
    assert_eq!(log.verify().faults, []);
    drop(log);

    std::fs::write(directory.path().join("gone"), "2").unwrap();
    let guessed = open_at(&directory, options(), SetClock::at(START));
    assert!(matches!(guessed, Err(LogError::Io { .. })), "{guessed:?}");
}

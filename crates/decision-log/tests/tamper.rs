//! What is on disk is what was written, or the place where it is not is named.

mod common;

use std::ops::ControlFlow;

use base::Timestamp;
use common::*;
use portreeve_decision_log::{DecisionLog, Fault, Options, Order};

/// Three sealed segments of a few batches.
fn sealed(name: &str) -> (Directory, DecisionLog) {
    let directory = Directory::new(name);
    let log = open(&directory, options());
    records(60).chunks(20).for_each(|part| write_sealed(&log, part, 5));
    assert_eq!(log.verify().faults, []);
    assert_eq!(log.verify().records, 60);
    assert!(log.seals().iter().all(|seal| seal.batches == 4), "{:?}", log.seals());
    (directory, log)
}

/// Byte ranges of a segment: batches by number, and the rest without one.
fn place_of(bytes: &[u8], offset: usize) -> Option<u32> {
    let starts: Vec<_> = bytes
        .windows(4)
        .enumerate()
        .filter(|(at, window)| *window == b"PRCB" && *at >= 68)
        .map(|(at, _)| at)
        .collect();
    let footer = bytes.windows(4).rposition(|window| window == b"PRCF").unwrap();
    if offset < starts[0] || offset >= footer {
        return None;
    }
    let batch = starts.iter().filter(|start| **start <= offset).count() - 1;
    Some(u32::try_from(batch).unwrap())
}

#[test]
fn every_flipped_byte_is_named_by_segment_and_batch() {
    let (directory, log) = sealed("flip");
    let path = &directory.segments()[1];
    let good = std::fs::read(path).unwrap();
    for offset in 0..good.len() {
        let mut bad = good.clone();
        bad[offset] ^= 0x10;
        std::fs::write(path, &bad).unwrap();
        let faults = log.verify().faults;
        let named = |f: &Fault| f.segment == 2 && f.batch == place_of(&good, offset);
        assert!(faults.iter().any(named), "byte {offset}: {faults:?}");
    }
    std::fs::write(path, &good).unwrap();
    assert_eq!(log.verify().faults, []);
}

#[test]
fn every_flipped_byte_is_also_found_after_a_restart() {
    let (directory, log) = sealed("restart");
    drop(log);
    let path = &directory.segments()[0];
    let good = std::fs::read(path).unwrap();
    let trailer = good.len() - 16;
    let footer = good.windows(4).rposition(|window| window == b"PRCF").unwrap();
    for offset in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[offset] ^= 0x01;
        std::fs::write(path, &bad).unwrap();
        let log = open(&directory, options());
        // A footer that is gone is made again from batches that are whole, and only then.
        if offset >= footer {
            assert_eq!(std::fs::read(path).unwrap(), good, "byte {offset} of the footer");
            assert_eq!(log.verify().faults, []);
        } else {
            assert!(!log.verify().faults.is_empty(), "byte {offset} of {trailer}");
        }
        drop(log);
        std::fs::write(path, &good).unwrap();
    }
}

#[test]
fn a_cut_segment_is_found() {
    let (directory, log) = sealed("cut");
    let path = &directory.segments()[2];
    let good = std::fs::read(path).unwrap();
    for length in [0, 10, 68, good.len() / 2, good.len() - 1] {
        std::fs::write(path, &good[..length]).unwrap();
        assert!(log.verify().faults.iter().any(|fault| fault.segment == 3), "{length}");
    }
}

#[test]
fn a_closed_segment_that_lost_its_end_is_kept_as_found() {
    let (directory, log) = sealed("kept");
    drop(log);
    let path = &directory.segments()[1];
    let good = std::fs::read(path).unwrap();
    for length in [80, good.len() / 2] {
        std::fs::write(path, &good[..length]).unwrap();
        let log = open(&directory, options());
        assert_eq!(std::fs::read(path).unwrap(), &good[..length], "what is left is evidence");
        assert!(log.verify().faults.iter().any(|fault| fault.segment == 2), "{length}");
        assert_eq!(log.recovered(), []);
    }
}

#[test]
fn a_removed_segment_in_the_middle_is_found() {
    let (directory, log) = sealed("removed");
    std::fs::remove_file(&directory.segments()[1]).unwrap();
    assert!(log.verify().faults.iter().any(|fault| fault.segment == 2));
    drop(log);
    let log = open(&directory, options());
    let faults = log.verify().faults;
    assert!(faults.iter().any(|fault| fault.segment == 3), "{faults:?}");
}

#[test]
fn swapped_segments_are_found() {
    let (directory, log) = sealed("swapped");
    let files = directory.segments();
    let (second, third) = (std::fs::read(&files[1]).unwrap(), std::fs::read(&files[2]).unwrap());
    std::fs::write(&files[1], third).unwrap();
    std::fs::write(&files[2], second).unwrap();
    let segments: Vec<_> = log.verify().faults.iter().map(|fault| fault.segment).collect();
    assert_eq!(segments, [2, 3]);
}

#[test]
fn damage_in_the_middle_costs_readers_one_batch_only() {
    let (directory, log) = sealed("readers");
    let path = &directory.segments()[0];
    let mut bytes = std::fs::read(path).unwrap();
    let second = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PRCB").nth(1).unwrap().0;
    bytes[second + 80] ^= 1;
    std::fs::write(path, &bytes).unwrap();
    let mut seen = 0;
    let mut count = |_, _: &traffic::CallRecord| {
        seen += 1;
        ControlFlow::Continue(())
    };
    log.scan(Timestamp::MIN, Timestamp::MAX, Order::OldestFirst, &mut count).unwrap();
    assert_eq!(seen, 55);
}

/// An open segment of three batches, as a crash leaves it: the process is gone, the footer was
/// never written.
fn crashed(name: &str) -> (Directory, Vec<u8>, usize) {
    let directory = Directory::new(name);
    let log = open(&directory, options());
    for part in records(30).chunks(10) {
        part.iter().for_each(|record| log.append(record.clone()).unwrap());
        wait(log.flush()).unwrap();
    }
    let path = directory.segments()[0].clone();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, Options::default().segment_bytes, "preallocated");
    drop(log);
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    std::fs::write(&path, &bytes[..end + 4_096]).unwrap();
    (directory, bytes, end)
}

fn count(log: &DecisionLog) -> usize {
    let mut seen = 0;
    log.batches_after(None, &mut |_, records| {
        seen += records.len();
        ControlFlow::Continue(())
    })
    .unwrap();
    seen
}

#[test]
fn a_torn_end_is_cut_at_the_last_whole_batch() {
    let (directory, bytes, end) = crashed("torn");
    let path = directory.segments()[0].clone();
    let third = bytes.windows(4).rposition(|window| window == b"PRCB").unwrap();
    for length in [third + 1, third + 40, third + 72, end - 1] {
        let mut torn = bytes[..length].to_vec();
        torn.resize(end + 4_096, 0);
        std::fs::write(&path, &torn).unwrap();
        let log = open(&directory, options());
        assert_eq!(count(&log), 20, "cut at {length} of {end}");
        assert_eq!(log.recovered().len(), 1);
        assert!(log.recovered()[0].torn_bytes > 0);
        assert_eq!(log.verify().faults, []);
    }
}

#[test]
fn a_whole_open_segment_is_sealed_and_the_next_one_continues_its_chain() {
    let (directory, ..) = crashed("whole");
    let log = open(&directory, options());
    assert_eq!(log.recovered()[0].torn_bytes, 0);
    assert_eq!(log.seals()[0].records, 30);
    write_sealed(&log, &records(5), 5);
    assert_eq!(log.seals()[1].segment, 2, "numbers are not used again");
    assert_eq!(log.verify().faults, []);
    assert_eq!(count(&log), 35);
}

#[test]
fn damage_before_whole_batches_is_no_torn_end() {
    let (directory, bytes, end) = crashed("middle");
    let path = directory.segments()[0].clone();
    let second = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PRCB").nth(1).unwrap().0;
    let mut damaged = bytes[..end + 100].to_vec();
    damaged[second + 90] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let log = open(&directory, options());
    assert_eq!(std::fs::read(&path).unwrap(), damaged, "left as it is");
    assert_eq!(count(&log), 20, "the batches around it are still read");
    let faults = log.verify().faults;
    assert_eq!((faults[0].segment, faults[0].batch), (1, Some(1)));
}

#[test]
fn a_number_without_records_is_not_used_again() {
    let directory = Directory::new("number");
    let path = directory.path().join("calls-00000000000000000009.seg");
    std::fs::write(&path, vec![0; 8_192]).unwrap();
    let log = open(&directory, options());
    write_sealed(&log, &records(1), 1);
    assert_eq!(log.seals()[0].segment, 10);
}

use proptest::prelude::*;

use super::*;
use crate::limit::Terms;

mod sim;

use sim::{Plan, Sim};

const START: Timestamp = Timestamp::from_secs(1_772_442_000);

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn member(name: &str) -> Member {
    Member { node: NodeId::parse(name).unwrap(), life: START }
}

/// A node that says nothing but that it is there, until it has its part of everything.
fn introduced(book: &mut Book, me: &Member, split: Share) -> Share {
    let asked = Asked { at: START, split, seen: 1, keys: Vec::new(), is_last: false };
    book.settle(me, &asked, true, START).split
}

#[test]
fn a_node_that_comes_waits_until_the_others_have_made_room() {
    let (mut book, one, two) = (Book::default(), member("one"), member("two"));
    assert_eq!(introduced(&mut book, &one, Share::NONE), Share::WHOLE);
    assert_eq!(introduced(&mut book, &two, Share::NONE), Share::NONE, "the first has everything");
    let half = introduced(&mut book, &one, Share::WHOLE);
    assert_eq!(half, Share::from_millionths(500_000));
    assert_eq!(introduced(&mut book, &two, Share::NONE), Share::NONE, "told, but not in force yet");
    assert_eq!(introduced(&mut book, &one, half), half);
    assert_eq!(introduced(&mut book, &two, Share::NONE), half);
}

#[test]
fn what_a_node_had_is_divided_when_it_was_not_heard_of() {
    let (mut book, one, two) = (Book::default(), member("one"), member("two"));
    introduced(&mut book, &one, Share::NONE);
    introduced(&mut book, &two, Share::NONE);
    let asked = Asked { at: START, split: Share::NONE, seen: 1, keys: Vec::new(), is_last: false };
    let soon = START + Span::from_secs(4);
    assert_eq!(book.settle(&two, &asked, true, soon).split, Share::NONE);
    let late = START + SILENT_MAX + Span::from_secs(1);
    assert!(book.needs_all(&two, &asked, late));
    assert_eq!(book.settle(&two, &asked, true, late).split, Share::WHOLE);
}

/// A book of nodes that have equal parts of everything.
fn book_of(members: &[&Member], millionths: u64) -> Book {
    let (mut book, split) = (Book::default(), Share::from_millionths(millionths));
    for member in members {
        book.enter_node(NodeLine { member: (*member).clone(), split, at: START, sequence: 0 });
    }
    book
}

/// A round of a node with half of everything, about one key.
fn half(book: &mut Book, me: &Member, holds: u64, demand: u64) -> Told {
    let key = "k".to_owned();
    let limit = limit("500/s per identity");
    let ask = Ask { key, limit, period: None, holds, used: 0, demand, is_idle: demand == 0 };
    let split = Share::from_millionths(500_000);
    let asked = Asked { at: START, split, seen: book.sequence(), keys: vec![ask], is_last: false };
    book.settle(me, &asked, true, START).keys.remove(0)
}

#[test]
fn a_share_that_was_given_up_counts_as_held_until_its_node_says_so() {
    let (one, two) = (member("one"), member("two"));
    let mut book = book_of(&[&one, &two], 500_000);
    assert_eq!(half(&mut book, &two, 500_000, 0).holds, Some(500_000), "nothing is asked yet");
    assert_eq!(half(&mut book, &one, 500_000, 900).holds, Some(500_000), "the other has its half");
    let told = half(&mut book, &two, 500_000, 100);
    assert_eq!((told.holds, told.speaks), (Some(102_000), true));
    assert_eq!(half(&mut book, &one, 500_000, 900).holds, Some(500_000), "told, but not in force");
    half(&mut book, &two, 102_000, 100);
    assert_eq!(half(&mut book, &one, 500_000, 900).holds, Some(898_000));
}

#[test]
fn a_share_that_nobody_needs_is_given_up_and_then_forgotten() {
    let (one, two) = (member("one"), member("two"));
    let mut book = book_of(&[&one, &two], 500_000);
    half(&mut book, &two, 2_500, 0);
    half(&mut book, &one, 997_500, 900);
    assert!(!half(&mut book, &one, 997_500, 0).is_released);
    let told = half(&mut book, &two, 2_500, 0);
    assert_eq!((told.holds, told.is_released), (Some(2_500), false), "the other has the rest");
    assert!(half(&mut book, &one, 500_000, 0).is_released);
    assert_eq!(half(&mut book, &two, 2_500, 0).holds, Some(500_000));
    assert!(half(&mut book, &two, 500_000, 0).is_released);
    assert!(book.lines.values().all(std::collections::BTreeMap::is_empty));
}

#[test]
fn a_node_whose_part_grows_keeps_what_it_had_of_keys_that_others_have_shares_of() {
    let (one, two, three) = (member("one"), member("two"), member("three"));
    let third = Share::from_millionths(333_333);
    let mut book = book_of(&[&one, &two, &three], third.millionths());
    let key = "k".to_owned();
    let limit = limit("500/s per identity");
    let ask = Ask { key, limit, period: None, holds: 333_333, used: 0, demand: 0, is_idle: false };
    let seen = book.sequence();
    let asked = Asked { at: START, split: third, seen, keys: vec![ask], is_last: false };
    book.settle(&one, &asked, true, START);
    book.leave(&three);
    let asked = Asked { at: START, split: third, seen: 0, keys: Vec::new(), is_last: false };
    assert!(book.needs_all(&two, &asked, START));
    let settled = book.settle(&two, &asked, true, START);
    assert_eq!(settled.split, Share::from_millionths(500_000));
    assert_eq!(settled.keys[0].holds, Some(333_333), "of this key, others count on that");
}

#[test]
fn who_hears_of_a_busy_key_gives_up_all_but_the_least() {
    let (one, two) = (member("one"), member("two"));
    let mut book = book_of(&[&one, &two], 500_000);
    let before = book.sequence();
    half(&mut book, &one, 500_000, 900);
    let split = Share::from_millionths(500_000);
    let asked = Asked { at: START, split, seen: before, keys: Vec::new(), is_last: false };
    let told = book.settle(&two, &asked, true, START).keys.remove(0);
    assert_eq!((told.holds, told.speaks), (Some(2_500), true));
    assert_eq!(half(&mut book, &one, 500_000, 900).holds, Some(500_000), "not in force yet");
    half(&mut book, &two, 2_500, 0);
    assert_eq!(half(&mut book, &one, 500_000, 900).holds, Some(997_500));
}

#[test]
fn alone_an_advance_is_some_seconds_of_demand_and_never_more_than_there_is() {
    let day = Period::at(crate::limit::Calendar::Day, START);
    let ask = |used, demand| Ask {
        key: "k".to_owned(),
        limit: limit("10/day per identity"),
        period: Some(day),
        holds: 0,
        used,
        demand,
        is_idle: false,
    };
    let (me, mut book) = (member("one"), Book::default());
    let mut settle = |ask| {
        let asked =
            Asked { at: START, split: Share::WHOLE, seen: 0, keys: vec![ask], is_last: false };
        book.settle(&me, &asked, false, START).keys.remove(0).holds.unwrap()
    };
    assert_eq!(settle(ask(1, 256)), 5, "one call: eight more in two seconds, but half of the rest");
    assert_eq!(settle(ask(9, 256)), 10);
    assert_eq!(settle(ask(10, 256)), 10);
}

#[test]
fn a_life_that_ended_suddenly_has_used_its_advance_and_what_its_records_show() {
    let key = "k".to_owned();
    let limit = limit("100/day per identity");
    let me = member("one");
    let line = |sequence| Line {
        key: key.clone(),
        period: Some(Period::at(crate::limit::Calendar::Day, START)),
        holder: me.holder(true),
        limit,
        holds: 30,
        used: 20,
        demand: 0,
        sequence,
    };
    let last = NodeLine { member: me.clone(), split: Share::WHOLE, at: START, sequence: 9 };
    assert_eq!(put_down(None, &last, 4), 4, "used for the first time, and never told");
    assert_eq!(put_down(Some(&line(9)), &last, 4), 30, "within the advance");
    assert_eq!(put_down(Some(&line(9)), &last, 14), 34, "beyond the advance");
    assert_eq!(put_down(Some(&line(3)), &last, 4), 34, "nobody knows how much of it was used");
}

/// The case that gateways are measured by: one limit, several nodes, more offered than allowed.
#[test]
fn in_a_steady_load_nodes_together_admit_the_rate_within_two_percent() {
    for offered in
        [vec![400, 400], vec![700, 100], vec![800, 0], vec![270, 270, 260], vec![520, 90, 190]]
    {
        let mut sim = Sim::new(limit("500/s per identity burst 50"), &offered);
        sim.run(Span::from_secs(4));
        let before = sim.admitted();
        sim.run(Span::from_secs(10));
        let admitted = sim.admitted() - before;
        assert!((4_900..=5_100).contains(&admitted), "{offered:?}: {admitted} of 5000");
    }
}

#[test]
fn a_load_that_moves_to_another_node_is_followed_and_brings_no_burst_twice() {
    let mut sim = Sim::new(limit("500/s per identity burst 500"), &[800, 0]);
    sim.run(Span::from_secs(10));
    sim.offer(&[0, 800]);
    sim.run(Span::from_secs(2));
    let before = sim.admitted();
    sim.run(Span::from_secs(5));
    let admitted = sim.admitted() - before;
    assert!((2_450..=2_550).contains(&admitted), "{admitted} of 2500");
    sim.assert_never_more();
}

#[test]
fn a_node_that_dies_is_missed_for_a_while_and_then_the_others_have_everything() {
    let mut sim = Sim::new(limit("500/s per identity burst 50"), &[400, 400]);
    sim.run(Span::from_secs(5));
    sim.kill(1);
    sim.offer(&[800, 0]);
    sim.run(SILENT_MAX);
    sim.run(Span::from_secs(2));
    let before = sim.admitted();
    sim.run(Span::from_secs(10));
    let admitted = sim.admitted() - before;
    assert!((4_900..=5_100).contains(&admitted), "{admitted} of 5000");
    sim.assert_never_more();
}

#[test]
fn without_the_store_each_node_keeps_what_it_has() {
    let mut sim = Sim::new(limit("500/s per identity burst 50"), &[600, 200]);
    sim.run(Span::from_secs(5));
    sim.store_is_up = false;
    let before = sim.admitted();
    sim.run(Span::from_secs(60));
    let admitted = sim.admitted() - before;
    assert!((29_400..=30_600).contains(&admitted), "{admitted} of 30000");
    sim.assert_never_more();
}

#[test]
fn all_of_a_quota_is_used_and_nothing_more() {
    for (text, offered) in [
        ("1000/day per identity", vec![30, 5, 90]),
        ("10/day per identity", vec![3, 3]),
        ("1/month per identity", vec![1, 1, 1]),
        ("20000/day per identity", vec![2_000, 0]),
    ] {
        let mut sim = Sim::new(limit(text), &offered);
        sim.run(Span::from_secs(60));
        let count = text.split('/').next().unwrap().parse::<u64>().unwrap();
        let admitted = sim.admitted();
        assert!(admitted <= count, "{text}: {admitted}");
        assert!(admitted * 100 >= count * 98, "{text}: {admitted}");
    }
}

#[test]
fn a_node_that_was_killed_leaves_no_more_than_its_advance() {
    let mut sim = Sim::new(limit("1000/day per identity"), &[20, 20]);
    sim.run(Span::from_secs(5));
    sim.kill(0);
    sim.restart(0);
    sim.run(Span::from_secs(120));
    let admitted = sim.admitted();
    assert!(admitted <= 1_000, "{admitted}");
    assert!(admitted >= 900, "{admitted}");
}

#[test]
fn a_node_that_leaves_gives_back_what_it_did_not_use() {
    let mut sim = Sim::new(limit("1000/day per identity"), &[20, 20]);
    sim.run(Span::from_secs(5));
    sim.leave(0);
    sim.offer(&[0, 100]);
    sim.run(Span::from_secs(60));
    assert_eq!(sim.admitted(), 1_000);
}

#[test]
fn cut_off_from_the_store_a_node_adds_its_part_of_what_was_free() {
    let mut sim = Sim::new(limit("10000/day per identity"), &[20, 20]);
    sim.run(Span::from_secs(5));
    sim.store_is_up = false;
    sim.offer(&[1_000, 1_000]);
    sim.run(Span::from_secs(60));
    let admitted = sim.admitted();
    assert!(admitted <= 10_000, "the store is away for both: {admitted}");
    assert!(admitted >= 9_800, "{admitted}");
}

#[test]
fn requests_at_the_same_time_are_no_more_than_allowed_and_one_for_each_node() {
    let mut sim = Sim::new(limit("20 concurrent per identity"), &[200, 40]);
    sim.hold = Span::from_millis(150);
    let mut most = 0;
    for _ in 0..100 {
        sim.run(Span::from_millis(100));
        most = most.max(sim.in_use());
        assert!(sim.in_use() <= 22, "{}", sim.in_use());
    }
    // A share of twenty is rounded down to whole requests.
    assert!(most >= 19, "{most}");
    // From the fifth second on they come at the second node alone.
    sim.offer(&[0, 400]);
    sim.run(Span::from_secs(5));
    let mut sum = 0;
    for _ in 0..50 {
        sim.run(Span::from_millis(100));
        sum += sim.in_use();
    }
    assert!(sum >= 50 * 18, "{}", sum / 50);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whoever_asks_whenever_and_whoever_dies_no_more_passes_than_the_rate(
        per_second in 20u32..600,
        burst in 1u32..600,
        plan in Plan::any(),
    ) {
        let burst = burst.min(per_second * 100);
        let limit = limit(&format!("{per_second}/s per identity burst {burst}"));
        let mut sim = Sim::new(limit, &plan.offered(0, per_second));
        sim.delays = plan.delays.clone();
        for phase in 0..plan.phases() {
            plan.disturb(phase, &mut sim);
            sim.offer(&plan.offered(phase, per_second));
            sim.run(Span::from_millis(plan.length_ms(phase)));
        }
        sim.assert_never_more();
    }

    #[test]
    fn whoever_asks_whenever_and_whoever_dies_no_more_passes_than_the_quota(
        count in 1u64..4_000,
        plan in Plan::any(),
    ) {
        let mut sim = Sim::new(limit(&format!("{count}/day per identity")), &plan.offered(0, 100));
        sim.delays = plan.delays.clone();
        for phase in 0..plan.phases() {
            plan.disturb(phase, &mut sim);
            sim.offer(&plan.offered(phase, 100));
            sim.run(Span::from_millis(plan.length_ms(phase)));
        }
        let most = count + sim.lost;
        prop_assert!(sim.admitted() <= most, "{} of {count} and {}", sim.admitted(), sim.lost);
    }
}

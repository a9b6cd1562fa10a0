//! The book of limits on both databases.

use base::{NodeId, Timestamp};
use portreeve_store::Store;
use testkit::databases;
use traffic::limit::fleet::{Entries, Line, Member, NodeLine};
use traffic::limit::{Calendar, Limit, Period};
use traffic::rate::Share;

const NOW: Timestamp = Timestamp::from_secs(1_772_442_000);

fn line(key: &str, rule: &str, holder: &str, sequence: u64) -> Line {
    let limit: Limit = rule.parse().unwrap();
    let period = limit.name().is_quota().then(|| Period::at(Calendar::Day, NOW));
    let (key, holder) = (key.to_owned(), holder.to_owned());
    Line { key, period, holder, limit, holds: 7, used: 5, demand: 3, sequence }
}

fn node(name: &str) -> NodeLine {
    let member = Member { node: NodeId::parse(name).unwrap(), life: NOW };
    NodeLine { member, split: Share::from_millionths(500_000), at: NOW, sequence: 1 }
}

fn entries(sequence: u64, lines: Vec<Line>) -> Entries {
    Entries { sequence: Some(sequence), lines, ..Entries::default() }
}

#[tokio::test]
async fn a_round_that_is_dropped_leaves_nothing() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.limit_book().await.unwrap();
        tx.save(entries(1, vec![line("k", "5/s per identity", "a", 1)])).await.unwrap();
        drop(tx);
        let mut tx = store.limit_book().await.unwrap();
        assert_eq!(tx.sequence(), 0, "{}", database.kind);
        assert_eq!(tx.lines_after(0, NOW).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn what_a_round_saves_comes_back() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let rate = line("k", "5/s per identity", "a", 1);
        let quota = line("q", "9/day per grant", "a@7", 1);
        let mut saved = entries(1, vec![rate.clone(), quota.clone()]);
        saved.node = Some(node("a"));
        let mut tx = store.limit_book().await.unwrap();
        tx.save(saved).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.read().await.unwrap().limit_sequence().await.unwrap(), 1);

        // Another node's line brings all lines of its key along, and no others.
        let other = line("k", "5/s per identity", "b", 2);
        let mut tx = store.limit_book().await.unwrap();
        assert_eq!(tx.nodes().await.unwrap(), vec![node("a")], "{}", database.kind);
        tx.save(entries(2, vec![other.clone()])).await.unwrap();
        let mut found = tx.lines_after(1, NOW).await.unwrap();
        found.sort_by(|a, b| a.holder.cmp(&b.holder));
        assert_eq!(found, vec![rate, other]);
        assert_eq!(tx.lines_of(&["q", "gone"]).await.unwrap(), vec![quota.clone()]);

        // The same line again replaces it; what is struck and who is gone is gone.
        let more = Line { holds: 8, sequence: 3, ..quota.clone() };
        let mut changed = entries(3, vec![more.clone()]);
        changed.struck = vec![("k".to_owned(), None, "a".to_owned())];
        changed.gone = vec![node("a")];
        tx.save(changed).await.unwrap();
        assert_eq!(tx.lines_of(&["q"]).await.unwrap(), vec![more]);
        assert_eq!(tx.lines_of(&["k"]).await.unwrap().len(), 1);
        assert_eq!(tx.nodes().await.unwrap(), vec![]);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn quotas_of_the_past_are_forgotten_and_shares_are_not() {
    for database in databases() {
        let store = Store::open(&database.url).await.unwrap();
        let rate = line("k", "5/s per identity", "a", 1);
        let quota = line("q", "9/day per grant", "a@7", 1);
        let end = quota.period.unwrap().end;
        let mut tx = store.limit_book().await.unwrap();
        tx.save(entries(1, vec![rate.clone(), quota])).await.unwrap();
        assert_eq!(tx.lines_after(0, end).await.unwrap(), vec![rate.clone()], "the day is over");
        tx.forget_before(end).await.unwrap();
        assert_eq!(tx.lines_after(0, NOW).await.unwrap().len(), 2, "{}", database.kind);
        tx.forget_before(Timestamp::from_micros(end.as_micros() + 1)).await.unwrap();
        assert_eq!(tx.lines_after(0, NOW).await.unwrap(), vec![rate]);
    }
}

#[tokio::test]
async fn rounds_wait_for_each_other_and_not_for_changes() {
    for database in databases().into_iter().filter(|database| database.kind == "postgres") {
        let store = Store::open(&database.url).await.unwrap();
        let writer = portreeve_store::Writer {
            actor: base::ActorId::parse("robin").unwrap(),
            channel: portreeve_store::Channel::Api,
        };
        let change = store.begin(&writer, NOW).await.unwrap();
        let tx = store.limit_book().await.unwrap();
        tx.commit().await.unwrap();
        drop(change);
    }
}

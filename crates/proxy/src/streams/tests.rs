use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use catalog::Api;
use grant::{Grant, GrantStatus};
use identity::{Credential, CredentialStatus, Identity, IdentityStatus};
use policy::Change;
use proptest::prelude::*;
use traffic::{CutCount, Reason, StreamKind};

use super::*;

mod world;

use world::{NOW, api, credential, entry, grant, group, identity, ruleset};

/// Longer than any test waits.
const PATIENCE: Duration = Duration::from_secs(20);

fn publish(streams: &Streams, change: &Change) -> Cut {
    let next = ruleset().apply(2, [change.clone()]).unwrap();
    let touched: Vec<_> = Touch::of(change).map(|touch| (2, touch)).into_iter().collect();
    streams.judge(&next, &touched, NOW, &mut |_, _| {})
}

fn revoked(id: &str, subject: &str) -> Change {
    Change::Grant(Grant { status: GrantStatus::Revoked, ..grant(id, subject) })
}

#[test]
fn what_lost_its_permission_is_told_why_and_others_are_left_alone() {
    let key = Credential { status: CredentialStatus::Revoked, ..credential("solo") };
    let away = Identity { status: IdentityStatus::Suspended, ..identity("solo") };
    let cases = [
        ("solo", revoked("g-solo", "solo"), Reason::NoGrant),
        ("solo", Change::Credential(key), Reason::CredentialRevoked),
        ("solo", Change::Identity(away), Reason::IdentityInactive),
        ("member", revoked("g-clerks", "group:clerks"), Reason::NoGrant),
        ("member", Change::Group(group(&[])), Reason::NoGrant),
    ];
    for (loser, change, reason) in cases {
        let streams = Streams::default();
        let shard = streams.shard();
        let open: Vec<_> =
            ["solo", "member"].iter().map(|name| shard.register(&entry(name, 1).into())).collect();
        let cut = publish(&streams, &change);
        assert!(!cut.is_empty());
        for registration in &open {
            let name = registration.entry.describe().identity_id;
            let expected = (name.as_str() == loser).then_some(reason);
            assert_eq!(registration.entry.must_end(), expected, "{name} by {change:?}");
        }
    }
}

#[test]
fn what_takes_nothing_away_tells_nobody_to_end() {
    let streams = Streams::default();
    let shard = streams.shard();
    let _open = ["solo", "member"].map(|name| shard.register(&entry(name, 1).into()));
    let more = Change::Group(group(&["member", "solo"]));
    let renamed = Change::Api(Api { name: "renamed".to_owned(), ..api() });
    let spare = Change::Grant(grant("g-spare", "solo"));
    for change in [more, renamed, spare, Change::Identity(identity("other"))] {
        assert!(publish(&streams, &change).is_empty(), "{change:?}");
    }
    assert!(
        streams.judge(&Ruleset::empty(), &[], NOW, &mut |_, _| {}).is_empty(),
        "nothing changed"
    );
}

#[test]
fn who_gets_in_by_another_grant_meanwhile_is_cut_with_that_one() {
    let streams = Streams::default();
    let shard = streams.shard();
    let open = shard.register(&entry("solo", 1).into());
    let other = Change::Grant(grant("g-other", "solo"));
    let next = ruleset().apply(2, [other, revoked("g-solo", "solo")]).unwrap();
    let touched = Touch::Grant("g-solo".parse().unwrap(), "orders".parse().unwrap());
    assert!(streams.judge(&next, &[(2, touched)], NOW, &mut |_, _| {}).is_empty());
    let gone = revoked("g-other", "solo");
    let last = next.apply(3, [gone.clone()]).unwrap();
    assert!(
        !streams.judge(&last, &[(3, Touch::of(&gone).unwrap())], NOW, &mut |_, _| {}).is_empty()
    );
    assert_eq!(open.entry.must_end(), Some(Reason::NoGrant));
}

#[tokio::test]
async fn each_change_of_a_publication_counts_its_own() {
    let streams = Streams::default();
    let shard = streams.shard();
    let open = |name, count| -> Vec<_> {
        (0..count).map(|number| shard.register(&entry(name, number).into())).collect()
    };
    let (solo, member) = (open("solo", 3), open("member", 2));
    let changes = [revoked("g-clerks", "group:clerks"), revoked("g-solo", "solo")];
    let next = ruleset().apply(3, changes.clone()).unwrap();
    let touched: Vec<_> = (2..).zip(changes.iter().filter_map(Touch::of)).collect();
    let cut = streams.judge(&next, &touched, NOW, &mut |_, _| {});
    drop((solo, member));
    let counts = cut.settle(PATIENCE).await;
    let count = |cut| CutCount { cut, open: 0 };
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(2, count(2)), (3, count(3))]);
}

#[tokio::test]
async fn who_does_not_end_is_told_apart_and_waited_for_no_longer() {
    let streams = Streams::default();
    let shard = streams.shard();
    let ends = shard.register(&entry("solo", 1).into());
    let stays = shard.register(&entry("solo", 2).into());
    let cut = publish(&streams, &revoked("g-solo", "solo"));
    drop(ends);
    let counts = cut.settle(Duration::from_millis(1)).await;
    assert_eq!(counts[&2], CutCount { cut: 1, open: 1 });
    assert_eq!(stays.entry.must_end(), Some(Reason::NoGrant), "and still has to");
    let again = publish(&streams, &revoked("g-solo", "solo"));
    assert!(again.is_empty(), "it was told before");
}

#[tokio::test]
async fn who_waits_hears_of_the_last_end() {
    let streams = Streams::default();
    let shard = streams.shard();
    let open: Vec<_> =
        (0..100).map(|number| shard.register(&entry("solo", number).into())).collect();
    let cut = publish(&streams, &revoked("g-solo", "solo"));
    let settling = tokio::spawn(cut.settle(PATIENCE));
    for registration in open {
        tokio::task::yield_now().await;
        drop(registration);
    }
    assert_eq!(settling.await.unwrap()[&2], CutCount { cut: 100, open: 0 });
}

struct Ends(AtomicUsize, Mutex<Option<Registration>>);

impl Wake for Ends {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        lock(&self.1).take();
    }
}

#[test]
fn who_is_woken_may_end_within_the_call() {
    let streams = Streams::default();
    let registration = streams.shard().register(&entry("solo", 1).into());
    let entry = Arc::clone(&registration.entry);
    let ends = Arc::new(Ends(AtomicUsize::new(0), Mutex::new(Some(registration))));
    entry.watch(Waker::from(Arc::clone(&ends)));
    publish(&streams, &revoked("g-solo", "solo"));
    publish(&streams, &revoked("g-solo", "solo"));
    assert_eq!(ends.0.load(Ordering::SeqCst), 1, "once");
    assert_eq!(streams.count(), 0);
}

#[test]
fn a_list_is_of_what_is_asked_for_and_the_oldest_first() {
    let streams = Streams::default();
    let (one, other) = (streams.shard(), streams.shard());
    let _open = [
        one.register(&entry("solo", 3).into()),
        other.register(&entry("member", 2).into()),
        one.register(&entry("member", 1).into()),
    ];
    let ids = |limit, name: &str| -> Vec<String> {
        let found =
            streams.list(limit, &|open| name.is_empty() || open.identity_id.as_str() == name);
        found.iter().map(|open| open.request_id.to_string()).collect()
    };
    assert_eq!(ids(9, "nobody"), Vec::<String>::new());
    assert_eq!(ids(9, "member"), ["r-0001", "r-0002"]);
    assert_eq!(ids(2, ""), ["r-0001", "r-0002"]);
    let found = streams.list(1, &|_| true);
    assert_eq!(found[0].kind, StreamKind::Body);
    assert_eq!(found[0].grant_ids.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever begins, ends and is cut in whatever order, the registry holds what is open, and
    /// every cut is counted exactly once.
    #[test]
    fn the_registry_holds_what_is_open_and_nothing_when_all_has_ended(
        steps in prop::collection::vec((0usize..3, any::<prop::sample::Index>()), 1..200),
    ) {
        let streams = Streams::default();
        let shards = [streams.shard(), streams.shard()];
        let (mut open, mut cuts, mut told) = (Vec::new(), Vec::new(), 0);
        for (number, (step, which)) in steps.into_iter().enumerate() {
            match step {
                0 => open.push(shards[which.index(2)].register(&entry("solo", number).into())),
                1 if !open.is_empty() => drop(open.swap_remove(which.index(open.len()))),
                1 => {}
                _ => {
                    told += open.iter().filter(|o| o.entry.must_end().is_none()).count();
                    cuts.push(publish(&streams, &revoked("g-solo", "solo")));
                }
            }
            prop_assert_eq!(streams.count(), open.len());
        }
        drop(open);
        prop_assert_eq!(streams.count(), 0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let counted: u64 = runtime.block_on(async {
            let mut sum = 0;
            for cut in cuts {
                sum += cut.settle(PATIENCE).await.values().map(|count| count.cut).sum::<u64>();
            }
            sum
        });
        prop_assert_eq!(counted, told as u64);
    }
}

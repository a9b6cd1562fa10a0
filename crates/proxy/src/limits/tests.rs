use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base::{GrantId, NodeId, Span};
use catalog::{Api, Impact, Method, Operation};
use testkit::sample;
use traffic::Reason;
use traffic::limit::fleet::{Book, Member};

use super::admit::{Admission, Exceeded};
use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_772_452_800);

fn limiter(limits: Limits) -> Arc<Limiter> {
    Arc::new(Limiter::new(&limits))
}

fn api(limits: &[&str]) -> Api {
    let operation = |id: &str, impact, cost| Operation {
        impact,
        cost,
        ..sample::operation(id, Method::Get, "/orders/{id}")
    };
    let operations =
        vec![operation("exportOrders", Impact::Low, 50), operation("getOrder", Impact::High, 1)];
    let limits = limits.iter().map(|text| text.parse().unwrap()).collect();
    Api { limits, ..sample::api("orders", operations) }
}

fn request<'r>(api: &'r Api, identity: &'r str, grants: &'r [GrantId]) -> Request<'r> {
    Request {
        api,
        operation: api.operations.get(1),
        identity,
        credential: "cred_1",
        grants,
        source: "192.0.2.1".parse().unwrap(),
    }
}

fn grants(ids: &[&str]) -> Vec<GrantId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

fn admit(limiter: &Arc<Limiter>, request: &Request<'_>) -> Result<Admission, Exceeded> {
    limiter.admit(request, Span::default(), NOON)
}

/// How many of so many pass; they all end at once.
fn passed(limiter: &Arc<Limiter>, request: &Request<'_>, tries: usize) -> usize {
    (0..tries).filter(|_| admit(limiter, request).is_ok()).count()
}

#[test]
fn what_fails_one_limit_uses_nothing_of_the_others() {
    let (limiter, grants) = (limiter(Limits::default()), grants(&["g_1"]));
    let api =
        api(&["100/s per api", "2/s per identity", "5 concurrent per api", "90/day per grant"]);
    let noisy = request(&api, "noisy", &grants);
    assert_eq!(passed(&limiter, &noisy, 60), 2);
    let refused = admit(&limiter, &noisy).err().unwrap();
    assert_eq!((refused.reason, refused.wait), (Reason::RateLimited, Span::from_millis(500)));
    assert_eq!(refused.limit.unwrap().0, api.limits[1]);
    // Of the whole API two were used, and not sixty.
    let standing = admit(&limiter, &request(&api, "quiet", &grants)).unwrap().standing.unwrap();
    assert_eq!((standing.name.as_str(), standing.left), ("per-identity", 1));
    let others: usize = (0..200)
        .map(|number| passed(&limiter, &request(&api, &format!("other-{number}"), &grants), 1))
        .sum();
    assert_eq!(others, 90 - 3, "of the grant three were used");
    let refused = admit(&limiter, &request(&api, "another", &grants)).err().unwrap();
    assert_eq!(refused.reason, Reason::QuotaExceeded);
    let counted: Vec<_> =
        limiter.refused().into_iter().map(|((api, name), n)| (api, name.as_str(), n)).collect();
    let orders = || "orders".to_owned();
    let expected = [(orders(), "per-identity", 59), (orders(), "per-grant-day", 200 - 87 + 1)];
    assert_eq!(counted, expected);
}

#[test]
fn a_request_that_several_limits_refuse_waits_for_the_longest() {
    let (limiter, grants) = (limiter(Limits::default()), grants(&["g_1"]));
    let api = api(&["1/s per identity", "1/min per credential", "1/h per source"]);
    let request = request(&api, "caller", &grants);
    assert_eq!(passed(&limiter, &request, 3), 1);
    let refused = admit(&limiter, &request).err().unwrap();
    assert_eq!(refused.limit.unwrap().0, api.limits[2]);
    assert_eq!(refused.wait, Span::from_secs(3_600));
}

#[test]
fn a_dear_operation_uses_more() {
    let (limiter, grants) = (limiter(Limits::default()), grants(&["g_1"]));
    let mut api = api(&["120/day per identity"]);
    let dear = Request { operation: api.operations.first(), ..request(&api, "caller", &grants) };
    assert_eq!(passed(&limiter, &dear, 5), 2);
    assert_eq!(passed(&limiter, &request(&api, "caller", &grants), 50), 20);
    api.costs.insert("getOrder".parse().unwrap(), 0);
    assert_eq!(passed(&limiter, &request(&api, "caller", &grants), 50), 50, "declared to be free");
}

#[test]
fn places_are_given_back_when_a_request_ends_and_only_then() {
    let (limiter, grants) = (limiter(Limits::default()), grants(&["g_1"]));
    let api = api(&["2 concurrent per identity"]);
    let request = request(&api, "caller", &grants);
    let open = [admit(&limiter, &request).unwrap(), admit(&limiter, &request).unwrap()];
    assert_eq!(admit(&limiter, &request).err().unwrap().reason, Reason::ConcurrencyLimited);
    assert_eq!(limiter.in_flight(), 2, "what is refused is not in flight");
    let [first, second] = open;
    drop(first);
    let third = admit(&limiter, &request).unwrap();
    assert!(admit(&limiter, &request).is_err());
    drop((second, third));
    assert_eq!(limiter.in_flight(), 0);
}

#[test]
fn a_grant_whose_limit_is_reached_leaves_it_to_the_next() {
    let limiter = limiter(Limits::default());
    let api = api(&["3/day per grant", "100/day per identity"]);
    let both = grants(&["g_1", "g_2"]);
    assert_eq!(passed(&limiter, &request(&api, "caller", &both), 20), 6);
    let refused = admit(&limiter, &request(&api, "caller", &both)).err().unwrap();
    assert_eq!(refused.limit.unwrap().0, api.limits[0]);
    let observed = grants(&[]);
    assert_eq!(passed(&limiter, &request(&api, "caller", &observed), 20), 3, "without a grant");
    assert_eq!(passed(&limiter, &request(&api, "other", &observed), 20), 0, "counted together");
}

#[test]
fn a_flood_of_sources_is_bounded_and_makes_nobody_forgotten() {
    let limiter = limiter(Limits { limited_keys: 640, ..Limits::default() });
    let (api, grants) = (api(&["5/h per source burst 5"]), grants(&["g_1"]));
    let from = |number: u32| Request {
        source: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number)),
        ..request(&api, "caller", &grants)
    };
    assert_eq!(passed(&limiter, &from(0), 9), 5);
    let passing = (1..100_000).filter(|number| admit(&limiter, &from(*number)).is_ok()).count();
    assert!((600..=640 + 5).contains(&passing), "{passing}: one each, and five for all the rest");
    assert!(limiter.keys() <= 641, "{}", limiter.keys());
    assert_eq!(passed(&limiter, &from(0), 9), 0, "its use is not forgotten");
    // Two hours later there is room again.
    let later = NOON + Span::from_secs(7_200);
    let fresh = (200_000..200_100u32)
        .filter(|number| limiter.admit(&from(*number), Span::default(), later).is_ok())
        .count();
    assert_eq!(fresh, 100);
}

#[test]
fn threads_at_once_admit_no_more_than_one() {
    let (limiter, grants) = (limiter(Limits::default()), grants(&["g_1"]));
    let api = api(&["500/day per api", "200/day per identity", "3 concurrent per operation"]);
    let (most, now_open) = (AtomicU32::new(0), AtomicU32::new(0));
    let sums: Vec<usize> = std::thread::scope(|scope| {
        let work = |number: usize| {
            let (limiter, api, grants, most, now_open) =
                (&limiter, &api, &grants, &most, &now_open);
            move || {
                let identity = format!("caller-{}", number % 3);
                let request = request(api, &identity, grants);
                let mut passed = 0;
                for _ in 0..2_000 {
                    let Ok(held) = admit(limiter, &request) else { continue };
                    most.fetch_max(now_open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    now_open.fetch_sub(1, Ordering::SeqCst);
                    drop(held);
                    passed += 1;
                }
                passed
            }
        };
        let threads: Vec<_> = (0..6).map(|number| scope.spawn(work(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sums.iter().sum::<usize>(), 500);
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert_eq!(limiter.in_flight(), 0);
}

#[test]
fn under_overload_low_impact_is_refused_first_and_says_so() {
    let limiter = limiter(Limits { in_flight: 20, ..Limits::default() });
    let (api, grants) = (api(&[]), grants(&["g_1"]));
    let low = Request { operation: api.operations.first(), ..request(&api, "reports", &grants) };
    let high = request(&api, "shop", &grants);
    let open: Vec<_> = (0..20).map_while(|_| admit(&limiter, &low).ok()).collect();
    assert_eq!(open.len(), 9, "two reserved, and the common ones up to its bound");
    let refused = admit(&limiter, &low).err().unwrap();
    assert_eq!((refused.reason, refused.limit), (Reason::Overloaded, None));
    assert_eq!(refused.wait, Span::from_secs(4));
    let important: Vec<_> = (0..20).map_while(|_| admit(&limiter, &high).ok()).collect();
    assert_eq!(important.len(), 8);
    drop(open);
    assert!(admit(&limiter, &low).is_ok(), "its reserve");
}

#[test]
fn a_late_worker_refuses_what_is_beyond_the_reserve() {
    let limiter = limiter(Limits { in_flight: 20, ..Limits::default() });
    let (api, grants) = (api(&[]), grants(&["g_1"]));
    let low = Request { operation: api.operations.first(), ..request(&api, "reports", &grants) };
    let late = Span::from_millis(900);
    let open: Vec<_> = (0..9).map_while(|_| limiter.admit(&low, late, NOON).ok()).collect();
    assert_eq!(open.len(), 2);
}

/// One round of a gate with the book, without a store.
fn round(limiter: &Limiter, book: &mut Book, member: &Member, now: Timestamp) {
    let mut asked = limiter.ask(now);
    if book.needs_all(member, &asked, now) {
        asked.seen = 0;
    }
    let settled = book.settle(member, &asked, true, now);
    limiter.settle(settled, now);
}

#[test]
fn two_gates_with_one_book_admit_the_rate_together() {
    let (api, grants) = (api(&["500/s per identity burst 50"]), grants(&["g_1"]));
    let member = |name: &str| Member { node: NodeId::parse(name).unwrap(), life: NOON };
    let gates = [
        (limiter(Limits::default()), member("a"), 5),
        (limiter(Limits::default()), member("b"), 3),
    ];
    let mut book = Book::default();
    for (gate, _, _) in &gates {
        gate.join(NOON);
    }
    let mut counted = 0;
    for tick in 0..2_500i64 {
        // Every ten milliseconds eight come, so 800 a second; every 250 ms there is a round.
        let now = NOON + Span::from_millis(tick * 10);
        for (gate, member, offered) in &gates {
            if tick % 25 == 0 {
                round(gate, &mut book, member, now);
            }
            let request = request(&api, "caller", &grants);
            let admits = |_: &u32| gate.admit(&request, Span::default(), now).is_ok();
            let passed = (0..*offered).filter(admits).count();
            // Five seconds to use the burst and to find each other.
            counted += if tick >= 500 { passed } else { 0 };
        }
    }
    assert!((9_800..=10_200).contains(&counted), "{counted} of 10000");
    let asked = gates[0].0.ask(NOON + Span::from_secs(25));
    assert_eq!(asked.keys.len(), 1, "one busy key");
    assert_eq!(asked.keys[0].key, "api orders per-identity caller");
}

#[test]
fn a_gate_that_shares_with_others_waits_for_its_part() {
    let (api, grants) = (api(&["500/s per identity", "100/day per grant"]), grants(&["g_1"]));
    let gate = limiter(Limits::default());
    gate.join(NOON);
    assert_eq!(gate.terms().split, Share::NONE);
    assert_eq!(passed(&gate, &request(&api, "caller", &grants), 50), 0, "of the quota it has none");
    let mut book = Book::default();
    let member = Member { node: NodeId::parse("a").unwrap(), life: NOON };
    round(&gate, &mut book, &member, NOON);
    assert_eq!(gate.terms().split, Share::WHOLE, "there is nobody else");
    assert!(passed(&gate, &request(&api, "other", &grants), 50) > 0);
}

#[test]
fn a_restarted_gate_hears_what_its_former_life_used() {
    let (api, grants) = (api(&["10/day per grant"]), grants(&["g_1"]));
    let mut book = Book::default();
    let alone = |gate: &Arc<Limiter>, book: &mut Book, member: &Member, now| {
        let settled = book.settle(member, &gate.ask(now), false, now);
        gate.settle(settled, now);
    };
    let life = |life| Member { node: NodeId::parse("a").unwrap(), life };
    let gate = limiter(Limits::default());
    alone(&gate, &mut book, &life(NOON), NOON);
    assert_eq!(passed(&gate, &request(&api, "caller", &grants), 4), 4);
    alone(&gate, &mut book, &life(NOON), NOON);
    // Killed here: the advance counts as used, and what passes later is never more than the rest.
    let later = NOON + Span::from_secs(1);
    let gate = limiter(Limits::default());
    alone(&gate, &mut book, &life(later), later);
    let after = passed(&gate, &request(&api, "caller", &grants), 20);
    assert!((1..=6).contains(&after), "{after}");
    assert_eq!(passed(&gate, &request(&api, "caller", &grants), 20), 0);
    // An orderly end gives back what is not used.
    let settled = book.settle(&life(later), &gate.ask_last(later), false, later);
    gate.settle(settled, later);
}

//! What a limit costs a request: `cargo bench -p portreeve-proxy --bench limits -- [requests]`.
//!
//! Prints nanoseconds of processor time a request of the whole admission, with no limit and with one
//! to four, on one thread and on two at once. The requests come from many callers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base::{GrantId, Span, Timestamp};
use catalog::{Accept, Api, ApiMode, Impact, Method, Operation, Timeouts};
use portreeve_proxy::Limits;
use portreeve_proxy::limits::{Limiter, Request};

/// Callers that take turns.
const CALLERS: usize = 1_000;
const LIMITS: [&str; 4] = [
    "1000000/s per identity",
    "1000000000/day per grant",
    "1000000/s per source",
    "100000 concurrent per credential",
];
const START: Timestamp = Timestamp::from_secs(1_772_442_000);

fn api(limits: &[&str]) -> Api {
    let parsed = limits.iter().flat_map(|text| text.parse());
    Api {
        id: "orders".parse().expect("an id"),
        name: "orders".to_owned(),
        hosts: Vec::new(),
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Key],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: parsed.collect(),
        costs: std::collections::BTreeMap::new(),
        operations: vec![Operation {
            id: "getOrder".parse().expect("an id"),
            method: Method::Get,
            path: "/orders/{id}".to_owned(),
            summary: None,
            impact: Impact::Medium,
            mutating: false,
            admin: false,
            fields: Vec::new(),
            cost: 1,
        }],
        origin: "console".to_owned(),
        created_at: START,
    }
}

/// Processor time of this thread in nanoseconds, from the system's scheduler statistics: other work
/// on the machine does not count.
fn cpu_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanos.unwrap_or(0.0)
}

/// Nanoseconds of processor time a request, the mean of all. A microsecond passes from one to the
/// next, from `begin` on.
fn measure(limiter: &Arc<Limiter>, api: &Api, begin: Timestamp, count: usize) -> f64 {
    let callers: Vec<(String, String, Vec<GrantId>)> = (0..CALLERS)
        .map(|number| {
            let grant = format!("g_{number:026}").parse().expect("an id");
            (format!("svc-{number}"), format!("cred_{number:026}"), vec![grant])
        })
        .collect();
    let (started, mut passed) = (cpu_ns(), 0);
    for (number, (identity, credential, grants)) in callers.iter().cycle().take(count).enumerate() {
        let request = Request {
            api,
            operation: api.operations.first(),
            identity,
            credential,
            grants,
            source: IpAddr::V4(Ipv4Addr::from(u32::try_from(number % CALLERS).unwrap_or(0))),
        };
        let now = begin + Span::from_micros(i64::try_from(number).unwrap_or(0));
        passed += usize::from(limiter.admit(&request, Span::default(), now).is_ok());
    }
    let spent = (cpu_ns() - started) / count as f64;
    assert!(passed * 100 >= count * 99, "nearly all of them pass: {passed}");
    spent
}

fn main() {
    let wanted = std::env::args().find_map(|argument| argument.parse().ok());
    let count: usize = wanted.unwrap_or(2_000_000);
    for limits in 0..=LIMITS.len() {
        let api = api(LIMITS.get(..limits).unwrap_or_default());
        let limiter = Arc::new(Limiter::new(&Limits::default()));
        let [second, third] = [60, 120].map(|seconds| START + Span::from_secs(seconds));
        measure(&limiter, &api, START, count / 10);
        let alone = measure(&limiter, &api, second, count);
        let together: Vec<f64> = std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(|| measure(&limiter, &api, third, count)));
            threads.into_iter().flat_map(|thread| thread.join().ok()).collect()
        });
        let both = together.iter().sum::<f64>() / together.len() as f64;
        println!("{limits} limits: {alone:.0} ns/request, {both:.0} ns on each of two threads");
    }
}

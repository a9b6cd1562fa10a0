//! `bench-filter`: what filtering an answer costs per byte of it, without any I/O, beside a peer
//! that parses the same answer into a tree, removes the same from it and writes it again. Prints
//! one JSON object per case, and one with all of them as the last line.
//!
//! Rounds of all cases are interleaved, so that a busy machine is equally busy for each of them, and
//! short, so that most of them are not interrupted.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use filter::{Alternative, Fields, Filter, Limits, Mode, Plan, Tie, Watch};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

const ITEMS: usize = 250;
const TENANTS: usize = 10;
const PIECE_BYTES: usize = 16 * 1024;
const ROUNDS: usize = 1_001;

/// About 70 of 100 bytes.
const SHOWN: &[&str] = &[
    "id",
    "tenant_id",
    "number",
    "status",
    "created_at",
    "customer.id",
    "customer.name",
    "lines",
    "total",
];
const EVERY: &[&str] = &[
    "id",
    "tenant_id",
    "number",
    "status",
    "created_at",
    "customer.id",
    "customer.name",
    "customer.email",
    "customer.phone",
    "customer.address",
    "lines.sku",
    "lines.quantity",
    "lines.price",
    "lines.title",
    "total",
    "notes",
];

fn main() -> Result<(), Failure> {
    let body = answer()?;
    let tenants: BTreeSet<String> = (0..7).map(|number| format!("tenant-{number}")).collect();
    let tie = Tie { path: "[].tenant_id".to_owned(), allowed: tenants.clone() };
    let removal = plan(only(SHOWN), vec![])?;
    let tied = plan(only(SHOWN), vec![tie.clone()])?;
    let items = plan(Fields::All, vec![tie])?;
    let all = plan(only(EVERY), vec![])?;
    let everything = Arc::new(Plan::everything());
    let mut cases: Vec<Case> = vec![
        case("fields_removed", || filtered(&removal, &body)),
        case("items_removed", || filtered(&items, &body)),
        case("fields_and_items_removed", || filtered(&tied, &body)),
        case("nothing_removed_of_listed", || filtered(&all, &body)),
        case("nothing_removed", || filtered(&everything, &body)),
        case("watched", || watched(&body)),
        case("tree_fields_removed", || tree(&body, Some(SHOWN), None)),
        case("tree_items_removed", || tree(&body, None, Some(&tenants))),
        case("tree_nothing_removed", || tree(&body, None, None)),
    ];
    for (_, ours, theirs) in PEERS {
        if (cases[*ours].run)()? != (cases[*theirs].run)()? {
            return Err(format!("{} and its peer differ", cases[*ours].name).into());
        }
    }
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let began = Instant::now();
            black_box((case.run)()?);
            case.rounds.push(began.elapsed().as_secs_f64() * 1e9 / body.len() as f64);
        }
    }
    print(&cases, body.len())
}

/// Which cases do the same: the name of their ratio, ours, and the tree's.
const PEERS: &[(&str, usize, usize)] = &[
    ("fields_removed_times_faster", 0, 6),
    ("items_removed_times_faster", 1, 7),
    ("nothing_removed_times_faster", 4, 8),
];

/// One way to run the answer through something; the bytes that came out.
struct Case<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> Result<usize, Failure> + 'a>,
    /// Nanoseconds per byte.
    rounds: Vec<f64>,
}

fn case<'a>(name: &'static str, run: impl Fn() -> Result<usize, Failure> + 'a) -> Case<'a> {
    Case { name, run: Box::new(run), rounds: Vec::new() }
}

fn plan(fields: Fields, ties: Vec<Tie>) -> Result<Arc<Plan>, Failure> {
    Ok(Arc::new(Plan::compile(vec![Alternative { fields, ties }])?))
}

fn only(paths: &[&str]) -> Fields {
    Fields::Only(paths.iter().map(|path| (*path).to_owned()).collect())
}

/// A list of orders, as an API writes them.
fn answer() -> Result<Vec<u8>, Failure> {
    let mut text = "[".to_owned();
    for id in 0..ITEMS {
        let comma = if id == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"id\":{id},\"tenant_id\":\"tenant-{}\",\"number\":\"ORD-{id:08}\",\
             \"status\":\"shipped\",\"created_at\":\"2024-05-01T12:{:02}:07Z\",\"customer\":{{\
             \"id\":{},\"name\":\"Zoë Example\",\"email\":\"zoe.{id}@example.test\",\
             \"phone\":\"+49 30 5550{:03}\",\"address\":{{\"street\":\"Long Street {}\",\
             \"city\":\"Sampleton\",\"zip\":\"{:05}\",\"country\":\"DE\"}}}},\"lines\":[",
            id % TENANTS,
            id % 60,
            id * 7 % 9_973,
            id % 1_000,
            id % 97,
            id % 99_999,
        )?;
        for line in 0..id % 4 + 1 {
            let comma = if line == 0 { "" } else { "," };
            write!(
                text,
                "{comma}{{\"sku\":\"SKU-{:05}\",\"title\":\"A thing of the {line}th kind\",\
                 \"quantity\":{},\"price\":{}.95}}",
                id * 31 % 10_007,
                line + 1,
                id % 300,
            )?;
        }
        write!(text, "],\"total\":{}.85,\"notes\":\"please leave it at the door\"}}", id % 2_000)?;
    }
    text.push(']');
    Ok(text.into_bytes())
}

/// The bytes that a filter lets pass, in pieces as they come from a connection.
fn filtered(plan: &Arc<Plan>, body: &[u8]) -> Result<usize, Failure> {
    let mut filter = Filter::new(Arc::clone(plan), Mode::Document, Limits::default());
    let (mut out, mut written) = (Vec::with_capacity(2 * PIECE_BYTES), 0);
    for piece in body.chunks(PIECE_BYTES) {
        filter.push(piece, &mut out)?;
        written += out.len();
        out.clear();
    }
    filter.finish(&mut out)?;
    Ok(written + out.len())
}

fn watched(body: &[u8]) -> Result<usize, Failure> {
    let mut watch = Watch::new(Mode::Document, Limits::default());
    for piece in body.chunks(PIECE_BYTES) {
        watch.push(piece)?;
    }
    Ok(watch.finish()?.seen.len())
}

/// The peer: the whole answer as a tree. The bytes that it writes.
fn tree(
    body: &[u8],
    shown: Option<&[&str]>,
    tenants: Option<&BTreeSet<String>>,
) -> Result<usize, Failure> {
    let mut value: Value = serde_json::from_slice(body)?;
    if let (Value::Array(items), Some(tenants)) = (&mut value, tenants) {
        items.retain(|item| {
            item.get("tenant_id").and_then(Value::as_str).is_some_and(|id| tenants.contains(id))
        });
    }
    if let Some(shown) = shown {
        let paths: Vec<Vec<&str>> = shown.iter().map(|path| path.split('.').collect()).collect();
        let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
        prune(&mut value, &paths);
    }
    Ok(serde_json::to_vec(&value)?.len())
}

/// Removes what none of the paths leads to.
fn prune(value: &mut Value, paths: &[&[&str]]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, paths)),
        Value::Object(members) => members.retain(|name, value| {
            let below: Vec<&[&str]> = paths
                .iter()
                .filter_map(|path| path.split_first().filter(|(first, _)| *first == name))
                .map(|(_, rest)| rest)
                .collect();
            if !below.iter().any(|rest| rest.is_empty()) && !below.is_empty() {
                prune(value, &below);
            }
            !below.is_empty()
        }),
        _ => {}
    }
}

fn print(cases: &[Case<'_>], bytes: usize) -> Result<(), Failure> {
    let mut all = serde_json::Map::new();
    all.insert("bytes".to_owned(), bytes.into());
    for case in cases {
        let (best, q1, median, q3) = spread(case.rounds.clone()).ok_or("no round was measured")?;
        let line = serde_json::json!({
            "case": case.name, "ns_per_byte": median, "q1": q1, "q3": q3, "best": best,
        });
        println!("{line}");
        all.insert(format!("{}_ns_per_byte", case.name), median.into());
        all.insert(format!("{}_best_ns_per_byte", case.name), best.into());
    }
    for (name, ours, theirs) in PEERS {
        // Each round is divided by the same round of the peer: both had the same machine.
        let pairs = cases[*theirs].rounds.iter().zip(&cases[*ours].rounds);
        let times = spread(pairs.map(|(theirs, ours)| theirs / ours).collect());
        let (_, _, median, _) = times.ok_or("no round was measured")?;
        all.insert((*name).to_owned(), median.into());
    }
    println!("{}", Value::Object(all));
    Ok(())
}

/// The least, the lower quartile, the median and the upper quartile.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |q: f64| values.get((last as f64 * q) as usize).copied().map(round);
    Some((at(0.0)?, at(0.25)?, at(0.5)?, at(0.75)?))
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

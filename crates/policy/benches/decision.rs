//! One decision (look-up of the identity, its groups, its grants) at growing numbers of grants.

#[path = "../tests/common/mod.rs"]
mod common;
mod town;

use std::hint::black_box;

use common::{NOW, caller};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use portreeve_policy::{Facts, Ruleset};

fn decision(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for grants in [10u32, 1_000, 100_000, 1_000_000] {
        let ruleset = Ruleset::build(1, town::state(grants)).unwrap();
        // Callers spread over the population, so that the caches are not warm for one of them.
        let identities = town::identities(grants);
        let callers: Vec<_> = (0..1_000u32)
            .map(|n| caller(&ruleset, &town::name(n.wrapping_mul(7_919) % identities)).unwrap())
            .collect();
        let entry = ruleset.entry(&"orders0".parse().unwrap()).unwrap();
        let operation = entry.operation("GET", "/orders0/o1");
        let mut turn = callers.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(grants), |bench| {
            bench.iter(|| {
                let who = turn.next().unwrap();
                black_box(ruleset.decide(black_box(who), entry, operation, Facts::unknown(), NOW))
                    .is_ok()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = decision
}
criterion_main!(benches);

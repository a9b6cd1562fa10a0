//! What the gate did, counted where every request leaves its record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use admin::Metrics;
use base::ApiId;
use traffic::{CallRecord, Outcome, Reason};

/// Upper bounds of the duration buckets, in microseconds, and as Prometheus writes them.
const BUCKETS: [(u64, &str); 10] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// Which requests are counted together. All three are bounded: APIs by the catalogue, the others
/// by their lists of words.
type Key = (Option<ApiId>, Outcome, Option<Reason>);

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<Key, u64>,
    durations: BTreeMap<Option<ApiId>, Durations>,
}

#[derive(Debug, Default)]
struct Durations {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum_us: u64,
}

/// Counters of requests.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Counts>);

impl Counters {
    /// Counts a record.
    pub(crate) fn count(&self, record: &CallRecord) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (record.api_id.clone(), record.outcome, record.reason);
        *counts.requests.entry(key).or_default() += 1;
        let durations = counts.durations.entry(record.api_id.clone()).or_default();
        durations.count += 1;
        durations.sum_us = durations.sum_us.saturating_add(record.duration_us);
        for (count, (bound, _)) in durations.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(record.duration_us <= bound);
        }
    }

    /// Writes the counters.
    pub(crate) fn measure(&self, metrics: &mut Metrics) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "requests_total";
        metrics.family(name, "counter", "Requests at the gate by API, outcome and reason.");
        for ((api, outcome, reason), count) in &counts.requests {
            let reason = reason.map_or("", Reason::as_str);
            let labels = [("api", text(api)), ("outcome", outcome.as_str()), ("reason", reason)];
            metrics.sample(name, &labels, count);
        }
        let help = "Time from the complete request head to the end of the answer.";
        metrics.family("request_duration_seconds", "histogram", help);
        for (api, durations) in &counts.durations {
            durations.measure(text(api), metrics);
        }
    }
}

impl Durations {
    fn measure(&self, api: &str, metrics: &mut Metrics) {
        let bucket = "request_duration_seconds_bucket";
        for (count, (_, bound)) in self.buckets.iter().zip(BUCKETS) {
            metrics.sample(bucket, &[("api", api), ("le", bound)], count);
        }
        metrics.sample(bucket, &[("api", api), ("le", "+Inf")], self.count);
        let (whole, part) = (self.sum_us / 1_000_000, self.sum_us % 1_000_000);
        let sum = format!("{whole}.{part:06}");
        metrics.sample("request_duration_seconds_sum", &[("api", api)], sum);
        metrics.sample("request_duration_seconds_count", &[("api", api)], self.count);
    }
}

fn text(api: &Option<ApiId>) -> &str {
    api.as_ref().map_or("", ApiId::as_str)
}

//! What the admin API tells about the running process.

use std::sync::Arc;

use admin::facts::Checking;
use admin::{Check, Facts, Metrics};
use app::App;
use app::view::ReviewDefinition;
use arc_swap::ArcSwap;
use base::{Clock, Span};
use decision_log::DecisionLog;
use jobs::Supervisor;
use proxy::{Limiter, Lookups};
use traffic::rate::Share;

use super::counters::Counters;

/// The store is asked several times a second; it counts as away when it was silent for so long.
const STORE_SILENT_MAX: Span = Span::from_secs(10);

/// The running process.
pub(crate) struct Process {
    pub(crate) app: Arc<App>,
    pub(crate) log: Arc<DecisionLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) supervisor: Supervisor,
    pub(crate) limits: Arc<Limiter>,
    pub(crate) lookups: Arc<Lookups>,
    pub(crate) proxy_url: String,
    pub(crate) console_url: String,
    pub(crate) reviews: ArcSwap<Vec<ReviewDefinition>>,
}

impl Facts for Process {
    fn proxy_url(&self) -> String {
        self.proxy_url.clone()
    }

    fn console_url(&self) -> String {
        self.console_url.clone()
    }

    fn review_definitions(&self) -> Vec<ReviewDefinition> {
        self.reviews.load().to_vec()
    }

    fn checks(&self) -> Checking<'_> {
        Box::pin(async {
            let silent = self.clock.now().since(self.app.current_at().await);
            let away = (silent > STORE_SILENT_MAX)
                .then(|| format!("no answer for {} s; the gate goes on", silent.as_secs()));
            let has_part = self.limits.terms().split > Share::NONE;
            let limits = (!has_part).then(|| "waits for its part of the limits".to_owned());
            let log = self.log.check_room().err().map(|error| error.to_string());
            let mut checks = vec![
                Check { name: "store".to_owned(), problem: away },
                Check { name: "decision_log".to_owned(), problem: log },
                Check { name: "limits".to_owned(), problem: limits },
            ];
            checks.extend(self.supervisor.health().into_iter().map(|health| Check {
                name: format!("job_{}", health.name),
                problem: health.problem,
            }));
            checks
        })
    }

    fn measure(&self, metrics: &mut Metrics) {
        let version = self.app.ruleset().load().version();
        let name = "build_info";
        metrics.family(name, "gauge", "The running program.");
        metrics.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
        metrics.single("ruleset_version", "gauge", "The ruleset that the gate enforces.", version);
        self.counters.measure(metrics);
        self.measure_limits(metrics);
        self.measure_lookups(metrics);
        self.measure_log(metrics);
        self.measure_jobs(metrics);
    }
}

impl Process {
    fn measure_limits(&self, metrics: &mut Metrics) {
        let name = "limit_refusals_total";
        metrics.family(name, "counter", "Requests refused by limits, by API and limit.");
        for ((api, limit), count) in self.limits.refused() {
            metrics.sample(name, &[("api", &api), ("limit", limit.as_str())], count);
        }
        let terms = self.limits.terms();
        let millionths = terms.split.millionths();
        let split = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        let gauges = [
            ("requests_in_flight", "Requests in flight.", self.limits.in_flight().to_string()),
            ("limit_keys", "Keys of limits in memory.", self.limits.keys().to_string()),
            ("limit_split", "This node's part of limits that nothing else was agreed on.", split),
        ];
        for (name, help, value) in gauges {
            metrics.single(name, "gauge", help, value);
        }
    }

    fn measure_lookups(&self, metrics: &mut Metrics) {
        let counts = self.lookups.counts();
        let name = "relation_lookups_total";
        metrics.family(name, "counter", "Relations looked up, by source and what came of it.");
        for (source, counts) in &counts {
            let outcomes = [
                ("cached", counts.recalled),
                ("related", counts.related),
                ("unrelated", counts.unrelated),
                ("failed", counts.failed),
            ];
            for (outcome, count) in outcomes {
                metrics.sample(name, &[("source", source), ("outcome", outcome)], count);
            }
        }
        let name = "relation_lookup_seconds";
        metrics.family(name, "summary", "Time that sources took for what they were asked.");
        for (source, counts) in &counts {
            let label = [("source", source.as_str())];
            let asked = counts.related + counts.unrelated + counts.failed;
            let (whole, part) = (counts.took_us / 1_000_000, counts.took_us % 1_000_000);
            metrics.sample("relation_lookup_seconds_sum", &label, format!("{whole}.{part:06}"));
            metrics.sample("relation_lookup_seconds_count", &label, asked);
        }
    }

    fn measure_log(&self, metrics: &mut Metrics) {
        let stats = self.log.stats();
        let counters = [
            ("call_records_total", "Call records written since the start.", stats.committed),
            ("call_records_dropped_total", "Call records that found no room.", stats.dropped),
        ];
        for (name, help, value) in counters {
            metrics.single(name, "counter", help, value);
        }
        let gauges = [
            ("call_records_pending", "Call records that wait to be written.", stats.pending),
            ("call_log_segments", "Segments of the decision log on disk.", stats.segments),
            ("call_log_bytes", "Bytes of the decision log on disk.", stats.bytes),
        ];
        for (name, help, value) in gauges {
            metrics.single(name, "gauge", help, value);
        }
    }

    fn measure_jobs(&self, metrics: &mut Metrics) {
        let health = self.supervisor.health();
        let name = "job_rounds_total";
        metrics.family(name, "counter", "Rounds of background jobs by outcome.");
        for job in &health {
            metrics.sample(name, &[("job", job.name), ("outcome", "completed")], job.completed);
            metrics.sample(name, &[("job", job.name), ("outcome", "failed")], job.failed);
        }
    }
}

//! What machines watch: `/livez`, `/readyz` and `/metrics`. No sign-in: they tell no more than
//! names of APIs and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::facts::{Facts, Metrics};
use crate::routes::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// How many questions of applications were answered, since the start.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    permitted: AtomicU64,
    denied: AtomicU64,
    searches: AtomicU64,
}

impl Questions {
    pub(crate) fn decided(&self, decision: bool) {
        let counter = if decision { &self.permitted } else { &self.denied };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn searched(&self) {
        self.searches.fetch_add(1, Ordering::Relaxed);
    }

    fn measure(&self, metrics: &mut Metrics) {
        let name = "access_evaluations_total";
        metrics.family(name, "counter", "Answers to access evaluations by decision.");
        for (decision, counter) in [("true", &self.permitted), ("false", &self.denied)] {
            metrics.sample(name, &[("decision", decision)], counter.load(Ordering::Relaxed));
        }
        let searches = self.searches.load(Ordering::Relaxed);
        metrics.single("access_searches_total", "counter", "Access searches answered.", searches);
    }
}

/// The process answers.
async fn live() -> &'static str {
    "ok\n"
}

/// Everything that is needed works. `?verbose` lists what was looked at.
async fn ready(State(facts): State<Arc<dyn Facts>>, RawQuery(query): RawQuery) -> Response {
    let checks = facts.checks().await;
    let ready = checks.iter().all(|check| check.problem.is_none());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut text = String::new();
    if query.is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose"))) {
        for check in &checks {
            text.push_str(&match &check.problem {
                None => format!("[+] {} ok\n", check.name),
                Some(problem) => format!("[-] {} failed: {problem}\n", check.name),
            });
        }
    }
    text.push_str(if ready { "ready\n" } else { "not ready\n" });
    (status, text).into_response()
}

/// Measurements in the Prometheus text format.
async fn metrics(
    State(facts): State<Arc<dyn Facts>>,
    State(questions): State<Arc<Questions>>,
) -> impl IntoResponse {
    let mut metrics = Metrics::default();
    facts.measure(&mut metrics);
    questions.measure(&mut metrics);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.into_text())
}

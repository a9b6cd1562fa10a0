//! Calls: decisions of the gate, newest first. Every filter is in the address.

use app::view::{CALLS_COUNTED_MAX, CallQuery, CallView, Page};
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, given, query};
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// Rows on one page.
const ROWS_MAX: u32 = 50;

/// The windows offered, with their words.
pub const WINDOWS: [(&str, &str); 5] = [
    ("1h", "last hour"),
    ("24h", "last 24 hours"),
    ("7d", "last 7 days"),
    ("30d", "last 30 days"),
    ("90d", "last 90 days"),
];

/// The outcomes that can be filtered for.
pub const OUTCOMES: [&str; 6] =
    ["refused", "allowed", "observed", "failed", "withheld", "cancelled"];

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Window back from now.
    pub since: String,
    /// Only before this time.
    pub until: String,
    /// Only this identity.
    pub identity: String,
    /// Only this API.
    pub api: String,
    /// Only this operation.
    pub operation: String,
    /// Only this outcome.
    pub outcome: String,
    /// Only this grant.
    pub grant: String,
}

/// The page.
#[derive(Template)]
#[template(path = "calls.html")]
pub struct CallsPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows.
    pub rows: Page<CallView>,
    /// What was asked.
    pub asked: Asked,
}

impl CallsPage {
    fn total(&self) -> String {
        let total = self.rows.total;
        let or_more = if total < CALLS_COUNTED_MAX { "" } else { " or more" };
        format!("{}{or_more} {}", words::number(total), if total == 1 { "call" } else { "calls" })
    }

    fn window(&self) -> &'static str {
        let known = WINDOWS.iter().find(|(code, _)| *code == self.asked.since);
        known.map_or("the chosen window", |(_, words)| words)
    }

    fn address(&self, since: &str, until: &str) -> String {
        let asked = &self.asked;
        query(&[
            ("since", since),
            ("until", until),
            ("identity", &asked.identity),
            ("api", &asked.api),
            ("operation", &asked.operation),
            ("outcome", &asked.outcome),
            ("grant", &asked.grant),
        ])
    }

    fn widened(&self) -> String {
        self.address("90d", "")
    }

    /// The address of older rows.
    fn older(&self) -> Option<String> {
        let until = self.rows.next.as_deref()?;
        Some(self.address(&self.asked.since, until))
    }
}

impl Asked {
    fn query(&self) -> CallQuery {
        let text = |value: &String| given(value.clone());
        CallQuery {
            since: text(&self.since),
            until: text(&self.until),
            identity: text(&self.identity),
            api: text(&self.api),
            operation: text(&self.operation),
            outcome: text(&self.outcome),
            grant: text(&self.grant),
            limit: Some(ROWS_MAX),
            ..CallQuery::default()
        }
    }
}

/// `GET /calls`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(mut asked): Query<Asked>,
) -> Shown {
    if asked.since.is_empty() {
        asked.since = "24h".to_owned();
    }
    let rows = console.desk.calls(visit.actor(), asked.query()).await?;
    super::show(&CallsPage { shell: visit.shell(Section::Activity), rows, asked })
}

//! The result of a review: what was decided, what was applied, and the proof that it holds.

use std::collections::BTreeMap;

use app::view::{ItemView, NodeReceipt, RemediationView, ReviewStatus};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::Shown;
use super::review::Row;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// One removal or narrowing with the names of what it touched.
pub struct Removal {
    /// The act and its proof.
    pub act: RemediationView,
    /// The identity.
    pub who: String,
    /// The API.
    pub api: String,
    /// Operations that go.
    pub goes: String,
    /// Operations that stay, where some do.
    pub stays: Option<String>,
}

/// Decisions that one reviewer signed at one moment.
pub struct Signature {
    /// By name.
    pub by: String,
    /// When.
    pub at: String,
    /// How many.
    pub decisions: u64,
}

/// The page.
#[derive(Template)]
#[template(path = "result.html")]
pub struct ResultPage {
    /// Surroundings.
    pub shell: Shell,
    /// Progress and proof.
    pub status: ReviewStatus,
    /// Per removal and narrowing.
    pub removals: Vec<Removal>,
    /// Who signed when, the first first.
    pub signatures: Vec<Signature>,
}

impl ResultPage {
    /// Joins the plan with the items it came from.
    pub fn new(shell: Shell, mut status: ReviewStatus, items: &[ItemView]) -> Self {
        let plan = std::mem::take(&mut status.remediations);
        let removals = plan.into_iter().map(|act| removal(act, items)).collect();
        Self { shell, removals, signatures: signatures(items), status }
    }

    fn completed(&self) -> bool {
        matches!(self.status.review.state.as_str(), "COMPLETED" | "SEALED")
    }

    fn probe_words(&self) -> &'static str {
        match self.status.probe.as_str() {
            "refused" => "refused",
            "pending" => "pending",
            "allowed" => "still allowed",
            _ if self.undecided() => "not yet",
            _ => "not needed",
        }
    }

    fn applied_words(&self) -> String {
        match self.status.applied_in_ms {
            Some(millis) => words::duration_ms(millis),
            None if self.removals.is_empty() && !self.undecided() => "nothing to apply".to_owned(),
            None => "not yet".to_owned(),
        }
    }

    /// Decisions are still taken, so nothing can be said of what they will need.
    fn undecided(&self) -> bool {
        matches!(self.status.review.state.as_str(), "STAGED" | "ACTIVE")
    }
}

fn removal(act: RemediationView, items: &[ItemView]) -> Removal {
    let row = items.iter().find(|item| item.id == act.item_id).cloned().map(Row::new);
    let Some(row) = row else {
        // Another reviewer's item: its names are not this visitor's to see.
        let (who, api, goes) = (act.grant_id.clone(), String::new(), String::new());
        return Removal { who, api, goes, stays: None, act };
    };
    Removal {
        goes: row.goes(),
        stays: row.narrows().then(|| row.stays()),
        who: row.item.subject_name,
        api: row.item.api_name,
        act,
    }
}

/// What a node ended because of an act, if it was anything.
pub(crate) fn streams(receipt: &NodeReceipt) -> String {
    let counts = [(receipt.streams_cut, "cut"), (receipt.streams_open, "still ending")];
    let some = counts.into_iter().filter_map(|(count, what)| Some((count?, what)));
    some.filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!(" · {} {what}", words::count(count, "stream")))
        .collect()
}

fn signatures(items: &[ItemView]) -> Vec<Signature> {
    let mut signed: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for item in items {
        if let Some(at) = &item.decided_at {
            *signed.entry((at, &item.reviewer_name)).or_default() += 1;
        }
    }
    let signature = |((at, by), decisions): ((&str, &str), u64)| Signature {
        by: by.to_owned(),
        at: at.to_owned(),
        decisions,
    };
    signed.into_iter().map(signature).collect()
}

/// `GET /reviews/{id}/result`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
) -> Shown {
    let status = console.desk.review_status(visit.actor(), &id).await?;
    let items = console.desk.review_items(visit.actor(), &id).await?;
    super::show(&ResultPage::new(visit.shell(Section::Reviews), status, &items))
}

/// `GET /reviews/{id}/evidence`
pub(crate) async fn evidence<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
) -> Shown {
    let bundle = console.desk.evidence(visit.actor(), &id).await?;
    let safe: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}-evidence.json\"")),
    ];
    Ok((headers, bundle).into_response())
}

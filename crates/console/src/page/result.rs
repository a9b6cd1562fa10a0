//! The result of a review: what was decided, what was applied, and the proof that it holds.

use app::view::{ItemView, RemediationView, ReviewStatus};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::Shown;
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
}

impl ResultPage {
    /// Joins the plan with the items it came from.
    pub fn new(shell: Shell, mut status: ReviewStatus, items: &[ItemView]) -> Self {
        let plan = std::mem::take(&mut status.remediations);
        let named = |act: RemediationView| {
            let item = items.iter().find(|item| item.id == act.item_id);
            Removal {
                who: item.map_or_else(|| act.grant_id.clone(), |item| item.subject_name.clone()),
                api: item.map_or_else(String::new, |item| item.api_name.clone()),
                act,
            }
        };
        Self { shell, removals: plan.into_iter().map(named).collect(), status }
    }

    fn completed(&self) -> bool {
        matches!(self.status.review.state.as_str(), "COMPLETED" | "SEALED")
    }

    fn probe_words(&self) -> &'static str {
        match self.status.probe.as_str() {
            "refused" => "refused",
            "pending" => "pending",
            "allowed" => "still allowed",
            _ => "not needed",
        }
    }

    fn applied_words(&self) -> String {
        match self.status.applied_in_ms {
            Some(millis) => words::duration_ms(millis),
            None if self.removals.is_empty() => "nothing to apply".to_owned(),
            None => "not yet".to_owned(),
        }
    }
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

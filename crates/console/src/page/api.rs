//! API: its operations and how much each is used, and who holds grants on it.

use app::view::ApiDetail;
use askama::Template;
use axum::extract::{Path, State};

use super::Shown;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "api.html")]
pub struct ApiPage {
    /// Surroundings.
    pub shell: Shell,
    /// Everything.
    pub detail: ApiDetail,
    /// Where callers reach the gate.
    pub gate_url: String,
}

impl ApiPage {
    fn most_calls(&self) -> u64 {
        self.detail.operations.iter().map(|operation| operation.calls_90d).max().unwrap_or(0)
    }

    fn unused(&self) -> u64 {
        let unused = self.detail.operations.iter().filter(|operation| operation.calls_90d == 0);
        u64::try_from(unused.count()).unwrap_or(0)
    }

    /// Where the API is called.
    fn address(&self) -> String {
        format!("{}{}", self.gate_url.trim_end_matches('/'), self.detail.api.path)
    }

    fn called(&self) -> bool {
        self.most_calls() > 0
    }
}

/// `GET /apis/{id}`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
) -> Shown {
    let detail = console.desk.api(visit.actor(), &id).await?;
    let gate_url = console.config.gate_url.clone();
    super::show(&ApiPage { shell: visit.shell(Section::Apis), detail, gate_url })
}

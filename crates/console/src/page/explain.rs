//! Explain: why one request was decided as it was, and what would let it pass.

use app::view::{ConsideredGrant, ExplainedStage, Explanation};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base::problem::ProblemKind;
use serde::Deserialize;

use super::{Shown, encode, given};
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "explain.html")]
pub struct ExplainPage {
    /// Surroundings.
    pub shell: Shell,
    /// The request id as it was entered.
    pub id: String,
    /// What was found.
    pub found: Option<Explanation>,
}

impl ExplainPage {
    /// Where a grant is listed: with its identity, or with the API where a group holds it.
    fn grant_link(&self, grant: &ConsideredGrant) -> String {
        let (subject, id) = (&grant.subject, encode(&grant.grant_id));
        let api = self.found.as_ref().and_then(|found| found.call.api_id.as_deref());
        match (subject.starts_with("group:"), api) {
            (true, Some(api)) => format!("/apis/{}#grant-{id}", encode(api)),
            _ => format!("/identities/{}#grant-{id}", encode(subject)),
        }
    }

    /// The stage at which grants let the call pass: they are named in their own table.
    fn let_through(&self, stage: &ExplainedStage) -> bool {
        let granted = self.found.as_ref().is_some_and(|found| !found.call.grant_ids.is_empty());
        granted && stage.stage == "grant" && stage.outcome == "passed"
    }

    fn covers(&self, grant: &ConsideredGrant) -> String {
        if super::part::covers_all(&grant.operations) {
            return "Every operation".to_owned();
        }
        words::listed(&grant.operations.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    id: String,
}

/// `GET /explain`, with `?id=` of a request
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let shell = visit.shell(Section::Activity);
    let Some(id) = given(asked.id) else {
        return super::show(&ExplainPage { shell, id: String::new(), found: None });
    };
    match console.desk.explain(visit.actor(), &id).await {
        Ok(found) => super::show(&ExplainPage { shell, id, found: Some(found) }),
        Err(problem) if problem.kind == ProblemKind::NotFound => {
            let page = super::show(&ExplainPage { shell, id, found: None })?;
            Ok((StatusCode::NOT_FOUND, page).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

//! Explain: why one request was decided as it was, and what would let it pass.

use app::view::{ConsideredGrant, ExplainedStage, Explanation, WrittenRequest};
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
    /// What was entered.
    pub asked: Asked,
    /// Why what was entered cannot be explained.
    pub wrong: Option<String>,
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

/// A request id, or a request that is written down.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The id that a caller was told.
    pub id: String,
    /// Who would call.
    pub identity: String,
    /// `GET /orders/42`.
    pub request: String,
    /// From which address.
    pub from: String,
}

impl Asked {
    /// Something is written down.
    pub fn is_written(&self) -> bool {
        !(self.identity.trim().is_empty() && self.request.trim().is_empty())
    }
}

/// `GET /explain`, with `?id=` of a request, or `?identity=&request=` of one that did not come
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let shell = visit.shell(Section::Activity);
    let actor = visit.actor();
    let answer = match (given(asked.id.clone()), asked.is_written()) {
        (Some(id), _) => console.desk.explain(actor, &id).await,
        (None, true) => {
            let request = WrittenRequest {
                identity: asked.identity.trim().to_owned(),
                request: asked.request.trim().to_owned(),
                from: given(asked.from.clone()),
                ..WrittenRequest::default()
            };
            console.desk.explain_written(actor, request).await
        }
        (None, false) => {
            return super::show(&ExplainPage { shell, asked, wrong: None, found: None });
        }
    };
    let problem = match answer {
        Ok(found) => {
            return super::show(&ExplainPage { shell, asked, wrong: None, found: Some(found) });
        }
        Err(problem) => problem,
    };
    let status = match problem.kind {
        ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::Invalid => StatusCode::BAD_REQUEST,
        _ => return Err(problem.into()),
    };
    let told = || match &problem.hint {
        Some(hint) => format!("{} ({hint})", problem.detail),
        None => problem.detail.clone(),
    };
    let wrong = asked.is_written().then(told);
    let page = super::show(&ExplainPage { shell, asked, wrong, found: None })?;
    Ok((status, page).into_response())
}

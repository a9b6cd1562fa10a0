//! The two forms of a row: draft a decision, take it back.

use app::view::{ItemView, NewDecision};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse};
use base::Problem;
use base::problem::ProblemKind;
use serde::Deserialize;

use super::{Asked, ReviewPage, ReviewParts, Row, RowError};
use crate::failure::{see_other, status};
use crate::page::{Shown, encode, given};
use crate::shell::Visit;
use crate::{Console, Desk, words};

/// What a row's form carries.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RowForm {
    verdict: String,
    note: String,
    back: String,
}

/// `POST /reviews/{id}/items/{item}/decision`
pub(crate) async fn decide<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path((review, item)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<RowForm>,
) -> Shown {
    let decision = NewDecision { verdict: form.verdict.clone(), note: given(form.note.clone()) };
    let decided = console.desk.decide(visit.actor(), &item, decision).await;
    Answer { console, visit, review, item, form, headers }.give(decided).await
}

/// `POST /reviews/{id}/items/{item}/undo`
pub(crate) async fn undo<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path((review, item)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<RowForm>,
) -> Shown {
    let undone = console.desk.undo(visit.actor(), &item).await;
    Answer { console, visit, review, item, form, headers }.give(undone).await
}

struct Answer<D> {
    console: Console<D>,
    visit: Visit,
    review: String,
    item: String,
    form: RowForm,
    headers: HeaderMap,
}

impl<D: Desk> Answer<D> {
    async fn give(self, outcome: Result<ItemView, Problem>) -> Shown {
        match outcome {
            Ok(item) if self.wants_parts() => self.parts(Row::new(item), StatusCode::OK).await,
            Ok(_) => Ok(self.back_to_list()),
            Err(problem) if shown_on_row(problem.kind) => self.refused(problem).await,
            Err(problem) => Err(problem.into()),
        }
    }

    fn wants_parts(&self) -> bool {
        self.headers.contains_key("x-portreeve-parts")
    }

    fn address(&self) -> String {
        format!("/reviews/{}", encode(&self.review))
    }

    fn back_to_list(&self) -> axum::response::Response {
        let back = view_of(&self.form.back);
        let joint = if back.is_empty() { '?' } else { '&' };
        let done = encode(&self.item);
        see_other(&format!("{}{back}{joint}done={done}#items", self.address()))
    }

    fn asked(&self) -> Asked {
        let uri: Uri = format!("/{}", view_of(&self.form.back)).parse().unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(asked)| asked).unwrap_or_default()
    }

    /// Shows the refusal on the row, with what was written still in its fields.
    async fn refused(self, problem: Problem) -> Shown {
        let error = RowError {
            message: words::sentence(&problem.detail),
            verdict: self.form.verdict.clone(),
            note: self.form.note.clone(),
        };
        let status = status(problem.kind);
        if self.wants_parts() {
            let items = self.console.desk.review_items(self.visit.actor(), &self.review).await?;
            let item = items.into_iter().find(|known| known.id == self.item);
            let item = item.ok_or_else(|| Problem::not_found("review item", &self.item))?;
            return self.parts(Row { item, error: Some(error) }, status).await;
        }
        let asked = self.asked();
        let mut page = ReviewPage::load(&self.console, &self.visit, &self.review, asked).await?;
        let mut rows = page.list.groups.iter_mut().flat_map(|group| group.rows.iter_mut());
        match rows.find(|row| row.item.id == self.item) {
            Some(row) => row.error = Some(error),
            None => return Err(problem.into()),
        }
        Ok((status, super::super::show(&page)?).into_response())
    }

    async fn parts(&self, row: Row, status: StatusCode) -> Shown {
        let page = ReviewPage::load(&self.console, &self.visit, &self.review, self.asked()).await?;
        let parts = ReviewParts {
            said: said(&row, &page),
            shell: page.shell,
            review: page.review,
            list: page.list,
            row,
        };
        Ok((status, Html(askama::Template::render(&parts)?)).into_response())
    }
}

/// The query to come back to, when it is one.
fn view_of(back: &str) -> &str {
    let sound = back.starts_with('?') && back.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { back } else { "" }
}

fn shown_on_row(kind: ProblemKind) -> bool {
    matches!(kind, ProblemKind::Invalid | ProblemKind::Conflict)
}

fn said(row: &Row, page: &ReviewPage) -> String {
    let name = &row.item.subject_name;
    let next = page.list.next_step().map(|step| format!(" {} {}.", step.said, step.act));
    let left = format!("{} left.{}", words::count(page.left(), "item"), next.unwrap_or_default());
    match (&row.error, row.drafted()) {
        (Some(error), _) => error.message.clone(),
        (None, true) => format!("Draft: {} for {name}. {left}", row.verdict_word()),
        (None, false) => format!("Draft for {name} taken back. {left}"),
    }
}

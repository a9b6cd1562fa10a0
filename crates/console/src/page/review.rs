//! The review screen: rows with their use, findings, recommendation and consequence; a decision is a
//! draft until it is signed. Forms work alone; the script asks for the changed parts only.

mod form;
mod list;
mod row;

use app::view::{ItemView, ReviewView};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;

use super::{Shown, encode};
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, cookie, words};

pub(crate) use form::{decide, undo};
pub use list::{Asked, Group, List, NextStep, Tab};
pub use row::{Button, Row, RowError};

/// Rows on one page.
pub const ROWS_MAX: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "review.html")]
pub struct ReviewPage {
    /// Surroundings.
    pub shell: Shell,
    /// The campaign.
    pub review: ReviewView,
    /// The rows, filtered and grouped.
    pub list: List,
    /// What the last form did.
    pub done: Option<ItemView>,
}

/// The parts of the page that a decision changes, for the script.
#[derive(Template)]
#[template(path = "review/parts.html")]
pub struct ReviewParts {
    /// Surroundings.
    pub shell: Shell,
    /// The campaign.
    pub review: ReviewView,
    /// For counts and links.
    pub list: List,
    /// The row that changed.
    pub row: Row,
    /// What to announce.
    pub said: String,
}

impl ReviewPage {
    /// Reads the campaign and its items for a visitor.
    pub(crate) async fn load<D: Desk>(
        console: &Console<D>,
        visit: &Visit,
        id: &str,
        asked: Asked,
    ) -> Result<Self, base::Problem> {
        let status = console.desk.review_status(visit.actor(), id).await?;
        let items = console.desk.review_items(visit.actor(), id).await?;
        let done = asked.done.as_deref().and_then(|done| items.iter().find(|i| i.id == done));
        let done = done.cloned();
        Ok(Self {
            list: List::new(items, asked, visit.request.choices.grouping),
            shell: visit.shell(Section::Reviews),
            review: status.review,
            done,
        })
    }

    /// Undecided rows of this visitor.
    pub fn left(&self) -> u64 {
        left(&self.list)
    }

    fn progress(&self) -> u64 {
        progress(&self.list)
    }
}

impl ReviewParts {
    fn left(&self) -> u64 {
        left(&self.list)
    }

    fn progress(&self) -> u64 {
        progress(&self.list)
    }
}

/// Where the forms of an item are sent, without the last segment.
pub(crate) fn item_address(item: &ItemView) -> String {
    format!("/reviews/{}/items/{}", encode(&item.review_id), encode(&item.id))
}

fn left(list: &List) -> u64 {
    list.count(Tab::Look) + list.count(Tab::Quiet)
}

fn progress(list: &List) -> u64 {
    words::percent(list.count(Tab::Decided), left(list) + list.count(Tab::Decided))
}

/// `GET /reviews/{id}`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let chosen = asked.group;
    let page = ReviewPage::load(&console, &visit, &id, asked).await?;
    let mut response = super::show(&page)?;
    let secure = console.config.secure_cookies;
    let remembered =
        chosen.and_then(|group| cookie::remember("portreeve-group", group.as_str(), secure));
    if let Some(cookie) = remembered {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests;

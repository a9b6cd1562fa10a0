//! My reviews: the inbox.

use app::view::ReviewView;
use askama::Template;
use axum::extract::State;

use super::Shown;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "reviews.html")]
pub struct ReviewsPage {
    /// Surroundings.
    pub shell: Shell,
    /// All that the person may see.
    pub reviews: Vec<ReviewView>,
}

impl ReviewsPage {
    fn open(&self) -> Vec<&ReviewView> {
        self.reviews.iter().filter(|review| is_open(review)).collect()
    }

    fn over(&self) -> Vec<&ReviewView> {
        self.reviews.iter().filter(|review| !is_open(review)).collect()
    }
}

fn is_open(review: &ReviewView) -> bool {
    matches!(review.state.as_str(), "ACTIVE" | "STAGED")
}

/// `GET /reviews`
pub(crate) async fn show<D: Desk>(visit: Visit, State(console): State<Console<D>>) -> Shown {
    let reviews = console.desk.reviews(visit.actor()).await?;
    super::show(&ReviewsPage { shell: visit.shell(Section::Reviews), reviews })
}

/// How far the person's own part of a review is, in percent.
pub(crate) fn progress(review: &ReviewView) -> u64 {
    words::percent(review.drafted + review.decided, review.mine.max(1))
}

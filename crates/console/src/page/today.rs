//! Today: what waits for the signed-in person. Also where a one-time link arrives.

use std::sync::Arc;

use app::view::{ReviewView, Today};
use askama::Template;
use axum::Extension;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::{HeaderMap, header};
use serde::Deserialize;

use super::{Shown, sign_in};
use crate::failure::see_other;
use crate::shell::{RequestFacts, Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "today.html")]
pub struct TodayPage {
    /// Surroundings.
    pub shell: Shell,
    /// What waits.
    pub today: Today,
}

impl TodayPage {
    /// Reviews in which the person still has something to decide or sign.
    fn waiting(&self) -> Vec<&ReviewView> {
        self.today.reviews.iter().filter(|review| review.decided < review.mine).collect()
    }

    /// Items without draft or decision, over all reviews.
    fn open_items(&self) -> u64 {
        let open = |review: &ReviewView| {
            review.mine.saturating_sub(review.drafted).saturating_sub(review.decided)
        };
        self.today.reviews.iter().map(open).sum()
    }

    /// What waits in one line: `1 review, 12 items, 3 need a look`.
    fn summary(&self) -> String {
        let waiting = self.waiting();
        let unsigned = |review: &&ReviewView| review.mine.saturating_sub(review.decided);
        let items: u64 = waiting.iter().map(unsigned).sum();
        let looks = match self.today.items_needing_a_look {
            0 if self.open_items() == 0 => "all drafted".to_owned(),
            0 => "none needs a look".to_owned(),
            1 => "1 needs a look".to_owned(),
            many => format!("{} need a look", words::number(many)),
        };
        let reviews = words::count(words::len(&waiting), "review");
        format!("{reviews}, {}, {looks}", words::count(items, "item"))
    }

    fn findings_total(&self) -> u64 {
        self.today.findings.iter().sum()
    }

    fn findings_at(&self, index: usize) -> u64 {
        self.today.findings.get(index).copied().unwrap_or(0)
    }

    /// Nothing of the person's own and nothing of the installation needs an act.
    fn quiet(&self) -> bool {
        self.waiting().is_empty()
            && self.today.expiring_credentials.is_empty()
            && self.today.ownerless == 0
            && self.findings_total() == 0
            && self.today.removals_unproved == 0
    }
}

#[derive(Deserialize)]
pub(crate) struct Arrival {
    once: Option<String>,
}

/// `GET /`
pub(crate) async fn show<D: Desk>(
    State(console): State<Console<D>>,
    Query(arrival): Query<Arrival>,
    Extension(facts): Extension<Arc<RequestFacts>>,
    request: Request,
) -> Shown {
    let (mut parts, _) = request.into_parts();
    if let Some(code) = arrival.once {
        if prefetched(&parts.headers) {
            return Ok(see_other("/sign-in"));
        }
        let signed_in = facts.viewer.is_some();
        return sign_in::redeem(&console, &code, signed_in).await;
    }
    let visit = Visit::from_request_parts(&mut parts, &()).await?;
    let today = console.desk.today(visit.actor()).await?;
    super::show(&TodayPage { shell: visit.shell(Section::Today), today })
}

/// A browser that only guesses must not use the code up.
fn prefetched(headers: &HeaderMap) -> bool {
    let purpose = [
        header::HeaderName::from_static("sec-purpose"),
        header::HeaderName::from_static("purpose"),
    ];
    purpose.iter().any(|name| headers.contains_key(name))
}

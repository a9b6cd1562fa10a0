//! Search: objects by name or id, from every page.

use app::view::SearchHit;
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, encode};
use crate::failure::see_other;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    /// Surroundings.
    pub shell: Shell,
    /// What was searched for.
    pub text: String,
    /// What was found.
    pub hits: Vec<SearchHit>,
}

/// Where a result is shown.
pub(crate) fn link(hit: &SearchHit) -> String {
    let id = encode(&hit.id);
    match hit.kind.as_str() {
        "api" => format!("/apis/{id}"),
        "review" => format!("/reviews/{id}"),
        "call" | "request" => format!("/explain?id={id}"),
        "group" => format!("/identities?owner=group%3A{id}"),
        "grant" => format!("/calls?since=90d&grant={id}"),
        _ => format!("/identities/{id}"),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
}

/// `GET /search?q=`. A request id goes straight to its explanation.
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let text = asked.q.trim().to_owned();
    if text.starts_with("r_") {
        return Ok(see_other(&format!("/explain?id={}", encode(&text))));
    }
    let hits = match text.is_empty() {
        true => Vec::new(),
        false => console.desk.search(visit.actor(), &text).await?,
    };
    super::show(&SearchPage { shell: visit.shell(Section::Elsewhere), text, hits })
}

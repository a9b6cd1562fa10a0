//! Identities: who and what has access. Every filter is in the address.

use app::view::{IdentityView, Page};
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, query};
use crate::desk::IdentityFilter;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The kinds that can be filtered for.
pub const KINDS: [&str; 7] = [
    "person",
    "service_account",
    "application",
    "workload",
    "ai_agent",
    "ci_pipeline",
    "third_party",
];

/// The page.
#[derive(Template)]
#[template(path = "identities.html")]
pub struct IdentitiesPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows.
    pub rows: Page<IdentityView>,
    /// What was asked.
    pub filter: IdentityFilter,
}

impl IdentitiesPage {
    fn filtered(&self) -> bool {
        let filter = &self.filter;
        ![&filter.text, &filter.kind, &filter.owner, &filter.status].iter().all(|f| f.is_empty())
    }

    fn next(&self) -> Option<String> {
        let filter = &self.filter;
        let after = self.rows.next.as_deref()?;
        Some(query(&[
            ("q", &filter.text),
            ("kind", &filter.kind),
            ("owner", &filter.owner),
            ("status", &filter.status),
            ("after", after),
        ]))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
    kind: String,
    owner: String,
    status: String,
    after: String,
}

/// `GET /identities`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let filter = IdentityFilter {
        text: asked.q.trim().to_owned(),
        kind: asked.kind,
        owner: asked.owner.trim().to_owned(),
        status: asked.status,
        after: asked.after,
    };
    let rows = console.desk.identities(visit.actor(), &filter).await?;
    super::show(&IdentitiesPage { shell: visit.shell(Section::Access), rows, filter })
}

//! Identities: who and what has access. Every filter is in the address.

use app::view::{IdentityQuery, IdentityView, Page};
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, given, query};
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// Rows on one page.
const ROWS_MAX: u32 = 50;

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

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Part of the id or name.
    pub q: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// Owner's id, or `none`.
    pub owner: String,
    /// `active`, `suspended`, `disabled`.
    pub status: String,
    /// Cursor of an earlier page.
    pub after: String,
}

/// The page.
#[derive(Template)]
#[template(path = "identities.html")]
pub struct IdentitiesPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows.
    pub rows: Page<IdentityView>,
    /// What was asked.
    pub asked: Asked,
}

impl IdentitiesPage {
    fn filtered(&self) -> bool {
        let asked = &self.asked;
        ![&asked.q, &asked.kind, &asked.owner, &asked.status].iter().all(|text| text.is_empty())
    }

    fn next(&self) -> Option<String> {
        let asked = &self.asked;
        let after = self.rows.next.as_deref()?;
        Some(query(&[
            ("q", &asked.q),
            ("kind", &asked.kind),
            ("owner", &asked.owner),
            ("status", &asked.status),
            ("after", after),
        ]))
    }
}

impl Asked {
    fn query(&self) -> IdentityQuery {
        let text = |value: &String| given(value.clone());
        IdentityQuery {
            text: text(&self.q),
            kind: text(&self.kind),
            owner: text(&self.owner),
            status: text(&self.status),
            limit: Some(ROWS_MAX),
            after: text(&self.after),
        }
    }
}

/// `GET /identities`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let rows = console.desk.identities(visit.actor(), asked.query()).await?;
    super::show(&IdentitiesPage { shell: visit.shell(Section::Access), rows, asked })
}

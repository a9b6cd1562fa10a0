//! Audit: who changed what, and whether the chain of entries holds.

use app::view::{AuditView, ChainStatus, Page};
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, query};
use crate::desk::AuditFilter;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows.
    pub rows: Page<AuditView>,
    /// The chain.
    pub chain: ChainStatus,
    /// What was asked.
    pub filter: AuditFilter,
}

impl AuditPage {
    /// The address of older rows.
    fn older(&self) -> Option<String> {
        let before = self.rows.next.as_deref()?;
        Some(query(&[
            ("event", &self.filter.event),
            ("actor", &self.filter.actor),
            ("subject", &self.filter.subject),
            ("before", before),
        ]))
    }

    fn detail(&self, row: &AuditView) -> String {
        serde_json::to_string_pretty(&row.detail).unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    event: String,
    actor: String,
    subject: String,
    before: String,
}

/// `GET /audit`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let filter = AuditFilter {
        subject: asked.subject.trim().to_owned(),
        event: asked.event.trim().to_owned(),
        actor: asked.actor.trim().to_owned(),
        before: asked.before.parse().ok(),
    };
    let rows = console.desk.audit_events(visit.actor(), &filter).await?;
    let chain = console.desk.chain_status(visit.actor()).await?;
    super::show(&AuditPage { shell: visit.shell(Section::Activity), rows, chain, filter })
}

//! Findings: problems between reviews.

use app::view::FindingView;
use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Shown, encode};
use crate::desk::FindingFilter;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "findings.html")]
pub struct FindingsPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows, worst first.
    pub findings: Vec<FindingView>,
    /// What was asked.
    pub filter: FindingFilter,
}

impl FindingsPage {
    /// The page, worst findings first, then oldest.
    pub fn new(shell: Shell, mut findings: Vec<FindingView>, filter: FindingFilter) -> Self {
        findings.sort_by(|a, b| {
            let key = |f: &FindingView| (rank(&f.severity), f.first_seen_at.clone());
            key(a).cmp(&key(b))
        });
        Self { shell, findings, filter }
    }

    fn filtered(&self) -> bool {
        !self.filter.rule.is_empty() || self.filter.state != "open"
    }

    fn facts(&self, finding: &FindingView) -> Vec<(String, String)> {
        let Some(members) = finding.evidence.as_object() else { return Vec::new() };
        members.iter().map(|(name, value)| (words::title(name), plain_value(value))).collect()
    }
}

fn rank(severity: &str) -> u8 {
    match severity {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    }
}

fn plain_value(value: &serde_json::Value) -> String {
    match value {
        // What is no time stays as it is.
        serde_json::Value::String(text) => words::absolute(text),
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Array(list) => {
            list.iter().map(plain_value).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Where a finding's subject is shown: on the page of the identity that it is, or that holds it.
/// Groups have no page.
pub(crate) fn subject_link(finding: &FindingView) -> Option<String> {
    let subject = &finding.subject;
    let holder = subject.holder.as_deref().filter(|holder| !holder.starts_with("group:"));
    let id = encode(&subject.id);
    match subject.kind.as_str() {
        "identity" => Some(format!("/identities/{id}")),
        "grant" => Some(format!("/identities/{}#grant-{id}", encode(holder?))),
        "credential" => Some(format!("/identities/{}#key-{id}", encode(holder?))),
        _ => None,
    }
}

/// Whom a finding is about, for its link.
pub(crate) fn subject_name(finding: &FindingView) -> String {
    let subject = &finding.subject;
    let holder = subject.holder.as_deref().unwrap_or(&subject.id);
    match subject.kind.as_str() {
        "identity" => subject.id.clone(),
        kind => format!("{} of {holder}", words::plain(kind)),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    rule: String,
    state: String,
}

/// `GET /findings`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let state = if asked.state.is_empty() { "open".to_owned() } else { asked.state };
    let filter = FindingFilter { rule: asked.rule, state };
    let findings = console.desk.findings(visit.actor(), &filter).await?;
    super::show(&FindingsPage::new(visit.shell(Section::Activity), findings, filter))
}

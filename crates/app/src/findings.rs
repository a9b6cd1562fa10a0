//! Findings between reviews, and what grants could be narrowed to.

use std::collections::BTreeMap;

use base::{FindingId, Problem};
use review::{Detection, Finding, Rules, Severity};
use store::{FindingFilter, FindingRow, FindingState};

use crate::authority::Authority;
use crate::view::{FindingSubject, FindingView, SuggestionView};
use crate::{Actor, App, input};

/// Which findings. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FindingQuery {
    /// Rule id.
    pub rule: Option<String>,
    /// Subject id.
    pub subject: Option<String>,
    /// `open` (default), `resolved` or `all`.
    pub state: Option<String>,
}

impl FindingQuery {
    fn filter(self) -> Result<FindingFilter, Problem> {
        if let Some(rule) = &self.rule {
            input::word::<review::Rule>("rule", rule)?;
        }
        let state = match self.state.as_deref() {
            Some("all") => None,
            state => Some(input::word_or("state", state, FindingState::Open)?.to_string()),
        };
        Ok(FindingFilter { rule: self.rule, subject: self.subject, state })
    }
}

impl App {
    /// Findings, the worst first. Members see those on what they own.
    pub async fn findings(
        &self,
        actor: &Actor,
        query: FindingQuery,
    ) -> Result<Vec<FindingView>, Problem> {
        let filter = query.filter()?;
        let mut state = self.read().await?;
        let rows = state.findings(&filter).await?;
        let authority = Authority::of(&mut state, actor).await?;
        if actor.reads_all() {
            return finding_views(&mut state, rows).await;
        }
        let mut seen = Vec::new();
        for row in rows {
            if self.sees_finding(&mut state, &authority, &row.finding).await? {
                seen.push(row);
            }
        }
        finding_views(&mut state, seen).await
    }

    async fn sees_finding(
        &self,
        state: &mut store::Connection,
        authority: &Authority<'_>,
        finding: &Finding,
    ) -> Result<bool, Problem> {
        let id = finding.subject.id();
        let holder = match &finding.subject {
            review::FindingSubject::Identity(_) => Some(id.to_owned()),
            review::FindingSubject::Credential(_) => {
                state.credential(id).await?.map(|credential| credential.identity.to_string())
            }
            review::FindingSubject::Grant(_) => {
                let Some(grant) = state.grant(id).await? else { return Ok(false) };
                let subject = state.identity(&grant.subject.to_string()).await?;
                let ruleset = self.ruleset().load_full();
                return Ok(authority.sees_grant(&grant, subject.as_ref(), &ruleset));
            }
        };
        let Some(holder) = holder else { return Ok(false) };
        let identity = state.identity(&holder).await?;
        Ok(identity.is_some_and(|identity| authority.sees_identity(&identity)))
    }

    /// Runs every rule and brings the list of findings up to date: what is new is opened, what is
    /// gone is resolved. Findings of rules that had too few records to judge stay as they are.
    /// Gives how many are open.
    pub async fn detect_findings(&self) -> Result<u64, Problem> {
        let inventory = self.inventory().await?;
        let detect = move || review::detect(&inventory, &Rules::default());
        let detection = tokio::task::spawn_blocking(detect).await;
        let detection = detection.map_err(|error| Problem::internal(error.to_string()))?;
        let mut tx = self.begin(&Actor::system(crate::review::system("system:findings")?)).await?;
        let filter = FindingFilter {
            state: Some(FindingState::Open.to_string()),
            ..FindingFilter::default()
        };
        let open = tx.findings(&filter).await?;
        let steps = Steps::from(open, &detection, tx.at());
        tx.resolve_findings(&steps.gone).await?;
        tx.refresh_findings(&steps.still).await?;
        tx.open_findings_anew(&steps.new).await?;
        let counts = tx.open_findings().await?;
        self.commit(tx).await?;
        Ok(counts.iter().sum())
    }

    /// What grants could be narrowed to, by recorded use. For those who read everything.
    pub async fn suggestions(&self, actor: &Actor) -> Result<Vec<SuggestionView>, Problem> {
        if !actor.reads_all() {
            let detail = format!("{} may not read the use of every grant", actor.id);
            return Err(Problem::forbidden("not_allowed", detail).hint("ask an administrator"));
        }
        let inventory = self.inventory().await?;
        let suggestions = review::suggest(&inventory, &Rules::default());
        let view = |suggestion: review::Suggestion| SuggestionView {
            grant_id: suggestion.grant.to_string(),
            operations: suggestion.operations.iter().map(ToString::to_string).collect(),
            fields: None,
        };
        Ok(suggestions.into_iter().map(view).collect())
    }
}

/// What a new look changes.
#[derive(Debug, Default)]
struct Steps {
    new: Vec<FindingRow>,
    still: Vec<Finding>,
    gone: Vec<FindingRow>,
}

impl Steps {
    fn from(open: Vec<FindingRow>, detection: &Detection, now: base::Timestamp) -> Self {
        let mut open: BTreeMap<FindingId, FindingRow> =
            open.into_iter().map(|row| (row.finding.id(), row)).collect();
        let mut steps = Self::default();
        for finding in &detection.findings {
            match open.remove(&finding.id()) {
                Some(row) if row.finding == *finding => {}
                Some(_) => steps.still.push(finding.clone()),
                None => steps.new.push(FindingRow {
                    finding: finding.clone(),
                    state: FindingState::Open,
                    first_seen_at: now,
                    resolved_at: None,
                }),
            }
        }
        let judged = |row: &FindingRow| detection.judged.contains(&row.finding.rule);
        steps.gone = open.into_values().filter(judged).collect();
        steps
    }
}

/// Findings as lists show them, with whose the subjects are by one query per kind.
pub(crate) async fn finding_views(
    state: &mut store::Connection,
    rows: Vec<FindingRow>,
) -> Result<Vec<FindingView>, Problem> {
    let holders = state.finding_holders(&rows).await?;
    let view = |row: FindingRow| {
        let holder = holders.get(row.finding.subject.id()).cloned();
        finding_view(row, holder)
    };
    Ok(rows.into_iter().map(view).collect())
}

fn finding_view(row: FindingRow, holder: Option<String>) -> FindingView {
    let FindingRow { finding, state, first_seen_at, .. } = row;
    FindingView {
        id: finding.id().to_string(),
        rule: finding.rule.to_string(),
        subject: FindingSubject {
            kind: finding.subject.kind().to_owned(),
            id: finding.subject.id().to_owned(),
            holder,
        },
        severity: Severity::to_string(&finding.severity),
        // Evidence is made of numbers, times and ids: it always has a JSON form.
        evidence: serde_json::to_value(&finding.evidence).unwrap_or_default(),
        summary: finding.summary,
        suggested_act: finding.suggested_act,
        first_seen_at: first_seen_at.to_string(),
        state: state.to_string(),
    }
}

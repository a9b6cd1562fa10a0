//! Findings and their life: opened when a rule first sees the problem, resolved when the rule
//! looks again and does not, opened anew with the old first sighting kept out of it.

use std::collections::HashMap;

use ::review::{Finding, Severity};
use base::Timestamp;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

base::words! {
    /// Whether the problem is there.
    FindingState {
        /// It is.
        Open = "open",
        /// It was.
        Resolved = "resolved",
    }
}

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// What was found, with the evidence of the latest look.
    pub finding: Finding,
    /// Whether it is still so.
    pub state: FindingState,
    /// When it was first seen since it was last resolved.
    pub first_seen_at: Timestamp,
    /// When it was found to be gone.
    pub resolved_at: Option<Timestamp>,
}

/// Which findings. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Rule id.
    pub rule: Option<String>,
    /// Subject id.
    pub subject: Option<String>,
    /// State, as its word.
    pub state: Option<String>,
}

fn read(mut row: Row) -> Result<FindingRow, StoreError> {
    Ok(FindingRow {
        finding: row.json()?,
        state: row.parsed()?,
        first_seen_at: row.time()?,
        resolved_at: row.maybe_time()?,
    })
}

const INTO: &str = "finding (id, rule, subject_kind, subject_id, severity, state, first_seen_at, \
                    resolved_at, body)";

fn values(row: &FindingRow) -> Result<Vec<Value>, StoreError> {
    let finding = &row.finding;
    Ok(vec![
        Value::text(finding.id()),
        Value::text(finding.rule),
        Value::text(finding.subject.kind()),
        Value::text(finding.subject.id()),
        Value::text(finding.severity),
        Value::text(row.state),
        row.first_seen_at.into(),
        Value::maybe_time(row.resolved_at),
        Value::json(finding)?,
    ])
}

impl Connection {
    /// Findings by severity (high first), then rule and subject.
    pub async fn findings(
        &mut self,
        filter: &FindingFilter,
    ) -> Result<Vec<FindingRow>, StoreError> {
        const SQL: &str = "SELECT body, state, first_seen_at, resolved_at FROM finding \
             WHERE ($1 IS NULL OR rule = $1) AND ($2 IS NULL OR subject_id = $2) \
             AND ($3 IS NULL OR state = $3) \
             ORDER BY CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, \
             rule, subject_id";
        let values = vec![
            Value::maybe_text(filter.rule.as_ref()),
            Value::maybe_text(filter.subject.as_ref()),
            Value::maybe_text(filter.state.as_ref()),
        ];
        self.fetch(SQL, values).await?.into_iter().map(read).collect()
    }

    /// The open findings on an identity, its credentials and its grants, the worst first.
    pub async fn findings_around(&mut self, identity: &str) -> Result<Vec<FindingRow>, StoreError> {
        const SQL: &str = "SELECT body, state, first_seen_at, resolved_at FROM finding \
             WHERE state = 'open' AND ((subject_kind = 'identity' AND subject_id = $1) \
             OR (subject_kind = 'credential' AND subject_id IN \
                 (SELECT id FROM credential WHERE identity_id = $1)) \
             OR (subject_kind = 'grant' AND subject_id IN \
                 (SELECT id FROM access_grant WHERE subject = $1))) \
             ORDER BY CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, \
             rule, subject_id";
        self.fetch(SQL, vec![Value::text(identity)]).await?.into_iter().map(read).collect()
    }

    /// Whose the grants and credentials are that findings are about, by subject id.
    pub async fn finding_holders(
        &mut self,
        rows: &[FindingRow],
    ) -> Result<HashMap<String, String>, StoreError> {
        const CREDENTIALS: &str = "SELECT id, identity_id FROM credential WHERE id IN";
        const GRANTS: &str = "SELECT id, subject FROM access_grant WHERE id IN";
        let mut holders = HashMap::new();
        for (sql, kind) in [(CREDENTIALS, "credential"), (GRANTS, "grant")] {
            let subjects = rows.iter().map(|row| &row.finding.subject);
            let ids: Vec<_> = subjects.filter(|s| s.kind() == kind).map(|s| s.id()).collect();
            for mut row in self.fetch_in(sql, "", &ids, vec![]).await? {
                holders.insert(row.text()?, row.text()?);
            }
        }
        Ok(holders)
    }

    /// How many open findings there are on each of these identities, their credentials and their
    /// grants.
    pub async fn open_findings_count(
        &mut self,
        identities: &[&str],
    ) -> Result<HashMap<String, u64>, StoreError> {
        const OWN: &str = "SELECT subject_id, COUNT(*) FROM finding WHERE state = 'open' \
             AND subject_kind = 'identity' AND subject_id IN";
        const CREDENTIALS: &str = "SELECT credential.identity_id, COUNT(*) FROM finding \
             JOIN credential ON credential.id = finding.subject_id WHERE finding.state = 'open' \
             AND finding.subject_kind = 'credential' AND credential.identity_id IN";
        const GRANTS: &str = "SELECT access_grant.subject, COUNT(*) FROM finding \
             JOIN access_grant ON access_grant.id = finding.subject_id \
             WHERE finding.state = 'open' AND finding.subject_kind = 'grant' \
             AND access_grant.subject IN";
        let mut counts = HashMap::new();
        for (head, tail) in [
            (OWN, " GROUP BY subject_id"),
            (CREDENTIALS, " GROUP BY credential.identity_id"),
            (GRANTS, " GROUP BY access_grant.subject"),
        ] {
            for mut row in self.fetch_in(head, tail, identities, vec![]).await? {
                // Columns are read in order, and `+=` on numbers evaluates its right side first.
                let identity = row.text()?;
                *counts.entry(identity).or_default() += row.count()?;
            }
        }
        Ok(counts)
    }

    /// How many findings are open: high, medium, low.
    pub async fn open_findings(&mut self) -> Result<[u64; 3], StoreError> {
        const SQL: &str =
            "SELECT severity, COUNT(*) FROM finding WHERE state = 'open' GROUP BY severity";
        let mut counts = [0; 3];
        for mut row in self.fetch(SQL, vec![]).await? {
            let severity: Severity = row.parsed()?;
            let [high, medium, low] = &mut counts;
            let count = match severity {
                Severity::High => high,
                Severity::Medium => medium,
                Severity::Low => low,
            };
            *count = row.count()?;
        }
        Ok(counts)
    }
}

impl Tx {
    /// Writes findings that are new, or were resolved and are back.
    pub async fn open_findings_anew(&mut self, rows: &[FindingRow]) -> Result<(), StoreError> {
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.finding.id();
            let event = audit::Event::FindingOpened;
            changes.push(NewChange::new(event, "finding", &id, None, Some(&row.finding))?);
            self.execute("DELETE FROM finding WHERE id = $1", vec![Value::text(id)]).await?;
        }
        let values: Result<Vec<_>, StoreError> = rows.iter().map(values).collect();
        self.insert_rows(INTO, values?).await?;
        self.record_all(changes).await
    }

    /// Notes that problems are gone.
    pub async fn resolve_findings(&mut self, rows: &[FindingRow]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE finding SET state = 'resolved', resolved_at = $2 WHERE id = $1";
        let now = self.at();
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.finding.id();
            let event = audit::Event::FindingResolved;
            changes.push(NewChange::new(event, "finding", &id, Some(&row.finding), None)?);
            self.execute(SQL, vec![Value::text(id), now.into()]).await?;
        }
        self.record_all(changes).await
    }

    /// Writes the evidence of the latest look at findings that are open anyway. That is no event:
    /// nothing began and nothing ended.
    pub async fn refresh_findings(&mut self, findings: &[Finding]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE finding SET body = $2, severity = $3 WHERE id = $1";
        for finding in findings {
            let values = vec![
                Value::text(finding.id()),
                Value::json(finding)?,
                Value::text(finding.severity),
            ];
            self.execute(SQL, values).await?;
        }
        Ok(())
    }
}

//! A synthetic organisation with an answer key, read from a directory of CSV, OpenAPI and NDJSON
//! files: people, machines, credentials, grants, ninety days of traffic, and the problems that
//! are to be found in it. Only tests read it; the product's own import is elsewhere.

mod routes;
mod tables;
mod traffic_log;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base::{ApiId, GrantId, OperationId, Timestamp};
use grant::GrantSubject;
use review::{Inventory, InventoryParts, Suggestion, UsageFacts, Window};
use serde_json::Value;
use traffic::CallRecord;

use self::routes::Routes;
use self::tables::{Row, text};

/// Anything that is wrong with the files.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

type Kept<'a> = BTreeMap<&'a GrantId, &'a BTreeSet<OperationId>>;
type Needs = BTreeMap<(GrantSubject, ApiId), BTreeSet<OperationId>>;

/// The files of one organisation, in memory but for the traffic.
#[derive(Debug)]
pub struct Enterprise {
    root: PathBuf,
    /// The moment that everything is judged at.
    pub as_of: Timestamp,
    window: Window,
    tables: tables::Tables,
    routes: Routes,
    truth: Value,
}

/// How suggestions do against the answer key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuggestionScore {
    /// Operations granted in force and not needed.
    pub excess: u64,
    /// Of these, removed.
    pub excess_removed: u64,
    /// Operations needed and removed: must be none.
    pub needed_removed: u64,
    /// Requests after the window that a grant covered and none would cover any more.
    pub future_blocked: u64,
    /// Requests after the window that a grant covered.
    pub future_covered: u64,
}

impl Enterprise {
    /// Reads everything but the traffic.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let about = json(&root.join("world.json"))?;
        let as_of = Timestamp::parse(text(&about, "as_of")?)?;
        let days = about["window_days"].as_u64().ok_or("world.json: no window_days")?;
        let (apis, routes) = routes::read(&root.join("apis"))?;
        Ok(Self {
            root: root.to_owned(),
            as_of,
            window: Window::ending(as_of, u32::try_from(days)?, 1_000),
            tables: tables::read(root, apis, as_of)?,
            routes,
            truth: json(&root.join("truth.json"))?,
        })
    }

    /// Folds the traffic of the window and seals.
    pub fn inventory(&self) -> Result<Inventory, Failure> {
        let mut usage = UsageFacts::empty(self.window);
        for request in traffic_log::requests(&self.root.join("traffic"))? {
            let request = request?;
            if let Some(call) = self.tables.allowed_call(&request, &self.routes) {
                call.add_to(&mut usage);
            }
        }
        Ok(Inventory::seal(InventoryParts {
            as_of: self.as_of,
            ruleset_version: 1,
            identities: self.tables.identities.clone(),
            groups: self.tables.groups.clone(),
            credentials: self.tables.credentials.clone(),
            apis: self.tables.apis.clone(),
            grants: self.tables.grants.clone(),
            usage,
            exceptions: self.tables.exceptions.clone(),
        })?)
    }

    /// The planted problems of the rules, as rule and subject id.
    pub fn planted(&self, rules: &[review::Rule]) -> Result<BTreeSet<(String, String)>, Failure> {
        let known: BTreeSet<_> = rules.iter().map(|rule| rule.as_str()).collect();
        let rows = self.truth["problems"].as_array().ok_or("truth.json: no problems")?;
        let mut planted = BTreeSet::new();
        for row in rows {
            let rule = text(row, "rule")?;
            if known.contains(rule) {
                planted.insert((rule.to_owned(), text(row, "subject_id")?.to_owned()));
            }
        }
        Ok(planted)
    }

    /// Scores suggestions by the arithmetic of the answer key's judge.
    pub fn score(&self, suggestions: &[Suggestion]) -> Result<SuggestionScore, Failure> {
        let kept: Kept<'_> = suggestions.iter().map(|s| (&s.grant, &s.operations)).collect();
        let needs = self.needs()?;
        let none = BTreeSet::new();
        let mut score = SuggestionScore::default();
        for grant in self.tables.grants.iter().filter(|g| g.is_live(self.as_of)) {
            let needed = needs.get(&(grant.subject.clone(), grant.api.clone())).unwrap_or(&none);
            for operation in self.tables.operations_of(grant) {
                let is_gone = kept.get(&grant.id).is_some_and(|kept| !kept.contains(operation));
                let is_needed = needed.contains(operation);
                score.excess += u64::from(!is_needed);
                score.excess_removed += u64::from(is_gone && !is_needed);
                score.needed_removed += u64::from(is_gone && is_needed);
            }
        }
        self.score_future(&kept, &mut score)?;
        Ok(score)
    }

    fn score_future(&self, kept: &Kept<'_>, score: &mut SuggestionScore) -> Result<(), Failure> {
        let misuse = self.misuse();
        for request in traffic_log::requests(&self.root.join("future"))? {
            let request = request?;
            let Some(call) = self.tables.allowed_call(&request, &self.routes) else { continue };
            let Some((_, operation)) = &call.operation else { continue };
            let covering = self.tables.covering_at(&call, self.as_of);
            if covering.is_empty() || misuse.contains(request.request_id.as_str()) {
                continue;
            }
            score.future_covered += 1;
            let still = covering.iter().any(|grant| {
                kept.get(&grant.id).is_none_or(|operations| operations.contains(operation))
            });
            score.future_blocked += u64::from(!still);
        }
        Ok(())
    }

    /// Shows every allowed request to a documented operation as the record that the gate would leave,
    /// in time order.
    pub fn records(&self, see: &mut dyn FnMut(&CallRecord)) -> Result<(), Failure> {
        for request in traffic_log::requests(&self.root.join("traffic"))? {
            let request = request?;
            if let Some(call) = self.tables.allowed_call(&request, &self.routes)
                && let Some(record) = call.record(&request)
            {
                see(&record);
            }
        }
        Ok(())
    }

    /// The planted events of one kind: the credential, and their span.
    pub fn events(&self, kind: &str) -> Result<Vec<(String, Timestamp, Timestamp)>, Failure> {
        let rows = self.truth["anomalies"].as_array().ok_or("truth.json: no anomalies")?;
        let of_kind = rows.iter().filter(|row| row["kind"] == kind);
        let event = |row: &Value| {
            let moment =
                |name: &str| -> Result<_, Failure> { Ok(Timestamp::parse(text(row, name)?)?) };
            Ok((text(row, "credential_id")?.to_owned(), moment("start")?, moment("end")?))
        };
        of_kind.map(event).collect()
    }

    fn misuse(&self) -> BTreeSet<&str> {
        let events = self.truth["future_misuse"].as_array().into_iter().flatten();
        let ids = events.flat_map(|event| event["request_ids"].as_array().into_iter().flatten());
        ids.filter_map(Value::as_str).collect()
    }

    fn needs(&self) -> Result<Needs, Failure> {
        let rows = self.truth["minimal_grants"].as_array().ok_or("truth.json: no needs")?;
        let mut needs = BTreeMap::new();
        for row in rows {
            let subject = tables::subject(text(row, "subject_kind")?, text(row, "subject_id")?)?;
            let operations = row["operations"].as_array().ok_or("truth.json: no operations")?;
            let operations: Result<_, Failure> = operations
                .iter()
                .map(|op| Ok(op.as_str().ok_or("an operation is no text")?.parse()?))
                .collect();
            needs.insert((subject, text(row, "api_id")?.parse()?), operations?);
        }
        Ok(needs)
    }
}

fn json(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))?)
}

/// The rows of a CSV file by column name.
fn csv(path: &Path) -> Result<Vec<Row>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut lines = text.lines().map(split_line);
    let header = lines.next().ok_or("a table without a header")?;
    Ok(lines.map(|cells| Row(header.iter().cloned().zip(cells).collect())).collect())
}

/// Cells of one line; quotes protect commas and are doubled inside. No cell has a line break.
fn split_line(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cells.last_mut().into_iter().for_each(|cell| cell.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().into_iter().for_each(|cell| cell.push(other)),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_keep_commas_and_quotes() {
        assert_eq!(split_line(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let failure = Enterprise::read(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(failure.contains("/nowhere/world.json"), "{failure}");
    }
}

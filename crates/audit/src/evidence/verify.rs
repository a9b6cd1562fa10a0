//! Reads a bundle and says what holds and what does not, with the place.

use base::Digest;
use base::canonical;
use serde::Serialize;
use serde_json::{Map, Value};

use super::judge;
use super::place::path_at;
use super::sections::{LISTS, MANIFEST, Manifest, SEAL, SINGLES, seal_text};
use crate::note::VerifierKey;

/// One thing that was checked, or one fault that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `bytes`, `key`, `seal`, `contents`, `chain`, `population`, `decisions`, `remediation`.
    pub name: String,
    /// It holds.
    pub ok: bool,
    /// Where in the file: `items[3]`, `checkpoint`, `byte 812 (items[3].id)`.
    pub place: String,
    /// What was found, one sentence.
    pub detail: String,
}

/// What became of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// One line: `chain ok · 12 of 12 items · population matches ruleset 7`, or what is wrong
    /// where.
    pub summary: String,
}

impl Report {
    /// Every check holds.
    pub fn is_ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}

/// What the checks say so far.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn fault(&mut self, name: &str, place: impl Into<String>, why: impl Into<String>) {
        self.push(name, false, place.into(), why.into());
    }

    pub(super) fn holds(&mut self, name: &str, place: impl Into<String>, why: impl Into<String>) {
        self.push(name, true, place.into(), why.into());
    }

    /// Faults found under this name.
    pub(super) fn faults(&self, name: &str) -> usize {
        self.0.iter().filter(|check| check.name == name && !check.ok).count()
    }

    fn push(&mut self, name: &str, ok: bool, place: String, detail: String) {
        self.0.push(Check { name: name.to_owned(), ok, place, detail });
    }

    fn report(self, success: String) -> Report {
        let summary = match self.0.iter().find(|check| !check.ok) {
            None => success,
            Some(first) => {
                let faults = self.0.iter().filter(|check| !check.ok).count();
                let more =
                    if faults > 1 { format!(" ({} more)", faults - 1) } else { String::new() };
                format!("not authentic: {}: {}{more}", first.place, first.detail)
            }
        };
        Report { checks: self.0, summary }
    }
}

/// Checks a bundle. `trusted_key` is the verifier key as its operator published it; without one,
/// the key in the file is used and the report says so.
pub fn verify(bytes: &[u8], trusted_key: Option<&str>) -> Report {
    let mut checks = Checks::default();
    let Some(file) = read(bytes, &mut checks) else {
        return checks.report(String::new());
    };
    if let Some(key) = find_key(&file, trusted_key, &mut checks) {
        check_seal(&file, &key, &mut checks);
        check_contents(&file, &mut checks);
        let summary = judge::judge(&file, &key, &mut checks);
        return checks.report(summary);
    }
    check_contents(&file, &mut checks);
    checks.report(String::new())
}

/// The members of the file; `None` when it is no JSON object.
fn read(bytes: &[u8], checks: &mut Checks) -> Option<Map<String, Value>> {
    let at = |offset: usize| match path_at(bytes, offset) {
        path if path.is_empty() => format!("byte {offset}"),
        path => format!("byte {offset} ({path})"),
    };
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            let offset = offset_of(bytes, error.line(), error.column());
            checks.fault("bytes", at(offset), format!("not readable as JSON: {error}"));
            return None;
        }
    };
    match canonical::to_bytes(&value) {
        Ok(written) if written == bytes => checks.holds("bytes", "file", "canonical"),
        Ok(written) => {
            let same = written.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            checks.fault("bytes", at(same), "not the canonical form of its content");
        }
        Err(error) => checks.fault("bytes", "file", error.to_string()),
    }
    match value {
        Value::Object(members) => Some(members),
        _ => {
            checks.fault("bytes", "file", "not a JSON object");
            None
        }
    }
}

/// The byte that a position of serde_json (line from 1, column from 1) means.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        bytes.split(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(|l| l.len() + 1).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

fn find_key(
    file: &Map<String, Value>,
    trusted: Option<&str>,
    checks: &mut Checks,
) -> Option<VerifierKey> {
    let carried = file.get("verifier_key").and_then(Value::as_str).unwrap_or_default();
    let chosen = trusted.unwrap_or(carried);
    let place = if trusted.is_some() { "trusted key" } else { "verifier_key" };
    let key: VerifierKey = match chosen.trim().parse() {
        Ok(key) => key,
        Err(error) => {
            checks.fault("key", place, format!("{error}"));
            return None;
        }
    };
    match trusted {
        None => checks.holds(
            "key",
            place,
            format!("taken from the file itself; compare it with the published key: {key}"),
        ),
        Some(_) if key.to_string() == carried => {
            checks.holds("key", "verifier_key", "the trusted one");
        }
        Some(_) => {
            checks.fault("key", "verifier_key", "the file was signed for another key");
        }
    }
    Some(key)
}

/// The signature over the manifest.
fn check_seal(file: &Map<String, Value>, key: &VerifierKey, checks: &mut Checks) {
    let Some(seal) = file.get(SEAL).and_then(Value::as_str) else {
        checks.fault("seal", SEAL, "missing");
        return;
    };
    let signed = match key.open_alone(seal) {
        Ok(text) => text,
        Err(error) => {
            checks.fault("seal", SEAL, error.to_string());
            return;
        }
    };
    let campaign = file.get("campaign").and_then(|c| c.get("id")).and_then(Value::as_str);
    let manifest = canonical::digest(file.get(MANIFEST).unwrap_or(&Value::Null));
    let expected = manifest.map(|digest| seal_text(campaign.unwrap_or_default(), digest));
    match expected {
        Ok(expected) if expected == signed => checks.holds("seal", SEAL, "signed"),
        _ => checks.fault("seal", MANIFEST, "not the one that the seal was made for"),
    }
}

/// Every element against its digest in the manifest.
fn check_contents(file: &Map<String, Value>, checks: &mut Checks) {
    let known = |name: &str| {
        SINGLES.contains(&name) || LISTS.contains(&name) || name == MANIFEST || name == SEAL
    };
    for name in file.keys().filter(|name| !known(name)) {
        checks.fault("contents", name.clone(), "unknown member");
    }
    let listed = file.get(MANIFEST).cloned().unwrap_or(Value::Null);
    let listed: Manifest = match serde_json::from_value(listed) {
        Ok(manifest) => manifest,
        Err(error) => {
            checks.fault("contents", MANIFEST, format!("not readable: {error}"));
            return;
        }
    };
    let found = match Manifest::of(file) {
        Ok(manifest) => manifest,
        Err(error) => {
            checks.fault("contents", "file", error.to_string());
            return;
        }
    };
    for name in SINGLES {
        match (found.singles.get(name), listed.singles.get(name)) {
            (Some(found), Some(listed)) if found == listed => {}
            (None, _) => checks.fault("contents", name, "missing"),
            _ => checks.fault("contents", name, "changed since it was sealed"),
        }
    }
    for name in LISTS {
        match (found.lists.get(name), listed.lists.get(name)) {
            (Some(found), Some(listed)) => compare(name, found, listed, checks),
            _ => checks.fault("contents", name, "missing"),
        }
    }
    if checks.faults("contents") == 0 {
        checks.holds("contents", MANIFEST, "every element is the one that was sealed");
    }
}

/// Names what happened to a list: elements changed, dropped, added or moved.
fn compare(name: &str, found: &[Digest], listed: &[Digest], checks: &mut Checks) {
    let missing = listed.iter().filter(|digest| !found.contains(digest)).count();
    let foreign = found.iter().filter(|digest| !listed.contains(digest)).count();
    for (index, digest) in listed.iter().enumerate() {
        if found.get(index) == Some(digest) {
            continue;
        }
        let why = match (found.get(index), found.contains(digest)) {
            (_, true) => "moved from its place",
            (Some(there), false) if missing > 0 && !listed.contains(there) => {
                "changed since it was sealed"
            }
            (_, false) => "dropped",
        };
        checks.fault("contents", format!("{name}[{index}]"), why);
    }
    if found.len() > listed.len() {
        let why = format!("{} elements stand here, {} were sealed", found.len(), listed.len());
        checks.fault("contents", format!("{name}[{}]", listed.len()), why);
    } else if foreign == 0 && missing == 0 && found.len() < listed.len() {
        // Twins: one of several equal elements is gone.
        let why = format!("{} elements stand here, {} were sealed", found.len(), listed.len());
        checks.fault("contents", format!("{name}[{}]", found.len()), why);
    }
}
